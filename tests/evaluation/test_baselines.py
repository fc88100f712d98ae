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


def test_fewer_rows_than_features_and_no_rows_to_predict():
    x = np.random.default_rng(0).normal(size=(3, 5)).astype(np.float32)
    y = np.array([1.0, 2.0, 4.0])
    np.testing.assert_allclose(baselines.fit_linear(x, y).predict(x), y, rtol=1e-6)
    assert baselines.fit_linear(x, y).predict(x[:0]).shape == (0,)
