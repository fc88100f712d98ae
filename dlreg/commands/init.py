"""A config that fits a table, with comments, to start from."""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from textwrap import wrap
from typing import get_args

import numpy as np
import pandas as pd

from dlreg.config.reading import parse_config
from dlreg.config.schema import ColumnType
from dlreg.config.writing import to_yaml
from dlreg.errors import DataError, UsageError, printable
from dlreg.preview.advice import advise
from dlreg.preview.columns import counts_rows, equals_target
from dlreg.preview.plan import plan_training
from dlreg.table import dates
from dlreg.table.column import Column
from dlreg.table.columns import KINDS, recognise_columns
from dlreg.table.csv_file import Table, read_table
from dlreg.table.csv_format import CsvFormat
from dlreg.table.csv_guess import guess_format
from dlreg.table.dataset import load_dataset, shown_path
from dlreg.table.kinds.number import read_numbers
from dlreg.table.missing_columns import missing_columns
from dlreg.table.target import read_target
from dlreg.wording import shorten

COMMENT_COLUMN = 36
# Whole numbers with so few values may be codes.
FEW_VALUES = 12


@dataclass(frozen=True)
class Use:
    """What the drafted config makes of a column.

    Attributes:
        name: As in the CSV's header.
        type_name: What `data.types` calls it; None for a column to leave out.
        comment: What its values are, or why it is left out.
        date_format: The strptime format of dates that are not ISO.
    """

    name: str
    type_name: str | None
    comment: str
    date_format: str | None = None


def init(csv: str, target: str, output: Path | None) -> tuple[str, tuple[str, ...]]:
    """Writes the config of a table, and makes sure that training would start from it.

    Args:
        csv: The table.
        target: The column to predict.
        output: Where the config will stand; None for the working directory.

    Returns:
        The text of the config, and what a user should look at.

    Raises:
        DataError: The table cannot be read, has no such target, or none that can be learnt.
        UsageError: The config would replace the table.
    """
    if output and Path(csv).exists() and output.exists() and output.samefile(csv):
        raise UsageError(f"--output {output} is the CSV itself: give the config another name")
    csv_format, texts = guess_format(csv)
    table = read_table(csv, csv_format)
    header = list(table.frame.columns)
    if target not in header:
        raise DataError(*missing_columns([target], header, csv))
    y_true = read_target(table, target)
    uses = [_choose_use(table, texts, name, y_true) for name in header if name != target]
    place = output or Path("config.yaml")
    path = os.path.relpath(Path(csv).absolute(), place.absolute().parent)
    lines = list(_data_lines(path, target, csv_format, uses))
    config = parse_config(("\n".join(lines) + "\n").encode(), str(place))
    dataset = load_dataset(config)
    plan_training(config, dataset)
    warnings = tuple(
        f"{advice.fault.message}. {advice.fault.hint}"
        for advice in advise(config, dataset)
        if advice.fault.hint
    )
    head = list(_head_lines(csv, len(table.frame), len(header), place, warnings))
    text = "\n".join([*head, *lines]) + "\n"
    parse_config(text.encode(), str(place))
    return text, warnings


def _choose_use(table: Table, texts: Table, name: str, y_true: np.ndarray) -> Use:
    """Chooses what the config makes of a column.

    Args:
        table: The CSV as the config will read it.
        texts: The same with every cell as text.
        name: The column.
        y_true: The target, shape `(n_rows,)`, NaN where it is missing.
    """
    if name.startswith("Unnamed: "):
        return Use(name, None, "has no name, like an index that was exported")
    known = table.frame[name].dropna()
    if known.nunique() < 2:
        return Use(name, None, "has one value in every row" if len(known) else "has no value")
    written = texts.frame[name].dropna().astype("str")
    # Before numbers: where points group digits, 01.02.2024 is one.
    if formats := dates.guess_other_formats(written):
        others = f"; or {' or '.join(formats[1:])}?" if len(formats) > 1 else ""
        return Use(name, "date", f"such as {written.iloc[0]}{others}", formats[0])
    try:
        (column,) = recognise_columns(table, [name], {}, {})
    except DataError as error:
        return Use(name, None, error.faults[0].message)
    return _USES[column.kind](table, column, written, y_true)


def _use_numbers(table: Table, column: Column, written: "pd.Series[str]", y_true: np.ndarray) -> Use:
    # Where the marks between digits are those of another column, the cells are still text.
    numbers = read_numbers(table, column.name)
    rows = np.flatnonzero(~np.isnan(y_true))
    if counts_rows(numbers[rows], rows):
        return Use(column.name, None, "numbers the rows, like an id")
    if equals_target(numbers[rows], y_true[rows]):
        return Use(column.name, None, "follows the target exactly")
    known = pd.Series(numbers).dropna()
    comment = f"{known.min():g} to {known.max():g}"
    if (known == known.round()).all() and 2 < known.nunique() <= FEW_VALUES:
        comment += "; a category if these are codes"
    if written.str.match(r"\s*0[0-9]").any():
        comment += "; leading zeros, as codes have them: a category?"
    return _used(column, comment, len(numbers) - len(known))


