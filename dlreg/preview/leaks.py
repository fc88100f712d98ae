"""Whether columns hold the target in disguise: in other units, by level, or as a sum."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from dlreg.preview.suspicion import LEAST_ROWS

# So near to 1 that a column is the target in other units.
LEAK_CORRELATION = 0.9999
# The error of a sum whose terms are written out in full, as a share of the target's standard deviation.
MAX_ROUNDING_ERROR = 1e-6
ROWS_FOR_SUM = 10_000


def equals_target(values: np.ndarray, y_true: np.ndarray) -> bool:
    """Whether a column of numbers is the target, perhaps in other units; shape `(n_rows,)` each."""
    known = ~np.isnan(values)
    if not known.all():
        values, y_true = values[known], y_true[known]
    if len(values) < LEAST_ROWS or np.ptp(values) == 0 or np.ptp(y_true) == 0:
        return False
    values, y_true = values - values.mean(), y_true - y_true.mean()
    # NumPy's own function takes three times as long for a thousand rows.
    covariance = abs(values @ y_true)
    return bool(covariance > LEAK_CORRELATION * np.linalg.norm(values) * np.linalg.norm(y_true))


def determines_target(texts: np.ndarray, y_true: np.ndarray) -> bool:
    """Whether each level of a category has one value of the target, although levels repeat.

    Args:
        texts: The column's cells, shape `(n_rows,)`.
        y_true: The target, shape `(n_rows,)`.
    """
    frame = pd.DataFrame({"level": texts, "y": y_true})
    pairs, levels = len(frame.drop_duplicates()), frame["level"].nunique()
    return bool(pairs == levels and levels > 1 and len(frame) >= max(LEAST_ROWS, 2 * levels))


def exact_sum(cells: Mapping[str, np.ndarray], y_true: np.ndarray) -> list[str]:
    """The columns whose weighted sum is the target but for rounding; none if there is no such sum.

    Args:
        cells: Columns of numbers, shape `(n_rows,)` each.
        y_true: The target, shape `(n_rows,)`.
    """
    step = max(1, len(y_true) // ROWS_FOR_SUM)
    y_true = y_true[::step]
    if len(y_true) < len(cells) + 1 + LEAST_ROWS:
        return []
    x = np.column_stack([*(values[::step] for values in cells.values()), np.ones(len(y_true))])
    known = ~np.isnan(x).any(axis=1)
    spread = x[known].std(axis=0) if known.any() else np.zeros(x.shape[1])
    if known.sum() < x.shape[1] + LEAST_ROWS or np.ptp(y_true[known]) == 0:
        return []
    # Scaled, so that a column of millions does not hide one of millionths.
    scale = np.where(spread > 0, spread, 1.0)
    weights = np.linalg.lstsq(x[known] / scale, y_true[known], rcond=None)[0]
    error = y_true[known] - x[known] / scale @ weights
    if error.std() > MAX_ROUNDING_ERROR * y_true[known].std():
        return []
    is_used = np.abs(weights[:-1]) > 1e-3 * np.abs(weights[:-1]).max()
    return [name for name, used in zip(cells, is_used, strict=True) if used]
