import math

import pytest

from dlreg.search.pruning import rungs, stops_from
from dlreg.search.trials import Trial, TrialResult


def told(curves, state="complete", epochs=100, values=None):
    return [
        (Trial(k, values or {}), TrialResult(k, state, 1.0, {}, epochs, 1, curve))
        for k, curve in enumerate(curves)
    ]


@pytest.mark.parametrize(
    ("epochs", "expected"), [(100, (10, 20, 40, 80)), (60, (6, 12, 24, 48)), (5, (1, 2, 4)), (1, ())]
)
def test_trials_are_compared_at_a_tenth_and_twice_as_many_epochs_each_time(epochs, expected):
    assert rungs(epochs) == expected


def test_three_quarters_of_those_that_came_to_a_rung_would_go_on():
    stops = stops_from(told([{10: float(k)} for k in range(20)]), {}, 100)
    assert stops == {10: 15.0}
    assert sum(k < stops[10] for k in range(20)) == 15


def test_nothing_ends_before_eight_others_have_come_so_far_nor_without_pruning():
    curves = [{10: float(k)} for k in range(8)]
    assert stops_from(told(curves[:7]), {}, 100) == {}
    assert stops_from(told(curves), {}, None) == {}
    assert stops_from(told(curves), {}, 100) == {10: 6.0}


def test_a_trial_that_ended_by_itself_counts_with_its_lowest_loss_and_one_that_was_ended_does_not():
    curves = [{10: k + 1.0, 15: float(k)} for k in range(8)]
    assert stops_from(told(curves, "complete", 15), {}, 100) == {10: 7.0, 20: 6.0, 40: 6.0, 80: 6.0}
    assert stops_from(told(curves, "pruned", 15), {}, 100) == {10: 7.0}


def test_losses_that_mean_something_else_are_not_compared():
    among = told([{10: float(k)} for k in range(8)], values={"training.loss": "mae", "model.dropout": 0.1})
    assert stops_from(among, {"training.loss": "mse", "model.dropout": 0.1}, 100) == {}
    assert stops_from(among, {"training.loss": "mae", "model.dropout": 0.5}, 100) == {10: 6.0}


def test_a_loss_that_is_no_number_is_the_worst():
    curves = [{10: math.nan if k < 2 else float(k)} for k in range(8)]
    assert stops_from(told(curves), {}, 100) == {}
    assert stops_from(told([*curves, {10: 1.0}, {10: 1.5}]), {}, 100) == {}
    assert stops_from(told([*curves, *({10: 0.5},) * 8]), {}, 100) == {10: 6.0}
