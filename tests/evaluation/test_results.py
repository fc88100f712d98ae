"""Metrics by part: those of intervals where nothing was fitted, None where there are no rows."""

import numpy as np
import pytest

from dlreg.evaluation.metrics import INTERVAL_METRIC_NAMES, METRIC_NAMES, regression_metrics
from dlreg.evaluation.results import INTERVAL_PARTS, PARTS, Predictions, measure


@pytest.mark.parametrize("name", PARTS)
def test_intervals_are_measured_on_rows_that_nothing_was_fitted_on(name):
    generator = np.random.default_rng(1)
    y_true, y_pred = generator.normal(size=(2, 40))
    metrics = measure({name: Predictions(y_true, y_pred, np.full(40, 0.5))})[name]
    more = INTERVAL_METRIC_NAMES if name in INTERVAL_PARTS else ()
    assert list(metrics) == [*METRIC_NAMES, *more]
    assert metrics.items() >= regression_metrics(y_true, y_pred).items()


def test_a_part_without_rows_has_no_metrics():
    empty = Predictions(np.empty(0), np.empty(0))
    assert measure({"train": empty, "test": empty}) == {"train": None, "test": None}
