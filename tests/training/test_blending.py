"""Members, and a ridge regression beside them, weighed by rows they never saw."""

import numpy as np
import pytest
from scipy.optimize import minimize
from sklearn.linear_model import RidgeCV

from dlreg.table.splits import leaving_out, split_folds
from dlreg.training.blending import RIDGE_PENALTIES, BlendedRows, blend, mix_members, out_of_fold
from dlreg.training.members import plan_members


def test_out_of_fold_takes_the_members_that_left_a_row_out():
    folds = leaving_out([np.array([0, 2]), np.array([1, 3])])
    predictions = np.array([[1.0, 90, 2, 90], [3.0, 90, 4, 90], [90, 5.0, 90, 6.0]])
    assert out_of_fold(predictions, [0, 0, 1], folds).tolist() == [2, 5, 3, 6]


def test_a_blend_has_the_weights_of_least_squared_error():
    generator = np.random.default_rng(2)
    y = generator.normal(size=200)
    x = np.column_stack([y + generator.normal(size=200), generator.normal(size=200)]).astype(np.float32)
    variants = [y + 0.6 * generator.normal(size=200), y + generator.normal(size=200)]
    folds = split_folds(200, "random", 4, seed=0)
    mixture, unseen = blend(BlendedRows(x), y, folds, [0, 0, 1, 1], variants, None)
    ridge = np.empty(200)
    for fold in folds:
        others = np.setdiff1d(np.arange(200), fold.validation)
        ridge[fold.validation] = (
            RidgeCV(RIDGE_PENALTIES).fit(x[others], y[others]).predict(x[fold.validation])
        )
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


def test_embedded_levels_are_read_as_a_column_for_each_but_of_too_many(monkeypatch):
    generator = np.random.default_rng(4)
    positions = np.column_stack([generator.integers(0, 12, 300), generator.integers(0, 40, 300)])
    plain = generator.normal(size=(300, 2))
    y = plain[:, 0] + generator.normal(size=12)[positions[:, 0]] + 0.1 * generator.normal(size=300)
    folds = split_folds(300, "random", 4, seed=0)
    variants = [y + generator.normal(size=300)]
    monkeypatch.setattr("dlreg.model.levels.MOST_SPREAD_LEVELS", 12)
    known = np.hstack([plain, np.eye(12)[positions[:, 0]][:, :11]])
    expected, y_expected = blend(BlendedRows(known), y, folds, [0], variants, None)
    x = np.column_stack([plain, positions])
    mixture, y_unseen = blend(BlendedRows(x, [11, 40]), y, folds, [0], variants, None)
    assert mixture.ridge.coefficients == pytest.approx(expected.ridge.coefficients, rel=1e-9)
    assert y_unseen == pytest.approx(y_expected, rel=1e-9)


def test_a_blend_of_folds_that_go_forward_knows_nothing_of_later_rows():
    generator = np.random.default_rng(2)
    y = generator.normal(size=120)
    x = np.column_stack([y + generator.normal(size=120), generator.normal(size=120)]).astype(np.float32)
    variants = [y + 0.6 * generator.normal(size=120), y + generator.normal(size=120)]
    folds = split_folds(120, "ordered", 3, seed=0)
    last = folds[-1].validation
    mixture, unseen = blend(BlendedRows(x), y, folds, [0, 1], variants, None)
    shifted = np.where(np.arange(120) >= last[0], y + 50, y)
    other_mixture, after_shift = blend(BlendedRows(x), shifted, folds, [0, 1], variants, None)
    assert np.isnan(unseen[folds[0].train]).all()
    assert np.array_equal(after_shift[: last[0]], unseen[: last[0]], equal_nan=True)
    # The mixture for new rows may know of them.
    assert not np.array_equal(other_mixture.weights, mixture.weights)
    first = folds[0].validation
    ridge = RidgeCV(RIDGE_PENALTIES).fit(x[folds[0].train], y[folds[0].train]).predict(x[first])
    # With no earlier row to tell, all count the same.
    expected = np.mean([variants[0][first], variants[1][first], ridge], axis=0)
    assert unseen[first] == pytest.approx(expected, abs=1e-6)


def steps_beside_noise(n_rows=240):
    """Rows whose target jumps, and what a network predicts that does not see all jumps."""
    generator = np.random.default_rng(7)
    x = generator.uniform(-2, 2, (n_rows, 3)).astype(np.float32)
    jumps = np.sign(np.sin(5 * x[:, 0]))
    y = x[:, 1] + jumps
    return x, y, [x[:, 1] + 0.3 * jumps + 0.1 * generator.normal(size=n_rows)]


