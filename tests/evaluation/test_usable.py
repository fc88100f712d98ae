"""Which predictions are numbers to use, and what is said of the others."""

import numpy as np
import pytest

from dlreg.evaluation.results import Predictions
from dlreg.evaluation.usable import LARGEST, Unusable, find_unusable, is_usable


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.0, True),
        (LARGEST, True),
        (-LARGEST, True),
        (1.1 * LARGEST, False),
        (np.nan, False),
        (-np.inf, False),
    ],
)
def test_a_number_to_use_is_finite_and_can_be_squared(value, expected):
    assert is_usable(np.array([value])).tolist() == [expected]
    assert not expected or np.isfinite(value**2)


def test_a_row_counts_once_whatever_of_it_is_no_number():
    rows = np.array([4, 6, 9, 11])
    y_pred, width = np.array([1.0, np.nan, 2.0, np.inf]), np.array([1.0, 2.0, -np.inf, np.nan])
    unusable = find_unusable(rows, y_pred, None, width)
    assert unusable.count == 3
    assert [row for row, _ in unusable.first] == [6, 9, 11]
    assert np.array_equal([value for _, value in unusable.first], [np.nan, -np.inf, np.inf], equal_nan=True)
    assert y_pred[2] == 2.0
    assert find_unusable(rows[:0], y_pred[:0]) == Unusable()


def test_the_first_rows_are_named_and_the_others_counted():
    blocks = [find_unusable(np.arange(start, start + 2), np.array([np.inf, 1e200])) for start in (0, 2, 4)]
    unusable = sum(blocks, Unusable())
    assert unusable.count == 6
    (fault,) = unusable.faults("new.csv", "test")
    assert str(fault).startswith(
        "new.csv: expected finite predictions of the test rows, none beyond 1e+150; found inf in row 0, 1e+200 in "
        "row 1, inf in row 2 and 3 more (the first row is 0). Mend "
    )
    assert Unusable().faults("new.csv") == []


def test_predictions_know_those_that_are_not():
    y_true, y_pred = np.zeros(3), np.array([1.0, np.nan, 2.0])
    rows = np.array([3, 1, 7])
    assert Predictions(y_true, y_pred, None, rows).unusable.count == 1
    assert Predictions(y_true, np.ones(3), np.array([[1, 1], [1, 1], [1, np.inf]]), rows).unusable.first == (
        (7, np.inf),
    )
