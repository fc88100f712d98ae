"""Where errors are larger: groups of rows, each with its error, and whether they differ beyond chance."""

from typing import NamedTuple

import numpy as np

from dlreg.evaluation.bootstrap import metric_interval

# The error of fewer rows says nothing of their group.
LEAST_ROWS = 5
# Standard deviations of what groups that do not differ at all come to.
BEYOND_CHANCE = 3.0


class GroupError(NamedTuple):
    """The error of some rows.

    Attributes:
        n: How many there are.
        mae: Their mean absolute error.
        bias: Their mean of y_pred - y_true: above 0 where too much is predicted.
        interval: Of the mean absolute error, at `bootstrap.CONFIDENCE`; None for fewer than `LEAST_ROWS`.
    """

    n: int
    mae: float
    bias: float
    interval: tuple[float, float] | None


def group_errors(y_true: np.ndarray, y_pred: np.ndarray, codes: np.ndarray) -> dict[int, GroupError]:
    """The error of each group that has rows.

    Args:
        y_true: What was observed, shape `(n_rows,)`.
        y_pred: What is predicted, the same shape.
        codes: The group of each row, a number from 0 on.
    """
    groups = {}
    for code in np.unique(codes):
        observed, predicted = y_true[codes == code], y_pred[codes == code]
        interval = metric_interval("mae", observed, predicted) if len(observed) >= LEAST_ROWS else None
        errors = predicted - observed
        groups[int(code)] = GroupError(
            len(observed), float(np.abs(errors).mean()), float(errors.mean()), interval
        )
    return groups


def error_difference(errors: np.ndarray, codes: np.ndarray) -> float:
    """How much groups differ in the size of their errors; 0 where it may be chance.

    Epsilon squared of Kruskal and Wallis: the share of the variance of the ranks of |error| that lies between
    the groups, less what chance gives (Kelley, An Unbiased Correlation Ratio Measure, PNAS 21, 1935). Ranks,
    as one row that is far off would else decide.

    Args:
        errors: Shape `(n_rows,)`.
        codes: The group of each row, a number from 0 on.
    """
    n_rows, n_groups = len(errors), len(np.unique(codes))
    if n_groups < 2 or n_rows <= n_groups + 1:
        return 0.0
    _, places, ties = np.unique(np.abs(errors), return_inverse=True, return_counts=True)
    # Equal errors have one rank: else the order of the file would tell them apart.
    ranks = (np.cumsum(ties) - ties / 2)[places]
    counts = np.bincount(codes)
    means = np.bincount(codes, ranks) / np.maximum(counts, 1)
    spread = float(np.sum((ranks - ranks.mean()) ** 2))
    if spread == 0:
        return 0.0
    within = float(np.sum((ranks - means[codes]) ** 2))
    difference = 1 - (within / (n_rows - n_groups)) / (spread / (n_rows - 1))
    by_chance = np.sqrt(2 * (n_groups - 1)) / n_rows
    return difference if difference > BEYOND_CHANCE * by_chance else 0.0
