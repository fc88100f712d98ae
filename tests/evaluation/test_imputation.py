"""The spread of few members stands for that of many, as far as its moments can tell."""

import numpy as np
import pytest

from dlreg.evaluation.calibration import calibrate
from dlreg.evaluation.imputation import _log_ratio, impute_spread
from dlreg.model.member_spread import MemberSpread

N_MEMBERS = 10


def ensemble(n_rows, slope, seed, n_unseen=2):
    """Rows whose members are apart as no feature tells, and residuals that go with it to a power.

    Returns:
        What few and what all members make of them, the residuals, and the spread that all members have.
    """
    generator = np.random.default_rng(seed)
    true = np.exp(0.7 * generator.normal(size=n_rows))
    members = true * generator.normal(size=(N_MEMBERS, n_rows))
    every = (true * generator.normal(size=(N_MEMBERS, n_rows))).std(axis=0)
    residuals = true**slope * generator.normal(size=n_rows)
    return (
        MemberSpread(members[:n_unseen].std(axis=0), n_unseen, every, N_MEMBERS),
        residuals,
        members.std(axis=0),
    )


def logarithms(residuals):
    return np.log(np.abs(residuals) + 0.01)


@pytest.mark.parametrize(("few", "many"), [(2, 10), (2, 3), (3, 40), (5, 5)])
def test_the_logarithm_of_a_spread_grows_with_the_members_as_in_a_simulation(few, many):
    draws = np.random.default_rng(0).normal(size=(200_000, many))
    simulated = np.log(draws.std(axis=1)).mean() - np.log(draws[:, :few].std(axis=1)).mean()
    assert _log_ratio(few, many) == pytest.approx(simulated, abs=0.01)


@pytest.mark.parametrize("slope", [0.0, 0.5, 1.0])
def test_imputed_spreads_go_with_residuals_as_those_of_all_members_would(slope):
    spread, residuals, whole = ensemble(20_000, slope, seed=1)
    imputed = np.log(impute_spread(spread, logarithms(residuals), np.zeros(20_000)))
    assert imputed.shape == (4, 20_000)
    assert imputed.mean() == pytest.approx(np.log(whole).mean(), abs=0.03)
    assert imputed.std() == pytest.approx(np.log(whole).std(), rel=0.05)
    true_slope = np.polyfit(np.log(whole), logarithms(residuals), 1)[0]
    slopes = [np.polyfit(draw, logarithms(residuals), 1)[0] for draw in imputed]
    assert slopes == pytest.approx([true_slope] * 4, abs=0.08)
    # Two members alone tell less of it than there is.
    assert np.polyfit(np.log(spread.unseen), logarithms(residuals), 1)[0] < true_slope / 2 + 0.03


def test_nothing_is_imputed_where_all_members_are_new_to_the_rows():
    spread, residuals, whole = ensemble(100, 1.0, seed=2, n_unseen=N_MEMBERS)
    found = impute_spread(spread, logarithms(residuals), np.zeros(100))
    assert found == pytest.approx(whole[None])


def test_spreads_that_do_not_differ_say_nothing():
    for unseen in (np.zeros(50), np.ones(50)):
        spread = MemberSpread(unseen, 2, np.ones(50), 5)
        assert impute_spread(spread, np.zeros(50), np.zeros(50)) is None
    agreeing = MemberSpread(np.zeros(50), 2, np.linspace(1, 2, 50), 5)
    assert impute_spread(agreeing, np.zeros(50), np.zeros(50)) is None


@pytest.mark.parametrize("slope", [0.0, 1.0])
@pytest.mark.parametrize("n_unseen", [2, N_MEMBERS])
def test_intervals_of_rows_on_which_members_differ_are_wider_and_hold_their_share(slope, n_unseen):
    spread, residuals, _ = ensemble(1500, slope, seed=3, n_unseen=n_unseen)
    x, zeros = np.zeros((1500, 1)), np.zeros(1500)
    calibrated = calibrate(x, residuals, zeros, spread=spread)
    _, new, whole = ensemble(20_000, slope, seed=4)
    x, zeros = np.zeros((20_000, 1)), np.zeros(20_000)
    scale = calibrated.scale(x, zeros, whole) if calibrated.scale else None
    margins = calibrated.intervals.margins(0.9, 20_000, scale)
    held = (-margins[:, 0] <= new) & (new <= margins[:, 1])
    assert held.mean() == pytest.approx(0.9, abs=0.025)
    if slope:
        assert calibrated.scale.spread_quarters
        by_third = [held[part].mean() for part in np.array_split(np.argsort(whole), 3)]
        # Of an imputed spread a quarter of the power counts, of a known one as much as helps.
        assert min(by_third) > (0.8 if n_unseen == N_MEMBERS else 0.75)
        assert margins.sum(axis=1).mean() < 0.95 * calibrated.constant_width
    else:
        assert calibrated.scale is None


def test_coverage_holds_on_average_over_small_samples():
    covered = []
    for seed in range(80):
        spread, residuals, _ = ensemble(100, 0.7, seed)
        calibrated = calibrate(np.zeros((100, 1)), residuals, np.zeros(100), spread=spread)
        _, new, whole = ensemble(500, 0.7, seed + 1000)
        scale = calibrated.scale(np.zeros((500, 1)), np.zeros(500), whole) if calibrated.scale else None
        below, above = calibrated.intervals.margins(0.9, 500, scale).T
        covered.append(np.mean((-below <= new) & (new <= above)))
    assert 0.88 < np.mean(covered) < 0.93
