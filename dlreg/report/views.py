"""Columns as a report shows them: their cells as numbers or as levels, and groups of rows by them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from dlreg.table.column import Column
from dlreg.table.columns import is_text
from dlreg.table.dates import has_date, has_time, parse_column
from dlreg.wording import format_number, shorten

MISSING = "missing"


@dataclass(frozen=True, eq=False)
class Numbers:
    """A column in an order: numbers or dates.

    Attributes:
        column: The column.
        cells: As `dlreg.table.columns.read_cells` gives them, shape `(n_rows,)`.
        values: Numbers, or dates as microseconds since 1970; NaN where they are missing, shape `(n_rows,)`.
    """

    column: Column
    cells: np.ndarray
    values: np.ndarray

    @property
    def is_missing(self) -> np.ndarray:
        """Whether each cell is missing, shape `(n_rows,)`."""
        return np.asarray(np.isnan(self.values))

    @property
    def known(self) -> np.ndarray:
        """The values that are there."""
        return np.asarray(self.values[~np.isnan(self.values)])

    @cached_property
    def _may_be_years(self) -> bool:
        return bool(np.abs(self.known).max(initial=0) < 1e4)

    def shown(self, value: float) -> str:
        """A value as a person reads it; a moment as ISO writes it, as finely as its format names it."""
        if self.column.kind != "date":
            return f"{value:.0f}" if self._may_be_years and value % 1 == 0 else format_number(float(value))
        time = np.datetime64(round(value), "us")
        date_format = str(self.column.date_format)
        if not has_date(date_format):
            return str(time.astype("datetime64[m]")).partition("T")[2]
        return str(time.astype("datetime64[m]" if has_time(date_format) else "datetime64[D]")).replace(
            "T", " "
        )


@dataclass(frozen=True, eq=False)
class Levels:
    """A column of levels.

    Attributes:
        column: The column.
        cells: As `dlreg.table.columns.read_cells` gives them, shape `(n_rows,)`.
        codes: The place in `names` of each row's level, shape `(n_rows,)`.
        names: The levels, the most frequent first; "" is a missing cell.
    """

    column: Column
    cells: np.ndarray
    codes: np.ndarray
    names: Sequence[str]

    @property
    def is_missing(self) -> np.ndarray:
        """Whether each cell is missing, shape `(n_rows,)`."""
        return np.asarray(self.cells == "")


View = Numbers | Levels


def view_column(column: Column, cells: np.ndarray) -> View:
    """The view of a column.

    Args:
        column: The column.
        cells: Its cells, shape `(n_rows, 1)`.
    """
    flat = cells[:, 0]
    if column.kind == "date":
        times = parse_column(pd.Series(flat, dtype="str"), column).to_numpy(dtype="datetime64[us]")
        values = times.astype(np.int64).astype(np.float64)
        values[np.isnat(times)] = np.nan
        return Numbers(column, flat, values)
    if not is_text(column):
        return Numbers(column, flat, flat.astype(np.float64))
    codes, names = pd.factorize(flat)
    order = np.lexsort((names.astype(str), -np.bincount(codes, minlength=len(names))))
    return Levels(column, flat, np.argsort(order)[codes], [str(name) for name in names[order]])


def group_rows(view: View, most_groups: int) -> tuple[np.ndarray, list[str]]:
    """Rows in groups by a column: about equally many by their numbers, or by level the most frequent ones.

    Args:
        view: The column.
        most_groups: The most groups, without that of missing cells and that of all other levels.

    Returns:
        The group of each row, a number from 0 on, shape `(n_rows,)`, and the name of each group.
    """
    return (
        _group_numbers(view, most_groups) if isinstance(view, Numbers) else _group_levels(view, most_groups)
    )


def _group_numbers(view: Numbers, most_groups: int) -> tuple[np.ndarray, list[str]]:
    known = view.known
    if not known.size:
        return np.zeros(len(view.values), dtype=np.int64), [MISSING]
    # The last row of each group, in whole numbers: a share of the rows is not exact.
    ends = [-(-len(known) * number // most_groups) - 1 for number in range(1, most_groups + 1)]
    edges = np.unique(np.sort(known)[ends])
    distinct = np.unique(known)
    if len(distinct) <= most_groups:
        edges = distinct
    codes = np.searchsorted(edges[:-1], view.values, side="left")
    codes[view.is_missing] = len(edges)
    names = [_range_name(view, view.values[codes == code]) for code in range(len(edges))]
    return codes, [*names, *([MISSING] if view.is_missing.any() else [])]


def _range_name(view: Numbers, inside: np.ndarray) -> str:
    low, high = view.shown(inside.min()), view.shown(inside.max())
    return low if low == high else f"{low} to {high}"


def _group_levels(view: Levels, most_groups: int) -> tuple[np.ndarray, list[str]]:
    shown = view.names if len(view.names) <= most_groups + 1 else view.names[:most_groups]
    names = [shorten(level) if level else MISSING for level in shown]
    left_out = len(view.names) - len(shown)
    return np.minimum(view.codes, len(shown)), [*names, *([f"{left_out:,} others"] if left_out else [])]
