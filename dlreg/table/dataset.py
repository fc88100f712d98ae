"""The rows of a config: read, recognised, checked and split – everything before anything is fitted."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from dlreg.config.schema import Config, DataConfig
from dlreg.errors import DataError, Fault, gathering, located
from dlreg.table.chosen_columns import choose_columns
from dlreg.table.column import Column
from dlreg.table.columns import KINDS, is_text, read_cells, recognise_columns
from dlreg.table.csv_file import Table, read_table
from dlreg.table.csv_format import CsvFormat
from dlreg.table.kinds.number import unit_notes
from dlreg.table.missing_columns import missing_columns
from dlreg.table.splits import Splits, split_folds, split_rows
from dlreg.table.target import find_target_unit, read_target


@dataclass(frozen=True)
class Part:
    """Some rows, as a model reads them.

    Attributes:
        rows: Their 0-based positions in the CSV, shape `(n_rows,)`.
        cells: One array of shape `(n_rows, 1)` per column.
        y_true: The target in its own units, shape `(n_rows,)`.
    """

    rows: np.ndarray
    cells: dict[str, np.ndarray]
    y_true: np.ndarray


@dataclass(frozen=True)
class Dataset:
    """The three parts of a table.

    Attributes:
        columns: What the model reads, in the order of the CSV.
        parts: `train`, `validation` and `test`.
        notes: What a user should know of the rows: cells missing, rows dropped.
        folds: The positions of each fold in the training part, if there is cross-validation.
        target_unit: The unit of the target, as `Column.unit`.
    """

    columns: tuple[Column, ...]
    parts: dict[str, Part]
    notes: tuple[str, ...]
    folds: tuple[np.ndarray, ...] = ()
    target_unit: str | None = None


def load_dataset(config: Config) -> Dataset:
    """Reads and splits what `config.data` names.

    Raises:
        DataError: With every fault of the columns at once.
        StorageError: A file cannot be read.
    """
    data = config.data
    faults: list[Fault] = []
    table: Table | None = None
    columns: tuple[Column, ...] = ()
    contents: _Contents | None = None
    with gathering(faults):
        as_text = {name for name, kind in data.types.items() if KINDS[kind].is_text} | set(data.dates)
        table = read_table(shown_path(data.path), csv_format_of(data), as_text)
    if table:
        columns = _recognise_chosen(config, table, faults)
        contents = _read_contents(table, columns, data, faults)
    with gathering(faults):
        test_part, test_notes = _read_test_part(data, columns, contents.target_unit if contents else None)
    if faults or not table or not contents:
        raise DataError(*faults)
    with located(table.name):
        splits, folds = _split(config, contents)
    notes = [*contents.notes, *_notes(contents.y_true, contents.cells, data.target)]
    parts = _cut_into_parts(contents, splits)
    faults += _empty_columns(parts["train"], table.name)
    faults += _constant_target(parts["train"].y_true, data.target, table.name)
    if faults:
        raise DataError(*faults)
    if data.test_path and test_part:
        parts["test"] = test_part
        if data.test_path.samefile(data.path):
            test_notes.append("data.test_path is data.path: the test rows are those the model learns from")
    return Dataset(columns, parts, (*notes, *test_notes), folds, contents.target_unit)


class _Contents(NamedTuple):
    """The cells of a whole CSV.

    Attributes:
        cells: One array of shape `(n_rows, 1)` per column.
        y_true: The target, shape `(n_rows,)`, NaN where it is missing.
        rows: The positions of the rows that have a target.
        split_values: The group or moment of each of those rows, if they are to be split by one.
        target_unit: The unit of the target, as `Column.unit`.
        notes: What a user should know of how numbers are written.
    """

    cells: dict[str, np.ndarray]
    y_true: np.ndarray
    rows: np.ndarray
    split_values: np.ndarray | None
    target_unit: str | None
    notes: tuple[str, ...]


def _recognise_chosen(config: Config, table: Table, faults: list[Fault]) -> tuple[Column, ...]:
    names, name_faults = choose_columns(config, list(table.frame.columns), table.name)
    faults += name_faults
    columns: list[Column] = []
    for name in names:
        with gathering(faults):
            columns += recognise_columns(table, [name], config.data.types, config.data.dates)
    return tuple(columns)


def _read_contents(
    table: Table, columns: Sequence[Column], data: DataConfig, faults: list[Fault]
) -> _Contents | None:
    """The cells of these columns, which leave the table's frame; None where the target has faults."""
    target, target_unit, notes = None, None, list[str]()
    with gathering(faults):
        y_true = np.empty(0)
        # A target that is not there at all is already among the faults.
        if data.target in table.frame.columns:
            target_unit = find_target_unit(table, data.target) if data.target in data.types else None
            y_true = read_target(table, data.target, target_unit)
            notes += _unit_notes(table, [], data.target, target_unit, is_training=True)
        # 32 bits are enough: no file of more rows fits into memory.
        rows = np.flatnonzero(~np.isnan(y_true)).astype(np.int32)
        with located(table.name):
            target = y_true, rows, _split_values(table, data, rows)
    cells: dict[str, np.ndarray] = {}
    for column in columns:
        with gathering(faults):
            cells |= read_cells(table, [column])
            notes += unit_notes(table, column, is_training=True)
        # A large table does not fit in memory twice: a column leaves the frame when its cells are read.
        del table.frame[column.name]
    return _Contents(cells, *target, target_unit, tuple(notes)) if target else None


