"""The rows of a config: read, recognised, checked and split – everything before anything is fitted."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from dlreg.config.schema import Config
from dlreg.config.sections.data import DataConfig
from dlreg.errors import DataError, Fault, gathering, located
from dlreg.files.table_files import STANDARD_INPUT, STANDARD_INPUT_NAME, table_files
from dlreg.table.chosen_columns import choose_columns
from dlreg.table.column import Column
from dlreg.table.columns import KINDS, is_text, read_cells, recognise_columns
from dlreg.table.csv_format import CsvFormat
from dlreg.table.kinds.category import canonical_texts
from dlreg.table.kinds.number import plain_numbers, unit_notes
from dlreg.table.missing_columns import missing_columns
from dlreg.table.non_data_rows import set_aside
from dlreg.table.source import read_table
from dlreg.table.splits import Fold, Splits, go_forward, rows_per_epoch, split_folds, split_rows
from dlreg.table.table import Table
from dlreg.table.target import find_target_unit, read_target
from dlreg.table.unseen_levels import unseen_levels


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

    def take(self, places: np.ndarray | slice) -> "Part":
        """Some of the rows, by their positions in the part; a slice copies nothing."""
        cells = {name: column[places] for name, column in self.cells.items()}
        return Part(self.rows[places], cells, self.y_true[places])


@dataclass(frozen=True)
class Dataset:
    """The three parts of a table.

    Attributes:
        columns: What the model reads, in the order of the CSV.
        parts: `train`, `validation` and `test`.
        notes: What a user should know of the rows: cells missing, rows left out.
        folds: Of the training part, whose positions they hold, if there is cross-validation.
        target_unit: The unit of the target, as `Column.unit`.
    """

    columns: tuple[Column, ...]
    parts: dict[str, Part]
    notes: tuple[str, ...]
    folds: tuple[Fold, ...] = ()
    target_unit: str | None = None

    @property
    def n_rows(self) -> dict[str, int]:
        """How many rows each part has."""
        return {name: len(part.y_true) for name, part in self.parts.items()}

    @property
    def rows_per_epoch(self) -> int:
        """Training rows of an epoch: those of the fold that learns from most, or all."""
        return rows_per_epoch(self.n_rows["train"], self.folds)

    @property
    def in_memory(self) -> "Dataset":
        """The rows that are in memory: all of them."""
        return self

    def blocks(self, *names: str) -> Iterator[tuple[str, Part]]:
        """The rows of these parts, block by block: each part is one."""
        return ((name, self.parts[name]) for name in names)

    @property
    def first_window(self) -> np.ndarray | slice:
        """The positions in the training part of the rows before all that a fold validates.

        All rows where folds do not go forward in time.
        """
        return self.folds[0].train if go_forward(self.folds) else slice(None)


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


class Target(NamedTuple):
    """What a row is predicted and split by.

    Attributes:
        y_true: The target, shape `(n_rows,)`, NaN where it is missing.
        is_observation: Whether each row is one, shape `(n_rows,)`.
        rows: The positions of the rows that have a target.
        split_values: The group or moment of each of those rows, if they are to be split by one.
        unit: The unit of the target, as `Column.unit`.
    """

    y_true: np.ndarray
    is_observation: np.ndarray
    rows: np.ndarray
    split_values: np.ndarray | None
    unit: str | None


class _Contents(NamedTuple):
    """A whole CSV.

    Attributes:
        cells: One array of shape `(n_rows, 1)` per column.
        target: What its rows are predicted and split by.
    """

    cells: dict[str, np.ndarray]
    target: Target


def columns_as_text(data: DataConfig) -> set[str]:
    """The columns whose cells the config says to be text, even if every one is a number."""
    return {name for name, kind in data.types.items() if KINDS[kind].is_text} | set(data.dates)


class RecognisedTable(NamedTuple):
    """What the columns of a table are, and their cells.

    Attributes:
        columns: What the model reads, in the order of the CSV.
        numbers: The cells of plain numbers, as `plain_numbers` gives them.
        tables: A table of each other column alone.
        target: None if it has faults.
        notes: What a user should know of its rows.
    """

    columns: tuple[Column, ...]
    numbers: dict[str, np.ndarray]
    tables: dict[str, Table]
    target: Target | None
    notes: list[str]


def recognise_table(
    config: Config, whole: Table, faults: list[Fault], *, is_whole: bool = True
) -> RecognisedTable:
    """Tells what the columns of a table are.

    Args:
        config: Names the columns.
        whole: All of them; given up by whoever calls, as a large table does not fit in memory twice.
        faults: Gathers what is wrong.
        is_whole: Whether there are no further rows.
    """
    data, path = config.data, whole.name
    observations = set_aside(whole, data, is_whole=is_whole)
    table = observations.table
    faults += observations.faults
    names, name_faults = choose_columns(config, list(table.frame.columns), path)
    faults += name_faults
    columns: list[Column] = []
    may_be_plain = {name for name in names if data.types.get(name, "number") == "number"}
    numbers = plain_numbers(table, may_be_plain - set(data.date_columns))
    for name in names:
        if name in numbers:
            columns.append(Column(name, "number", unit="" if name in data.types else None))
            continue
        with gathering(faults):
            columns += recognise_columns(
                table, [name], data.types, data.date_columns, fold_case=data.fold_case
            )
    target, unit, y_true = None, None, np.empty(0)
    notes = list(observations.notes)
    with gathering(faults):
        # A target that is not there at all is already among the faults.
        if data.target in table.frame.columns:
            unit = find_target_unit(table, data.target) if data.target in data.types else None
            y_true = read_target(table, data.target, unit)
            notes += _unit_notes(table, columns, data.target, unit, is_training=True)
        # 32 bits are enough: no file of more rows fits into memory.
        rows = np.flatnonzero(~np.isnan(y_true)).astype(np.int32)
        target = Target(y_true, observations.is_observation, rows, split_values(table, data, rows), unit)
    others = (column.name for column in columns if column.name not in numbers)
    tables = {name: replace(table, frame=table.frame[name].to_frame()) for name in others}
    return RecognisedTable(tuple(columns), numbers, tables, target, notes)


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


def join_parts(blocks: Sequence[Part], columns: Sequence[Column]) -> Part:
    """The rows of all blocks, one after the other; there may be none."""
    if not blocks:
        cells = {
            column.name: np.empty((0, 1), dtype=object if KINDS[column.kind].is_text else np.float64)
            for column in columns
        }
        return Part(np.empty(0, dtype=np.int64), cells, np.empty(0))
    cells = {
        column.name: np.concatenate([block.cells[column.name] for block in blocks]) for column in columns
    }
    return Part(
        np.concatenate([block.rows for block in blocks]),
        cells,
        np.concatenate([block.y_true for block in blocks]),
    )


def _cut_into_parts(contents: _Contents, splits: Splits) -> dict[str, Part]:
    """The parts' rows; a column leaves `contents.cells` when it is cut, as both do not fit in memory."""
    parts = {name: Part(rows, {}, contents.target.y_true[rows]) for name, rows in vars(splits).items()}
    for name in list(contents.cells):
        values = contents.cells.pop(name)
        for part in parts.values():
            part.cells[name] = values[part.rows]
    return parts


