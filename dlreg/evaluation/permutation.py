"""Permutation importance: how much worse a metric gets without the information of one column.

The importance of a column is how much worse the metric gets when its cells are dealt out to the rows at
random, so that they tell nothing of their rows, while every other column stays (Breiman, Random Forests,
Machine Learning 45, 2001; Fisher, Rudin and Dominici, All Models are Wrong, but Many are Useful, JMLR 20,
2019). It is about this network on these rows, not about the world: columns that say the same share their
importance, since each can be lost while the other stays.
"""

from collections.abc import Callable, Iterable, Mapping

import numpy as np

from dlreg.evaluation.metrics import regression_metrics

METRICS = ("rmse", "mse", "mae", "r2")
SEED = 0

Cells = Mapping[str, np.ndarray]


def permutation_importance(
    predict: Callable[[Cells], np.ndarray],
    cells: Cells,
    y_true: np.ndarray,
    metric: str,
    repeats: int,
    names: Iterable[str] | None = None,
) -> tuple[float, dict[str, list[float]]]:
    """How much worse a metric gets when one column is permuted.

    Args:
        predict: Cells to predictions, shape `(n_rows,)`.
        cells: One array of shape `(n_rows, 1)` per column.
        y_true: What was observed, shape `(n_rows,)`.
        metric: One of `METRICS`.
        repeats: How many permutations; they are the same for every column.
        names: The columns to permute; None for all.

    Returns:
        The metric of the rows as they are, and by column its increase (of `r2` its decrease) for each
        permutation; NaN where it has no value.
    """

    def measure(cells: Cells) -> float:
        value = (regression_metrics(y_true, predict(cells)) or {})[metric]
        return np.nan if value is None else float(value)

    value, sign = measure(cells), -1 if metric == "r2" else 1
    orders = [np.random.default_rng((SEED, number)).permutation(len(y_true)) for number in range(repeats)]
    increases = {
        name: [sign * (measure({**cells, name: cells[name][order]}) - value) for order in orders]
        for name in (cells if names is None else names)
    }
    return value, increases
