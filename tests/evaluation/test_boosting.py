"""Gradient-boosted trees: scikit-learn's own, at its defaults."""

import numpy as np
from sklearn.ensemble import HistGradientBoostingRegressor

from dlreg.evaluation.boosting import MOST_LEVELS, fit_boosted_trees


def test_they_are_scikit_learns_defaults():
    generator = np.random.default_rng(1)
    x = np.column_stack([generator.normal(size=300), generator.integers(0, 4, 300)])
    x[::17, 0] = np.nan
    y = np.nan_to_num(x[:, 0]) + np.array([0.0, 5, -2, 1])[x[:, 1].astype(int)]
    predict = fit_boosted_trees(x, y, np.array([False, True]))
    model = HistGradientBoostingRegressor(categorical_features=[1], random_state=0).fit(x, y)
    np.testing.assert_allclose(predict(x[:50]), model.predict(x[:50]), rtol=1e-9)


def test_as_many_levels_as_are_told_apart_can_be_learnt():
    levels = np.repeat(np.arange(MOST_LEVELS), 4).astype(float).reshape(-1, 1)
    predict = fit_boosted_trees(levels, levels[:, 0] % 2, np.array([True]))
    assert np.isfinite(predict(np.array([[3.0], [np.nan]]))).all()
