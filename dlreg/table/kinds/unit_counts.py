"""How the cells of a column are written that may have a unit, in numbers and in sentences."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from dlreg.table.column import Column
from dlreg.table.kinds.number import written_numbers
from dlreg.table.table import Table


@dataclass(frozen=True)
class UnitCounts:
    """How the cells of a column that may have a unit are written; that of more cells is the sum.

    Attributes:
        n_cells: How many there are.
        n_bare: Those without the unit that the column has.
        n_negative: Those that are negative as in accounts.
        negative: The first of these, and the number it stands for.
    """

    n_cells: int = 0
    n_bare: int = 0
    n_negative: int = 0
    negative: tuple[str, float] = ("", 0.0)

    def __add__(self, other: "UnitCounts") -> "UnitCounts":
        """That of more cells."""
        return UnitCounts(
            self.n_cells + other.n_cells,
            self.n_bare + other.n_bare,
            self.n_negative + other.n_negative,
            self.negative if self.n_negative else other.negative,
        )

    def sentences(self, column: Column) -> Iterator[str]:
        """What a user should know of the cells of a column."""
        if self.n_negative:
            text, value = self.negative
            count = f"{self.n_negative:,} cells of column {column.name!r}"
            yield f"{count} are negative as in accounts: {text!r} is {value:.15g}"
        if self.n_bare:
            count = f"{self.n_bare:,} of {self.n_cells:,} cells"
            yield f"{count} have no unit in column {column.name!r}, taken as {column.unit!r}"


def count_units(table: Table, column: Column) -> UnitCounts:
    """How the cells of a column are written, if they may have a unit."""
    if column.unit is None:
        return UnitCounts()
    cells = table.frame[column.name]
    if pd.api.types.is_numeric_dtype(cells):
        return UnitCounts(len(cells), int(cells.notna().sum()) if column.unit else 0)
    numbers = written_numbers(cells, table.csv_format)
    bare = numbers.known & (numbers.units == "")
    negative = np.flatnonzero(numbers.values < 0)
    negative = negative[cells.iloc[negative].str.contains(r"\(|-\s*\D*$", regex=True).to_numpy(dtype=bool)]
    first = (
        (cells.iloc[negative[0]].strip(), float(numbers.values[negative[0]])) if negative.size else ("", 0.0)
    )
    return UnitCounts(len(cells), int(bare.sum()) if column.unit else 0, len(negative), first)


def count_without_unit(table: Table, columns: Iterable[Column]) -> dict[str, int]:
    """The number of cells without the unit that their column has, by column; those with none left out."""
    counts = {column.name: count_units(table, column).n_bare for column in columns if column.unit}
    return {name: count for name, count in counts.items() if count}


def unit_example(table: Table, column: Column) -> Iterator[str]:
    """The unit of a column of numbers, with the first cell that has one, if any may have."""
    if column.unit is None or pd.api.types.is_numeric_dtype(cells := table.frame[column.name]):
        return
    numbers = written_numbers(cells, table.csv_format)
    with_unit = np.flatnonzero(numbers.known & (numbers.units != ""))
    if with_unit.size:
        example = f"{cells.iloc[with_unit[0]].strip()!r} is {numbers.values[with_unit[0]]:.15g}"
        yield f"column {column.name!r} holds numbers in {column.unit!r}: {example}"


def unit_notes(table: Table, column: Column, *, is_training: bool) -> Iterator[str]:
    """What a user should know of how a column's numbers are written, if its cells may have a unit.

    Args:
        table: The column's table.
        column: A column of numbers that can be read.
        is_training: Whether the table is the one whose unit the column has.
    """
    if is_training:
        yield from unit_example(table, column)
    yield from count_units(table, column).sentences(column)
