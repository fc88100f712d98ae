"""Regression metrics, in the units of the values given."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from dlreg.evaluation.usable import is_usable
from dlreg.limits import INTERVAL_METRIC_NAMES
from dlreg.moments import merge_squares


@dataclass(frozen=True)
class ErrorSums:
    """What the metrics of some rows are made of; those of more rows are made of the sum.

    Attributes:
        n: How many rows there are.
        sse: Σ eᵢ², with eᵢ = y_trueᵢ - y_predᵢ.
        sae: Σ |eᵢ|.
        sape: Σ |eᵢ / y_trueᵢ|; None where any `y_true` is 0.
        mean: Of `y_true`.
        squares: Σ (y_trueᵢ - mean)².
        low: The least `y_true`.
        high: The greatest.
    """

    n: int = 0
    sse: float = 0.0
    sae: float = 0.0
    sape: float | None = 0.0
    mean: float = 0.0
    squares: float = 0.0
    low: float = math.inf
    high: float = -math.inf

    def __add__(self, other: "ErrorSums") -> "ErrorSums":
        """Those of more rows."""
        if not (self.n and other.n):
            return self if self.n else other
        n, mean, squares = merge_squares(
            (self.n, self.mean, self.squares), (other.n, other.mean, other.squares)
        )
        return ErrorSums(
            n,
            self.sse + other.sse,
            self.sae + other.sae,
            None if self.sape is None or other.sape is None else self.sape + other.sape,
            mean,
            squares,
            min(self.low, other.low),
            max(self.high, other.high),
        )

    def metrics(self) -> dict[str, float | int | None] | None:
        """The metrics of the rows, as `regression_metrics` gives them."""
        if not self.n:
            return None
        # Of equal numbers the mean may differ by rounding, so the sum of squares alone does not tell.
        spread = self.squares if self.high > self.low else 0.0
        with np.errstate(over="ignore"):
            values = {
                "sse": self.sse,
                "mse": self.sse / self.n,
                "rmse": float(np.sqrt(self.sse / self.n)),
                "mae": self.sae / self.n,
                "mape": None if self.sape is None else self.sape / self.n,
                "r2": 1.0 - self.sse / spread if spread > 0 else None,
            }
        return {"n": self.n} | {
            name: value if value is not None and np.isfinite(value) else None
            for name, value in values.items()
        }


def sum_errors(y_true: ArrayLike, y_pred: ArrayLike) -> ErrorSums:
    """What the metrics of some rows are made of; see `regression_metrics`."""
    y_true, y_pred = np.asarray(y_true, dtype=np.float64), np.asarray(y_pred, dtype=np.float64)
    if y_true.ndim != 1 or y_true.shape != y_pred.shape:
        raise ValueError(f"Expected two vectors of one length. Received {y_true.shape} and {y_pred.shape}.")
    if y_true.size == 0:
        return ErrorSums()
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        error = y_true - y_pred
        mean = y_true.mean()
        return ErrorSums(
            int(y_true.size),
            float(np.sum(error**2)),
            float(np.sum(np.abs(error))),
            float(np.sum(np.abs(error / y_true))) if np.all(y_true != 0) else None,
            float(mean),
            float(np.sum((y_true - mean) ** 2)),
            float(y_true.min()),
            float(y_true.max()),
        )


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
    return sum_errors(y_true, y_pred).metrics()


@dataclass(frozen=True)
class IntervalSums:
    """What the metrics of the intervals of some rows are made of; those of more rows are made of the sum.

    Attributes:
        n: How many rows there are.
        n_inside: Those whose `y_true` is in its interval.
        width: The sum of all widths.
        is_usable: Whether there are intervals, all of them finite.
    """

    n: int = 0
    n_inside: int = 0
    width: float = 0.0
    is_usable: bool = True

    def __add__(self, other: "IntervalSums") -> "IntervalSums":
        """Those of more rows."""
        return IntervalSums(
            self.n + other.n,
            self.n_inside + other.n_inside,
            self.width + other.width,
            self.is_usable and other.is_usable,
        )

    def metrics(self) -> dict[str, float | None]:
        """The metrics of the intervals, as `interval_metrics` gives them."""
        if not (self.n and self.is_usable):
            return dict.fromkeys(INTERVAL_METRIC_NAMES)
        return {"coverage_90": self.n_inside / self.n, "width_90": self.width / self.n}


def sum_intervals(y_true: np.ndarray, y_pred: np.ndarray, margins: np.ndarray | None) -> IntervalSums:
    """What the metrics of the intervals of some rows are made of; see `interval_metrics`."""
    if margins is None or not (is_usable(y_pred).all() and is_usable(margins).all()):
        return IntervalSums(len(y_true), is_usable=False)
    residuals, (below, above) = y_true - y_pred, margins.T
    n_inside = int(np.sum((-below <= residuals) & (residuals <= above)))
    return IntervalSums(len(y_true), n_inside, float(np.sum(below + above)))


def interval_metrics(
    y_true: np.ndarray, y_pred: np.ndarray, margins: np.ndarray | None
) -> dict[str, float | None]:
    """Coverage and width of the intervals about y_pred, which are made to hold 90% of new rows.

    Args:
        y_true: What was observed, shape `(n_rows,)`.
        y_pred: What was predicted.
        margins: How far each interval reaches below and above, shape `(n_rows, 2)`; None for none.

    Returns:
        `coverage_90`, the share of rows whose `y_true` is in its interval, and `width_90`, the mean width, in
        the target's units; None both where there are no rows or no intervals, or one that is not finite.
    """
    return sum_intervals(y_true, y_pred, margins).metrics()
