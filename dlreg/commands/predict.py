"""Predictions for new rows, streamed: one line per input row, in order, in bounded memory."""

import contextlib
import sys
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from csv import writer as csv_writer
from pathlib import Path
from typing import IO, BinaryIO

import numpy as np

from dlreg.errors import DataError, Fault, UsageError, located
from dlreg.files.whole_file import replacing, reporting_storage_errors, sweep_temporaries
from dlreg.pipeline.graph import PREDICTION, RESIDUAL_SCALE, SPREAD
from dlreg.runs.trained_run import TrainedRun, warn_of_unseen
from dlreg.table.columns import read_cells
from dlreg.table.csv_file import Table, stream_tables
from dlreg.table.csv_scan import open_csv
from dlreg.table.dataset import csv_format_of
from dlreg.table.kinds.number import count_without_unit
from dlreg.table.missing_columns import missing_columns


def predict(
    run: TrainedRun,
    csv: str,
    output: str,
    keep: Sequence[str] = (),
    *,
    spread: bool = False,
    interval: float | None = None,
) -> dict[str, int]:
    """Predicts each row of a CSV and writes `row`, the kept columns and `y_pred`; warns of unseen levels.

    Args:
        run: The trained run.
        csv: A file, or `-` for standard input. The target column is not needed.
        output: A file, replaced in one step when all rows are done, or `-` for standard output.
        keep: Columns to copy from the input.
        spread: Write `y_spread` too, the standard deviation of the members of an ensemble.
        interval: Write `y_lower` and `y_upper` too, between which this share of new rows lies.

    Returns:
        How many rows there were (`rows`), and how many cells of a category were unseen in training,
        by column (`unseen in …`).

    Raises:
        UsageError: A spread is asked for where there is one member, a column to be kept twice, or an
            interval that is no share of rows, or a larger one than the rows it is calibrated on can tell of.
        DataError: No rows, columns missing, cells that are not what the column is.
        StorageError: The output cannot be written.
    """
    if spread and not run.pipeline.has_spread:
        hint = "Train with model.ensemble: 5, or leave --spread out"
        raise UsageError(Fault("--spread needs a run of several members, this one has one", hint=hint))
    if interval is not None:
        _check_level(run, interval)
    names = ["y_pred", *(["y_spread"] if spread else []), *(["y_lower", "y_upper"] if interval else [])]
    columns = ["row", *keep, *names]
    if repeated := [name for name in keep if columns.count(name) > 1]:
        hint = "Give each once; rename a column of the CSV that is called like one of dlreg's"
        raise UsageError(Fault(f"--keep {repeated[0]!r}: the output would have two such columns", hint=hint))
    n_rows, unseen, bare = 0, Counter[str](), Counter[str]()
    source = "standard input" if csv == "-" else csv
    with _open_input(csv) as stream, _open_output(output) as target:
        text_columns = {*run.text_columns, *keep}
        # It writes the same text as pandas, several times as fast.
        writer = csv_writer(target, lineterminator="\n")
        for table in stream_tables(stream, source, csv_format_of(run.config.data), text_columns):
            predicted = _predict_block(run, table, keep, unseen, interval)
            bare.update(count_without_unit(table, run.columns))
            if not n_rows:
                writer.writerow(columns)
            kept_cells = [table.frame[column].fillna("").tolist() for column in keep]
            rows = range(n_rows, n_rows + len(table.frame))
            writer.writerows(
                zip(rows, *kept_cells, *(predicted[name].tolist() for name in names), strict=True)
            )
            n_rows += len(table.frame)
        if not n_rows:
            hint = "Add a header line and, below it, one line for each row"
            raise DataError(Fault("the file has no rows of data", source, hint=hint))
    warn_of_unseen(unseen)
    for name, count in bare.items():
        warnings.warn(f"{count:,} cells have no unit in column {name!r}, taken as in training", stacklevel=1)
    return {"rows": n_rows} | {f"unseen in {name}": count for name, count in unseen.items()}


def _predict_block(
    run: TrainedRun, table: Table, keep: Sequence[str], unseen: Counter[str], interval: float | None
) -> dict[str, np.ndarray]:
    header = list(table.frame.columns)
    wanted = [*(column.name for column in run.columns), *keep]
    lacking = [name for name in wanted if name not in header]
    if lacking:
        raise DataError(*missing_columns(lacking, header, table.name))
    with located(table.name):
        cells = read_cells(table, run.columns)
    unseen.update(run.count_unseen(cells))
    outputs = run.pipeline.run(cells)
    columns = {"y_pred": outputs[PREDICTION]}
    if SPREAD in outputs:
        columns["y_spread"] = outputs[SPREAD]
    if interval is not None:
        half = run.intervals.half_widths(interval, len(table.frame), outputs.get(RESIDUAL_SCALE))
        columns |= {"y_lower": columns["y_pred"] - half, "y_upper": columns["y_pred"] + half}
    return columns


def _check_level(run: TrainedRun, level: float) -> None:
    if not 0 < level < 1:
        hint = "Give the share of rows that the intervals shall hold, such as --interval 0.9"
        raise UsageError(Fault(f"--interval takes a number between 0 and 1; found {level:g}", hint=hint))
    if run.intervals.quantile(level) is None:
        n_rows = run.intervals.n_rows
        message = f"--interval {level:g} needs more rows to calibrate on than this run has: {n_rows:,}"
        hint = f"Ask for at most {run.intervals.highest_level:.3g}, or train" if n_rows else "Train"
        raise UsageError(Fault(message, hint=f"{hint} with a larger training.validation_split"))


@contextlib.contextmanager
def _open_input(csv: str) -> Iterator[BinaryIO]:
    if csv == "-":
        yield sys.stdin.buffer
    else:
        with open_csv(csv) as stream:
            yield stream


@contextlib.contextmanager
def _open_output(output: str) -> Iterator[IO[str]]:
    if output == "-":
        yield sys.stdout
        return
    path = Path(output)
    with reporting_storage_errors(path):
        sweep_temporaries(path.parent)
        with (
            replacing(path) as descriptor,
            open(descriptor, "w", encoding="utf-8", newline="", closefd=False) as target,
        ):
            yield target
