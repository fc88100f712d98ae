import math

import pytest

from dlreg.search.pruning import Pruning, rungs
from dlreg.search.trials import Trial, TrialResult


def told(curves, state="complete", epochs=100, values=None):
    return [
        (Trial(number, values or {}), TrialResult(number, state, 1.0, {}, epochs, 1, curve))
        for number, curve in enumerate(curves)
    ]


def stops_from(among, values, epochs):
    pruning = Pruning(epochs)
    for trial, result in among:
        pruning.tell(trial, result)
    return pruning.stops(values)


@pytest.mark.parametrize(
    ("epochs", "expected"), [(100, (25, 50)), (60, (15, 30)), (3, (1, 2)), (2, (1,)), (1, ())]
)
def test_trials_are_compared_after_a_quarter_and_half_of_the_epochs(epochs, expected):
    assert rungs(epochs) == expected


def test_three_quarters_of_those_that_came_to_a_rung_would_go_on():
    stops = stops_from(told([{25: float(k)} for k in range(20)]), {}, 100)
    assert stops == {25: 15.0}
    assert sum(k < stops[25] for k in range(20)) == 15


def test_nothing_ends_before_eight_others_have_come_so_far_nor_without_pruning():
    curves = [{25: float(k)} for k in range(8)]
    assert stops_from(told(curves[:7]), {}, 100) == {}
    assert stops_from(told(curves), {}, None) == {}
    assert stops_from(told(curves), {}, 100) == {25: 6.0}


def test_a_trial_that_ended_by_itself_counts_with_its_lowest_loss_and_one_that_was_ended_does_not():
    curves = [{25: k + 1.0, 30: float(k)} for k in range(8)]
    assert stops_from(told(curves, "complete", 30), {}, 100) == {25: 7.0, 50: 6.0}
    assert stops_from(told(curves, "pruned", 30), {}, 100) == {25: 7.0}


def test_losses_that_mean_something_else_are_not_compared():
    among = told([{25: float(k)} for k in range(8)], values={"training.loss": "mae", "model.dropout": 0.1})
    assert stops_from(among, {"training.loss": "mse", "model.dropout": 0.1}, 100) == {}
    assert stops_from(among, {"training.loss": "mae", "model.dropout": 0.5}, 100) == {25: 6.0}


@pytest.mark.parametrize(("key", "value", "other"), [("model.l2", 0.0, 0.01), ("training.seed", 1, 2)])
def test_what_adds_to_the_loss_or_draws_the_rows_is_not_compared(key, value, other):
    among = told([{25: float(k)} for k in range(8)], values={key: value})
    assert stops_from(among, {key: value}, 100) == {25: 6.0}
    assert stops_from(among, {key: other}, 100) == {}


def test_a_loss_that_is_no_number_is_the_worst():
    curves = [{25: math.nan if k < 2 else float(k)} for k in range(8)]
    assert stops_from(told(curves), {}, 100) == {}
    assert stops_from(told([*curves, {25: 1.0}, {25: 1.5}]), {}, 100) == {}
    assert stops_from(told([*curves, *({25: 0.5},) * 8]), {}, 100) == {25: 6.0}
