"""A config that fits a table, with comments, to start from."""

import os
from collections.abc import Iterator
from pathlib import Path
from textwrap import wrap
from typing import NamedTuple, get_args

import numpy as np

from dlreg.commands.column_uses import Use, choose_use, grouping_notes, split_by_time
from dlreg.config.checks import RefusedError, check_delimiter
from dlreg.config.reading import parse_config
from dlreg.config.schema import Config
from dlreg.config.sections.data import ColumnType, SplitMethod
from dlreg.config.writing import to_yaml
from dlreg.errors import DataError, Fault, UsageError, printable
from dlreg.files.table_files import STANDARD_INPUT, STANDARD_INPUT_NAME
from dlreg.preview.advice import advise
from dlreg.preview.plan import plan_training
from dlreg.preview.target import LOGARITHMS, Logarithm, choose_logarithm
from dlreg.table.column import Column
from dlreg.table.csv_format import CsvFormat
from dlreg.table.dataset import load_dataset
from dlreg.table.kinds.unit_counts import unit_notes
from dlreg.table.missing_columns import missing_columns
from dlreg.table.parts import Dataset
from dlreg.table.source import KnownTable
from dlreg.table.table_guess import GuessedTable, guess_table
from dlreg.table.table_names import shown_path
from dlreg.table.target import find_target_unit, read_target
from dlreg.wording import shorten

COMMENT_COLUMN = 36
# A line names no more words than one can read.
MOST_WORDS = 5
# Columns in a message.
MOST_NAMED = 5


class _Draft(NamedTuple):
    """What the config is to say.

    Attributes:
        path: The table, from the folder of the config.
        target: The column to predict.
        target_unit: Its unit, as `Column.unit`.
        csv_format: How the table is written.
        has_other_rows: Whether some rows are no observations.
        uses: What the other columns are.
        split: How test and validation rows are drawn.
        split_by: The column with the time.
        logarithm: The scaling of a target so skewed that it needs one.
        preset: How to train.
    """

    path: str
    target: str
    target_unit: str | None
    csv_format: CsvFormat
    has_other_rows: bool
    uses: list[Use]
    split: SplitMethod
    split_by: str | None
    logarithm: Logarithm | None
    preset: str


def init(
    csv: str, target: str, output: Path | None, delimiter: str | None = None
) -> tuple[str, tuple[str, ...]]:
    """Writes the config of a table, and makes sure that training would start from it.

    Args:
        csv: The table.
        target: The column to predict.
        output: Where the config will stand; None for the working directory.
        delimiter: The character between two cells, or a word for a tab; None to guess it.

    Returns:
        The text of the config, and what a user should know or look at: columns left out, texts that are
        missing values, how numbers are read, what looks like a mistake.

    Raises:
        DataError: The table cannot be read, has no such target, or none that can be learnt.
        UsageError: The config would replace the table, or the delimiter is none.
    """
    if output and Path(csv).exists() and output.exists() and output.samefile(csv):
        raise UsageError(f"--output {output} is the CSV itself: give the config another name")
    guess = guess_table(csv, target, None if delimiter is None else _delimiter(delimiter))
    table, header = guess.table, list(guess.table.frame.columns)
    if target not in header:
        raise DataError(*missing_columns([target], header, table.name))
    mixture = guess.mixtures.get(target)
    target_unit = find_target_unit(table, target) if mixture and mixture.kind else None
    y_true = read_target(table, target, target_unit)
    uses = [choose_use(guess, name, y_true) for name in header if name != target]
    if not any(use.column for use in uses):
        hint = f"Left out: {'; '.join(f'{use.name} ({use.comment})' for use in uses[:MOST_NAMED])}"
        fault = Fault("no column is left to learn from", table.name, hint=hint if uses else "Add some")
        raise DataError(fault)
    place = output or Path("config.yaml")
    is_file = csv != STANDARD_INPUT
    path = os.path.relpath(Path(csv).absolute(), place.absolute().parent) if is_file else csv
    split, split_by = split_by_time(table, uses, y_true)
    has_other_rows, logarithm = bool(guess.non_data_rows), choose_logarithm(y_true[~np.isnan(y_true)])
    draft = _Draft(
        path, target, target_unit, table.csv_format, has_other_rows, uses, split, split_by, logarithm, "fast"
    )
    lines, config, dataset = _load(draft, place, guess.as_read)
    rows = (f"left out: {place}" for place in guess.non_data_rows)
    notes = [*rows, *_left_out_notes(uses), *_missing_notes(guess, target), *_reading_notes(guess, draft)]
    warnings = [*_split_notes(config), *_target_notes(config), *_advice(config, dataset)]
    head = list(_head_lines(csv, guess.n_rows, len(header), place, warnings))
    text = "\n".join([*head, *lines]) + "\n"
    parse_config(text.encode(), str(place))
    return text, (*notes, *warnings)


