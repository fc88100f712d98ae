"""Metrics by part: those of intervals where nothing was fitted, None where there are no rows."""

import numpy as np
import pytest

from dlreg.evaluation import results
from dlreg.evaluation.metrics import regression_metrics
from dlreg.evaluation.results import (
    PartSums,
    Predictions,
    join_predictions,
    sum_blocks,
    sum_predictions,
)
from dlreg.limits import DATA_PARTS, INTERVAL_METRIC_NAMES, INTERVAL_PARTS, METRIC_NAMES, RUN_PARTS


@pytest.mark.parametrize("name", RUN_PARTS + DATA_PARTS)
def test_intervals_are_measured_on_rows_that_nothing_was_fitted_on(name):
    generator = np.random.default_rng(1)
    y_true, y_pred = generator.normal(size=(2, 40))
    metrics = sum_predictions(Predictions(y_true, y_pred, np.full((40, 2), 0.5))).metrics(name)
    more = INTERVAL_METRIC_NAMES if name in INTERVAL_PARTS else ()
    assert list(metrics) == [*METRIC_NAMES, *more]
    assert metrics.items() >= regression_metrics(y_true, y_pred).items()


def test_a_part_without_rows_has_no_metrics():
    empty = sum_predictions(Predictions(np.empty(0), np.empty(0)))
    assert [empty.metrics(name) for name in ("train", "test")] == [None, None]
    assert PartSums().metrics("test") is None


def test_metrics_of_blocks_are_those_of_all_rows():
    generator = np.random.default_rng(2)
    y_true, y_pred = 1e6 + generator.normal(size=(2, 1000))
    rows, margins = np.arange(1000), np.full((1000, 2), [0.5, 0.25])
    blocks = [slice(0, 1), slice(1, 1), slice(1, 700), slice(700, 1000)]
    parts = [Predictions(y_true[b], y_pred[b], margins[b], rows[b]) for b in blocks]
    whole = Predictions(y_true, y_pred, margins, rows)
    merged = sum(map(sum_predictions, parts), PartSums()).metrics("test")
    assert merged == pytest.approx(sum_predictions(whole).metrics("test"), rel=1e-9)
    joined = join_predictions(parts)
    assert joined.y_pred.tolist() == y_pred.tolist()
    assert joined.margins.tolist() == margins.tolist()


@pytest.mark.parametrize("ends", [[], [1], [0, 64, 64, 128], [63, 130, 131], range(10, 200, 10)])
def test_metrics_do_not_depend_on_how_rows_are_cut_into_blocks(monkeypatch, ends):
    generator = np.random.default_rng(3)
    (y_true, y_pred), margins = generator.normal(size=(2, 200)), generator.normal(size=(200, 2))
    whole = Predictions(y_true, y_pred, margins, np.arange(200))
    blocks = [whole.take(slice(start, end)) for start, end in zip([0, *ends], [*ends, 200], strict=True)]
    # Those of another part between them.
    named = [named for block in blocks for named in (("one", block), ("other", block))]
    assert sum_blocks(named) == dict.fromkeys(["one", "other"], sum_predictions(whole))
    monkeypatch.setattr(results, "ROWS_AT_ONCE", 64)
    expected = sum_blocks([("one", whole)])["one"]
    assert sum_blocks(named) == {"one": expected, "other": expected}
    assert expected != sum_predictions(whole)
    assert expected.errors.n == expected.intervals.n == 200


def test_rows_with_unusable_predictions_are_counted_over_all_blocks():
    def block(rows, y_pred):
        return sum_predictions(Predictions(np.ones(2), np.array(y_pred), np.ones((2, 2)), np.array(rows)))

    whole = block([3, 5], [1.0, np.nan]) + block([8, 9], [np.inf, 2.0])
    assert (whole.unusable.count, [row for row, _ in whole.unusable.first]) == (2, [5, 8])
    assert whole.metrics("test")["coverage_90"] is None
    assert whole.metrics("test")["rmse"] is None
