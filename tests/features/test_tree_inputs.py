"""Cells as numbers for trees."""

import numpy as np

from dlreg.features.tree_inputs import fit_tree_inputs
from dlreg.table.column import Column

COLUMNS = (Column("x", "number"), Column("zone", "category"), Column("day", "date", "%Y-%m-%d"))
TRAIN = {
    "x": np.array([[1.0], [np.nan], [3.0], [4.0]]),
    "zone": np.array([["b"], ["a"], ["b"], [""]], dtype=object),
    "day": np.array([["2024-01-01"], ["2024-01-02"], [""], ["2024-01-03"]], dtype=object),
}


def test_numbers_stay_levels_are_counted_and_dates_have_their_calendar():
    inputs = fit_tree_inputs(COLUMNS, TRAIN, 10)
    x = inputs(TRAIN)
    assert x.shape == (4, len(inputs.is_level))
    np.testing.assert_array_equal(x[:, 0], TRAIN["x"][:, 0])
    assert inputs.is_level.tolist()[:3] == [False, True, False]
    # The most frequent first; "" is a level of its own.
    assert x[:, 1].tolist() == [0.0, 2.0, 0.0, 1.0]
    assert np.isnan(x[2, 2:]).all() and np.diff(x[[0, 1, 3], 2]).tolist() == [1.0, 1.0]


def test_levels_that_are_unknown_or_too_many_are_missing():
    inputs = fit_tree_inputs(COLUMNS, TRAIN, 2)
    rows = {**TRAIN, "zone": np.array([["b"], ["c"], ["a"], [""]], dtype=object)}
    np.testing.assert_array_equal(inputs(rows)[:, 1], [0.0, np.nan, np.nan, 1.0])