def test_trees_are_weighed_beside_networks_where_they_help():
    x, y, variants = steps_beside_noise()
    folds = split_folds(240, "random", 4, seed=0)
    mixture, unseen = blend(BlendedRows(x), y, folds, [0], variants, None, beside=["ridge", "trees"], seed=3)
    trees = mixture.trees
    assert trees.weight > 0.3
    assert mixture.weights.sum() + mixture.ridge.weight + trees.weight == pytest.approx(1)
    assert np.mean((unseen - y) ** 2) < 0.7 * np.mean((variants[0] - y) ** 2)
    alone, _ = blend(BlendedRows(x), y, folds, [0], variants, None, beside=["trees"], seed=3)
    assert alone.ridge is None
    assert np.array_equal(alone.trees.numbers, trees.numbers)


def test_trees_that_do_not_help_are_left_out():
    x, y, _ = steps_beside_noise()
    exact = [y + 1e-6 * np.random.default_rng(1).normal(size=len(y))]
    folds = split_folds(len(y), "random", 4, seed=0)
    mixture, unseen = blend(BlendedRows(x), y, folds, [0], exact, None, beside=["ridge", "trees"])
    assert mixture.trees is None
    assert unseen == pytest.approx(y, abs=1e-4)
    without, unseen_without = blend(BlendedRows(x), y, folds, [0], exact, None, beside=["ridge"])
    assert np.array_equal(mixture.weights, without.weights)
    assert np.array_equal(unseen, unseen_without)


def test_trees_of_folds_that_go_forward_know_nothing_of_later_rows():
    x, y, variants = steps_beside_noise()
    folds = split_folds(240, "ordered", 3, seed=0)
    _, unseen = blend(BlendedRows(x), y, folds, [0], variants, None, beside=["trees"])
    start = folds[-1].validation[0]
    shifted = np.where(np.arange(240) >= start, 3 - y, y)
    _, after_shift = blend(BlendedRows(x), shifted, folds, [0], variants, None, beside=["trees"])
    assert np.array_equal(after_shift[:start], unseen[:start], equal_nan=True)
    assert np.isfinite(unseen[folds[0].validation]).all()


def test_out_of_fold_predictions_keep_within_the_targets_their_members_learnt_from():
    y = np.arange(12.0)
    folds = split_folds(12, "ordered", 2, seed=0)
    members = plan_members(["none"], 1, 2)
    predictions = [np.full((2, 12), 100.0)]
    mixture, unseen = mix_members(
        members,
        predictions,
        folds,
        BlendedRows(y[:, None]),
        y,
        predicting=[1],
        limits=(0.0, 11.0),
    )
    assert unseen[4:].tolist() == [3.0] * 4 + [7.0] * 4
    assert np.isnan(unseen[:4]).all()
    assert (mixture.weights.tolist(), mixture.limits) == ([1.0], (0.0, 11.0))


def test_selected_members_share_what_their_variant_has():
    generator = np.random.default_rng(7)
    y = generator.normal(size=120)
    folds = leaving_out(np.split(generator.permutation(120), 3))
    members = plan_members(["none", "periodic"], 2, 3)
    # Of each variant the second member of a fold is useless.
    predictions = [
        np.stack([y + (9.0 if member.number else 0.3) * generator.normal(size=120) for member in members[:6]])
        for _ in range(2)
    ]
    train = BlendedRows(generator.normal(size=(120, 2)).astype(np.float32))
    everyone = list(range(len(members)))
    options = {"predicting": everyone, "limits": None}
    for beside in ((), ("ridge",)):
        mixture, unseen = mix_members(
            members, predictions, folds, train, y, beside=beside, selects=True, **options
        )
        ridge = mixture.ridge.weight if mixture.ridge else 0.0
        assert mixture.weights.sum() + ridge == pytest.approx(1)
        assert (mixture.weights[1::2] == 0).all()
        assert len(np.unique(mixture.weights[:6:2])) == len(np.unique(mixture.weights[6::2])) == 1
        plain, unseen_by_all = mix_members(members, predictions, folds, train, y, beside=beside, **options)
        assert np.mean((unseen - y) ** 2) < 0.2 * np.mean((unseen_by_all - y) ** 2)
        if not beside:
            assert plain.weights.tolist() == [1 / 12] * 12
