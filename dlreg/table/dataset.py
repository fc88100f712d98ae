"""The rows of a config: read, recognised, checked and split – everything before anything is fitted."""

import difflib
import json
import os
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from dlreg.config.schema import Config, DataConfig
from dlreg.errors import DataError, Fault, gathering, located
from dlreg.table import dates
from dlreg.table.columns import Column, read_cells, read_numbers, recognise_columns
from dlreg.table.csv_file import Table, read_table
from dlreg.table.csv_format import CsvFormat
from dlreg.table.splits import split_folds, split_rows
from dlreg.training.members import Member

# Near matches take time, and a screen is soon full.
MOST_NEAR_MATCHES = 20
# What may stand between columns of a table that is read as one.
_OTHER_DELIMITERS = (" ", ":", "^", "~")

BLOCK_ROWS = 65536


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
    """

    columns: tuple[Column, ...]
    parts: dict[str, Part]
    notes: tuple[str, ...]
    folds: tuple[np.ndarray, ...] = ()


def load_dataset(config: Config) -> Dataset:
    """Reads and splits what `config.data` names.

    Raises:
        DataError: With every fault of the columns at once.
        StorageError: A file cannot be read.
    """
    data, csv_format = config.data, csv_format_of(config.data)
    faults: list[Fault] = []
    table: Table | None = None
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
        with gathering(faults):
            # That a column is not there at all has been said.
            known = data.target in table.frame.columns
            y_true = read_target(table, data.target) if known else np.empty(0)
            # No file of more rows fits into memory.
            rows = np.flatnonzero(~np.isnan(y_true)).astype(np.int32)
            with located(table.name):
                by = _split_values(table, data, rows)
        cells: dict[str, np.ndarray] = {}
        for column in columns:
            with gathering(faults):
                cells |= read_cells(table, [column])
            # A large table does not fit in memory twice: a column leaves the frame when its cells are read.
            del table.frame[column.name]
    with gathering(faults):
        if data.test_path:
            test_part, test_notes = _test_part(data.test_path, data.target, columns, csv_format)
    if faults or not table:
        raise DataError(*faults)
    with located(table.name):
        splits = split_rows(
            rows,
            data.split,
            test_split=data.test_split or 0.0,
            validation_split=config.training.validation_split,
            seed=config.training.seed,
            by=by,
        )
        folds: tuple[np.ndarray, ...] = ()
        if config.training.cross_validation:
            folds = split_folds(
                len(splits.train),
                data.split,
                config.training.cross_validation,
                seed=config.training.seed,
                by=None if by is None else by[np.searchsorted(rows, splits.train)],
            )
    notes = _notes(y_true, cells, data.target)
    parts = {name: Part(rows, {}, y_true[rows]) for name, rows in vars(splits).items()}
    for column in columns:
        values = cells.pop(column.name)
        for part in parts.values():
            part.cells[column.name] = values[part.rows]
    faults += _empty_columns(parts["train"], table.name)
    faults += _constant_target(parts["train"].y_true, data.target, table.name)
    if faults:
        raise DataError(*faults)
    if data.test_path:
        parts["test"] = test_part
        notes += [f"{shown_path(data.test_path)}: {note}" for note in test_notes]
        if data.test_path.samefile(data.path):
            notes.append("data.test_path is data.path: the test rows are those the model learns from")
    return Dataset(tuple(columns), parts, tuple(notes), folds)


def csv_format_of(data: DataConfig) -> CsvFormat:
    """How the config says the CSV is written."""
    return CsvFormat(data.encoding, data.delimiter, data.decimal, data.thousands, data.missing_values)


def read_target(table: Table, target: str) -> np.ndarray:
    """The target's values, shape `(n_rows,)`, NaN where they are missing.

    Raises:
        DataError: There is no such column, or it has cells that are no numbers, or none that are.
    """
    if target not in table.frame.columns:
        raise DataError(*missing_columns([target], list(table.frame.columns), table.name))
    try:
        y_true = read_numbers(table, target)
    except DataError as error:
        raise DataError(*(_target_fault(table, target, fault) for fault in error.faults)) from None
    if np.isnan(y_true).all():
        hint = "Choose another data.target"
        raise DataError(Fault(f"the target {target!r} is missing in every row", table.name, hint=hint))
    return y_true


def _target_fault(table: Table, target: str, fault: Fault) -> Fault:
    """The fault with another way out where no cell is a number at all, as in a classification."""
    written_otherwise = str(fault.hint).startswith("Set ")
    if written_otherwise or pd.to_numeric(table.frame[target], errors="coerce").notna().any():
        return fault
    other = "choose another data.target: only numbers can be predicted, no words or dates"
    return replace(fault, hint=f"{fault.hint}, or {other}")


def missing_columns(names: Sequence[str], header: Sequence[str], path: str) -> list[Fault]:
    """The faults of columns that a CSV lacks: each of the first ones with its near match."""
    faults = [
        Fault(f"there is no column {name!r}", path, 1, hint=_near_column(name, header))
        for name in names[:MOST_NEAR_MATCHES]
    ]
    return faults + _further_columns(names, path)


def _further_columns(names: Sequence[str], path: str) -> list[Fault]:
    further = len(names) - MOST_NEAR_MATCHES
    hint = "Is it the right table, and data.delimiter right?"
    return [Fault(f"{further:,} more columns are missing", path, 1, hint=hint)] if further > 0 else []


def split_record(dataset: Dataset, test_path: Path | None, members: Sequence[Member] = ()) -> bytes:
    """Which row went where, for `split.json`; rows of a test file are positions in that file.

    With cross-validation each member leaves one fold of the training rows out, and validates on it.
    """
    content = bytearray(b"{\n")
    for name, part in dataset.parts.items():
        content += f'  "{name}": '.encode()
        _append_rows(content, part.rows)
        content += b",\n"
    content += f'  "test_path": {json.dumps(test_path and str(test_path), ensure_ascii=False)}'.encode()
    if dataset.folds:
        for number, fold in enumerate(dataset.folds):
            content += b", " if number else b',\n  "folds": ['
            _append_rows(content, dataset.parts["train"].rows[fold])
        choices = [{"embedding": member.embedding, "validation_fold": member.fold} for member in members]
        content += f'],\n  "members": {json.dumps(choices)}'.encode()
    content += b"\n}\n"
    return bytes(content)


def _append_rows(content: bytearray, rows: np.ndarray) -> None:
    # As Python numbers all at once they would take more memory than the table.
    content += b"["
    for start in range(0, len(rows), BLOCK_ROWS):
        numbers = rows[start : start + BLOCK_ROWS].tolist()
        content += f"{', ' if start else ''}{', '.join(map(str, numbers))}".encode()
    content += b"]"


def shown_path(path: str | Path) -> str:
    """A path as messages name it: from the working directory if it lies below it."""
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative


def _near_column(name: str, header: Sequence[str]) -> str:
    folded = {_folded(column): column for column in header}
    near = difflib.get_close_matches(_folded(name), folded, n=1)
    if near:
        alike = unicodedata.normalize("NFKC", folded[near[0]]) == unicodedata.normalize("NFKC", name)
        copy = " It looks the same, but is made of other characters: copy it from the file" if alike else ""
        return f"Did you mean {folded[near[0]]!r}?{copy}"
    for mark in (";", "\t", "|", ",", *(_OTHER_DELIMITERS if len(header) == 1 else ())):
        if any(name in column.split(mark) for column in header if mark in column):
            return f"The delimiter looks like {mark!r}: set data.delimiter"
    more = f" and {len(header) - 20:,} more" if len(header) > 20 else ""
    return f"The columns are {', '.join(map(repr, header[:20]))}{more}"


def _folded(name: str) -> str:
    """A name without what people overlook: case, blanks, the way accents and syllables are composed."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


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
    known = set(header)
    lacking = [(name, key) for name, key in named if name not in known]
    faults = [
        config.fault(
            f"{key[0]}.{key[1]}: {table.name} has no column {name!r}", *key, hint=_near_column(name, header)
        )
        for name, key in lacking[:MOST_NEAR_MATCHES]
    ]
    faults += _further_columns([name for name, _ in lacking], table.name)
    # A column of groups tells rows of one group apart from no other; it only helps where it is asked for.
    left_out = {data.target, *data.exclude} | ({data.split_by} if data.split == "group" else set())
    chosen = known - left_out if data.features == "all" else set(data.features)
    names = [name for name in header if name in chosen]
    if faults and len(header) == 1:
        # Read as one column, a table is read wrong: its cells need no word of their own.
        return [], faults
    if not names and not faults:
        hint = f"{table.name} has the columns {', '.join(map(repr, header[:20]))}; is data.delimiter right?"
        faults.append(config.fault("data: no column is left to learn from", "data", "exclude", hint=hint))
    is_listed = data.features != "all"
    unnamed = dict.fromkeys(name for name in names if name.startswith("Unnamed: ") and not is_listed)
    if unnamed:
        first = list(unnamed)[:5]
        numbers = ", ".join(str(header.index(name) + 1) for name in first)
        found = f"column {numbers} has" if len(unnamed) == 1 else f"columns {numbers} have"
        more = f" (and {len(unnamed) - 5:,} more)" if len(unnamed) > 5 else ""
        message = f"{found} no name, like an index that was exported{more}"
        listed = ", ".join(f'"{name}"' for name in first) + (", …" if more else "")
        hint = f"Leave out what is no column with data.exclude: [{listed}], or name it in the CSV"
        faults.append(Fault(message, table.name, 1, hint=hint))
    return [name for name in names if name not in unnamed], faults


