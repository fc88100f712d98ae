"""What one column says of the target alone, held against what is known of it."""

import numpy as np
import pytest

from dlreg.evaluation.association import explained_by_level, explained_by_number


@pytest.mark.parametrize("shape", [lambda x: 3 * x, np.sin, lambda x: (x - 1) ** 2, np.abs])
def test_a_function_of_a_number_is_explained_whatever_its_shape(shape):
    x = np.random.default_rng(1).uniform(-3, 3, 2000)
    assert explained_by_number(x, shape(x)) > 0.999


def test_of_noise_nothing_is_explained():
    generator = np.random.default_rng(2)
    shares = [explained_by_number(*generator.normal(size=(2, 500))) for _ in range(50)]
    assert np.mean(shares) < 0.03
    levels = [
        explained_by_level(generator.integers(0, 10, 500), generator.normal(size=500)) for _ in range(50)
    ]
    assert np.mean(levels) < 0.01


@pytest.mark.parametrize("noise", [0.5, 1.0, 3.0])
def test_the_share_is_that_of_the_variance_without_the_noise(noise):
    generator = np.random.default_rng(3)
    x = generator.normal(size=20_000)
    expected = 1 / (1 + noise**2)
    assert explained_by_number(x, x + generator.normal(0, noise, len(x))) == pytest.approx(expected, abs=0.02)
    levels = generator.integers(0, 5, len(x))
    y = levels / np.std(levels) + generator.normal(0, noise, len(x))
    assert explained_by_level(levels, y) == pytest.approx(expected, abs=0.02)


def test_a_level_is_predicted_by_the_others_of_it():
    """The variance within levels, each with a degree of freedom less, as the analysis of variance has it."""
    generator = np.random.default_rng(4)
    codes, y = generator.integers(0, 4, 60), generator.normal(size=60)
    within = [np.var(y[codes == code], ddof=1) * (codes == code).sum() for code in range(4)]
    y = y + 5 * (codes == 1)
    expected = 1 - sum(within) / len(y) / np.var(y, ddof=1)
    assert explained_by_level(codes, y) == pytest.approx(expected, rel=1e-9)


def test_levels_of_one_row_say_nothing():
    assert explained_by_level(np.arange(50), np.random.default_rng(5).normal(size=50)) == pytest.approx(
        0, abs=0.05
    )


def test_missing_cells_predict_each_other():
    x = np.where(np.arange(200) < 100, np.nan, np.arange(200.0))
    y = np.where(np.isnan(x), 7.0, x)
    assert explained_by_number(x, y) > 0.999


@pytest.mark.parametrize(
    ("x", "y"),
    [([], []), ([1.0], [2.0]), ([1.0, 2.0], [3.0, 3.0]), ([np.nan, np.nan], [1.0, 2.0]), ([1.0, 2.0, np.nan], [1.0, 2.0, 3.0])],
)  # fmt: skip
def test_few_rows_have_a_share(x, y):
    assert 0 <= explained_by_number(np.array(x), np.array(y)) <= 1


def test_numbers_far_from_zero_keep_their_digits():
    x = np.arange(1000.0)
    assert explained_by_number(x, 1e9 + x) > 0.999
