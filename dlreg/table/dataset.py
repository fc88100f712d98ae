"""The rows of a config: read, recognised, checked and split – everything before anything is fitted."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from dlreg.config.schema import Config
from dlreg.config.sections.data import DataConfig
from dlreg.errors import DataError, Fault, gathering, located
from dlreg.files.table_files import table_files
from dlreg.table.column import Column
from dlreg.table.columns import is_text, read_cells
from dlreg.table.csv_format import csv_format_of
from dlreg.table.missing_columns import missing_columns
from dlreg.table.non_data_rows import set_aside
from dlreg.table.parts import Dataset, Part
from dlreg.table.recognition import Target, columns_as_text, notes_on_units, recognise_table
from dlreg.table.source import read_table
from dlreg.table.splits import Fold, Splits, split_folds, split_rows
from dlreg.table.table import Table
from dlreg.table.table_names import name_of_table, shown_path
from dlreg.table.target import read_target
from dlreg.table.unseen_levels import unseen_levels


def load_dataset(config: Config, read: Callable[..., Table] = read_table) -> Dataset:
    """Reads and splits what `config.data` names.

    Args:
        config: Names the table, and says what is read of it.
        read: Reads the table, as `read_table` does.

    Raises:
        DataError: With every fault of the columns at once.
        StorageError: A file cannot be read.
    """
    data, path = config.data, name_of_table(config.data.path)
    faults: list[Fault] = []
    columns: tuple[Column, ...] = ()
    contents: _Contents | None = None
    notes: list[str] = []
    with gathering(faults):
        table = read(shown_path(data.path), csv_format_of(data), columns_as_text(data))
        columns, numbers, tables, target, notes = recognise_table(config, table, faults)
        del table
        cells = _read_columns(columns, numbers, tables, faults)
        if target:
            notes += _notes(target.y_true, cells, target.is_observation, data.target)
            contents = _Contents(cells, target)
    other_parts = _read_other_files(data, columns, contents and contents.target.unit, faults)
    if faults or not contents:
        raise DataError(*faults)
    with located(path):
        splits, folds = _split(config, contents.target)
    parts = _cut_into_parts(contents, splits)
    faults += empty_columns(parts["train"], path)
    faults += constant_target(parts["train"].y_true, data.target, path)
    if faults:
        raise DataError(*faults)
    for name, (part, part_notes) in other_parts.items():
        parts[name] = part
        notes += part_notes
    notes += unseen_levels(columns, {name: part.cells for name, part in parts.items()})
    return Dataset(columns, parts, (*notes, *_shared_files(data)), folds, contents.target.unit)


class _Contents(NamedTuple):
    """A whole CSV.

    Attributes:
        cells: One array of shape `(n_rows, 1)` per column.
        target: What its rows are predicted and split by.
    """

    cells: dict[str, np.ndarray]
    target: Target


def _read_columns(
    columns: Sequence[Column], numbers: dict[str, np.ndarray], tables: dict[str, Table], faults: list[Fault]
) -> dict[str, np.ndarray]:
    """The cells of these columns, each of which leaves `numbers` or `tables` when it is read."""
    cells: dict[str, np.ndarray] = {}
    for column in columns:
        if column.name in numbers:
            cells[column.name] = numbers.pop(column.name).astype(np.float64, copy=False).reshape(-1, 1)
            continue
        with gathering(faults):
            cells |= read_cells(tables.pop(column.name), [column])
    return cells


def _split(config: Config, target: Target) -> tuple[Splits, tuple[Fold, ...]]:
    """The rows of each part, and the folds of the training rows if there is cross-validation."""
    rows, values = target.rows, target.split_values
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
    parts = {name: Part(rows, {}, contents.target.y_true[rows]) for name, rows in vars(splits).items()}
    for name in list(contents.cells):
        values = contents.cells.pop(name)
        for part in parts.values():
            part.cells[name] = values[part.rows]
    return parts


def empty_columns(train: Part, path: str) -> Iterator[Fault]:
    """A fault for each column without any value in the training rows."""
    for name, values in train.cells.items():
        if np.all(pd.isna(values) | (values == "")):
            message = f"column {name!r} has no value in the training rows"
            yield Fault(message, path, hint="Leave it out with data.exclude")


def constant_target(y_true: np.ndarray, target: str, path: str) -> Iterator[Fault]:
    """A fault if the target of the training rows does not vary."""
    if np.ptp(y_true) == 0:
        message = f"the target {target!r} is {y_true[0]:g} in every training row: there is nothing to learn"
        yield Fault(message, path, hint="Choose another data.target, or use rows in which it varies")


def read_part(
    table: Table, columns: Sequence[Column], data: DataConfig, target_unit: str | None = None
) -> tuple[Part, list[str]]:
    """The rows of a CSV that have a target, and what a user should know of the others and of their cells.

    Args:
        table: The CSV.
        columns: What the model reads of it.
        data: Names the target, and says what becomes of rows that are no observations.
        target_unit: The unit that the target may have, as `Column.unit`.

    Raises:
        DataError: Columns that the CSV lacks, cells that are not what the column is, rows that are no
            observations, no target at all.
    """
    missing = [column.name for column in columns if column.name not in table.frame.columns]
    if missing:
        raise DataError(*missing_columns(missing, list(table.frame.columns), table.name, len(columns)))
    faults: list[Fault] = []
    with gathering(faults):
        table, is_observation, notes, row_faults = set_aside(table, data)
        faults += row_faults
        y_true = read_target(table, data.target, target_unit)
    with gathering(faults):
        cells = read_cells(table, columns)
    if faults:
        raise DataError(*faults)
    rows = np.flatnonzero(~np.isnan(y_true))
    part = Part(rows, {name: values[rows] for name, values in cells.items()}, y_true[rows])
    units = notes_on_units(table, columns, data.target, target_unit, is_training=False)
    return part, [*notes, *units, *_notes(y_true, cells, is_observation, data.target)]


def _read_other_files(
    data: DataConfig, columns: Sequence[Column], target_unit: str | None, faults: list[Fault]
) -> dict[str, tuple[Part, list[str]]]:
    """The parts whose rows have a file of their own, each with notes on them."""
    paths = {"validation": data.validation_path, "test": data.test_path}
    texts = [column.name for column in columns if is_text(column)]
    parts: dict[str, tuple[Part, list[str]]] = {}
    for name, path in paths.items():
        if path is None:
            continue
        shown = shown_path(path)
        with gathering(faults):
            table = read_table(shown, csv_format_of(data), texts)
            part, part_notes = read_part(table, columns, data, target_unit)
            parts[name] = part, [f"{shown}: {note}" for note in part_notes]
    return parts


def _shared_files(data: DataConfig) -> Iterator[str]:
    """A note where one file holds the rows of two parts."""
    for name, path in (("validation", data.validation_path), ("test", data.test_path)):
        if path and _share_files(path, data.path):
            yield f"data.{name}_path is data.path: the {name} rows are those the model learns from"
    if data.test_path and data.validation_path and _share_files(data.test_path, data.validation_path):
        yield "data.test_path is data.validation_path: the test rows choose the best epoch"


def _share_files(path: Path, other: Path) -> bool:
    return bool(
        {os.path.realpath(file) for file in table_files(path)}
        & set(map(os.path.realpath, table_files(other)))
    )


def _notes(
    y_true: np.ndarray, cells: Mapping[str, np.ndarray], is_observation: np.ndarray, target: str
) -> Iterator[str]:
    """What a user should know of a table: observations without a target, cells that are missing."""
    n_others, n_observations = int(np.sum(~is_observation)), int(np.sum(is_observation))
    dropped = int(np.isnan(y_true).sum()) - n_others
    if dropped:
        yield f"{dropped:,} of {n_observations:,} rows are left out: they have no {target!r}"
    for name, values in cells.items():
        missing = int(np.sum(values == "" if values.dtype == object else np.isnan(values))) - n_others
        if missing:
            yield f"{missing:,} of {n_observations:,} cells are missing in column {name!r}"
