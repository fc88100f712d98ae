"""Which trial is kept: the best, unless few rows decide and dlreg chose what was searched."""

from dataclasses import replace

import numpy as np
import pytest

from dlreg.commands.tune_choice import MOST_UNSURE, PassedOver, choose
from dlreg.commands.tune_results import Ended
from dlreg.evaluation.bootstrap import metric_interval
from dlreg.search.space import Choices, Range, Search
from dlreg.search.trials import Trial, TrialResult

SEARCH = Search("out_of_fold.rmse", 2, None, "tpe", {}, None, prune=False, is_default=True)


def trials(own, best, interval, metric="rmse"):
    """Trial 0 and a better one; of the metrics that are made of squared errors only their root counts."""
    values = {"rmse": {"rmse": own}, "mse": {"mse": own**2, "rmse": own}, "r2": {"r2": 1 - own, "rmse": own}}
    others = {
        "rmse": {"rmse": best},
        "mse": {"mse": best**2, "rmse": best},
        "r2": {"r2": 1 - best, "rmse": best},
    }
    results = [
        TrialResult(number, "complete", each[metric], {"out_of_fold": each})
        for number, each in enumerate((values[metric], others[metric]))
    ]
    return [Ended(Trial(0, {}), replace(results[0], interval=interval)), Ended(Trial(1, {}), results[1])]


@pytest.mark.parametrize("metric", ["rmse", "mse", "r2"])
@pytest.mark.parametrize(
    ("best", "interval", "kept"),
    [
        (0.99, (0.88, 1.12), 1),
        (0.80, (0.70, 1.30), 0),
        (0.69, (0.70, 1.30), 1),
        (0.99, None, 1),
    ],
    ids=["many rows", "few rows", "few rows, far better", "a study of before"],
)
def test_where_few_rows_decide_a_trial_has_to_leave_the_interval(metric, best, interval, kept):
    search = replace(SEARCH, metric=f"out_of_fold.{metric}")
    choice = choose(trials(1.0, best, interval, metric), search)
    assert choice.kept.trial.number == kept
    assert (choice.passed_over is None) == (kept == 1)


def test_what_is_passed_over_is_known_with_the_reason():
    passed_over = choose(trials(2.0, 1.5, (1.2, 2.8)), SEARCH).passed_over
    assert passed_over == PassedOver(1, 1.5, "rmse", pytest.approx(25), pytest.approx(40))


def test_who_names_the_keys_is_given_the_best_trial():
    choice = choose(trials(1.0, 0.8, (0.7, 1.3)), replace(SEARCH, is_default=False))
    assert (choice.kept.trial.number, choice.passed_over) == (1, None)


def test_the_own_values_are_no_choice_where_they_did_not_train_to_the_end():
    first, second = trials(1.0, 0.8, (0.7, 1.3))
    failed = Ended(first.trial, TrialResult(0, "failed", message="the loss is not finite"))
    assert choose([failed, second], SEARCH).kept is second
    assert choose([failed], SEARCH).kept is None
    assert choose([first], SEARCH) == (first, None)
    assert choose([], SEARCH) == (None, None)


def test_the_limit_is_where_a_hundred_rows_with_normal_errors_stand_or_a_few_of_many_make_the_error():
    """Against 1.96 / √(2n), the half width by the normal distribution."""
    generator = np.random.default_rng(0)

    def unsure(errors):
        low, high = metric_interval("rmse", errors, np.zeros(len(errors)))
        return (high - low) / 2 / np.sqrt(np.mean(errors**2))

    assert np.mean([unsure(generator.normal(size=114)) for _ in range(20)]) == pytest.approx(
        MOST_UNSURE, rel=0.1
    )
    assert unsure(generator.normal(size=1000)) < MOST_UNSURE / 2
    assert unsure(np.append(generator.normal(size=500), [25.0, -25.0])) > MOST_UNSURE


SPACE = {"training.learning_rate": Range(0.001, 0.1), "model.ensemble": Choices((2,))}
OWN = {"training.learning_rate": 0.01, "model.ensemble": 1}
LARGER, OTHER = OWN | {"model.ensemble": 2}, {"training.learning_rate": 0.05, "model.ensemble": 2}
WIDE, NARROW = (0.8, 1.2), (0.95, 1.05)


def ended(number, error, values, interval=None):
    metrics = {"out_of_fold": {"rmse": error}}
    return Ended(
        Trial(number, values), TrialResult(number, "complete", error, metrics, 1, 1, interval=interval)
    )


@pytest.mark.parametrize(
    ("interval", "larger", "other", "expected"),
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
    interval, larger, other, expected
):
    search = replace(SEARCH, space=SPACE)
    choice = choose([ended(0, 1.0, OWN, interval), ended(1, larger, LARGER), ended(2, other, OTHER)], search)
    assert (choice.kept.trial.number, choice.passed_over and choice.passed_over.number) == expected


def test_without_such_a_trial_the_config_itself_stays():
    choice = choose([ended(0, 1.0, OWN, WIDE), ended(2, 0.97, OTHER)], replace(SEARCH, space=SPACE))
    assert (choice.kept.trial.number, choice.passed_over.number) == (0, 2)
