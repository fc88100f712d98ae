"""How far an axis reaches: a few values far out do not count, all others do."""

import numpy as np
import pytest

from dlreg.figures.limits import LEAST_VALUES, Limits, robust_limits


@pytest.mark.parametrize("n_values", [LEAST_VALUES, 10, 200, 10_000])
@pytest.mark.parametrize("outlier", [-9000.0, 50_000.0])
def test_one_value_far_out_does_not_count(n_values, outlier):
    values = np.random.default_rng(1).uniform(-500, 500, n_values)
    alone = robust_limits(values)
    assert alone == (values.min(), values.max())
    assert robust_limits(np.append(values, outlier)) == alone


def test_as_many_as_three_of_a_hundred_do_not_count():
    values = np.random.default_rng(2).normal(size=100)
    some = values.copy()
    some[:3] = 1e6, 2e6, 3e6
    assert robust_limits(some).high < 5
    some[:4] = 1e6
    assert robust_limits(some).high == 1e6


@pytest.mark.parametrize(
    "values",
    [
        np.random.default_rng(0).normal(size=1000),
        np.random.default_rng(0).uniform(size=10),
        np.random.default_rng(0).exponential(size=1000),
        np.array([1.0]),
        np.array([1.0, 2.0, 1e9]),
        np.zeros(50),
        np.append(np.zeros(50), 3.0),
        np.repeat([0.0, 1e6], 50),
    ],
)
def test_where_none_is_far_out_all_count(values):
    assert robust_limits(values) == (values.min(), values.max())


def test_a_margin_is_never_nothing():
    assert Limits(0.0, 10.0).around(0.1) == (-1, 11)
    low, high = Limits(3.0, 3.0).around()
    assert low < 3 < high
    low, high = Limits(0.0, 0.0).around()
    assert low < 0 < high


def test_limits_hold_what_is_within():
    assert Limits(0.0, 1.0).and_(Limits(-1.0, 0.5)) == (-1, 1)
    assert Limits(0.0, 1.0).leave_out(np.array([-1, 0, 1, 2])).tolist() == [True, False, False, True]
