"""How much of a target one column says by itself, whatever the shape of their relation."""

import numpy as np

# Rows on each side whose mean predicts a row: few enough for any shape, enough to average noise out.
NEIGHBOURS = 5
SEED = 0


def explained_by_number(x: np.ndarray, y: np.ndarray) -> float:
    """The share of a target's variance that a column of numbers explains alone.

    Each row is predicted by the mean of its nearest neighbours in the column's order, without itself: as many
    below as above, so that a straight line is predicted exactly. Rows without a number predict each other.
    The noise of a mean of m rows is taken off by a factor of m / (m + 1) for each squared error, as in the
    variance estimator of Rice (Bandwidth Choice for Nonparametric Regression, Annals of Statistics 12, 1984).

    Args:
        x: The column, shape `(n_rows,)`, NaN where it is missing.
        y: The target, the same shape.

    Returns:
        1 - Σ m / (m + 1) · (y - prediction)² / Σ (y - mean(y))², from 0 to 1; 0 where nothing varies.
    """
    is_known = ~np.isnan(x)
    squares = np.empty(len(y))
    squares[is_known] = _neighbours_squares(x[is_known], y[is_known])
    squares[~is_known] = _level_squares(np.zeros((~is_known).sum(), dtype=np.int64), y[~is_known], y)
    return _share(y, squares)


def explained_by_level(codes: np.ndarray, y: np.ndarray) -> float:
    """The share of a target's variance that the levels of a category explain alone.

    Each row is predicted by the mean of the other rows of its level; one without others by the mean of all.

    Args:
        codes: The level of each row as a number from 0 on, shape `(n_rows,)`.
        y: The target, the same shape.

    Returns:
        As `explained_by_number`.
    """
    return _share(y, _level_squares(codes, y, y))


def _share(y: np.ndarray, squares: np.ndarray) -> float:
    spread = float(np.var(y)) if len(y) > 1 else 0.0
    return max(0.0, 1 - float(squares.mean()) * (len(y) - 1) / len(y) / spread) if spread > 0 else 0.0


def _neighbours_squares(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    n_rows = len(x)
    if n_rows < 2:
        return np.zeros(n_rows)
    # Equal numbers are neighbours in an order that says nothing of the file's.
    shuffled = np.random.default_rng(SEED).permutation(n_rows)
    order = shuffled[np.argsort(x[shuffled], kind="stable")]
    places = np.arange(n_rows)
    reach = np.minimum(np.minimum(places, n_rows - 1 - places), NEIGHBOURS)
    # The first and the last row have neighbours on one side alone.
    low = np.where(reach > 0, places - reach, np.maximum(places - 1, 0))
    high = np.where(reach > 0, places + reach, np.minimum(places + 1, n_rows - 1))
    # Centred, as sums of large numbers would lose the digits that tell them apart.
    centre = y.mean()
    sums = np.concatenate([[0.0], np.cumsum(y[order] - centre)])
    deviations = y[order] - centre
    n_others = high - low
    means = (sums[high + 1] - sums[low] - deviations) / n_others
    return np.asarray((deviations - means) ** 2 * n_others / (n_others + 1))


def _level_squares(codes: np.ndarray, y: np.ndarray, all_y: np.ndarray) -> np.ndarray:
    if not len(codes):
        return np.empty(0)
    deviations = y - all_y.mean()
    n_others = np.bincount(codes)[codes] - 1
    sums = np.bincount(codes, deviations)[codes] - deviations
    means = sums / np.maximum(n_others, 1)
    # A row alone in its level is predicted by the mean of all.
    return np.asarray(
        np.where(n_others > 0, (deviations - means) ** 2 * n_others / (n_others + 1), deviations**2)
    )
