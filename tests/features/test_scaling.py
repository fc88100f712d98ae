"""Scalers: fitted a column at a time, they scale as scikit-learn does."""

import json
from typing import get_args

import numpy as np
import pytest
from sklearn.preprocessing import MinMaxScaler, QuantileTransformer, RobustScaler, StandardScaler

from dlreg.config.sections.preprocessing import NumericScaling
from dlreg.features.scaling import SOFT_LIMIT, fit_code_scaler, fit_scaler, fit_scaler_on_blocks

N_ROWS = 120
SCIKIT_LEARN = {
    "standard": StandardScaler(),
    "minmax": MinMaxScaler(),
    "robust": RobustScaler(),
    "quantile": QuantileTransformer(n_quantiles=N_ROWS, subsample=None),
}


def numbers(seed):
    """Columns of many sizes, with ties and without spread."""
    generator = np.random.default_rng(seed)
    return np.column_stack(
        [
            generator.normal(1e12, 1e3, N_ROWS),
            generator.gamma(2.0, size=N_ROWS),
            generator.integers(0, 3, N_ROWS),
            np.full(N_ROWS, 7.0),
        ]
    )


@pytest.mark.parametrize("method", SCIKIT_LEARN)
def test_a_column_at_a_time_is_as_all_at_once(method):
    x, others = numbers(1), numbers(2)
    scaler = fit_scaler(method, x.T)
    alone = [
        SCIKIT_LEARN[method].fit(x[:, [column]]).transform(others[:, [column]])
        for column in range(x.shape[1])
    ]
    assert np.array_equal(scaler.transform(others), np.hstack(alone))
    together = SCIKIT_LEARN[method].fit(x)
    assert scaler.transform(others) == pytest.approx(together.transform(others), abs=1e-6)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("method", SCIKIT_LEARN)
def test_any_column_is_scaled_to_the_bit_as_by_scikit_learn(method, seed):
    generator = np.random.default_rng(seed)
    n_rows = int(generator.choice([1, 2, 9, 100, 129, 5000]))
    values = [
        generator.normal(generator.choice([0, 1, 1e12]), generator.choice([1e-9, 1, 1e3]), n_rows),
        np.full(n_rows, generator.choice([0.0, 0.1, 1e15])),
        generator.integers(0, 3, n_rows).astype(float),
    ]
    reference = SCIKIT_LEARN[method]
    if method == "quantile":
        reference = QuantileTransformer(n_quantiles=min(1000, n_rows), subsample=None)
    for x in values:
        others = np.concatenate([x, 1.1 * x - 0.3, 3 * x]).reshape(-1, 1)
        expected = reference.fit(x.reshape(-1, 1)).transform(others)
        assert np.array_equal(fit_scaler(method, [x]).transform(others), expected)


@pytest.mark.parametrize("method", ["standard", "minmax"])
def test_blocks_are_merged_to_what_all_rows_give(method):
    x = numbers(7)
    merged = fit_scaler_on_blocks(method, (x[start : start + 50] for start in range(0, N_ROWS, 50)))
    assert merged.transform(x) == pytest.approx(fit_scaler(method, x.T).transform(x), rel=1e-9, abs=1e-5)


@pytest.mark.parametrize("method", ["robust", "robust_clip", "quantile", "none"])
def test_other_scalings_need_all_rows_at_once(method):
    assert fit_scaler_on_blocks(method, iter([numbers(8)])) is None


def test_scikit_learn_has_every_scaling_of_the_config_but_two():
    assert {*SCIKIT_LEARN, "robust_clip", "none"} == set(get_args(NumericScaling))


@pytest.mark.parametrize("method", [*SCIKIT_LEARN, "robust_clip", "none"])
def test_what_was_fitted_is_told_column_by_column(method):
    x = numbers(3)
    scaler = fit_scaler(method, x.T)
    for index in range(x.shape[1]):
        alone = fit_scaler(method, x[:, [index]].T)
        assert scaler.describe(index) == alone.describe(0)
        json.dumps(scaler.describe(index), allow_nan=False)


def test_numbers_may_stay_as_they_are():
    x = numbers(4)
    assert fit_scaler("none", x.T).transform(x) is x


def test_a_soft_clip_leaves_no_outlier_far_away():
    x = numbers(5)
    scaler = fit_scaler("robust_clip", x.T)
    far = np.vstack([x, x + 1e6 * np.ptp(x, axis=0)])
    scaled = scaler.transform(far)
    assert np.abs(scaled).max() <= SOFT_LIMIT
    robust = (far[:, 1] - np.median(x[:, 1])) / np.subtract(*np.quantile(x[:, 1], (0.75, 0.25)))
    assert scaled[:, 1] == pytest.approx(robust / np.sqrt(1 + (robust / 3) ** 2), rel=1e-12)
    assert np.all(scaled[:, 3] == 0)


def test_where_the_middle_half_is_one_number_half_the_range_scales():
    x = np.zeros((1, 40))
    x[0, :4] = 8.0
    assert fit_scaler("robust_clip", x).describe(0) == {"median": 0.0, "scale": 4.0}


def test_codes_of_categories_are_not_clipped():
    codes = np.random.default_rng(6).integers(0, 40, (1, N_ROWS)).astype(float)
    expected = RobustScaler().fit_transform(codes.T)
    assert np.array_equal(fit_code_scaler("robust_clip", codes).transform(codes.T), expected)