def _split_values(table: Table, data: DataConfig, rows: np.ndarray) -> np.ndarray | None:
    """The group or moment of each of these rows, if they are to be split by one."""
    if data.split_by is None or data.split_by not in table.frame.columns:
        return None
    if data.split == "group":
        values = table.frame[data.split_by].astype("str").to_numpy(dtype=object)
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
                Fault(
                    f"column {column.name!r} holds neither numbers nor dates to split by",
                    table.name,
                    hint=hint,
                )
            )
    gaps = rows[np.asarray(pd.isna(values[rows]))]
    if gaps.size:
        message = f"column {data.split_by!r} is missing in {gaps.size:,} rows that are to be split by it"
        line = table.line(int(gaps[0]))
        raise DataError(Fault(message, table.name, line, hint="Fill the cells or drop the rows"))
    return np.asarray(values[rows])


def _empty_columns(train: Part, path: str) -> Iterator[Fault]:
    for name, values in train.cells.items():
        if np.all(pd.isna(values) | (values == "")):
            found = f"column {name!r} has no value in the training rows"
            yield Fault(found, path, hint="Leave it out with data.exclude")


def _constant_target(y_true: np.ndarray, target: str, path: str) -> Iterator[Fault]:
    if np.ptp(y_true) == 0:
        found = f"the target {target!r} is {y_true[0]:g} in every training row: there is nothing to learn"
        yield Fault(found, path, hint="Choose another data.target, or use rows in which it varies")


def read_part(table: Table, columns: Sequence[Column], target: str) -> Part:
    """The rows of a CSV that have a target.

    Raises:
        DataError: Columns that the CSV lacks, cells that are not what the column is, no target at all.
    """
    lacking = [column.name for column in columns if column.name not in table.frame.columns]
    if lacking:
        raise DataError(*missing_columns(lacking, list(table.frame.columns), table.name))
    with located(table.name):
        y_true = read_target(table, target)
        rows = np.flatnonzero(~np.isnan(y_true))
        cells = {name: column[rows] for name, column in read_cells(table, columns).items()}
        return Part(rows, cells, y_true[rows])


def _test_part(
    path: Path, target: str, columns: Sequence[Column], csv_format: CsvFormat
) -> tuple[Part, list[str]]:
    as_text = [column.name for column in columns if column.kind != "number"]
    table = read_table(shown_path(path), csv_format, as_text)
    part = read_part(table, columns, target)
    return part, notes_on(table, columns, target)


def notes_on(table: Table, columns: Sequence[Column], target: str) -> list[str]:
    """What a user should know of a table: rows without a target, cells that are missing."""
    return _notes(read_target(table, target), read_cells(table, columns), target)


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
