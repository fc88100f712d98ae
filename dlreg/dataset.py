"""The rows of a config: read, recognised, checked and split – everything before anything is fitted."""

import difflib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from dlreg import dates
from dlreg.columns import Column, read_cells, read_numbers, recognise_columns
from dlreg.config import Config, DataConfig
from dlreg.csv_file import Table, read_table
from dlreg.csv_scan import CsvFormat
from dlreg.errors import DataError, Fault, gathering, located
from dlreg.splits import split_rows


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
    """

    columns: tuple[Column, ...]
    parts: dict[str, Part]
    notes: tuple[str, ...]


def load_dataset(config: Config) -> Dataset:
    """Reads and splits what `config.data` names.

    Raises:
        DataError: With every fault of the columns at once.
        StorageError: A file cannot be read.
    """
    data, csv_format = config.data, csv_format_of(config.data)
    faults: list[Fault] = []
    table: Table | None = None
    by: np.ndarray | None = None
    columns: list[Column] = []
    with gathering(faults):
        as_text = {name for name, kind in data.types.items() if kind != "number"} | set(data.dates)
        table = read_table(shown_path(data.path), csv_format, as_text)
    if table:
        names, lacking = _feature_names(config, table)
        faults += lacking
        for name in names:
            with gathering(faults):
                columns += recognise_columns(table, [name], data.types, data.dates)
        with gathering(faults), located(table.name):
            cells = read_cells(table, columns)
        with gathering(faults), located(table.name):
            y_true = _target_where_named(table, data.target)
        with gathering(faults), located(table.name):
            by = _split_values(table, data)
    with gathering(faults):
        if data.test_path:
            test_part, test_notes = _test_part(data.test_path, data.target, columns, csv_format)
    if faults or not table:
        raise DataError(*faults)
    with located(table.name):
        rows = np.flatnonzero(~np.isnan(y_true))
        splits = split_rows(
            rows,
            data.split,
            test_split=data.test_split or 0.0,
            validation_split=config.training.validation_split,
            seed=config.training.seed,
            by=None if by is None else by[rows],
        )
    parts = {name: _part(rows, cells, y_true) for name, rows in vars(splits).items()}
    notes = _notes(table, columns, data.target)
    if data.test_path:
        parts["test"] = test_part
        notes += [f"{note} of the test file" for note in test_notes]
    return Dataset(tuple(columns), parts, tuple(notes))


def csv_format_of(data: DataConfig) -> CsvFormat:
    """How the config says the CSV is written."""
    return CsvFormat(data.encoding, data.delimiter, data.decimal, data.thousands, data.missing_values)


def read_target(table: Table, target: str) -> np.ndarray:
    """The target's values, shape `(n_rows,)`, NaN where they are missing.

    Raises:
        DataError: There is no such column, or it has cells that are no numbers.
    """
    if target not in table.frame.columns:
        raise DataError(missing_column(target, list(table.frame.columns), table.name))
    return read_numbers(table, target)


def missing_column(name: str, header: Sequence[str], path: str) -> Fault:
    """The fault of a column that a CSV lacks."""
    return Fault(f"there is no column {name!r}", path, 1, hint=_near_column(name, header))


def split_record(dataset: Dataset, test_path: Path | None) -> dict[str, object]:
    """Which row went where, for `split.json`; rows of a test file are positions in that file."""
    rows = {name: part.rows.tolist() for name, part in dataset.parts.items()}
    return {**rows, "test_path": test_path and str(test_path)}


def shown_path(path: str | Path) -> str:
    """A path as messages name it: from the working directory if it lies below it."""
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative


def _near_column(name: str, header: Sequence[str]) -> str:
    folded = {column.casefold().strip(): column for column in header}
    near = difflib.get_close_matches(name.casefold().strip(), folded, n=1)
    return f"Did you mean {folded[near[0]]!r}?" if near else f"The columns are {', '.join(map(repr, header))}"


def _feature_names(config: Config, table: Table) -> tuple[list[str], list[Fault]]:
    """The columns to learn from, in the order of the CSV, and the faults of those that are named.

    A column named in the config that the CSV lacks is a fault at its place in the config.
    """
    data, header = config.data, list(table.frame.columns)
    named: list[tuple[str, tuple[str | int, ...]]] = [(data.target, ("data", "target"))]
    named += [(name, ("data", "exclude", index)) for index, name in enumerate(data.exclude)]
    named += [(name, ("data", key, name)) for key in ("types", "dates") for name in getattr(data, key)]
    if data.features != "all":
        named += [(name, ("data", "features", index)) for index, name in enumerate(data.features)]
    if data.split_by is not None:
        named.append((data.split_by, ("data", "split_by")))
    faults = [
        config.fault(
            f"{key[0]}.{key[1]}: {table.name} has no column {name!r}", *key, hint=_near_column(name, header)
        )
        for name, key in named
        if name not in header
    ]
    # A column of groups tells rows of one group apart from no other; it only helps where it is asked for.
    left_out = {data.target, *data.exclude} | ({data.split_by} if data.split == "group" else set())
    names = [
        name for name in header if (name in data.features if data.features != "all" else name not in left_out)
    ]
    if not names and not faults:
        faults.append(config.fault("data: no column is left to learn from", "data", "exclude"))
    unnamed = [name for name in names if name.startswith("Unnamed: ") and data.features == "all"]
    faults += [
        Fault(
            f"column {header.index(name) + 1} has no name, like an index that was exported",
            table.name,
            1,
            hint=f'Leave it out with data.exclude: ["{name}"], or give it a name',
        )
        for name in unnamed
    ]
    return [name for name in names if name not in unnamed], faults


def _target_where_named(table: Table, target: str) -> np.ndarray:
    """The target if the CSV has it (that it lacks it has been said), with a value at least once."""
    if target not in table.frame.columns:
        return np.empty(0)
    y_true = read_target(table, target)
    if np.isnan(y_true).all():
        raise DataError(f"the target {target!r} is missing in every row")
    return y_true


def _split_values(table: Table, data: DataConfig) -> np.ndarray | None:
    if data.split_by is None or data.split_by not in table.frame.columns:
        return None
    if data.split == "group":
        values = table.frame[data.split_by].astype("str").to_numpy(dtype=object)
        missing = pd.isna(values)
    else:
        (column,) = recognise_columns(table, [data.split_by], data.types, data.dates)
        if column.kind == "number":
            values = read_numbers(table, column.name)
        elif column.date_format:
            moments = dates.parse_dates(table.frame[column.name].astype("str"), column.date_format)
            values = moments.to_numpy(dtype="datetime64[us]")
        else:
            hint = "Set its format in data.dates"
            raise DataError(
                Fault(f"column {column.name!r} holds neither numbers nor dates to split by", hint=hint)
            )
        missing = pd.isna(values)
    if missing.any():
        row = int(np.flatnonzero(missing)[0])
        message = (
            f"column {data.split_by!r} is missing in {int(missing.sum()):,} rows that are to be split by it"
        )
        raise DataError(Fault(message, table.name, table.line(row), hint="Fill the cells or drop the rows"))
    return values


def _part(rows: np.ndarray, cells: dict[str, np.ndarray], y_true: np.ndarray) -> Part:
    return Part(rows, {name: column[rows] for name, column in cells.items()}, y_true[rows])


def read_part(table: Table, columns: Sequence[Column], target: str) -> Part:
    """The rows of a CSV that have a target.

    Raises:
        DataError: Columns that the CSV lacks, cells that are not what the column is, no target at all.
    """
    lacking = [column.name for column in columns if column.name not in table.frame.columns]
    if lacking:
        raise DataError(*(missing_column(name, list(table.frame.columns), table.name) for name in lacking))
    with located(table.name):
        y_true = read_target(table, target)
        rows = np.flatnonzero(~np.isnan(y_true))
        if not rows.size:
            raise DataError(f"the target {target!r} is missing in every row")
        return _part(rows, read_cells(table, columns), y_true)


def _test_part(
    path: Path, target: str, columns: Sequence[Column], csv_format: CsvFormat
) -> tuple[Part, list[str]]:
    as_text = [column.name for column in columns if column.kind != "number"]
    table = read_table(shown_path(path), csv_format, as_text)
    return read_part(table, columns, target), _notes(table, columns, target)


def _notes(table: Table, columns: Sequence[Column], target: str) -> list[str]:
    notes = []
    dropped = int(np.isnan(read_target(table, target)).sum())
    if dropped:
        notes.append(f"{dropped:,} rows without a {target!r} are left out")
    for column in columns:
        missing = int(table.frame[column.name].isna().sum())
        if missing:
            notes.append(f"{missing:,} of {len(table.frame):,} cells are missing in column {column.name!r}")
    return notes
