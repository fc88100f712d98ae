"""Whether two predictions of the same rows agree."""

import numpy as np
import pytest

from dlreg.pipeline.agreement import MAX_DIFFERENCE, refuse_disagreement

Y = np.array([100.0, 200.0, 300.0])


def disagree(by, rounding):
    y_pipeline, y_nudged = Y + np.array([0, by, 0]), Y - np.array([0, 0, rounding])
    refuse_disagreement(Y, y_pipeline, spread=100.0, y_nudged=y_nudged)


def test_predictions_may_differ_by_rounding():
    disagree(0.9 * MAX_DIFFERENCE * 100, 0.0)
    disagree(5.0, 2.0)


@pytest.mark.parametrize(("by", "rounding"), [(1.1 * MAX_DIFFERENCE * 100, 0.0), (5.0, 1.0), (np.nan, 0.0)])
def test_any_other_difference_is_a_bug(by, rounding):
    with pytest.raises(RuntimeError, match="differ by"):
        disagree(by, rounding)


def test_no_rows_agree():
    refuse_disagreement(np.empty(0), np.empty(0), spread=1.0, y_nudged=np.empty(0))
