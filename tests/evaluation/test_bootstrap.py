"""The paired bootstrap: the metrics it compares, and its intervals, held against what is known of them."""

import numpy as np
import pytest

from dlreg.evaluation import bootstrap
from dlreg.evaluation.metrics import regression_metrics
from dlreg.limits import METRIC_NAMES


def regression(metric, y_true, y_pred, y_baseline):
    regression = bootstrap.regression_interval(metric, y_true, y_pred, y_baseline)
    assert regression
    return regression


@pytest.mark.parametrize("metric", METRIC_NAMES[1:])
def test_the_values_compared_are_the_metrics(metric):
    generator = np.random.default_rng(1)
    y = generator.normal(10, 2, 50)
    run, baseline = y + generator.normal(0, 1, 50), y + generator.normal(0, 1.5, 50)
    value, other, estimate, (low, high) = regression(metric, y, run, baseline)
    expected, expected_other = (regression_metrics(y, y_pred)[metric] for y_pred in (run, baseline))
    assert value == pytest.approx(expected, rel=1e-12)
    assert other == pytest.approx(expected_other, rel=1e-12)
    change = expected_other - expected if metric == "r2" else expected / expected_other - 1
    assert estimate == pytest.approx(change, rel=1e-9)
    assert low < estimate < high


def test_an_error_that_is_a_multiple_in_every_row_has_an_interval_of_one_point():
    generator = np.random.default_rng(2)
    y, error = generator.normal(size=300), generator.normal(size=300)
    for metric, factor in (("rmse", 1.2), ("mae", 1.2), ("mse", 1.44)):
        value, other, estimate, interval = regression(metric, y, y + 1.2 * error, y + error)
        assert [value / other - 1, estimate, *interval] == pytest.approx([factor - 1] * 4, rel=1e-9)


def test_the_interval_is_that_of_resampling_rows_one_by_one():
    generator = np.random.default_rng(3)
    y = generator.normal(size=40)
    run, baseline = y + generator.normal(0, 1.1, 40), y + generator.normal(0, 1, 40)
    changes = []
    for _ in range(4000):
        rows = generator.integers(0, 40, 40)
        errors = [np.sqrt(np.mean((y[rows] - y_pred[rows]) ** 2)) for y_pred in (run, baseline)]
        changes.append(errors[0] / errors[1] - 1)
    _, _, _, interval = regression("rmse", y, run, baseline)
    assert interval == pytest.approx(np.percentile(changes, [2.5, 97.5]), abs=0.04)


@pytest.mark.parametrize("metric", METRIC_NAMES[1:])
def test_many_rows_are_not_drawn_one_by_one_but_give_the_same_interval(metric, monkeypatch):
    generator = np.random.default_rng(8)
    y = generator.normal(9, 1, 3000)
    parts = y, y + generator.standard_t(5, 3000), y + generator.standard_t(5, 3000)
    *same, (low, high) = regression(metric, *parts)
    monkeypatch.setattr(bootstrap, "MOST_RESAMPLED_ROWS", 100)
    *also, interval = regression(metric, *parts)
    assert also == same
    assert interval == pytest.approx([low, high], abs=0.15 * (high - low))


def test_the_interval_of_a_mean_is_the_normal_one():
    """For the paired difference of large samples, ±1.96 standard errors (delta method)."""
    generator = np.random.default_rng(4)
    n = 5000
    y = np.zeros(n)
    run, baseline = np.abs(generator.normal(5, 1, n)), np.abs(generator.normal(5, 1, n))
    ratio = run.mean() / baseline.mean()
    error = np.std(run - ratio * baseline) / baseline.mean() / np.sqrt(n)
    _, _, estimate, (low, high) = regression("mae", y, run, baseline)
    assert [estimate - low, high - estimate] == pytest.approx([1.96 * error] * 2, rel=0.1)


def test_memory_is_bounded_and_blocks_change_nothing(monkeypatch):
    generator = np.random.default_rng(6)
    y = generator.normal(size=97)
    parts = y, y + generator.normal(size=97), y + generator.normal(size=97)
    whole = regression("rmse", *parts)
    monkeypatch.setattr(bootstrap, "POSITIONS_PER_BLOCK", 1000)
    assert regression("rmse", *parts) == whole


@pytest.mark.parametrize("n_rows", [400, bootstrap.MOST_RESAMPLED_ROWS + 1])
def test_the_interval_of_a_metric_holds_it_and_is_as_wide_as_its_standard_error_says(n_rows):
    generator = np.random.default_rng(5)
    y, error = generator.normal(size=n_rows), generator.normal(size=n_rows)
    low, high = bootstrap.metric_interval("mse", y, y + error)
    mse, standard_error = np.mean(error**2), np.std(error**2) / np.sqrt(n_rows)
    assert low < mse < high
    assert high - low == pytest.approx(2 * 1.96 * standard_error, rel=0.1)
    low, high = bootstrap.metric_interval("r2", y, y + 0.1 * error)
    assert low < regression_metrics(y, y + 0.1 * error)["r2"] < high


def test_without_rows_or_a_finite_value_there_is_no_interval():
    assert bootstrap.metric_interval("rmse", np.empty(0), np.empty(0)) is None
    assert bootstrap.metric_interval("mape", np.array([0.0, 1.0]), np.array([1.0, 1.0])) is None
    assert bootstrap.metric_interval("r2", np.ones(5), np.zeros(5)) is None


@pytest.mark.parametrize("metric", ["mape", "rmse", "mae", "r2"])
def test_many_rows_of_which_few_decide_have_the_interval_of_resampling_all(metric):
    generator = np.random.default_rng(4)
    n_rows = bootstrap.MOST_RESAMPLED_ROWS + 3000
    y_true = generator.standard_t(2, n_rows)
    y_pred = y_true + generator.normal(0, 0.3, n_rows) * (1 + 0.5 * np.abs(y_true))

    def value(rows):
        return regression_metrics(y_true[rows], y_pred[rows])[metric]

    plain = [value(generator.integers(0, n_rows, n_rows)) for _ in range(1000)]
    low, high = np.quantile(plain, [0.025, 0.975])
    assert bootstrap.metric_interval(metric, y_true, y_pred) == pytest.approx(
        (low, high), abs=0.2 * (high - low)
    )


def test_a_few_rows_are_no_regression_but_where_nothing_differs():
    y_true, y_pred = np.arange(9.0), np.arange(9.0) + 0.1
    assert bootstrap.regression_interval("rmse", y_true, y_pred, y_pred + 1) is None
    assert bootstrap.regression_interval("rmse", y_true, y_pred, y_pred).interval == (0, 0)


def test_nobody_is_told_an_interval_of_a_few_rows():
    y = np.arange(10.0)
    assert bootstrap.told_interval("rmse", y, y + 1) == bootstrap.metric_interval("rmse", y, y + 1)
    assert bootstrap.told_interval("rmse", y[:9], y[:9] + 1) is None
