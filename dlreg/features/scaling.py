"""How numbers are scaled: one function for each method, which fits scikit-learn's own scaler.

A further method is one more function that returns a `Scaler`, entered in `_METHODS`. skl2onnx turns its
estimator into ONNX; where it cannot, a converter of our own stands in `dlreg.pipeline`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

# scikit-learn is imported where it is used: a training is planned without it.

# Scaled numbers are drawn in smoothly to at most this size.
SOFT_LIMIT = 3.0
# A column that varies by less than this share of its size is constant; divided by the endless scale it is 0.
CONSTANT_SPREAD, ENDLESS_SCALE = 1e-6, 1e300
MOST_QUANTILES = 1000

# The columns to fit to, shape `(n_rows,)` each, one after the other: scikit-learn takes several copies of
# what it is given.
Columns = Iterable[np.ndarray]


@dataclass(frozen=True, eq=False)
class Scaler:
    """Scales numbers as it was fitted to some columns.

    Attributes:
        estimator: The fitted scikit-learn scaler of all columns; None where numbers stay as they are.
        fitted: What was fitted, by name, one value (or one list) for each column in the last axis.
        soft_limit: If there is one, scaled numbers x are drawn in to ±limit: x / √(1 + (x / limit)²).
    """

    estimator: Any
    fitted: Mapping[str, np.ndarray]
    soft_limit: float | None = None

    def transform(self, numbers: np.ndarray) -> np.ndarray:
        """Scales rows, shape `(n_rows, n_columns)`."""
        if self.estimator is None:
            return numbers
        scaled = np.asarray(self.estimator.transform(numbers))
        return scaled / np.sqrt(1 + (scaled / self.soft_limit) ** 2) if self.soft_limit else scaled

    def describe(self, index: int) -> dict[str, Any]:
        """What was fitted to one column, in plain values."""
        return {name: values[..., index].tolist() for name, values in self.fitted.items()}


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
    from sklearn.preprocessing import MinMaxScaler, StandardScaler

    estimators = {"standard": StandardScaler, "minmax": MinMaxScaler}
    if method not in estimators:
        return None
    estimator = estimators[method]()
    for block in blocks:
        estimator.partial_fit(block)
    if method == "standard":
        return Scaler(estimator, {"mean": estimator.mean_, "scale": estimator.scale_})
    return Scaler(estimator, {"minimum": estimator.data_min_, "scale": 1 / estimator.scale_})


def fit_code_scaler(method: str, columns: Columns) -> Scaler:
    """Fits a scaler to the codes of ordinal categories, which have no outliers to clip."""
    return fit_scaler("robust" if method == "robust_clip" else method, columns)


def _fit_none(_: Columns) -> Scaler:
    return Scaler(None, {})


def _fit_standard(columns: Columns) -> Scaler:
    from sklearn.preprocessing import StandardScaler

    by_column = [StandardScaler().fit(values.reshape(-1, 1)) for values in columns]
    scaler = StandardScaler()
    scaler.n_features_in_ = len(by_column)
    scaler.mean_ = np.concatenate([fitted.mean_ for fitted in by_column])
    scaler.var_ = np.concatenate([fitted.var_ for fitted in by_column])
    scaler.scale_ = np.concatenate([fitted.scale_ for fitted in by_column])
    return Scaler(scaler, {"mean": scaler.mean_, "scale": scaler.scale_})


def _fit_minmax(columns: Columns) -> Scaler:
    from sklearn.preprocessing import MinMaxScaler

    by_column = [MinMaxScaler().fit(values.reshape(-1, 1)) for values in columns]
    scaler = MinMaxScaler()
    scaler.n_features_in_ = len(by_column)
    scaler.data_min_ = np.concatenate([fitted.data_min_ for fitted in by_column])
    scaler.data_max_ = np.concatenate([fitted.data_max_ for fitted in by_column])
    scaler.data_range_ = scaler.data_max_ - scaler.data_min_
    scaler.min_ = np.concatenate([fitted.min_ for fitted in by_column])
    scaler.scale_ = np.concatenate([fitted.scale_ for fitted in by_column])
    return Scaler(scaler, {"minimum": scaler.data_min_, "scale": 1 / scaler.scale_})


def _fit_robust(columns: Columns) -> Scaler:
    from sklearn.preprocessing import RobustScaler

    by_column = [RobustScaler().fit(values.reshape(-1, 1)) for values in columns]
    return _robust([fitted.center_ for fitted in by_column], [fitted.scale_ for fitted in by_column])


def _fit_robust_clip(columns: Columns) -> Scaler:
    from sklearn.preprocessing import RobustScaler

    centers, scales = [], []
    for values in columns:
        centers.append(RobustScaler(with_scaling=False).fit(values.reshape(-1, 1)).center_)
        scales.append(_robust_scale(values))
    return _robust(centers, scales, soft_limit=SOFT_LIMIT)


def _robust(centers: list[np.ndarray], scales: list[np.ndarray], soft_limit: float | None = None) -> Scaler:
    from sklearn.preprocessing import RobustScaler

    scaler = RobustScaler()
    scaler.n_features_in_ = len(centers)
    scaler.center_ = np.concatenate(centers)
    scaler.scale_ = np.concatenate(scales)
    return Scaler(scaler, {"median": scaler.center_, "scale": scaler.scale_}, soft_limit)


def _robust_scale(values: np.ndarray) -> np.ndarray:
    """What a column, shape `(n_rows,)`, is divided by: see `robust_clip` in `fit_scaler`; shape `(1,)`."""
    low, first, third, high = np.quantile(values.reshape(-1, 1), (0, 0.25, 0.75, 1), axis=0)
    scale = np.where(third > first, third - first, (high - low) / 2)
    is_constant = high - low <= CONSTANT_SPREAD * np.maximum(np.abs(low), np.abs(high))
    return np.where(is_constant, ENDLESS_SCALE, scale)


def _fit_quantile(columns: Columns) -> Scaler:
    from sklearn.preprocessing import QuantileTransformer

    by_column = [
        QuantileTransformer(n_quantiles=min(MOST_QUANTILES, len(values)), subsample=None).fit(
            values.reshape(-1, 1)
        )
        for values in columns
    ]
    scaler = QuantileTransformer(n_quantiles=by_column[0].n_quantiles, subsample=None)
    scaler.n_features_in_ = len(by_column)
    scaler.n_quantiles_, scaler.references_ = by_column[0].n_quantiles_, by_column[0].references_
    scaler.quantiles_ = np.concatenate([fitted.quantiles_ for fitted in by_column], axis=1)
    return Scaler(scaler, {"quantiles": scaler.quantiles_})


_METHODS: Mapping[str, Callable[[Columns], Scaler]] = {
    "standard": _fit_standard,
    "minmax": _fit_minmax,
    "robust": _fit_robust,
    "robust_clip": _fit_robust_clip,
    "quantile": _fit_quantile,
    "none": _fit_none,
}
