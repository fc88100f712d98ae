"""The spread that members would have on calibration rows, were they as new to all members as new rows are.

A new row is predicted by all members, none of which has seen it, and how far they are apart tells much of its
error. Of a calibration row of cross-validation few members know nothing, so that their spread is mostly
chance: a covariate measured with error. Its moments are known all the same. Chance does not change how it
goes with the size of the residuals, so their covariance is that of the true spread; and how much the true one
varies is seen where all members predict the row. So it is imputed, several times over, from what is known of
each row: multiple imputation for measurement error (Rubin, Multiple Imputation for Nonresponse in Surveys,
1987; Cole, Chu and Greenland, International Journal of Epidemiology 35, 2006), with logarithms for normal
variables.
"""

import numpy as np

from dlreg.model.member_spread import MemberSpread

# So many draws in all, of each row at least one and at most eight.
MOST_DRAWS, DRAWS_OF_ROW = 80_000, 8
SEED = 0
# Smaller spreads are raised to this share of their median: a logarithm of almost nothing is an outlier.
LEAST_SPREAD = 0.01
# What is known beforehand of the slope of a residual's logarithm by that of the spread: its mean and standard
# deviation. Where rows are few, their covariance is nearly chance.
PRIOR_SLOPE, PRIOR_DEVIATION = 0.6, 0.6


def impute_spread(
    spread: MemberSpread, residual_logs: np.ndarray, scale_logs: np.ndarray
) -> np.ndarray | None:
    """Draws of each row's spread as the members that predict new rows would have it.

    Args:
        spread: Of the members' predictions of these rows.
        residual_logs: Logarithms of the sizes of the residuals, shape `(n_rows,)`.
        scale_logs: Logarithms of what these sizes are expected to be without the spread, the same shape.

    Returns:
        Shape `(n_draws, n_rows)`, one draw where nothing has to be imputed; None where spreads do not differ.
    """
    unseen, every = _logarithms(spread.unseen), _logarithms(spread.every)
    if unseen is None or every is None or not every.var():
        return None
    if spread.n_unseen == spread.n_predicting:
        return np.asarray(np.exp(unseen)[None])
    n_rows, variance = len(unseen), float(every.var())
    # Of all members the variance of few is a part, and the logarithm of few's is less in expectation.
    raised = unseen + _log_ratio(spread.n_unseen, spread.n_predicting)
    known = np.stack([residual_logs, unseen, scale_logs])
    known -= known.mean(axis=1, keepdims=True)
    covariances = known @ known.T / n_rows
    with_residuals, error = covariances[0, 1], covariances[0, 0] * covariances[1, 1] / n_rows
    trust = variance**2 * PRIOR_DEVIATION**2 / (variance**2 * PRIOR_DEVIATION**2 + error)
    with_residuals = trust * with_residuals + (1 - trust) * PRIOR_SLOPE * variance
    of_spread = np.array([with_residuals, min(variance, covariances[1, 1]), covariances[1, 2]])
    weights = np.linalg.pinv(covariances, hermitian=True) @ of_spread
    explained = float(weights @ of_spread)
    # More than all there is cannot be explained.
    weights *= min(1.0, np.sqrt(variance / explained)) if explained > 0 else 1.0
    left = max(variance - explained, 0.0)
    n_draws = max(1, min(DRAWS_OF_ROW, MOST_DRAWS // n_rows))
    noise = np.random.default_rng(SEED).standard_normal((n_draws, n_rows))
    return np.asarray(np.exp(raised.mean() + weights @ known + np.sqrt(left) * noise))


def _logarithms(spread: np.ndarray) -> np.ndarray | None:
    floor = LEAST_SPREAD * float(np.median(spread))
    return np.log(np.maximum(spread, floor)) if floor > 0 else None


def _log_ratio(n_few: int, n_many: int) -> float:
    """What to add to the logarithm of a standard deviation of few members, for that of many.

    Of normal predictions n·s²/σ² is χ² of n - 1 degrees of freedom, whose logarithm has the mean
    ψ((n - 1) / 2) + log 2.
    """
    from scipy.special import digamma

    def mean_log(n: int) -> float:
        return float(digamma((n - 1) / 2) + np.log(2 / n)) / 2

    return mean_log(n_many) - mean_log(n_few)
