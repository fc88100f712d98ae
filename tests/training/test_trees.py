"""Trees predict as scikit-learn's do, wherever rounding may take a row."""

import numpy as np
import pytest
from support.trees import leaves_of
from threadpoolctl import threadpool_limits

from dlreg.table.splits import split_folds
from dlreg.training import trees as fitting
from dlreg.training.trees import grow_trees, predict_by_trees


def some_rows(n_rows=300):
    """Numbers, whole numbers, flags, and a constant."""
    generator = np.random.default_rng(5)
    x = np.column_stack(
        [
            generator.normal(size=n_rows),
            generator.integers(0, 40, n_rows),
            generator.integers(0, 2, n_rows),
            np.full(n_rows, 7.0),
        ]
    ).astype(np.float32)
    return x, np.sin(3 * x[:, 0]) + 0.05 * x[:, 1] * x[:, 2] + 0.1 * generator.normal(size=n_rows)


@pytest.mark.parametrize("n_rounds", [1, 30, 200])
def test_every_training_row_is_predicted_as_scikit_learn_predicts_it(n_rounds):
    x, y = some_rows()
    trees = grow_trees(x, y, n_rounds, seed=42, weight=0.5)
    expected = fitting._fit(x, y, n_rounds, seed=42).predict(x)
    assert np.abs(leaves_of(trees, x) + trees.intercept - expected).max() < 1e-6 * y.std()
    assert trees.weight == 0.5
    # The left child stands right behind each node that compares, the right one further behind.
    compares = trees.features >= 0
    assert (trees.right[compares] > trees.left[compares]).all()
    assert (trees.left[compares] == np.flatnonzero(compares) + 1).all()
    assert np.array_equal(trees.right[~compares], np.flatnonzero(~compares))
    assert trees.depth <= fitting._SETTINGS["max_depth"]


def test_no_rounding_of_a_training_value_takes_it_another_way():
    x, y = some_rows()
    trees = grow_trees(x, y, 50, seed=1, weight=1.0)
    expected = leaves_of(trees, x)
    for direction in (-np.inf, np.inf):
        assert np.array_equal(leaves_of(trees, np.nextafter(x, np.float32(direction))), expected)
    # Whole numbers are told apart where no text of one decimal lies.
    thresholds = trees.numbers[trees.features == 1].astype(np.float64)
    assert len(thresholds)
    assert np.abs(thresholds * 10 - np.rint(thresholds * 10)).min() > 0.1


def test_neighbouring_numbers_of_single_precision_are_told_apart():
    low = np.float32(1e9)
    x = np.repeat([[low], [np.nextafter(low, np.float32(np.inf))]], 40, axis=0)
    y = np.repeat([0.0, 1.0], 40)
    trees = grow_trees(x, y, 60, seed=0, weight=1.0)
    assert leaves_of(trees, x) + trees.intercept == pytest.approx(y, abs=0.02)


def test_rows_that_cannot_be_told_apart_make_no_trees():
    trees = grow_trees(np.zeros((50, 2), dtype=np.float32), np.linspace(-1, 3, 50), 5, seed=0, weight=1.0)
    assert len(trees.roots) == trees.depth == 0
    assert trees.intercept == pytest.approx(1)


def test_each_fold_is_predicted_by_trees_of_its_training_rows_and_the_best_rounds():
    x, y = some_rows()
    y = y + np.random.default_rng(6).normal(size=len(y))
    folds = split_folds(len(y), "random", 3, seed=0)
    unseen, n_rounds = predict_by_trees([x] * 3, y, folds, seed=9)

    def error_of(rounds):
        predicted = np.empty(len(y))
        for fold in folds:
            model = fitting._fit(x[fold.train], y[fold.train], rounds, seed=9)
            predicted[fold.validation] = model.predict(x[fold.validation])
        return np.mean((predicted - y) ** 2), predicted

    errors = {rounds: error_of(rounds)[0] for rounds in range(10, 201, 10)}
    assert n_rounds == min(errors, key=errors.get) < 200
    assert unseen == pytest.approx(error_of(n_rounds)[1], abs=1e-12)


def test_many_rows_are_fitted_by_a_sample(monkeypatch):
    x, y = some_rows()
    monkeypatch.setattr(fitting, "_MOST_ROWS", 100)
    first, again = (grow_trees(x, y, 20, seed=3, weight=1.0) for _ in range(2))
    assert np.array_equal(first.numbers, again.numbers)
    monkeypatch.setattr(fitting, "_MOST_ROWS", 300)
    whole = grow_trees(x, y, 20, seed=3, weight=1.0)
    assert len(first.features) < len(whole.features)
    assert np.corrcoef(leaves_of(first, x), y)[0, 1] > 0.8


def test_threads_and_repetition_change_nothing():
    x, y = some_rows()
    first = grow_trees(x, y, 20, seed=3, weight=1.0)
    with threadpool_limits(2, "openmp"):
        again = grow_trees(x, y, 20, seed=3, weight=1.0)
    other = grow_trees(x, y, 20, seed=4, weight=1.0)
    assert np.array_equal(first.numbers, again.numbers)
    assert not np.array_equal(first.numbers, other.numbers)
