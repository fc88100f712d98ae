"""Gradient-boosted trees as scikit-learn makes them: what a network on a table is compared with.

scikit-learn is imported when trees are fitted: its import takes longer than all else a report does.
"""

from collections.abc import Callable

import numpy as np

NAME = "HistGradientBoosting"
# More levels than these have no bins of their own.
MOST_LEVELS = 255


def fit_boosted_trees(
    x: np.ndarray, y: np.ndarray, is_level: np.ndarray
) -> Callable[[np.ndarray], np.ndarray]:
    """Fits scikit-learn's HistGradientBoostingRegressor with its defaults.

    Args:
        x: The training rows, shape `(n_rows, n_columns)`: numbers, and levels of categories as numbers from 0
            to below `MOST_LEVELS`; NaN where a cell is missing.
        y: The target in its own units, shape `(n_rows,)`.
        is_level: Whether each column holds levels, shape `(n_columns,)`.

    Returns:
        From rows of such columns to their predictions, shape `(n_rows,)`.
    """
    from sklearn.ensemble import HistGradientBoostingRegressor
    from threadpoolctl import threadpool_limits

    model = HistGradientBoostingRegressor(categorical_features=is_level, random_state=0)
    # Several threads wait for each other at every split, on a busy machine many times as long as one takes.
    with threadpool_limits(1, "openmp"):
        model.fit(x, y)

    def predict(rows: np.ndarray) -> np.ndarray:
        with threadpool_limits(1, "openmp"):
            return np.asarray(model.predict(rows))

    return predict
