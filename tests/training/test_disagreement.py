"""How far members are apart on rows that they have seen, and on those that they have not."""

import numpy as np
import pytest

from dlreg.table.splits import Fold
from dlreg.training.disagreement import spread_of_members

FOLDS = (Fold(np.array([1, 3, 4]), np.array([0, 2])), Fold(np.array([0, 2]), np.array([1, 3])))


def test_a_row_has_the_spread_of_those_that_left_it_out():
    predictions = np.random.default_rng(0).normal(size=(6, 5))
    # Two variants of two folds, one of them with two members a fold.
    left_out = [0, 1, 0, 0, 1, 1]
    spread = spread_of_members(predictions, left_out, FOLDS, 6)
    for row, members in ((0, [0, 2, 3]), (1, [1, 4, 5]), (2, [0, 2, 3]), (3, [1, 4, 5])):
        assert spread.unseen[row] == pytest.approx(np.std(predictions[members, row]))
    assert np.isnan(spread.unseen[4])
    assert spread.every == pytest.approx(predictions.std(axis=0))
    assert (spread.n_unseen, spread.n_predicting) == (3, 6)
    taken = spread.take(np.array([3, 0]))
    assert taken.unseen.tolist() == spread.unseen[[3, 0]].tolist()


def test_one_member_alone_has_no_spread():
    assert spread_of_members(np.zeros((2, 5)), [0, 1], FOLDS, 2) is None
    assert spread_of_members(np.zeros((3, 5)), [0, 0, 1], FOLDS, 3) is None


def test_members_that_know_ever_more_rows_are_not_compared():
    forward = (Fold(np.array([0]), np.array([1, 2])), Fold(np.array([0, 1, 2]), np.array([3, 4])))
    assert spread_of_members(np.zeros((4, 5)), [0, 0, 1, 1], forward, 4) is None