def _split(config: Config, contents: _Contents) -> tuple[Splits, tuple[np.ndarray, ...]]:
    """The rows of each part, and the folds of the training rows if there is cross-validation."""
    rows, values = contents.rows, contents.split_values
    splits = split_rows(
        rows,
        config.data.split,
        test_split=config.data.test_split or 0.0,
        validation_split=config.training.validation_split,
        seed=config.training.seed,
        by=values,
    )
    if not config.training.cross_validation:
        return splits, ()
    folds = split_folds(
        len(splits.train),
        config.data.split,
        config.training.cross_validation,
        seed=config.training.seed,
        by=None if values is None else values[np.searchsorted(rows, splits.train)],
    )
    return splits, folds


def _cut_into_parts(contents: _Contents, splits: Splits) -> dict[str, Part]:
    """The parts' rows; a column leaves `contents.cells` when it is cut, as both do not fit in memory."""
    parts = {name: Part(rows, {}, contents.y_true[rows]) for name, rows in vars(splits).items()}
    for name in list(contents.cells):
        values = contents.cells.pop(name)
        for part in parts.values():
            part.cells[name] = values[part.rows]
    return parts


def csv_format_of(data: DataConfig) -> CsvFormat:
    """How the CSV is written, as the config says."""
    return CsvFormat(data.encoding, data.delimiter, data.decimal, data.thousands, data.missing_values)


def shown_path(path: str | Path) -> str:
    """A path as messages name it: from the working directory if it lies below it."""
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative


def _split_values(table: Table, data: DataConfig, rows: np.ndarray) -> np.ndarray | None:
    """The group or moment of each of these rows, if they are to be split by one."""
    if data.split_by is None or data.split_by not in table.frame.columns:
        return None
    if data.split == "group":
        values = table.frame[data.split_by].astype("str").to_numpy(dtype=object)
    else:
        (column,) = recognise_columns(table, [data.split_by], data.types, data.dates)
        read_order = KINDS[column.kind].read_order
        if read_order is None:
            message = f"column {column.name!r} holds neither numbers nor dates to split by"
            raise DataError(Fault(message, table.name, hint="Set its format in data.dates"))
        values = read_order(table, column)
    gaps = rows[np.asarray(pd.isna(values[rows]))]
    if gaps.size:
        message = f"column {data.split_by!r} is missing in {gaps.size:,} rows that are to be split by it"
        line = table.line(int(gaps[0]))
        raise DataError(Fault(message, table.name, line, hint="Fill the cells or drop the rows"))
    return np.asarray(values[rows])


def _empty_columns(train: Part, path: str) -> Iterator[Fault]:
    for name, values in train.cells.items():
        if np.all(pd.isna(values) | (values == "")):
            message = f"column {name!r} has no value in the training rows"
            yield Fault(message, path, hint="Leave it out with data.exclude")


def _constant_target(y_true: np.ndarray, target: str, path: str) -> Iterator[Fault]:
    if np.ptp(y_true) == 0:
        message = f"the target {target!r} is {y_true[0]:g} in every training row: there is nothing to learn"
        yield Fault(message, path, hint="Choose another data.target, or use rows in which it varies")


def read_part(table: Table, columns: Sequence[Column], target: str, target_unit: str | None = None) -> Part:
    """The rows of a CSV that have a target.

    Args:
        table: The CSV.
        columns: What the model reads.
        target: The column to predict.
        target_unit: Its unit, as `Column.unit`.

    Raises:
        DataError: Columns that the CSV lacks, cells that are not what the column is, no target at all.
    """
    missing = [column.name for column in columns if column.name not in table.frame.columns]
    if missing:
        raise DataError(*missing_columns(missing, list(table.frame.columns), table.name))
    with located(table.name):
        y_true = read_target(table, target, target_unit)
        rows = np.flatnonzero(~np.isnan(y_true))
        cells = {name: values[rows] for name, values in read_cells(table, columns).items()}
        return Part(rows, cells, y_true[rows])


def _read_test_part(
    data: DataConfig, columns: Sequence[Column], target_unit: str | None
) -> tuple[Part | None, list[str]]:
    """The rows of a test file of its own, if there is one, and notes on them."""
    if not data.test_path:
        return None, []
    path = shown_path(data.test_path)
    table = read_table(path, csv_format_of(data), [column.name for column in columns if is_text(column)])
    part = read_part(table, columns, data.target, target_unit)
    return part, [f"{path}: {note}" for note in notes_on(table, columns, data.target, target_unit)]


def notes_on(
    table: Table, columns: Sequence[Column], target: str, target_unit: str | None = None
) -> list[str]:
    """What a user should know of a table: rows without a target, cells that are missing or have no unit."""
    notes = _notes(read_target(table, target, target_unit), read_cells(table, columns), target)
    return [*_unit_notes(table, columns, target, target_unit, is_training=False), *notes]


def _unit_notes(
    table: Table, columns: Sequence[Column], target: str, target_unit: str | None, *, is_training: bool
) -> Iterator[str]:
    for column in (*columns, Column(target, "number", unit=target_unit)):
        yield from unit_notes(table, column, is_training=is_training)


def _notes(y_true: np.ndarray, cells: Mapping[str, np.ndarray], target: str) -> list[str]:
    notes = []
    dropped = int(np.isnan(y_true).sum())
    if dropped:
        notes.append(f"{dropped:,} of {len(y_true):,} rows are left out: they have no {target!r}")
    for name, values in cells.items():
        missing = int(np.sum(values == "" if values.dtype == object else np.isnan(values)))
        if missing:
            notes.append(f"{missing:,} of {len(values):,} cells are missing in column {name!r}")
    return notes