def _delimiter(text: str) -> str:
    """The delimiter that an option gives; a tab is hard to type."""
    try:
        return check_delimiter("\t" if text in ("\\t", "tab") else text)
    except RefusedError as error:
        hint = "Such as --delimiter ';' or --delimiter tab"
        raise UsageError(Fault(f"--delimiter {error.expected}", hint=hint)) from None


def _load(draft: _Draft, place: Path, table: KnownTable) -> tuple[list[str], Config, Dataset]:
    """The lines of a config, and what it reads; with a simpler split or preset where rows are too few."""
    lines = list(_data_lines(draft))
    config = parse_config(("\n".join(lines) + "\n").encode(), str(place))
    try:
        dataset = load_dataset(config, table.read)
    except DataError:
        # A table of few rows may leave a part or a fold empty.
        if draft.split != "random":
            return _load(draft._replace(split="random", split_by=None), place, table)
        if draft.preset != "standard":
            return _load(draft._replace(preset="standard"), place, table)
        raise
    plan_training(config, dataset)
    return lines, config, dataset


def _left_out_notes(uses: list[Use]) -> Iterator[str]:
    for use in uses:
        if use.column is None:
            cells = f"; cells {', '.join(map(repr, use.examples))}" if use.examples else ""
            yield f"left out: {use.name}: {use.comment}{cells}"


def _missing_notes(guess: GuessedTable, target: str) -> Iterator[str]:
    for name, mixture in guess.mixtures.items():
        if mixture.kind == "number" and mixture.words:
            words = [
                f"{shorten(word)!r} ({count:,} cell{'s' if count > 1 else ''})"
                for word, count in mixture.words.items()
            ]
            more = f" and {len(words) - MOST_WORDS:,} more" if len(words) > MOST_WORDS else ""
            rows = "; rows without a target are left out" if name == target else ""
            yield f"missing: {name}: {', '.join(words[:MOST_WORDS])}{more} among numbers{rows}"


def _reading_notes(guess: GuessedTable, draft: _Draft) -> Iterator[str]:
    target = Column(draft.target, "number", unit=draft.target_unit)
    yield from unit_notes(guess.table, target, is_training=True)
    yield from grouping_notes(guess.table, draft.target)
    for use in draft.uses:
        yield from use.notes
    for name in guess.several_offsets:
        yield (
            f"column {name!r} has dates of several offsets from UTC, or with and without one: those without "
            "are taken for UTC. If they are not, set data.time_zone to their zone, such as Europe/Berlin"
        )


def _split_notes(config: Config) -> Iterator[str]:
    split, column = config.data.split, config.data.split_by
    if split == "time":
        yield f"split: time: the rows are in the order of column {column!r}, so the latest are to test on"
    if split == "ordered":
        yield "split: ordered: the rows are in the order of time, so the last are to test on"


def _target_notes(config: Config) -> Iterator[str]:
    if config.preprocessing.target in LOGARITHMS:
        key = f"preprocessing.target: {config.preprocessing.target}"
        yield (
            f"{key}: the target {config.data.target!r} spans orders of magnitude; its predictions are rather "
            "medians than means"
        )


def _advice(config: Config, dataset: Dataset) -> Iterator[str]:
    for advice in advise(config, dataset):
        if advice.fault.hint:
            yield f"{advice.fault.message}. {advice.fault.hint}"


