"""The metrics against scikit-learn's."""

import math

import numpy as np
import pytest
import sklearn.metrics as reference
from hypothesis import given, settings
from hypothesis import strategies as st

from dlreg.evaluation.metrics import interval_metrics, regression_metrics
from dlreg.limits import METRIC_NAMES

NUMBERS = st.floats(-1e8, 1e8).map(lambda number: round(number, 6))
PAIRS = st.lists(st.tuples(NUMBERS, NUMBERS), min_size=2, max_size=60)


def near(number):
    return pytest.approx(number, rel=1e-9, abs=1e-12)


@settings(max_examples=300, deadline=None)
@given(PAIRS, st.sampled_from([1e-6, 1.0, 1e20]))
def test_metrics_equal_scikit_learns(pairs, unit):
    y_true, y_pred = np.array(pairs).T * unit
    metrics = regression_metrics(y_true, y_pred)
    assert tuple(metrics) == METRIC_NAMES
    assert metrics["n"] == len(pairs)
    assert metrics["mse"] == near(reference.mean_squared_error(y_true, y_pred))
    assert metrics["sse"] == near(reference.mean_squared_error(y_true, y_pred) * len(pairs))
    assert metrics["rmse"] == near(reference.root_mean_squared_error(y_true, y_pred))
    assert metrics["mae"] == near(reference.mean_absolute_error(y_true, y_pred))
    if np.all(y_true != 0) and np.abs(y_true).min() > 1e-15:
        assert metrics["mape"] == near(reference.mean_absolute_percentage_error(y_true, y_pred))
    if len(set(y_true)) > 1:
        assert metrics["r2"] == pytest.approx(reference.r2_score(y_true, y_pred), rel=1e-9, abs=1e-9)


def test_metrics_by_hand():
    assert regression_metrics([1, 2, 4], [1, 3, 2]) == {
        "n": 3,
        "sse": 5.0,
        "mse": near(5 / 3),
        "rmse": near(math.sqrt(5 / 3)),
        "mae": 1.0,
        "mape": near((0 + 1 / 2 + 2 / 4) / 3),
        "r2": near(1 - 5 / (14 / 3)),
    }


def test_perfect_predictions():
    metrics = regression_metrics([1.5, -2.0], [1.5, -2.0])
    assert metrics == {"n": 2, "sse": 0, "mse": 0, "rmse": 0, "mae": 0, "mape": 0, "r2": 1}


@pytest.mark.parametrize("y_true", [[1.0, 0.0], [0.0, 0.0], [-0.0, 1.0], [5e-324, 1.0]])
def test_mape_needs_targets_other_than_0(y_true):
    assert regression_metrics(y_true, [1.0, 2.0])["mape"] is None


@settings(max_examples=100, deadline=None)
@given(number=st.floats(-1e8, 1e8), n_rows=st.integers(1, 50))
def test_r2_needs_a_target_that_varies(number, n_rows):
    assert regression_metrics([number] * n_rows, np.arange(n_rows))["r2"] is None


def test_no_rows_have_no_metrics():
    assert regression_metrics([], []) is None


@pytest.mark.parametrize(
    ("true_shape", "pred_shape"), [((3,), (3, 1)), ((3, 1), (3,)), ((3, 1), (3, 1)), ((3,), (4,)), ((), ())]
)
def test_shapes_that_would_broadcast_are_refused(true_shape, pred_shape):
    with pytest.raises(ValueError, match="Expected two vectors of one length"):
        regression_metrics(np.ones(true_shape), np.ones(pred_shape))


def test_coverage_and_width_are_counted():
    y = np.array([0.0, 0.0, 0.0, 0.0])
    margins = np.array([[1.0, 0.0], [5.0, 1.0], [4.0, 0.0], [9.0, 4.0]])
    metrics = interval_metrics(y, np.array([1.0, -2.0, 3.0, -4.0]), margins)
    assert metrics == {"coverage_90": 0.75, "width_90": 6.0}
    assert interval_metrics(y, y, None) == {"coverage_90": None, "width_90": None}


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e200])
def test_what_is_not_finite_is_none(value):
    metrics = regression_metrics([1.0, 2.0], [1.0, value])
    assert metrics["n"] == 2
    assert metrics["sse"] is metrics["mse"] is metrics["rmse"] is metrics["r2"] is None
    assert metrics["mae"] == (5e199 if value == 1e200 else None)


@pytest.mark.parametrize(("y_pred", "above"), [(np.nan, 1.0), (1.0, np.nan), (1.0, np.inf)])
def test_an_interval_that_is_none_holds_nothing(y_pred, above):
    metrics = interval_metrics(np.ones(2), np.array([1.0, y_pred]), np.array([[1.0, 1.0], [1.0, above]]))
    assert metrics == {"coverage_90": None, "width_90": None}