def _use_levels(table: Table, column: Column, _written: "pd.Series[str]", _y_true: np.ndarray) -> Use:
    cells = table.frame[column.name]
    levels = sorted(map(str, cells.dropna().unique()))
    return _used(column, f"{len(levels):,} levels: {shorten(', '.join(levels))}", int(cells.isna().sum()))


def _use_dates(table: Table, column: Column, _written: "pd.Series[str]", _y_true: np.ndarray) -> Use:
    cells = table.frame[column.name]
    known = cells.dropna()
    return _used(column, f"{known.min()} to {known.max()}", len(cells) - len(known))


def _used(column: Column, comment: str, n_missing: int) -> Use:
    missing = f"; {n_missing:,} missing" if n_missing else ""
    return Use(column.name, KINDS[column.kind].type_name, f"{comment}{missing}")


# By the kind of column.
_USES: Mapping[str, Callable[[Table, Column, "pd.Series[str]", np.ndarray], Use]] = {
    "number": _use_numbers,
    "category": _use_levels,
    "boolean": _use_levels,
    "date": _use_dates,
}


def _head_lines(
    csv: str, n_rows: int, n_columns: int, place: Path, warnings: tuple[str, ...]
) -> Iterator[str]:
    yield f"# A config for {printable(Path(csv).name)}: {n_rows:,} rows, {n_columns:,} columns. Train with"
    yield f"#   dlreg train {printable(shown_path(place))}"
    yield "# What is not set here has its default; `dlreg schema` prints every key."
    if warnings:
        yield "#"
        yield "# Worth a look:"
        for warning in warnings:
            yield from wrap(printable(warning), 100, initial_indent="# - ", subsequent_indent="#   ")


def _data_lines(path: str, target: str, csv_format: CsvFormat, uses: list[Use]) -> Iterator[str]:
    yield "data:"
    yield from _entry(1, {"path": path}, "from this file's folder")
    yield from _entry(1, {"target": target}, "the column to predict")
    default = CsvFormat()
    for key, comment in _FORMAT_COMMENTS.items():
        if getattr(csv_format, key) != getattr(default, key):
            yield from _entry(1, {key: getattr(csv_format, key)}, comment)
    if csv_format.missing_values:
        yield "  missing_values:"
        for word in csv_format.missing_values:
            yield from _entry(2, word, "stands among numbers", item=True)
    left_out = [use for use in uses if use.type_name is None]
    if left_out:
        yield "  exclude:"
        for use in left_out:
            yield from _entry(2, use.name, use.comment, item=True)
    used = [use for use in uses if use.type_name]
    if used:
        yield _commented("  types:", " | ".join(get_args(ColumnType)))
        for use in used:
            yield from _entry(2, {use.name: use.type_name}, use.comment)
    dated = [use for use in used if use.date_format]
    if dated:
        yield "  dates:"
        for use in dated:
            yield from _entry(2, {use.name: use.date_format}, "")
    yield from _entry(1, {"test_split": 0.2}, "the fraction of the rows to test on")
    yield from _entry(1, {"split": "random"}, "random | ordered | group | time")
    yield "# With preset: accurate, a more accurate and slower training, leave these out."
    yield "model:"
    yield from _entry(1, {"hidden_layers": [64, 64]}, "units of each hidden layer")
    yield "training:"
    yield from _entry(1, {"epochs": 100}, "at most: training stops early when it no longer helps")
    yield from _entry(1, {"batch_size": 32}, "rows per step")
    yield from _entry(1, {"learning_rate": 0.001}, "smaller if the loss jumps or diverges")


_FORMAT_COMMENTS = {
    "encoding": "of the text",
    "delimiter": "between cells",
    "decimal": "before the decimals",
    "thousands": "between groups of three digits",
}


def _entry(depth: int, value: object, comment: str, *, item: bool = False) -> Iterator[str]:
    """A key with its value, or an item of a list, as lines of YAML with a comment."""
    *first, last = to_yaml(value).rstrip("\n").split("\n")
    indent = "  " * depth + ("- " if item else "")
    yield from (indent + line for line in first)
    yield _commented(indent + last, comment)


def _commented(line: str, comment: str) -> str:
    return f"{line:{COMMENT_COLUMN}}  # {printable(comment)}" if comment else line
