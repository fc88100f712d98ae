"""A target that is hard to learn is told, with a key that helps; one that is well-behaved is not."""

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from support.tables import folder_with, plain_table

from dlreg.commands.check import check
from dlreg.config.reading import load_config
from dlreg.preview.advice import advise
from dlreg.preview.target import choose_logarithm, find_outliers
from dlreg.table.dataset import load_dataset

N = 400


def with_target(y: np.ndarray) -> pd.DataFrame:
    return plain_table(len(y)).assign(y=y)


def lognormal(spread: float, seed: int = 0, n_rows: int = N) -> np.ndarray:
    return np.exp(spread * np.random.default_rng(seed).normal(size=n_rows))


def test_fifteen_decades_are_said_and_the_logarithm_named(tmp_path):
    y = 10.0 ** np.random.default_rng(4).uniform(-5, 10, N)
    path = folder_with(tmp_path, with_target(y))
    (warning,) = check(path).warnings
    assert warning.message.startswith("the target 'y' is skewed, from ")
    assert warning.hint == "Set preprocessing.target: log"
    assert check(path, ["preprocessing.target=log"]).warnings == ()


@pytest.mark.parametrize("spread", [1.5, 3.0, 8.0])
def test_multiplied_magnitudes_are_skewed_in_any_unit(spread):
    for unit in (1e-9, 1.0, 1e9):
        assert choose_logarithm(unit * lognormal(spread, n_rows=2000)) == "log"


@pytest.mark.parametrize(
    "y",
    [
        np.random.default_rng(1).normal(20, 3, N),
        np.random.default_rng(1).uniform(0.1, 9, N),
        lognormal(0.3),
        -lognormal(2.0),
        np.r_[0.0, lognormal(1.0)],
        # Skewed, but not because magnitudes multiply.
        5 + 0.1 * lognormal(2.0),
        np.full(N, 7.0),
        lognormal(3.0, n_rows=5),
    ],
    ids=["normal", "uniform", "little", "negative", "a zero", "skewed noise", "constant", "few"],
)
def test_what_the_logarithm_does_not_help_is_not_called_skewed(y):
    assert choose_logarithm(y) is None


@pytest.mark.parametrize(("spread", "logarithm"), [(0.5, None), (1.0, None), (3.0, "log1p"), (6.0, "log1p")])
@pytest.mark.parametrize("zeros", [0.05, 0.4])
def test_with_zeros_log1p_is_named_from_a_hundred_times_the_median_on(tmp_path, spread, logarithm, zeros):
    generator = np.random.default_rng(11)
    y = np.where(generator.random(N) < zeros, 0.0, 10 * lognormal(spread))
    assert choose_logarithm(y) == logarithm
    hints = [warning.hint for warning in check(folder_with(tmp_path, with_target(y))).warnings]
    hint = "Set preprocessing.target: log1p and preprocessing.clip_predictions: true"
    assert (hint in hints) == bool(logarithm)
    followed = check(
        tmp_path / "config.yaml", ["preprocessing.target=log1p", "preprocessing.clip_predictions=true"]
    )
    assert not any("skewed" in warning.message for warning in followed.warnings)


@given(st.lists(st.floats(1e-100, 1e100), min_size=10, max_size=60))
@settings(max_examples=200, deadline=None)
def test_skew_is_measured_as_scipy_does(values):
    y = np.array(values)
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        raw, log = stats.skew(y / y.max()), stats.skew(np.log(y))
    if not (np.isfinite([raw, log]).all() and abs(raw - 2) > 1e-3 and abs(abs(log) - 0.5) > 1e-3):
        return
    assert choose_logarithm(y) == ("log" if raw >= 2 and abs(log) <= 0.5 else None)


