"""Partial dependence: what is predicted on average when one column has the same value in every row.

Friedman, Greedy Function Approximation: A Gradient Boosting Machine, Annals of Statistics 29 (2001), section
8.2. The other columns stay as they are, so that rows may be made that never occur.
"""

from collections.abc import Callable, Mapping

import numpy as np


def partial_dependence(
    predict: Callable[[Mapping[str, np.ndarray]], np.ndarray],
    cells: Mapping[str, np.ndarray],
    name: str,
    values: np.ndarray,
) -> np.ndarray:
    """The mean prediction of all rows with each value of a column.

    Args:
        predict: Cells to predictions, shape `(n_rows,)`.
        cells: One array of shape `(n_rows, 1)` per column.
        name: The column.
        values: What it is set to, cells as it holds them, shape `(n_values,)`.

    Returns:
        Shape `(n_values,)`.
    """
    n_rows = len(cells[name])
    repeated = {other: np.tile(column, (len(values), 1)) for other, column in cells.items() if other != name}
    column = np.repeat(values, n_rows).reshape(-1, 1)
    predictions = predict({other: column if other == name else repeated[other] for other in cells})
    return np.asarray(predictions.reshape(len(values), n_rows).mean(axis=1))
