"""Positions of levels as linear models read them."""

import numpy as np

from dlreg.model import levels

X = np.array([[0.5, 2, 0], [1.5, 3, 4], [2.5, 0, 1]], dtype=np.float32)


def test_each_level_has_a_column_and_one_never_seen_has_none():
    spread = levels.spread_levels(X, [3, 2]).toarray()
    assert spread.tolist() == [[0.5, 0, 0, 1, 1, 0], [1.5, 0, 0, 0, 0, 0], [2.5, 1, 0, 0, 0, 1]]


def test_rows_without_levels_stay_a_plain_array():
    spread = levels.spread_levels(X, [])
    assert spread.dtype == np.float64
    assert (spread == X).all()


def test_weights_are_split_as_the_columns_are_and_too_many_levels_have_none(monkeypatch):
    monkeypatch.setattr(levels, "MOST_SPREAD_LEVELS", 2)
    spread = levels.spread_levels(X, [3, 2])
    assert spread.shape == (3, 3)
    plain, of_levels = levels.split_levels(np.array([7.0, 8.0, 9.0]), [3, 2])
    assert plain.tolist() == [7]
    assert [values.tolist() for values in of_levels] == [[], [8, 9]]
