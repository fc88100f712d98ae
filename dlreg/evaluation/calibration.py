"""Prediction intervals that hold a stated share of new rows, wider where a row is harder to predict.

Conformal prediction: rows that the network was not fitted on (the calibration rows) tell how far a prediction
is off. The score of a row is its error over the error to be expected there, |y - y_pred| / scale(x); the
interval of a new row is y_pred ± q · scale(x), where q is the ⌈(n + 1) · level⌉-th smallest of the n scores.
If new rows are like the calibration rows, it holds at least that share of them, whatever the network and
however good the scale. Where errors reach further to one side, scores keep their sign and each side has a
quantile of its own.

Locally weighted split conformal prediction: Lei, G'Sell, Rinaldo, Tibshirani and Wasserman,
Distribution-Free Predictive Inference for Regression, JASA 113 (2018), section 5.2. The scale of a
calibration row is fitted without it, as Vovk's cross-conformal predictors do (Annals of Mathematics and
Artificial Intelligence 74, 2015); where the calibration rows are the out-of-fold rows of cross-validation,
so is the prediction, as in CV+ (Barber, Candès, Ramdas and Tibshirani, Predictive Inference with the
Jackknife+, Annals of Statistics 49, 2021).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from dlreg.evaluation.intervals import LEVEL, Intervals, calibrated_intervals
from dlreg.model.levels import spread_levels, spread_widths
from dlreg.model.residual_scale import ResidualScale, encode_prediction

# With fewer rows, or with more features, the scale would be noise, or slow to fit.
MIN_ROWS, MAX_FEATURES, MAX_FITTED_ROWS = 30, 500, 20_000
FOLDS, BINS, SEED = 10, 16, 0
# The logarithm of a tiny residual is an outlier, so residuals are raised by this share of their median.
LEAST_RESIDUAL = 0.1
PENALTIES = (*(10.0 ** (power / 2) for power in range(-6, 7)), 1e9)
# 0 is one width for all.
POWERS = (0.0, 0.25, 0.5, 0.75, 1.0)
# What gains less than a hundredth is noise.
LEAST_GAIN = 0.99


@dataclass(frozen=True, eq=False)
class Calibration:
    """Calibrated prediction intervals.

    Attributes:
        intervals: Their scores.
        scale: How wide each is; None where all have one width.
        constant_width: What that one width would be at `LEVEL`; None where there are too few rows.
    """

    intervals: Intervals
    scale: ResidualScale | None
    constant_width: float | None


class _Form(NamedTuple):
    """What intervals are made of: the power of the learnt scale, and the kind of scores."""

    power: float = 0.0
    signed: bool = False


def calibrate(
    x: np.ndarray, y_true: np.ndarray, y_pred: np.ndarray, categories: Sequence[int] = ()
) -> Calibration:
    """Fits the scale of the errors and computes the scores of the calibration rows.

    Scale and scores have the form whose intervals at `LEVEL` have the least interval score on the calibration
    rows: their width, and 2 / (1 - level) times the distance of what lies outside. That is a proper score,
    least in expectation for the true quantiles of each row (Gneiting and Raftery, Strictly Proper Scoring
    Rules, Prediction, and Estimation, JASA 102, 2007, section 6.2). A simpler form stays where a further one
    gains less than a standard error.

    Args:
        x: The calibration rows, preprocessed, shape `(n_rows, n_features)`.
        y_true: What was observed, in the target's units, shape `(n_rows,)`.
        y_pred: What is predicted by networks that were not fitted on these rows.
        categories: How many levels each of the last features has, which are embedded.
    """
    residuals = y_true - y_pred
    constant = calibrated_intervals(residuals)
    factors = constant.factors(LEVEL)
    width = None if factors is None else sum(factors)
    if width is None or len(residuals) < MIN_ROWS or not residuals.any():
        return Calibration(constant, None, width)
    if x.shape[1] - len(categories) + sum(spread_widths(categories)) > MAX_FEATURES:
        x, categories = x[:, :0], ()
    inputs, sizes = spread_levels(x, categories) if categories else x, np.abs(residuals)
    scales = _cross_fitted(inputs, sizes, y_pred)

    def intervals_of(form: _Form) -> Intervals:
        return calibrated_intervals(residuals / scales**form.power, signed=form.signed)

    def scores_of_rows(form: _Form) -> np.ndarray:
        below, above = intervals_of(form).factors(LEVEL) or (0.0, 0.0)
        scale = scales**form.power
        outside = np.maximum(-residuals - below * scale, 0.0) + np.maximum(residuals - above * scale, 0.0)
        return np.asarray((below + above) * scale + 2 / (1 - LEVEL) * outside)

    form = _best([_Form(power) for power in POWERS], scores_of_rows, _Form())
    form = _best([form._replace(signed=True)], scores_of_rows, form)
    if not form.power:
        return Calibration(intervals_of(form), None, width)
    scale = _fit_scale(inputs, sizes, y_pred, np.arange(len(residuals))).to_the_power(form.power)
    return Calibration(intervals_of(form), scale, width)


def describe_calibration(calibration: Calibration, calibrated_on: str) -> dict[str, Any]:
    """What the intervals of new rows are made from, in plain values.

    Args:
        calibration: What was fitted.
        calibrated_on: Which rows it was fitted on: `validation` or `out_of_fold`.
    """
    intervals = calibration.intervals
    return {
        "calibrated_on": calibrated_on if intervals.n_rows else None,
        "rows": intervals.n_rows,
        "scale": "learned" if calibration.scale else "constant",
        "constant_width_90": calibration.constant_width,
        # A name of their own, because they are read in another way.
        "signed_scores" if intervals.are_signed else "scores": intervals.scores.tolist(),
    }


def _best(forms: Sequence[_Form], scores_of_rows: Callable[[_Form], np.ndarray], simpler: _Form) -> _Form:
    """The form of the least mean score, if that is clearly less than the simpler form's."""
    form = min(forms, key=lambda form: float(scores_of_rows(form).mean()))
    before = scores_of_rows(simpler)
    gain = before - scores_of_rows(form)
    error = gain.std() / np.sqrt(len(gain))
    return form if gain.mean() > max((1 - LEAST_GAIN) * before.mean(), error) else simpler


