"""Which trial is kept: the best, unless few rows decide and nobody has named the space."""

import pytest

from dlreg.commands.tune_choice import choose
from dlreg.commands.tune_results import Ended
from dlreg.search.space import Choices, Range, Search
from dlreg.search.trials import Trial, TrialResult

SPACE = {"training.learning_rate": Range(0.001, 0.1), "model.ensemble": Choices((2,))}
OWN = {"training.learning_rate": 0.01, "model.ensemble": 1}
WIDE, NARROW = (0.8, 1.2), (0.95, 1.05)


def ended(number, error, values, interval=None):
    metrics = {"out_of_fold": {"rmse": error}}
    result = TrialResult(number, "complete", error, metrics, 1, 1, interval=interval)
    return Ended(Trial(number, values), result)


def kept(trials, *, is_default=True):
    search = Search("out_of_fold.rmse", 60, None, "tpe", SPACE, None, False, is_default)
    choice = choose(trials, search)
    return choice.kept.trial.number, choice.passed_over and choice.passed_over.number


@pytest.mark.parametrize(
    ("interval", "near", "best", "expected"),
    [
        (NARROW, 0.99, 0.97, (2, None)),
        (WIDE, 0.99, 0.7, (2, None)),
        (WIDE, 0.99, 0.97, (1, 2)),
        (WIDE, 1.01, 0.97, (0, 2)),
        (WIDE, 0.96, 0.97, (1, None)),
        (NARROW, 1.01, 1.02, (0, None)),
    ],
    ids=["many rows", "below the interval", "few rows", "the larger is worse", "the larger is best", "none"],
)
def test_where_few_rows_decide_the_own_values_stay_in_the_ensemble_of_the_others(
    interval, near, best, expected
):
    trials = [
        ended(0, 1.0, OWN, interval),
        ended(1, near, OWN | {"model.ensemble": 2}),
        ended(2, best, {"training.learning_rate": 0.05, "model.ensemble": 2}),
    ]
    assert kept(trials) == expected


def test_without_such_a_trial_the_config_itself_stays():
    trials = [ended(0, 1.0, OWN, WIDE), ended(2, 0.97, {"training.learning_rate": 0.05, "model.ensemble": 2})]
    assert kept(trials) == (0, 2)


def test_who_names_the_space_is_given_the_best():
    trials = [
        ended(0, 1.0, OWN, WIDE),
        ended(1, 0.99, OWN | {"model.ensemble": 2}),
        ended(2, 0.97, {"training.learning_rate": 0.05, "model.ensemble": 2}),
    ]
    assert kept(trials, is_default=False) == (2, None)
