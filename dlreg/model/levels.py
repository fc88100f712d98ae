"""Rows whose last features are positions of levels, as linear models read them: a column for each level."""

from collections.abc import Sequence
from typing import Any

import numpy as np

# Of a category with more, linear models that take a matrix of columns × columns know nothing.
MOST_SPREAD_LEVELS = 1000


def spread_widths(categories: Sequence[int]) -> list[int]:
    """How many columns `spread_levels` makes of each category."""
    return [n_levels if n_levels <= MOST_SPREAD_LEVELS else 0 for n_levels in categories]


def spread_levels(x: np.ndarray, categories: Sequence[int]) -> Any:
    """Rows with a column for each level, which is 1 where a row has it, of categories that have not too many.

    Args:
        x: Shape `(n_rows, n_features)`.
        categories: How many levels each of the last features has; its values are positions of levels, those
            beyond the last of none.

    Returns:
        Double, shape `(n_rows, n_columns)`; a sparse array of scipy's if there are categories.
    """
    if not categories:
        return x.astype(np.float64)
    # Most trainings embed no levels.
    from scipy.sparse import csr_array, hstack

    n_plain = x.shape[1] - len(categories)
    blocks = [csr_array(x[:, :n_plain].astype(np.float64))]
    for positions, width in zip(x[:, n_plain:].T, spread_widths(categories), strict=True):
        rows = np.flatnonzero(positions < width)
        places = rows, positions[rows].astype(np.intp)
        blocks.append(csr_array((np.ones(len(rows)), places), (len(x), width)))
    return hstack(blocks, format="csr")


def split_levels(weights: np.ndarray, categories: Sequence[int]) -> tuple[np.ndarray, list[np.ndarray]]:
    """Splits weights of these columns into those of plain features, and those of each category's levels."""
    widths = spread_widths(categories)
    plain, *of_levels = np.split(weights, np.cumsum([len(weights) - sum(widths), *widths])[:-1])
    return plain, of_levels
