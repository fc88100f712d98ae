"""Regression metrics, in the units of the values given."""

import numpy as np
from numpy.typing import ArrayLike

from dlreg.evaluation.usable import is_usable

INTERVAL_METRIC_NAMES = ("coverage_90", "width_90")
METRIC_NAMES = ("n", "sse", "mse", "rmse", "mae", "mape", "r2")


def regression_metrics(y_true: ArrayLike, y_pred: ArrayLike) -> dict[str, float | int | None] | None:
    """The error of predictions, by the names the field uses.

    With eᵢ = y_trueᵢ - y_predᵢ:  sse = Σ eᵢ²,  mse = sse / n,  rmse = √mse,  mae = Σ |eᵢ| / n,
    mape = Σ |eᵢ / y_trueᵢ| / n (a fraction: 0.05 is five percent),
    r2 = 1 - sse / Σ (y_trueᵢ - mean(y_true))², the share of the variance explained.

    Args:
        y_true: What was observed, shape `(n_rows,)`.
        y_pred: What was predicted, shape `(n_rows,)`, in the same units.

    Returns:
        One number per name of `METRIC_NAMES`; `mape` is None where any `y_true` is 0, `r2` where it does not
        vary, and any of them where it is not finite, as of a prediction that is not. None when there are no
        rows.

    Raises:
        ValueError: The shapes differ or have more than one dimension: `(n,)` against `(n, 1)`
            would broadcast to n² errors.
    """
    y_true, y_pred = np.asarray(y_true, dtype=np.float64), np.asarray(y_pred, dtype=np.float64)
    if y_true.ndim != 1 or y_true.shape != y_pred.shape:
        raise ValueError(f"Expected two vectors of one length. Received {y_true.shape} and {y_pred.shape}.")
    if y_true.size == 0:
        return None
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        error = y_true - y_pred
        sse = float(np.sum(error**2))
        # Of equal numbers the mean may differ by rounding, so the sum of squares alone does not tell.
        spread = float(np.sum((y_true - y_true.mean()) ** 2)) if np.ptp(y_true) > 0 else 0.0
        values = {
            "sse": sse,
            "mse": sse / y_true.size,
            "rmse": float(np.sqrt(sse / y_true.size)),
            "mae": float(np.mean(np.abs(error))),
            "mape": float(np.mean(np.abs(error / y_true))) if np.all(y_true != 0) else None,
            "r2": 1.0 - sse / spread if spread > 0 else None,
        }
    return {"n": int(y_true.size)} | {
        name: value if value is not None and np.isfinite(value) else None for name, value in values.items()
    }


def interval_metrics(
    y_true: np.ndarray, y_pred: np.ndarray, half_width: np.ndarray | None
) -> dict[str, float | None]:
    """Coverage and width of the intervals y_pred ± half_width, which are made to hold 90 % of new rows.

    Args:
        y_true: What was observed, shape `(n_rows,)`.
        y_pred: What was predicted.
        half_width: Half of each interval's width; None where there are no intervals.

    Returns:
        `coverage_90`, the share of rows whose `y_true` is in its interval, and `width_90`, the mean width, in
        the target's units; None both where there are no rows or no intervals, or one that is not finite.
    """
    if half_width is None or not y_true.size or not (is_usable(y_pred) & is_usable(half_width)).all():
        return dict.fromkeys(INTERVAL_METRIC_NAMES)
    coverage = float(np.mean(np.abs(y_true - y_pred) <= half_width))
    return {"coverage_90": coverage, "width_90": float(np.mean(2 * half_width))}