def csv_format_of(data: DataConfig) -> CsvFormat:
    """How the CSV is written, as the config says."""
    return CsvFormat(
        data.encoding,
        data.delimiter,
        data.decimal,
        data.thousands,
        data.missing_values,
        data.time_zone,
        names=data.names or (),
        skip_rows=data.skip_rows,
        skip_footer=data.skip_footer,
        comment=data.comment,
        skip_initial_space=data.skip_initial_space,
        sheet=data.sheet,
    )


def shown_path(path: str | Path) -> str:
    """A path as a user would give it: from the working directory if it lies below it."""
    if str(path) == STANDARD_INPUT:
        return STANDARD_INPUT
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative


def name_of_table(path: str | Path) -> str:
    """What messages call the table of a path."""
    return STANDARD_INPUT_NAME if str(path) == STANDARD_INPUT else shown_path(path)


def file_of_part(data: DataConfig, part: str) -> str:
    """The CSV that the rows of a part are from, as messages name it."""
    return name_of_table(getattr(data, f"{part}_path", None) or data.path)


def split_values(table: Table, data: DataConfig, rows: np.ndarray) -> np.ndarray | None:
    """The group or moment of each of these rows, if they are to be split by one.

    Raises:
        DataError: The column holds nothing that can be put in order, or is missing in some of the rows.
    """
    if data.split_by is None or data.split_by not in table.frame.columns:
        return None
    if data.split == "group":
        texts = table.frame[data.split_by].astype("str").to_numpy(dtype=object)
        values = canonical_texts(texts, fold_case=data.fold_case)
    else:
        (column,) = recognise_columns(table, [data.split_by], data.types, data.date_columns)
        read_order = KINDS[column.kind].read_order
        if read_order is None:
            message = f"column {column.name!r} holds neither numbers nor dates to split by"
            raise DataError(Fault(message, table.name, hint="Set its format in data.dates"))
        values = read_order(table, column)
    gaps = rows[np.asarray(pd.isna(values[rows]))]
    if gaps.size:
        message = f"column {data.split_by!r} is missing in {gaps.size:,} rows that are to be split by it"
        raise DataError(table.fault(message, int(gaps[0]), "Fill the cells or drop the rows"))
    return np.asarray(values[rows])


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
    units = _unit_notes(table, columns, data.target, target_unit, is_training=False)
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


def _unit_notes(
    table: Table, columns: Sequence[Column], target: str, target_unit: str | None, *, is_training: bool
) -> Iterator[str]:
    for column in (*columns, Column(target, "number", unit=target_unit)):
        yield from unit_notes(table, column, is_training=is_training)


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
    n_others = int(np.sum(~is_observation))
    dropped = int(np.isnan(y_true).sum()) - n_others
    if dropped:
        yield f"{dropped:,} of {len(y_true):,} rows are left out: they have no {target!r}"
    for name, values in cells.items():
        missing = int(np.sum(values == "" if values.dtype == object else np.isnan(values))) - n_others
        if missing:
            yield f"{missing:,} of {len(values):,} cells are missing in column {name!r}"
