"""Members, and a ridge regression beside them, weighed by rows they never saw."""

import numpy as np
import pytest
from scipy.optimize import minimize
from sklearn.linear_model import RidgeCV

from dlreg.table.splits import split_folds
from dlreg.training.blending import RIDGE_PENALTIES, blend, out_of_fold


def test_out_of_fold_takes_the_members_that_left_a_row_out():
    folds = [np.array([0, 2]), np.array([1, 3])]
    predictions = np.array([[1.0, 90, 2, 90], [3.0, 90, 4, 90], [90, 5.0, 90, 6.0]])
    assert out_of_fold(predictions, [0, 0, 1], folds).tolist() == [2, 5, 3, 6]


def test_a_blend_has_the_weights_of_least_squared_error():
    generator = np.random.default_rng(2)
    y = generator.normal(size=200)
    x = np.column_stack([y + generator.normal(size=200), generator.normal(size=200)]).astype(np.float32)
    variants = [y + 0.6 * generator.normal(size=200), y + generator.normal(size=200)]
    folds = split_folds(200, "random", 4, seed=0)
    mixture, unseen = blend(x, y, folds, [0, 0, 1, 1], variants, None)
    ridge = np.empty(200)
    for fold in folds:
        others = np.setdiff1d(np.arange(200), fold)
        ridge[fold] = RidgeCV(RIDGE_PENALTIES).fit(x[others], y[others]).predict(x[fold])
    candidates = np.column_stack([*variants, ridge])
    best = minimize(
        lambda w: np.sum((candidates @ w - y) ** 2),
        np.full(3, 1 / 3),
        bounds=[(0, 1)] * 3,
        constraints={"type": "eq", "fun": lambda w: w.sum() - 1},
        options={"ftol": 1e-12},
    )
    shares = np.array([*(2 * mixture.weights[[0, 2]]), mixture.ridge.weight])
    assert shares == pytest.approx(best.x, abs=2e-3)
    assert unseen == pytest.approx(candidates @ shares, abs=1e-6)
    assert mixture.weights[0] == mixture.weights[1]