def _cross_fitted(x: Any, residuals: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
    """The scale of each row, fitted on the rows of the other folds."""
    folds = np.random.default_rng(SEED).permutation(len(residuals)) % FOLDS
    scales = np.empty(len(residuals))
    for fold in range(FOLDS):
        rest, rows = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        scales[rows] = _fit_scale(x, residuals, y_pred, rest)(x[rows], y_pred[rows])
    return scales


def _fit_scale(x: Any, residuals: np.ndarray, y_pred: np.ndarray, rows: np.ndarray) -> ResidualScale:
    """A ridge regression of the logarithm of the residuals of these rows, or of a sample of many."""
    if len(rows) > MAX_FITTED_ROWS:
        rows = np.random.default_rng(SEED).choice(rows, MAX_FITTED_ROWS, replace=False)
    x, residuals, y_pred = x[rows].astype(np.float64), residuals[rows], y_pred[rows]
    x = x if isinstance(x, np.ndarray) else x.toarray()
    knots = np.unique(np.quantile(y_pred, np.linspace(0, 1, BINS + 1)))
    knots = knots if len(knots) > 1 else knots[:0]
    inputs = np.column_stack([x, encode_prediction(y_pred, knots)])
    floor = LEAST_RESIDUAL * (float(np.median(residuals)) or float(np.mean(residuals))) or 1.0
    logarithms = np.log(residuals + floor)
    # About 1 on average, so that scores are in the target's units and the folds' scales are alike.
    weights, intercept = _ridge(inputs, logarithms - logarithms.mean())
    fitted = inputs @ weights + intercept
    limits = float(fitted.min()), float(fitted.max())
    return ResidualScale(weights[: x.shape[1]], knots, weights[x.shape[1] :], intercept, limits)


def _ridge(
    inputs: np.ndarray, y: np.ndarray, penalties: Sequence[float] = PENALTIES
) -> tuple[np.ndarray, float]:
    """Ridge regression on standardised inputs, the penalty chosen by the leave-one-out error.

    With Z = U S Vᵀ the fitted values are U diag(s² / (s² + λ n)) Uᵀ y, and the error of row i when it is left
    out is its residual over 1 - hᵢ, where hᵢ is its diagonal element of the same matrix.

    Returns:
        The weights of the inputs as they are, and the intercept.
    """
    mean, spread, centre = inputs.mean(axis=0), inputs.std(axis=0), float(y.mean())
    varies = spread > 1e-9 * np.maximum(np.abs(mean), 1e-300)
    inverse = np.where(varies, 1 / np.where(varies, spread, 1.0), 0.0)
    z, n_rows = (inputs - mean) * inverse, len(y)
    squares, vectors = np.linalg.eigh(z.T @ z)
    is_large = squares > 1e-10 * max(float(squares.max(initial=0.0)), 1e-300)
    squares, vectors = squares[is_large], vectors[:, is_large]
    u = z @ vectors / np.sqrt(squares)
    projected, u_squared = u.T @ (y - centre), u**2

    def left_out_error(penalty: float) -> float:
        shrunk = squares / (squares + penalty * n_rows)
        leverage = np.minimum(u_squared @ shrunk + 1 / n_rows, 0.999)
        return float(np.mean(((y - centre - u @ (shrunk * projected)) / (1 - leverage)) ** 2))

    penalty = min(penalties, key=left_out_error)
    shrunk = np.sqrt(squares) / (squares + penalty * n_rows)
    weights = vectors @ (shrunk * projected) * inverse
    return weights, centre - float(mean @ weights)