@pytest.mark.parametrize("wrong", [1e3, 1e6, -1e5, 1e12])
@pytest.mark.parametrize("kind", ["normal", "lognormal", "often zero"])
def test_a_few_cells_of_another_magnitude_are_found(kind, wrong):
    generator = np.random.default_rng(2)
    y = {
        "normal": generator.normal(10, 2, N),
        "lognormal": lognormal(0.3, 2),
        "often zero": np.where(generator.random(N) < 0.8, 0.0, generator.gamma(3.0, 1.0, N)),
    }[kind]
    y[[17, 250]] = wrong
    assert find_outliers(y).tolist() == [17, 250]


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize(
    "draw",
    [
        lambda g: g.normal(size=N),
        lambda g: g.standard_t(3, N),
        lambda g: np.exp(2 * g.normal(size=N)),
        lambda g: np.exp(6 * g.normal(size=N)),
        lambda g: g.exponential(size=N),
        lambda g: g.poisson(np.exp(g.normal(size=N))).astype(float),
        lambda g: np.where(g.random(N) < 0.8, 0.0, np.exp(g.normal(size=N))),
        lambda g: g.integers(0, 2, N).astype(float),
    ],
    ids=["normal", "t", "lognormal", "wide", "exponential", "counts", "often zero", "two values"],
)
def test_heavy_tails_are_no_wrong_cells(draw, seed):
    assert not find_outliers(draw(np.random.default_rng(seed))).size


def test_many_cells_of_another_magnitude_are_no_mistake():
    y = np.random.default_rng(3).normal(10, 2, N)
    y[::20] *= 1e4
    assert not find_outliers(y).size


def test_wrong_cells_are_named_by_line_wherever_the_split_puts_them(tmp_path):
    y = np.random.default_rng(6).normal(10, 1, N)
    for row in (0, 123, N - 1):
        wrong = y.copy()
        wrong[row] = 1234567.5
        for seed in range(3):
            path = folder_with(tmp_path, with_target(wrong), f"training: {{seed: {seed}}}\n")
            (warning,) = check(path).warnings
            assert f"in 1 rows: '1234567.5' (line {row + 2})" in warning.message
            assert "set training.loss: huber or preprocessing.target: log" in warning.hint
    (warning,) = check(path, ["preprocessing.target=log", "training.loss=huber"]).warnings
    assert warning.hint == "Mend the wrong cells of the target, or take their rows out of the CSV"


def test_the_logarithm_is_not_named_where_there_is_none(tmp_path):
    y = np.random.default_rng(6).normal(0, 1, N)
    y[5] = -1e6
    (warning,) = check(folder_with(tmp_path, with_target(y))).warnings
    assert "preprocessing.target" not in warning.hint
    assert "training.loss: huber" in warning.hint


def test_two_values_are_like_two_classes(tmp_path):
    y = np.random.default_rng(7).integers(0, 2, N)
    (warning,) = check(folder_with(tmp_path, with_target(y))).warnings
    assert warning.message == "the target 'y' has two values only, 0 and 1, like two classes"


@pytest.mark.parametrize(("share", "is_said"), [(0.5, True), (0.05, False)])
def test_many_zeros_are_counted(tmp_path, share, is_said):
    generator = np.random.default_rng(8)
    y = np.where(generator.random(N) < share, 0.0, generator.gamma(9.0, 1.0, N))
    messages = [warning.message for warning in check(folder_with(tmp_path, with_target(y))).warnings]
    assert any("of the values of the target 'y' are 0" in message for message in messages) == is_said


@pytest.mark.parametrize(
    ("change", "is_spoilt"),
    [
        (lambda y: np.where(np.arange(N) == 3, 1e7, y), True),
        (lambda y: np.exp(2 * (y - 10)), True),
        (lambda y: np.where(np.arange(N) % 50 == 3, -999.0, y), True),
        (lambda y: np.where(np.arange(N) % 2 == 0, 0.0, y), False),
        (lambda y: (y > 10).astype(float), False),
        (lambda y: y, False),
    ],
    ids=["wrong cell", "skew", "mark", "zeros", "two values", "well-behaved"],
)
def test_advice_says_whether_a_few_rows_make_up_the_loss(tmp_path, change, is_spoilt):
    y = change(np.random.default_rng(9).normal(10, 1, N))
    config = load_config(folder_with(tmp_path, with_target(y)))
    assert any(advice.spoils_loss for advice in advise(config, load_dataset(config))) == is_spoilt
