"""Another file for a trained run, written otherwise than its own: `--set data.decimal=,` and the like."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from dlreg.config.reading import override_config
from dlreg.errors import DataError, Fault, UsageError
from dlreg.runs.trained_run import TrainedRun
from dlreg.table.date_writing import rewrite_dates
from dlreg.table.table import Table

# What says how a file is written; everything else is a part of what was trained.
FORMAT_KEYS = (
    "encoding", "delimiter", "header", "names", "skip_rows", "skip_footer", "comment", "skip_initial_space",
    "sheet", "decimal", "thousands", "missing_values", "dates",
)  # fmt: skip
# What becomes of a total among rows to measure on; a total among rows to predict is predicted.
MEASURED_KEYS = (*FORMAT_KEYS, "non_data_rows")
_NAMES = re.compile(
    rf"""(?:([Ss])et\s)?data\.({"|".join(MEASURED_KEYS)})(?::\s(\{{.*?\}}|".*?"|[^\s,.]+))?""", re.DOTALL
)


def read_otherwise(
    run: TrainedRun, overrides: Sequence[str], keys: Sequence[str] = FORMAT_KEYS
) -> TrainedRun:
    """The run with other values of some keys of `data`, as `--set` gives them.

    Args:
        run: The trained run.
        overrides: `KEY=VALUE` texts.
        keys: Those that may be given.

    Raises:
        UsageError: One of `overrides` is not `KEY=VALUE`, or of another key.
        ConfigError: A value is wrong.
    """
    for override in overrides:
        key = override.partition("=")[0]
        if not re.fullmatch(rf"data\.({'|'.join(keys)})(\..*)?", key):
            listed = ", ".join(f"data.{name}" for name in keys)
            hint = f"Here it takes what says how a file is written: {listed}. Train again for all else"
            raise UsageError(Fault(f"--set {key}: the run was trained with what its config says", hint=hint))
    return replace(run, config=override_config(run.config, overrides)) if overrides else run


def with_dates_as_trained(table: Table, run: TrainedRun) -> Table:
    """The table with each column of dates in the format that the run was trained with.

    Raises:
        DataError: Cells that are no dates, or that the run's format cannot tell.
    """
    for column in run.columns:
        how = run.config.data.date_columns.get(column.name)
        if column.kind != "date" or how is None or column.name not in table.frame.columns:
            continue
        written = replace(column, date_format=how.format, latest_year=how.latest)
        if written != column:
            table = rewrite_dates(table, written, column)
    return table


@contextmanager
def naming_set_option() -> Iterator[None]:
    """Lets hints name `--set` where they would name a key of the config, which is another file's.

    Raises:
        DataError: The same as in the block, with other hints.
    """
    try:
        yield
    except DataError as error:
        raise DataError(*(_with_option(fault) for fault in error.faults)) from None


def _with_option(fault: Fault) -> Fault:
    def option(match: re.Match[str]) -> str:
        verb, key, value = match.groups()
        given = f"data.{key}={value}" if value else f"data.{key}=…"
        quoted = f"'{given}'" if value else given
        return f"{'Give' if verb == 'S' else 'give'} --set {quoted}" if verb else f"--set {quoted}"

    return replace(fault, hint=_NAMES.sub(option, fault.hint)) if fault.hint else fault
