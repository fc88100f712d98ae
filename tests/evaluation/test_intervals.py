"""The width of an interval is that of the finite-sample quantile of the scores."""

import json

import numpy as np
import pytest

from dlreg.evaluation import calibration
from dlreg.evaluation.calibration import Calibration, calibrate
from dlreg.evaluation.intervals import MAX_SCORES
from dlreg.runs.contents import intervals_json


def constant(n_rows: int) -> Calibration:
    """One width for all: residuals 1, 2, … in some order, of inputs that say nothing."""
    residuals = np.random.default_rng(0).permutation(n_rows) + 1.0
    return calibrate(np.zeros((n_rows, 2)), residuals, np.zeros(n_rows))


@pytest.mark.parametrize(
    ("n_rows", "level", "rank"),
    [
        (9, 0.9, 9),
        (8, 0.9, None),
        (9, 0.91, None),
        (9, 0.5, 5),
        (10, 0.5, 6),
        (99, 0.55, 55),
        (99, 0.9, 90),
        (1000, 0.9, 901),
    ],
)
def test_the_width_is_that_of_the_finite_sample_quantile(n_rows, level, rank):
    intervals = constant(n_rows).intervals
    assert intervals.quantile(level) == rank
    assert (intervals.highest_level >= level) == (rank is not None)


def test_of_no_rows_there_are_no_intervals():
    calibrated = calibrate(np.empty((0, 3)), np.empty(0), np.empty(0))
    assert calibrated.scale is None
    assert calibrated.constant_width is None
    assert calibrated.intervals.quantile(0.01) is None
    assert json.loads(intervals_json(calibrated, "validation"))["calibrated_on"] is None


def test_of_many_scores_the_next_that_was_kept_is_taken():
    n_rows = 2 * MAX_SCORES + 5000
    residuals = np.arange(1.0, n_rows + 1)
    intervals = calibration._intervals(residuals)
    assert len(intervals.scores) == MAX_SCORES
    for level in (0.001, 0.5, 0.9, 0.99, 0.9999):
        rank = np.ceil((n_rows + 1) * level)
        assert rank <= intervals.quantile(level) < rank + n_rows / MAX_SCORES
    assert intervals.quantile(1 - 1e-9) is None
