"""The rows of a config, block by block: a table that does not fit in memory is read so.

What the columns are is told by the first blocks; a later one that is written otherwise is an error at its
line, as it would be in a new table.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pandas as pd

from dlreg.config.schema import Config
from dlreg.config.sections.data import DataConfig
from dlreg.errors import DataError, Fault, gathering
from dlreg.table.aggregate_rows import TargetSums, find_aggregates, sum_targets
from dlreg.table.column import Column
from dlreg.table.columns import is_text, read_cells
from dlreg.table.csv_format import csv_format_of
from dlreg.table.kinds.unit_counts import UnitCounts, count_units, unit_example
from dlreg.table.missing_columns import missing_columns
from dlreg.table.non_data_rows import set_aside
from dlreg.table.parts import Part
from dlreg.table.recognition import columns_as_text, recognise_table, split_values
from dlreg.table.source import find_source, no_rows_fault, read_table, stream_tables, unread_table
from dlreg.table.table import Table
from dlreg.table.table_names import shown_path
from dlreg.table.target import no_target_fault, read_target_cells

# Of `csv_scan.BLOCK_BYTES` each: by their rows the columns are recognised.
RECOGNISED_BLOCKS = 4


class Recognised(NamedTuple):
    """What the first rows of a table tell.

    Attributes:
        columns: What the model reads, in the order of the CSV.
        target_unit: The unit of the target, as `Column.unit`.
        notes: How cells are written.
    """

    columns: tuple[Column, ...]
    target_unit: str | None
    notes: tuple[str, ...]

    def with_target(self, target: str) -> tuple[Column, ...]:
        """The columns, and the target as one more."""
        return (*self.columns, Column(target, "number", unit=self.target_unit))


@dataclass(frozen=True)
class Counts:
    """What a user should know of some rows; those of more rows are the sum.

    Attributes:
        n_rows: How many there are, with a target or without.
        n_observations: How many of them are observations.
        n_targets: How many of these have a target.
        missing: Observations without a cell, by column.
        units: How the cells of columns that may have a unit are written.
        notes: Rows left out or kept that look like none.
    """

    n_rows: int = 0
    n_observations: int = 0
    n_targets: int = 0
    missing: Counter[str] = field(default_factory=Counter)
    units: Mapping[str, UnitCounts] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __add__(self, other: "Counts") -> "Counts":
        """Those of more rows."""
        return Counts(
            self.n_rows + other.n_rows,
            self.n_observations + other.n_observations,
            self.n_targets + other.n_targets,
            self.missing + other.missing,
            {name: self.units.get(name, UnitCounts()) + units for name, units in other.units.items()},
            (*self.notes, *other.notes),
        )

    def sentences(self, recognised: Recognised, target: str) -> Iterator[str]:
        """What a user should know, in words."""
        yield from self.notes
        for column in recognised.with_target(target):
            yield from self.units.get(column.name, UnitCounts()).sentences(column)
        if dropped := self.n_observations - self.n_targets:
            yield f"{dropped:,} of {self.n_observations:,} rows are left out: they have no {target!r}"
        for column in recognised.columns:
            if missing := self.missing[column.name]:
                yield f"{missing:,} of {self.n_observations:,} cells are missing in column {column.name!r}"


class CheckedRows(NamedTuple):
    """Consecutive rows of a table.

    Attributes:
        part: Those that have a target; their positions are of 64 bits.
        keys: What they are divided by, see `division.Division.parts_of`, `(n_rows,)`; None for `random`.
        counts: What a user should know of all of them.
    """

    part: Part
    keys: np.ndarray | None
    counts: Counts


def recognise_opening(config: Config) -> Recognised:
    """Tells the columns from the first rows of `data.path`.

    Raises:
        DataError: With every fault of the columns at once.
        StorageError: The file cannot be read.
    """
    data, faults = config.data, list[Fault]()
    recognised = Recognised((), None, ())
    with gathering(faults):
        table = read_table(
            shown_path(data.path), csv_format_of(data), columns_as_text(data), most_blocks=RECOGNISED_BLOCKS
        )
        columns, _, tables, target, _ = recognise_table(config, table, faults, is_whole=False)
        recognised = Recognised(columns, target.unit if target else None, ())
        notes: list[str] = []
        for column in (column for column in columns if column.name in tables):
            with gathering(faults):
                read_cells(tables[column.name], [column])
        for column in recognised.with_target(data.target):
            notes += unit_example(tables.get(column.name, table), column)
        recognised = recognised._replace(notes=tuple(notes))
    if faults:
        raise DataError(*faults)
    return recognised


def stream_rows(
    config: Config,
    path: str,
    recognised: Recognised,
    *,
    is_divided: bool = True,
    rewrite: Callable[[Table], Table] = lambda table: table,
) -> Iterator[CheckedRows]:
    """Reads a table of a config block by block.

    Args:
        config: Of the run.
        path: The file, as messages name it.
        recognised: What its columns are.
        is_divided: Whether its rows are divided into parts, and so need keys.
        rewrite: What is done to the cells before anything else.

    Raises:
        DataError: Rows or cells of a block that are not what the columns are.
        StorageError: The file cannot be read.
    """
    data, columns = config.data, recognised.columns
    texts = {column.name for column in columns if is_text(column)} | columns_as_text(data)
    if data.split == "group" and data.split_by:
        texts.add(data.split_by)
    source = find_source(path, csv_format_of(data))
    n_rows, sums, is_whole = 0, TargetSums(), True
    for block_table, is_last in _with_last(stream_tables(source, texts)):
        is_whole, table = is_last and not n_rows, rewrite(block_table)
        first_place = sums.n if is_divided else None
        block = _read_block(data, table, recognised, n_rows, first_place, is_whole=is_whole)
        sums += sum_targets(table, block.part.rows - n_rows, block.part.y_true, n_rows)
        n_rows += len(table.frame)
        yield block
    if not n_rows:
        raise DataError(no_rows_fault(source.name))
    if not sums.n:
        raise DataError(no_target_fault(data.target, source.name))
    # Of a table of one block these rows were set aside like all others that are no observations.
    if data.non_data_rows != "keep" and not is_whole:
        table = unread_table(path, csv_format_of(data))
        if faults := list(_aggregate_faults(sums, table, data.target)):
            raise DataError(*faults)


def _read_block(
    data: DataConfig,
    table: Table,
    recognised: Recognised,
    first_row: int,
    first_place: int | None,
    *,
    is_whole: bool,
) -> CheckedRows:
    columns = recognised.columns
    lacking = [column.name for column in columns if column.name not in table.frame.columns]
    if lacking:
        raise DataError(*missing_columns(lacking, list(table.frame.columns), table.name, len(columns)))
    faults: list[Fault] = []
    y_true, cells, keys, observations = np.empty(0), {}, None, None
    with gathering(faults):
        observations = set_aside(table, data, is_first=first_row == 0, is_whole=is_whole)
        table = observations.table
        faults += observations.faults
        y_true = read_target_cells(table, data.target, recognised.target_unit)
    with gathering(faults):
        cells = read_cells(table, columns)
    places = np.flatnonzero(~np.isnan(y_true))
    with gathering(faults):
        keys = None if first_place is None else _keys(data, table, places, first_place)
    if faults or observations is None:
        raise DataError(*faults)
    counts = Counts(
        len(y_true),
        int(observations.is_observation.sum()),
        len(places),
        _missing(cells, observations.is_observation),
        {
            column.name: count_units(table, column)
            for column in recognised.with_target(data.target)
            if column.unit is not None
        },
        tuple(observations.notes),
    )
    part = Part(first_row + np.arange(len(y_true)), cells, y_true)
    # Where every row has a target they need not be copied.
    return CheckedRows(part if len(places) == len(y_true) else part.take(places), keys, counts)


def _missing(cells: dict[str, np.ndarray], is_observation: np.ndarray) -> Counter[str]:
    counts: Counter[str] = Counter()
    for name, values in cells.items():
        is_missing = values[:, 0] == "" if values.dtype == object else np.isnan(values[:, 0])
        counts[name] = int(np.sum(is_missing & is_observation))
    return +counts


def _keys(data: DataConfig, table: Table, places: np.ndarray, first_place: int) -> np.ndarray | None:
    method = data.split
    if method == "random":
        return None
    if method == "ordered":
        return first_place + np.arange(len(places))
    values = split_values(table, data, places)
    if values is None:
        return None
    if method == "group":
        return np.asarray(pd.util.hash_array(np.asarray(values, dtype=object), categorize=True))
    return values.astype("datetime64[us]").astype(np.float64) if values.dtype.kind == "M" else values


def _with_last(tables: Iterable[Table]) -> Iterator[tuple[Table, bool]]:
    """Each of some tables, and whether it is the last one."""
    before: Table | None = None
    for table in tables:
        if before is not None:
            yield before, False
        before = table
    if before is not None:
        yield before, True


def _aggregate_faults(sums: TargetSums, table: Table, target: str) -> Iterator[Fault]:
    # The rows before are used already, so that this one cannot be left out.
    hint = "Remove the row, or set data.non_data_rows: keep if it is an observation"
    for row, reason in find_aggregates(sums, table, target):
        yield table.fault(f"no observation: {reason}", row, hint)