def _head_lines(csv: str, n_rows: int, n_columns: int, place: Path, warnings: list[str]) -> Iterator[str]:
    name = STANDARD_INPUT_NAME if csv == STANDARD_INPUT else Path(csv).name
    yield f"# A config for {printable(name)}: {n_rows:,} rows, {n_columns:,} columns. Train with"
    yield f"#   dlreg train {printable(shown_path(place))}"
    yield "# What is not set here has its default; `dlreg schema --yaml` lists every key and what it does."
    if warnings:
        yield "#"
        yield "# Worth a look:"
        for warning in warnings:
            yield from wrap(printable(warning), 100, initial_indent="# - ", subsequent_indent="#   ")


def _data_lines(draft: _Draft) -> Iterator[str]:
    yield from _entry(0, {"preset": draft.preset}, "accurate: better, slower | standard: one network")
    yield "data:"
    yield from _entry(1, {"path": draft.path}, "from this file's folder")
    yield from _entry(1, {"target": draft.target}, "the column to predict")
    default = CsvFormat()
    for key, comment in _FORMAT_COMMENTS.items():
        if getattr(draft.csv_format, key) != getattr(default, key):
            yield from _entry(1, {key: getattr(draft.csv_format, key)}, comment)
    if draft.csv_format.missing_values:
        yield "  missing_values:"
        for word in draft.csv_format.missing_values:
            yield from _entry(2, word, "stands among numbers", item=True)
    if draft.has_other_rows:
        yield from _entry(1, {"non_data_rows": "exclude"}, "totals, units and the like are no rows")
    yield from _column_lines(draft)
    yield from _entry(1, {"test_split": 0.2}, "the fraction of the rows to test on")
    yield from _entry(1, {"split": draft.split}, "random | ordered | group | time")
    if draft.split_by:
        yield from _entry(1, {"split_by": draft.split_by}, "the rows are in its order")
    if draft.logarithm:
        yield "preprocessing:"
        yield from _entry(1, {"target": draft.logarithm}, "the target spans orders of magnitude")
        if draft.logarithm == "log1p" and draft.preset == "standard":
            yield from _entry(1, {"clip_predictions": True}, "within the targets of the training rows")


def _column_lines(draft: _Draft) -> Iterator[str]:
    left_out = [use for use in draft.uses if use.column is None]
    if left_out:
        yield "  exclude:"
        for use in left_out:
            yield from _entry(2, use.name, use.comment, item=True)
    used = [use for use in draft.uses if use.column]
    if used or draft.target_unit is not None:
        yield _commented("  types:", " | ".join(get_args(ColumnType)))
        for use in used:
            yield from _entry(2, {use.name: use.type_name}, use.comment)
    if draft.target_unit is not None:
        unit = f", in {draft.target_unit!r}" if draft.target_unit else ""
        yield from _entry(2, {draft.target: "number"}, f"the target{unit}")
    dated = [use for use in used if use.date_format]
    if dated:
        yield "  dates:"
        for use in dated:
            how = {"format": use.date_format, "latest": use.latest_year}
            yield from _entry(2, {use.name: how if use.latest_year else use.date_format}, "")


_FORMAT_COMMENTS = {
    "encoding": "of the text",
    "delimiter": "between cells",
    "skip_rows": "lines above the header",
    "comment": "starts a line that is no row",
    "skip_initial_space": "blanks before a cell",
    "decimal": "before the decimals",
    "thousands": "between groups of three digits",
    "time_zone": "of dates, which are brought into it",
}


def _entry(depth: int, value: object, comment: str, *, item: bool = False) -> Iterator[str]:
    """A key with its value, or an item of a list, as lines of YAML with a comment."""
    *first, last = to_yaml(value).rstrip("\n").split("\n")
    indent = "  " * depth + ("- " if item else "")
    yield from (indent + line for line in first)
    yield _commented(indent + last, comment)


def _commented(line: str, comment: str) -> str:
    return f"{line:{COMMENT_COLUMN}}  # {printable(comment)}" if comment else line
