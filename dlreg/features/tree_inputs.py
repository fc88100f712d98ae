"""Cells as numbers for trees: levels by frequency, dates by their calendar, nothing scaled or filled."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dlreg.features.numbers import NUMERIC_KINDS, Cells, is_category
from dlreg.table.column import Column


@dataclass(frozen=True, eq=False)
class TreeInputs:
    """How columns become numbers.

    Attributes:
        columns: The columns.
        levels: The number of each level, by the name of each category; of many levels the most frequent.
    """

    columns: Sequence[Column]
    levels: Mapping[str, Mapping[str, int]]

    @property
    def is_level(self) -> np.ndarray:
        """Whether each number is a level, shape `(n_numbers,)`."""
        widths = [1 if is_category(c) else len(NUMERIC_KINDS[c.kind].names(c)) for c in self.columns]
        return np.repeat([is_category(column) for column in self.columns], widths)

    def __call__(self, cells: Cells) -> np.ndarray:
        """The numbers of rows, shape `(n_rows, n_numbers)`, NaN for a missing number or an unknown level."""
        return np.column_stack([self._numbers(column, cells[column.name]) for column in self.columns])

    def _numbers(self, column: Column, cells: np.ndarray) -> np.ndarray:
        if not is_category(column):
            return NUMERIC_KINDS[column.kind].values(column, cells)
        levels = self.levels[column.name]
        return np.array([levels.get(level, np.nan) for level in cells[:, 0]], dtype=np.float64).reshape(-1, 1)


def fit_tree_inputs(columns: Sequence[Column], cells: Cells, most_levels: int) -> TreeInputs:
    """Numbers the levels of each category.

    Args:
        columns: The columns.
        cells: Those of the training rows, one array of shape `(n_rows, 1)` per column.
        most_levels: The most levels of a category that are told apart.
    """
    levels = {}
    for column in filter(is_category, columns):
        names, counts = np.unique(cells[column.name][:, 0].astype(str), return_counts=True)
        frequent = names[np.argsort(-counts, kind="stable")][:most_levels]
        levels[column.name] = {str(name): number for number, name in enumerate(frequent)}
    return TreeInputs(tuple(columns), levels)
