"""Groups of rows and their errors, held against SciPy and plain arithmetic."""

import numpy as np
import pytest
from scipy.stats import kruskal

from dlreg.evaluation.error_groups import LEAST_ROWS, error_difference, group_errors


def test_each_group_has_its_error_and_bias():
    y_true, y_pred = np.array([1.0, 2, 3, 10, 20, 30]), np.array([2.0, 2, 5, 9, 18, 27])
    groups = group_errors(y_true, y_pred, np.array([0, 0, 0, 2, 2, 2]))
    assert list(groups) == [0, 2]
    assert groups[0][:3] == (3, 1.0, 1.0)
    assert groups[2][:3] == (3, 2.0, -2.0)
    assert groups[0].interval is None


def test_an_interval_holds_the_error_of_rows_enough():
    generator = np.random.default_rng(1)
    errors = generator.normal(size=200)
    (group,) = group_errors(np.zeros(200), errors, np.zeros(200, dtype=int)).values()
    low, high = group.interval
    assert low < np.abs(errors).mean() < high
    assert high - low == pytest.approx(2 * 1.96 * np.abs(errors).std() / np.sqrt(200), rel=0.1)
    few = group_errors(np.zeros(LEAST_ROWS), errors[:LEAST_ROWS], np.zeros(LEAST_ROWS, dtype=int))
    assert few[0].interval is not None


def test_the_difference_is_that_of_kruskal_and_wallis():
    """Epsilon squared without ties is (H - k + 1) / (n - k)."""
    generator = np.random.default_rng(2)
    codes = generator.integers(0, 4, 300)
    errors = generator.normal(size=300) * (1 + codes)
    statistic = kruskal(*(np.abs(errors)[codes == code] for code in range(4))).statistic
    assert error_difference(errors, codes) == pytest.approx((statistic - 3) / (300 - 4), rel=1e-9)


def test_equal_errors_are_not_told_apart_by_the_order_of_rows():
    codes = np.repeat(np.arange(4), 50)
    assert error_difference(np.ones(200), codes) == 0
    errors = np.random.default_rng(4).integers(1, 3, 200) + 0.5 * (codes == 3)
    statistic = kruskal(*(errors[codes == code] for code in range(4))).statistic
    assert error_difference(errors, codes) == pytest.approx((statistic - 3) / (200 - 4), rel=1e-9)


def test_groups_that_do_not_differ_are_chance():
    generator = np.random.default_rng(3)
    found = [
        error_difference(generator.normal(size=200), generator.integers(0, 5, 200)) > 0 for _ in range(300)
    ]
    assert np.mean(found) < 0.03


@pytest.mark.parametrize("codes", [[0], [0, 0, 0], [0, 1], [0, 1, 2]])
def test_few_rows_or_one_group_show_no_difference(codes):
    assert error_difference(np.arange(float(len(codes))), np.array(codes)) == 0
