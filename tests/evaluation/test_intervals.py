"""The width of an interval is that of the finite-sample quantile of the scores."""

import json
import math
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlreg.evaluation.calibration import Calibration, calibrate
from dlreg.evaluation.intervals import MAX_SCORES, Intervals, calibrated_intervals
from dlreg.runs.contents import intervals_json


def constant(n_rows: int) -> Calibration:
    """One width for all: residuals of 1, 2, … in some order, to both sides, of inputs that say nothing."""
    sizes = np.random.default_rng(0).permutation(n_rows) + 1.0
    residuals = sizes * np.where(np.arange(n_rows) % 2, 1, -1)
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
    assert intervals.factors(level) == (rank and (rank, rank))
    assert (intervals.highest_level >= level) == (rank is not None)


def test_of_no_rows_there_are_no_intervals():
    calibrated = calibrate(np.empty((0, 3)), np.empty(0), np.empty(0))
    assert calibrated.scale is None
    assert calibrated.constant_width is None
    assert calibrated.intervals.factors(0.01) is None
    assert json.loads(intervals_json(calibrated, "validation"))["calibrated_on"] is None


def test_of_many_scores_the_next_that_was_kept_is_taken():
    n_rows = 2 * MAX_SCORES + 5000
    residuals = np.arange(1.0, n_rows + 1)
    intervals = calibrated_intervals(residuals)
    assert len(intervals.scores) == MAX_SCORES
    for level in (0.001, 0.5, 0.9, 0.99, 0.9999):
        rank = np.ceil((n_rows + 1) * level)
        below, above = intervals.factors(level)
        assert rank <= above == below < rank + n_rows / MAX_SCORES
    assert intervals.factors(1 - 1e-9) is None


def reference(scores: np.ndarray, level: float) -> tuple[float, float] | None:
    """Two conformal quantiles, each of a half of what may lie outside, straight from the definition."""
    n_rows = len(scores)
    if math.ceil(Fraction(str(level)) * (n_rows + 1)) > n_rows:
        return None
    rank = math.ceil((1 + Fraction(str(level))) / 2 * (n_rows + 1))
    if rank > n_rows:
        return (np.abs(scores).max(),) * 2
    return max(0.0, sorted(-scores)[rank - 1]), max(0.0, sorted(scores)[rank - 1])


@pytest.mark.parametrize("n_rows", [1, 2, 9, 10, 99, 100, 1000])
@pytest.mark.parametrize("shift", [0.0, 1.0, -3.0])
def test_signed_scores_have_a_quantile_to_each_side(n_rows, shift):
    scores = np.random.default_rng(n_rows).gamma(2.0, size=n_rows) - 2 + shift
    intervals = calibrated_intervals(scores, signed=True)
    for level in (0.01, 0.3, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.999, 0.9999):
        assert intervals.factors(level) == reference(scores, level)


def test_of_many_signed_scores_the_next_further_out_is_taken_on_both_sides():
    n_rows = 2 * MAX_SCORES + 5001
    scores = np.arange(n_rows) - n_rows // 2
    intervals = calibrated_intervals(scores, signed=True)
    assert len(intervals.scores) == MAX_SCORES
    assert (np.diff(intervals.scores) > 0).all()
    for level in (0.001, 0.5, 0.9, 0.99, 0.9998):
        below, above = intervals.factors(level)
        for found, exact in zip((below, above), reference(scores, level), strict=True):
            assert exact <= found < exact + n_rows / MAX_SCORES
    mirrored = calibrated_intervals(-scores, signed=True)
    assert mirrored.factors(0.9) == intervals.factors(0.9)[::-1]


@given(
    st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60),
    st.booleans(),
    st.lists(st.floats(0.001, 0.999), min_size=2, max_size=6),
)
def test_an_interval_holds_the_prediction_and_those_of_lower_levels(scores, signed, levels):
    intervals = calibrated_intervals(np.array(scores), signed=signed)
    known = [intervals.factors(level) for level in sorted(levels)]
    assert sorted(known, key=lambda factors: factors is None) == known
    reached = [factors for factors in known if factors]
    assert all(factors >= (0, 0) and min(factors) >= 0 for factors in reached)
    for lower, higher in pairwise(reached):
        assert lower.below <= higher.below
        assert lower.above <= higher.above


def test_margins_are_factors_times_the_scale():
    intervals = Intervals(3, np.array([-2.0, 0.5, 1.0]), are_signed=True)
    assert intervals.margins(0.5, 2, None).tolist() == [[2, 1], [2, 1]]
    assert intervals.margins(0.5, 2, np.array([1.0, 3.0])).tolist() == [[2, 1], [6, 3]]
    assert intervals.margins(0.7, 1, None).tolist() == [[2, 2]]
    assert intervals.margins(0.8, 1, None) is None
