"""Rows whose target is the sum or the mean of all others, told by sums that merge block by block."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from math import inf, sqrt
from typing import NamedTuple

import numpy as np

from dlreg.moments import merge_squares
from dlreg.table.table import Table

# Fewer rows are the sum of each other by chance.
LEAST_ROWS = 10
# Of the sum of all: a total is as exact as it is written.
ROUNDING = 1e-6
# Of the standard deviation.
NEAR_MEAN = 1e-2


class NonDataRow(NamedTuple):
    """A row that is no observation.

    Attributes:
        row: Its 0-based position in the table.
        reason: What shows it.
    """

    row: int
    reason: str


class KnownRow(NamedTuple):
    """A row that has a target.

    Attributes:
        row: Its 0-based position in the table.
        y_true: Its target.
        has_gaps: Whether it has a missing cell in a column where most rows of its block have none.
    """

    row: int
    y_true: float
    has_gaps: bool


@dataclass(frozen=True)
class TargetSums:
    """What tells whether a target is the sum or the mean of all others; that of more rows is the sum.

    Attributes:
        n: How many rows have a target.
        mean: Of the targets.
        squares: Σ (yᵢ - mean)².
        low: The least target.
        high: The greatest.
        largest: The position of the row whose target is the furthest from 0.
        sizes: The two targets that are the furthest from 0, as (the furthest, the next), without their signs.
        ends: The first and the last row with a target.
    """

    n: int = 0
    mean: float = 0.0
    squares: float = 0.0
    low: float = inf
    high: float = -inf
    largest: int = -1
    sizes: tuple[float, float] = (0.0, 0.0)
    ends: tuple[KnownRow, ...] = ()

    def __add__(self, other: "TargetSums") -> "TargetSums":
        """That of more rows, which follow."""
        if not (self.n and other.n):
            return self if self.n else other
        n, mean, squares = merge_squares(
            (self.n, self.mean, self.squares), (other.n, other.mean, other.squares)
        )
        largest = self.largest if self.sizes[0] >= other.sizes[0] else other.largest
        first, second = sorted((*self.sizes, *other.sizes), reverse=True)[:2]
        low, high = min(self.low, other.low), max(self.high, other.high)
        return TargetSums(
            n, mean, squares, low, high, largest, (first, second), (self.ends[0], other.ends[-1])
        )


def sum_targets(table: Table, rows: np.ndarray, y_true: np.ndarray, first_row: int = 0) -> TargetSums:
    """What tells of some rows whether one is the sum or the mean of all others.

    Args:
        table: Some rows of a table.
        rows: The positions in it of those that have a target, ascending.
        y_true: Their targets, the same shape.
        first_row: The position of its first row in the whole table.
    """
    if not y_true.size:
        return TargetSums()
    sizes = np.abs(y_true)
    place, ends = int(np.argmax(sizes)), np.array([0, -1])
    with np.errstate(over="ignore", invalid="ignore"):
        mean = float(y_true.mean())
        squares = float(np.sum((y_true - mean) ** 2))
    known = zip(rows[ends].tolist(), y_true[ends].tolist(), gaps_of_their_own(table, rows[ends]), strict=True)
    return TargetSums(
        int(y_true.size),
        mean,
        squares,
        float(y_true.min()),
        float(y_true.max()),
        first_row + int(rows[place]),
        (float(sizes[place]), float(np.delete(sizes, place).max(initial=0))),
        tuple(KnownRow(first_row + row, y, bool(has_gaps)) for row, y, has_gaps in known),
    )


def find_aggregates(sums: TargetSums, table: Table, target: str) -> Iterator[NonDataRow]:
    """The row whose target is the sum of all others, and the first or the last one if it is their mean.

    Args:
        sums: Of all rows of a table.
        table: Says how their targets are written; its cells need not have been read.
        target: The column to predict.
    """
    if sums.n <= LEAST_ROWS:
        return
    total = sums.n * sums.mean
    # Where the others have both signs, they may add up to anything.
    one_sign = sums.low >= 0 or sums.high <= 0
    is_sum, is_next = (abs(2 * size - abs(total)) <= ROUNDING * abs(total) for size in sums.sizes)
    if one_sign and is_sum and not is_next:
        y = sums.high if sums.low >= 0 else sums.low
        yield NonDataRow(sums.largest, f"the target {target!r} is the sum of all others, {y:g}")
    for row, y, has_gaps in sums.ends:
        error = abs(y - (total - y) / (sums.n - 1))
        # Cheap before dear: the text of a cell is looked up in the file.
        if (
            has_gaps
            and error <= NEAR_MEAN * sqrt(sums.squares / sums.n)
            and error <= _precision(table, row, target)
        ):
            yield NonDataRow(
                row, f"the target {target!r} is the mean of all others, {y:g}, beside empty cells"
            )


def gaps_of_their_own(table: Table, rows: np.ndarray) -> np.ndarray:
    """Which of these rows have a missing cell in a column where most rows have none, `(n_rows,)`."""
    missing = table.frame.iloc[rows].isna()
    own = [
        name for name in missing.columns[missing.any().to_numpy()] if table.frame[name].isna().mean() < 0.5
    ]
    return missing[own].any(axis=1).to_numpy()


def _precision(table: Table, row: int, target: str) -> float:
    """Half of the last decimal that a number is written with."""
    digits = re.search(rf"{re.escape(table.csv_format.decimal)}([0-9]*)", table.cell(row, target))
    return 0.500001 * 10.0 ** -(len(digits.group(1)) if digits else 0)
