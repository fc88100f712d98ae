"""The linear baseline against scikit-learn's."""

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from dlreg.evaluation import baselines


@pytest.mark.parametrize("block_bytes", [1, 1000, 1 << 22])
@pytest.mark.parametrize("one_hot", [False, True])
def test_the_linear_baseline_is_scikit_learns_however_the_rows_are_cut(monkeypatch, block_bytes, one_hot):
    generator = np.random.default_rng(0)
    x = generator.normal([0, 1e4, -3], [1, 10, 1e-3], size=(300, 3)).astype(np.float32)
    if one_hot:
        # With an intercept the levels of a category are one too many: no weights are the only best ones.
        x = np.hstack([x, np.eye(4, dtype=np.float32)[generator.integers(0, 4, 300)]])
    y = x.astype(np.float64) @ generator.normal(size=x.shape[1]) + generator.normal(size=300)
    monkeypatch.setattr(baselines, "BLOCK_BYTES", block_bytes)
    expected = LinearRegression().fit(x[:200].astype(np.float64), y[:200]).predict(x[200:].astype(np.float64))
    np.testing.assert_allclose(baselines.fit_linear(x[:200], y[:200]).predict(x[200:]), expected, rtol=1e-6)


@pytest.mark.parametrize("block_bytes", [1000, 1 << 22])
@pytest.mark.parametrize("categories", [(40,), (40, 25), (40, 25, 12)])
def test_levels_by_their_positions_are_as_a_column_for_each(monkeypatch, block_bytes, categories):
    generator = np.random.default_rng(1)
    plain = generator.normal([0, 1e4, -3], [1, 10, 1e-3], size=(900, 3)).astype(np.float32)
    # Some levels are of the last rows alone: to the others they were never seen.
    positions = [generator.integers(0, n - 3 * (np.arange(900) < 700)) for n in categories]
    known = [n - 3 for n in categories]
    x = np.column_stack([plain, *positions]).astype(np.float32)
    onehot = np.hstack(
        [plain, *(np.eye(n)[places][:, : n - 3] for n, places in zip(categories, positions, strict=True))]
    )
    y = onehot @ generator.normal(size=onehot.shape[1]) + generator.normal(size=900)
    monkeypatch.setattr(baselines, "BLOCK_BYTES", block_bytes)
    expected = LinearRegression().fit(onehot[:700], y[:700]).predict(onehot)
    x[:, 3:] = np.minimum(x[:, 3:], known)
    predicted = baselines.fit_linear(x[:700], y[:700], known).predict(x)
    np.testing.assert_allclose(predicted, expected, rtol=1e-7)
    # A level without a row is as one never seen.
    predicted = baselines.fit_linear(x[:700], y[:700], categories).predict(x)
    np.testing.assert_allclose(predicted, expected, rtol=1e-7)


def test_a_hundred_thousand_levels_take_no_longer_than_their_rows():
    generator = np.random.default_rng(2)
    positions = generator.permutation(np.repeat(np.arange(100_000), 3))
    x = np.column_stack([generator.normal(size=len(positions)), positions]).astype(np.float32)
    effects = generator.normal(size=100_000)
    model = baselines.fit_linear(x, 2.0 * x[:, 0] + effects[positions], [100_000])
    assert model.weights == pytest.approx([2.0], rel=1e-9)
    assert model.effects[0][:-1] == pytest.approx(effects - effects.mean(), abs=1e-9)


def test_fewer_rows_than_features_and_no_rows_to_predict():
    x = np.random.default_rng(0).normal(size=(3, 5)).astype(np.float32)
    y = np.array([1.0, 2.0, 4.0])
    np.testing.assert_allclose(baselines.fit_linear(x, y).predict(x), y, rtol=1e-6)
    assert baselines.fit_linear(x, y).predict(x[:0]).shape == (0,)


def test_nothing_is_said_of_rows_that_both_have_learnt():
    errors = {"rmse": 1.0}
    metrics = {"train": errors, "baselines": {"mean": {"rmse": 3.0}, "linear": {"rmse": 2.0}}}
    comparison = baselines.compare_with_baselines(metrics, "train")
    assert (comparison.is_better, "cannot be told" in comparison.sentence) == (None, True)
