"""How much of a target one column says by itself, whatever the shape of their relation."""

import numpy as np

# Rows on each side whose mean predicts a row: few enough for any shape, enough to average noise out.
NEIGHBOURS = 5
SEED = 0


def explained_by_number(x: np.ndarray, y: np.ndarray) -> float:
    """The share of a target's variance that a column of numbers explains alone.

    Each row is predicted by the mean of its nearest neighbours in the column's order, without itself: as many
    below as above, so that a straight line is predicted exactly. Rows without a number predict each other.

    Args:
        x: The column, shape `(n_rows,)`, NaN where it is missing.
        y: The target, the same shape.

    Returns:
        1 - Σ (y - prediction)² / Σ (y - mean(y))², from 0 to 1; 0 where nothing varies.
    """
    is_known = ~np.isnan(x)
    predicted = np.empty(len(y))
    predicted[is_known] = _neighbours_means(x[is_known], y[is_known])
    predicted[~is_known] = _others_means(np.zeros((~is_known).sum(), dtype=np.int64), y[~is_known], y.mean())
    return _share(y, predicted)


def explained_by_level(codes: np.ndarray, y: np.ndarray) -> float:
    """The share of a target's variance that the levels of a category explain alone.

    Each row is predicted by the mean of the other rows of its level; one without others by the mean of all.

    Args:
        codes: The level of each row as a number from 0 on, shape `(n_rows,)`.
        y: The target, the same shape.

    Returns:
        As `explained_by_number`.
    """
    return _share(y, _others_means(codes, y, y.mean() if len(y) else 0.0))


def _share(y: np.ndarray, predicted: np.ndarray) -> float:
    spread = float(np.sum((y - y.mean()) ** 2)) if len(y) else 0.0
    return max(0.0, 1 - float(np.sum((y - predicted) ** 2)) / spread) if spread > 0 else 0.0


def _neighbours_means(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    n_rows = len(x)
    if n_rows < 2:
        return y.copy()
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
    means = np.empty(n_rows)
    means[order] = centre + (sums[high + 1] - sums[low] - (y[order] - centre)) / (high - low)
    return means


def _others_means(codes: np.ndarray, y: np.ndarray, mean: float) -> np.ndarray:
    counts = np.bincount(codes)[codes] if len(codes) else np.empty(0)
    sums = np.bincount(codes, y - mean)[codes] if len(codes) else np.empty(0)
    return np.where(counts > 1, mean + (sums - (y - mean)) / np.maximum(counts - 1, 1), mean)
