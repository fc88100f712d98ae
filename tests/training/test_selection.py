"""Ensemble selection: against a plain loop over means, and what it may know."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlreg.table.splits import leaving_out, split_folds
from dlreg.training.selection import (
    ADDED,
    PARTS,
    select_greedily,
    select_on_validation_rows,
    select_out_of_fold,
)


def by_means(predictions, y, n_added):
    """The same, as its paper has it: the mean of the added is computed anew for each candidate."""
    added, best = [], None
    for _ in range(n_added):
        errors = [
            np.mean((predictions[[*added, number]].mean(axis=0) - y) ** 2)
            for number in range(len(predictions))
        ]
        added.append(int(np.argmin(errors)))
        if best is None or min(errors) < best[0]:
            best = min(errors), np.bincount(added, minlength=len(predictions))
    return best[1].tolist()


def make(seed, n_candidates=6, n_rows=80, noise=1.0):
    generator = np.random.default_rng(seed)
    y = generator.normal(size=n_rows)
    common = generator.normal(size=n_rows)
    sizes = noise * generator.uniform(0.2, 2, size=(n_candidates, 1))
    return y + 0.3 * common + sizes * generator.normal(size=(n_candidates, n_rows)), y


@pytest.mark.parametrize("seed", range(8))
def test_the_same_are_added_as_by_a_plain_loop(seed):
    predictions, y = make(seed)
    assert select_greedily(predictions, y).tolist() == by_means(predictions, y, ADDED)


@given(st.integers(0, 10**6), st.integers(1, 9), st.integers(1, 30))
def test_the_selected_are_no_worse_than_the_best_of_all(seed, n_candidates, n_rows):
    predictions, y = make(seed, n_candidates, n_rows)
    counts = select_greedily(predictions, y)
    error = np.mean((counts @ predictions / counts.sum() - y) ** 2)
    assert 1 <= counts.sum() <= ADDED
    assert error <= np.mean((predictions - y) ** 2, axis=1).min() * (1 + 1e-9)


def test_one_that_only_adds_noise_is_left_out_and_opposite_errors_are_joined():
    generator = np.random.default_rng(0)
    y, error = generator.normal(size=(2, 400))
    predictions = np.stack([y + error, y - error, y + 9 * generator.normal(size=400)])
    counts = select_greedily(predictions, y)
    assert counts[2] == 0
    assert counts[0] == counts[1]


def test_without_a_row_to_tell_all_count_the_same():
    assert select_greedily(np.empty((3, 0)), np.empty(0)).tolist() == [1, 1, 1]


def test_rows_are_predicted_by_what_other_folds_chose():
    predictions, y = make(3, n_rows=60)
    folds = leaving_out(np.split(np.random.default_rng(1).permutation(60), 3))
    counts, unseen = select_out_of_fold(predictions, y, folds)
    assert counts.tolist() == select_greedily(predictions, y).tolist()
    for fold in folds:
        chosen = select_greedily(predictions[:, fold.train], y[fold.train])
        expected = np.average(predictions[:, fold.validation], axis=0, weights=chosen)
        assert unseen[fold.validation] == pytest.approx(expected)


def test_folds_that_go_forward_know_nothing_of_later_rows():
    predictions, y = make(5, n_rows=60)
    folds = split_folds(60, "ordered", 3, seed=0)
    predictions[:, folds[0].train] = np.nan
    counts, unseen = select_out_of_fold(predictions, y, folds)
    assert np.isnan(unseen[folds[0].train]).all()
    first, second = folds[0].validation, folds[1].validation
    assert unseen[first] == pytest.approx(predictions[:, first].mean(axis=0))
    chosen = select_greedily(predictions[:, first], y[first])
    assert unseen[second] == pytest.approx(np.average(predictions[:, second], axis=0, weights=chosen))
    assert counts.sum() > 0


def test_validation_rows_are_predicted_by_what_the_others_of_them_choose():
    generator = np.random.default_rng(0)
    y = generator.normal(size=43)
    predictions = y + generator.normal(size=(8, 43))
    counts, unseen = select_on_validation_rows(predictions, y)
    assert counts.tolist() == select_greedily(predictions, y).tolist()
    for row in range(43):
        others = np.arange(43) % PARTS != row % PARTS
        chosen = select_greedily(predictions[:, others], y[others])
        assert unseen[row] == pytest.approx(chosen @ predictions[:, row] / chosen.sum())


def test_of_candidates_that_are_nothing_but_noise_the_chosen_look_no_better_than_they_are():
    generator = np.random.default_rng(1)
    y, predictions = generator.normal(size=30), generator.normal(size=(64, 30))
    counts, unseen = select_on_validation_rows(predictions, y)
    seen = counts @ predictions / counts.sum()
    assert np.mean((y - seen) ** 2) < 0.5 < 1 < np.mean((y - unseen) ** 2)
