"""The bootstrap: how sure a metric is, and whether it is worse than a baseline's by more than noise."""

from typing import NamedTuple

import numpy as np

RESAMPLES = 2000
CONFIDENCE = 0.95
_ENDS = ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2)
SEED = 0
LEAST_ROWS = 10
# Positions drawn at a time: 32 MB, whatever the number of rows.
POSITIONS_PER_BLOCK = 1 << 22
# Of more rows than this, all but so many are drawn as one sum, from the normal distribution that it follows.
MOST_RESAMPLED_ROWS = 10_000


class Regression(NamedTuple):
    """How much worse a metric is than a baseline's.

    Attributes:
        value: The metric.
        baseline: The baseline's.
        estimate: The regression as a fraction; of r2 in points of explained variance.
        interval: The lower and the upper end of its interval at `CONFIDENCE`.
    """

    value: float
    baseline: float
    estimate: float
    interval: tuple[float, float]


def regression_interval(
    metric: str, y_true: np.ndarray, y_pred: np.ndarray, y_baseline: np.ndarray
) -> Regression | None:
    """How much worse predictions are than a baseline's, with a paired bootstrap interval.

    The regression of an error is value / baseline - 1; that of r2, where more is better and 0 is no natural
    zero, is baseline - value, so that it is in points of explained variance. Rows are resampled with
    replacement, the same rows for both, `RESAMPLES` times; the interval is from the 2.5th to the 97.5th
    percentile (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13). Of more than
    `MOST_RESAMPLED_ROWS` rows those furthest out are drawn, the sum of all others by the central limit
    theorem.

    Args:
        metric: A name of `METRIC_NAMES`, but not `n`.
        y_true: What was observed, shape `(n_rows,)`.
        y_pred: What is predicted.
        y_baseline: What the baseline predicts.

    Returns:
        The regression; None where the metric has no finite value, or where predictions differ in fewer than
        `LEAST_ROWS` rows, which know too little of others: resampled, a single row is always the same.
    """
    terms = _row_terms(metric, y_true, y_pred, y_baseline)
    knows_too_little = len(terms) < LEAST_ROWS and not np.array_equal(y_pred, y_baseline)
    if not len(terms) or knows_too_little or not np.isfinite(terms).all():
        return None
    value, baseline = _from_means(metric, terms.mean(axis=0), len(terms))
    if not (np.isfinite(value) and np.isfinite(baseline)):
        return None
    values, baselines = _from_means(metric, _resampled_means(terms).T, len(terms))
    low, high = np.quantile(_regression(metric, values, baselines), _ENDS, method="inverted_cdf")
    estimate = _regression(metric, value, baseline)
    return Regression(float(value), float(baseline), float(estimate), (float(low), float(high)))


def metric_interval(metric: str, y_true: np.ndarray, y_pred: np.ndarray) -> tuple[float, float] | None:
    """The bootstrap interval of a metric at `CONFIDENCE`, of rows resampled as in `regression_interval`.

    Args:
        metric: A name of `METRIC_NAMES`, but not `n`.
        y_true: What was observed, shape `(n_rows,)`.
        y_pred: What is predicted.

    Returns:
        The lower and the upper end; None where the metric has no finite value.
    """
    if not y_true.size:
        return None
    terms = _row_terms(metric, y_true, y_pred, y_pred)
    if not np.isfinite(terms).all():
        return None
    values, _ = _from_means(metric, _resampled_means(terms).T, len(terms))
    if not np.isfinite(values).all():
        return None
    low, high = np.quantile(values, _ENDS, method="inverted_cdf")
    return float(low), float(high)


def told_interval(metric: str, y_true: np.ndarray, y_pred: np.ndarray) -> tuple[float, float] | None:
    """The interval of `metric_interval` for a reader; None of fewer than `LEAST_ROWS` rows.

    Resampled, a few rows know too little of others: the interval of one is a point.
    """
    return metric_interval(metric, y_true, y_pred) if y_true.size >= LEAST_ROWS else None


def _row_terms(metric: str, y_true: np.ndarray, y_pred: np.ndarray, y_baseline: np.ndarray) -> np.ndarray:
    """What each row adds to the metric, of the run and of the baseline, shape `(n_rows, n_terms)`."""
    errors = np.column_stack([y_true - y_pred, y_true - y_baseline])
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        if metric == "mae":
            return np.asarray(np.abs(errors))
        if metric == "mape":
            return np.asarray(np.abs(errors / y_true[:, None]))
        if metric == "r2":
            centred = y_true - y_true.mean()
            return np.column_stack([errors**2, centred, centred**2])
        return errors**2


def _from_means(metric: str, means: np.ndarray, n_rows: int) -> tuple[np.ndarray, np.ndarray]:
    """The metric of the run and of the baseline, of means over rows: shape `(n_terms, …)` to `(…,)`."""
    with np.errstate(divide="ignore", invalid="ignore"):
        if metric == "sse":
            return means[0] * n_rows, means[1] * n_rows
        if metric == "rmse":
            return np.sqrt(means[0]), np.sqrt(means[1])
        if metric == "r2":
            variance = means[3] - means[2] ** 2
            return 1 - means[0] / variance, 1 - means[1] / variance
        return means[0], means[1]


def _regression(metric: str, value: np.ndarray, baseline: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        change = baseline - value if metric == "r2" else value / baseline - 1
    # Two predictions without any error, or resampled rows that are all the same, are no regression.
    return np.where(np.isnan(change), 0.0, change)


def _resampled_means(terms: np.ndarray) -> np.ndarray:
    """Means over rows drawn with replacement, shape `(RESAMPLES, n_terms)`, in bounded memory and time."""
    generator, n_rows = np.random.default_rng(SEED), len(terms)
    if n_rows > MOST_RESAMPLED_ROWS:
        return _means_of_many(terms, generator)
    per_block = max(1, POSITIONS_PER_BLOCK // n_rows)
    blocks = []
    for start in range(0, RESAMPLES, per_block):
        rows = generator.integers(0, n_rows, (min(per_block, RESAMPLES - start), n_rows))
        blocks.append(np.column_stack([term[rows].mean(axis=1) for term in np.ascontiguousarray(terms.T)]))
    return np.concatenate(blocks)


def _means_of_many(terms: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """The same of many rows: those furthest from the mean are drawn, and the sum of the others at once.

    A sum over rows of which none stands out is normal; a few that do would make it anything else, as those of
    MAPE where the target is nearly 0.
    """
    n_rows, n_terms = terms.shape
    deviations = np.abs(terms - terms.mean(axis=0)) / (terms.std(axis=0) + np.finfo(float).tiny)
    order = np.argpartition(deviations.max(axis=1), n_rows - MOST_RESAMPLED_ROWS)
    others, outstanding = terms[order[:-MOST_RESAMPLED_ROWS]], terms[order[-MOST_RESAMPLED_ROWS:]]
    n_drawn = generator.binomial(n_rows, MOST_RESAMPLED_ROWS / n_rows, RESAMPLES)
    sums = np.stack([outstanding[generator.integers(0, MOST_RESAMPLED_ROWS, n)].sum(axis=0) for n in n_drawn])
    n_others = (n_rows - n_drawn)[:, None]
    covariance = np.cov(others, rowvar=False, ddof=0)
    noise = generator.multivariate_normal(np.zeros(n_terms), covariance, RESAMPLES, check_valid="ignore")
    return np.asarray((sums + n_others * others.mean(axis=0) + np.sqrt(n_others) * noise) / n_rows)
