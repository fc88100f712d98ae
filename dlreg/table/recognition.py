"""What the columns of a table are, and what its rows are predicted and split by."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd

from dlreg.config.schema import Config
from dlreg.config.sections.data import DataConfig
from dlreg.errors import DataError, Fault, gathering
from dlreg.table.chosen_columns import choose_columns
from dlreg.table.column import Column
from dlreg.table.columns import KINDS, recognise_columns
from dlreg.table.kinds.category import canonical_texts
from dlreg.table.kinds.number import plain_numbers
from dlreg.table.kinds.unit_counts import unit_notes
from dlreg.table.non_data_rows import set_aside
from dlreg.table.table import Table
from dlreg.table.target import find_target_unit, read_target


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
            notes += notes_on_units(table, columns, data.target, unit, is_training=True)
        # 32 bits are enough: no file of more rows fits into memory.
        rows = np.flatnonzero(~np.isnan(y_true)).astype(np.int32)
        target = Target(y_true, observations.is_observation, rows, split_values(table, data, rows), unit)
    others = (column.name for column in columns if column.name not in numbers)
    tables = {name: replace(table, frame=table.frame[name].to_frame()) for name in others}
    return RecognisedTable(tuple(columns), numbers, tables, target, notes)


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


def notes_on_units(
    table: Table, columns: Sequence[Column], target: str, target_unit: str | None, *, is_training: bool
) -> Iterator[str]:
    """What a user should know of the units that stand in the cells of some columns and of the target."""
    for column in (*columns, Column(target, "number", unit=target_unit)):
        yield from unit_notes(table, column, is_training=is_training)
