"""How numbers are scaled: one function for each method, which fits it to columns as scikit-learn does.

A further method is one more function, entered in `_METHODS`, that returns a scaler: one of those below, or a
further one, with its form in the graph in `dlreg.pipeline.scaling`. scikit-learn itself is what tests compare
with: importing it takes longer than training a small table.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any, Protocol

import numpy as np

from dlreg.moments import merge_squares

# Scaled numbers are drawn in smoothly to at most this size.
SOFT_LIMIT = 3.0
# A column that varies by less than this share of its size is constant; divided by the endless scale it is 0.
CONSTANT_SPREAD, ENDLESS_SCALE = 1e-6, 1e300
MOST_QUANTILES = 1000
EPSILON = np.finfo(np.float64).eps

# The columns to fit to, shape `(n_rows,)` each, one after the other, so that no more than one is copied.
Columns = Iterable[np.ndarray]


class Scaler(Protocol):
    """Scales numbers as it was fitted to some columns."""

    def transform(self, numbers: np.ndarray) -> np.ndarray:
        """Scales rows, shape `(n_rows, n_columns)`."""
        ...

    def describe(self, index: int) -> dict[str, Any]:
        """What was fitted to one column, in plain values."""
        ...


@dataclass(frozen=True)
class Unscaled:
    """Leaves numbers as they are."""

    def transform(self, numbers: np.ndarray) -> np.ndarray:
        """The same numbers."""
        return numbers

    def describe(self, index: int) -> dict[str, Any]:  # noqa: ARG002
        """Nothing."""
        return {}


@dataclass(frozen=True, eq=False)
class Centred:
    """(x - center) / scale.

    Attributes:
        middle: What the center is: `mean` or `median`.
        center: Of each column, shape `(n_columns,)`.
        scale: Likewise.
        soft_limit: If there is one, scaled numbers x are drawn in to ±limit: x / √(1 + (x / limit)²).
    """

    middle: str
    center: np.ndarray
    scale: np.ndarray
    soft_limit: float | None = None

    def transform(self, numbers: np.ndarray) -> np.ndarray:
        """Scales rows, shape `(n_rows, n_columns)`."""
        scaled: np.ndarray = numbers - self.center
        scaled /= self.scale
        return scaled / np.sqrt(1 + (scaled / self.soft_limit) ** 2) if self.soft_limit else scaled

    def describe(self, index: int) -> dict[str, Any]:
        """Center and scale of one column."""
        return {self.middle: float(self.center[index]), "scale": float(self.scale[index])}


@dataclass(frozen=True, eq=False)
class Ranged:
    """x · factor + shift, which is 0 for the least number of a column and 1 for the greatest.

    Attributes:
        minimum: The least number of each column, shape `(n_columns,)`.
        factor: One over the distance to the greatest, shape `(n_columns,)`.
    """

    minimum: np.ndarray
    factor: np.ndarray

    @property
    def shift(self) -> np.ndarray:
        """What brings the minimum to 0, shape `(n_columns,)`."""
        return np.asarray(0.0 - self.minimum * self.factor)

    def transform(self, numbers: np.ndarray) -> np.ndarray:
        """Scales rows, shape `(n_rows, n_columns)`."""
        scaled: np.ndarray = numbers * self.factor
        scaled += self.shift
        return scaled

    def describe(self, index: int) -> dict[str, Any]:
        """Minimum and range of one column."""
        return {"minimum": float(self.minimum[index]), "scale": float(1 / self.factor[index])}


@dataclass(frozen=True, eq=False)
class Quantiles:
    """The share of the numbers fitted to that lie below x; where several quantiles equal x, the middle share.

    Attributes:
        quantiles: Of each column, ascending, evenly spaced from the least to the greatest number, shape
            `(n_quantiles, n_columns)`.
    """

    quantiles: np.ndarray

    def transform(self, numbers: np.ndarray) -> np.ndarray:
        """Scales rows, shape `(n_rows, n_columns)`."""
        shares = np.linspace(0, 1, len(self.quantiles))
        scaled = np.empty_like(numbers)
        for column, quantiles in enumerate(self.quantiles.T):
            x = numbers[:, column]
            from_below = np.interp(x, quantiles, shares)
            from_above = np.interp(-x, -quantiles[::-1], -shares[::-1])
            scaled[:, column] = 0.5 * (from_below - from_above)
            # The ends are 0 and 1 even where quantiles tie with them; where they are one, it is 0.
            scaled[x == quantiles[-1], column] = 1
            scaled[x == quantiles[0], column] = 0
        return scaled

    def describe(self, index: int) -> dict[str, Any]:
        """The quantiles of one column."""
        return {"quantiles": self.quantiles[:, index].tolist()}


def fit_scaler(method: str, columns: Columns) -> Scaler:
    """Fits a scaler to columns of numbers.

    Args:
        method: `standard` (x - μ) / σ, `minmax` to [0, 1], `robust` (x - median) / interquartile range,
            `quantile` to a uniform distribution, `none`, or `robust_clip`: as robust (where the
            interquartile range is 0, half the whole range; constants become 0), then
            x / √(1 + (x / 3)²), so that no outlier is far away (https://arxiv.org/abs/2407.04491).
        columns: See `Columns`.
    """
    return _METHODS[method](columns)


def fit_scaler_on_blocks(method: str, blocks: Iterable[np.ndarray]) -> Scaler | None:
    """Fits a scaler exactly to rows that come block by block; None where the method needs them all at once.

    Args:
        method: As of `fit_scaler`.
        blocks: The rows, shape `(n_rows, n_columns)` each.
    """
    if method == "standard":
        return _fit_standard_on_blocks(blocks)
    if method == "minmax":
        ends = [(block.min(axis=0), block.max(axis=0)) for block in blocks]
        minimum, maximum = np.min(ends, axis=0)[0], np.max(ends, axis=0)[1]
        return Ranged(minimum, 1.0 / _without_zeros(maximum - minimum))
    return None


def fit_code_scaler(method: str, columns: Columns) -> Scaler:
    """Fits a scaler to the codes of ordinal categories, which have no outliers to clip."""
    return fit_scaler("robust" if method == "robust_clip" else method, columns)


def _fit_none(_: Columns) -> Scaler:
    return Unscaled()


def _fit_standard(columns: Columns) -> Scaler:
    return Centred("mean", *_by_column(_mean_and_scale, columns))


def _mean_and_scale(values: np.ndarray) -> tuple[float, float]:
    mean = values.sum() / len(values)
    deviations = values - mean
    # What is left of them is how the mean is rounded.
    rest = deviations.sum()
    variance = (np.square(deviations).sum() - rest**2 / len(values)) / len(values)
    return mean, float(_deviation(variance, mean, len(values)))


def _fit_standard_on_blocks(blocks: Iterable[np.ndarray]) -> Scaler:
    """Merges the means and sums of squares of blocks."""

    def moments(block: np.ndarray) -> tuple[int, Any, Any]:
        mean = block.mean(axis=0)
        return len(block), mean, np.square(block - mean).sum(axis=0)

    n_rows, mean, squares = reduce(merge_squares, map(moments, blocks))
    return Centred("mean", mean, _deviation(squares / n_rows, mean, n_rows))


def _deviation(variance: Any, mean: Any, n_rows: int) -> np.ndarray:
    """The standard deviation; 1 where it is no more than how sums are rounded."""
    rounding = n_rows * EPSILON
    is_constant = variance <= rounding * variance + (mean * rounding) ** 2
    return np.where(is_constant, 1.0, np.sqrt(variance))


def _fit_minmax(columns: Columns) -> Scaler:
    minimum, maximum = _by_column(lambda values: (values.min(), values.max()), columns)
    return Ranged(minimum, 1.0 / _without_zeros(maximum - minimum))


def _fit_robust(columns: Columns) -> Scaler:
    low, center, high = _by_column(_quartiles, columns)
    return Centred("median", center, _without_zeros(high - low))


def _quartiles(values: np.ndarray) -> tuple[float, ...]:
    first, third = np.percentile(values, (25.0, 75.0))
    return first, np.median(values), third


def _fit_robust_clip(columns: Columns) -> Scaler:
    fitted = _by_column(lambda values: (np.median(values), _robust_scale(values)), columns)
    return replace(Centred("median", *fitted), soft_limit=SOFT_LIMIT)


def _robust_scale(values: np.ndarray) -> float:
    """What a column, shape `(n_rows,)`, is divided by: see `robust_clip` in `fit_scaler`."""
    low, first, third, high = np.quantile(values, (0, 0.25, 0.75, 1))
    if high - low <= CONSTANT_SPREAD * max(abs(low), abs(high)):
        return ENDLESS_SCALE
    return float(third - first if third > first else (high - low) / 2)


def _fit_quantile(columns: Columns) -> Scaler:
    by_column = []
    for values in columns:
        shares = np.linspace(0, 1, min(MOST_QUANTILES, len(values)))
        # Rounded, a quantile may be below the one before it.
        by_column.append(np.maximum.accumulate(np.percentile(values, 100 * shares)))
    return Quantiles(np.column_stack(by_column))


def _by_column(fit: Callable[[np.ndarray], tuple[float, ...]], columns: Columns) -> np.ndarray:
    """What is fitted to each column, shape `(n_fitted, n_columns)`."""
    return np.array([fit(values) for values in columns], dtype=np.float64).T


def _without_zeros(spread: np.ndarray) -> np.ndarray:
    """What to divide by: 1 where a column does not vary."""
    return np.where(spread < 10 * EPSILON, 1.0, spread)


_METHODS: Mapping[str, Callable[[Columns], Scaler]] = {
    "standard": _fit_standard,
    "minmax": _fit_minmax,
    "robust": _fit_robust,
    "robust_clip": _fit_robust_clip,
    "quantile": _fit_quantile,
    "none": _fit_none,
}
