"""The best of some trials, why others failed, and where an optimum stands at an edge."""

import math

import pytest

from dlreg.commands.tune_results import (
    Edge,
    Ended,
    count_trials,
    find_best,
    find_edges,
    find_failures,
    value_text,
)
from dlreg.search.space import Choices, Range
from dlreg.search.trials import Trial, TrialResult


def ended(number, value, state="complete", message=None):
    return Ended(Trial(number, {}), TrialResult(number, state, value, message=message))


def test_the_best_trial_is_a_complete_one_and_of_equal_ones_the_first():
    trials = [
        ended(0, 5.0),
        ended(1, 1.0, "pruned"),
        ended(2, 3.0),
        ended(3, 3.0),
        ended(4, None, "failed"),
        ended(5, math.nan),
        ended(6, -math.inf),
    ]
    assert find_best(trials, maximise=False).trial.number == 2
    assert find_best(trials, maximise=True).trial.number == 0
    assert find_best(trials[4:], maximise=False) is None
    assert find_best([], maximise=False) is None
    assert count_trials(trials) == {"finished": 7, "complete": 5, "pruned": 1, "failed": 1}


def test_the_most_common_reason_of_failures_comes_first():
    failed = [ended(n, None, "failed", message) for n, message in enumerate(["a", "b", "b", None])]
    first, *others = find_failures([*failed, ended(9, 1.0)])
    assert (first.message, first.count, first.number) == ("b", 2, 1)
    assert {failure.message for failure in others} == {"a", "no reason is known"}
    assert find_failures([ended(0, 1.0)]) == []


@pytest.mark.parametrize(
    ("key", "what", "value", "end"),
    [
        ("training.learning_rate", Range(1e-4, 1e-1, is_log=True), 0.09, "upper"),
        ("training.learning_rate", Range(1e-4, 1e-1, is_log=True), 1.2e-4, "lower"),
        # By logarithms it is far from the end; without, it is at it.
        ("training.learning_rate", Range(1e-4, 1e-1, is_log=True), 3e-3, None),
        ("training.learning_rate", Range(1e-4, 1e-1), 3e-3, "lower"),
        ("model.dropout", Range(0.0, 0.5), 0.0, None),
        ("model.dropout", Range(0.1, 0.5), 0.1, "lower"),
        ("model.dropout", Range(0.0, 0.5), 0.49, "upper"),
        ("model.dropout", Range(0.0, 0.5), [0.1, 0.2], None),
        ("model.ensemble", Range(1, 8, is_integer=True), 8, "upper"),
        ("model.ensemble", Range(1, 8, is_integer=True), 1, None),
        ("model.ensemble", Range(3, 3, is_integer=True), 3, None),
        ("training.batch_size", Choices((256, 32, 64)), 256, "upper"),
        ("training.batch_size", Choices((256, 32, 64)), 64, None),
        ("training.batch_size", Choices((32, 64)), 64, None),
        ("training.clip_norm", Choices((None, 1.0, 2.0)), 2.0, None),
        ("model.hidden_layers", Choices(([8], [16], [32])), [32], None),
        ("model.batch_norm", Choices((False, True)), True, None),
        # The config's own value, outside of what is searched.
        ("training.learning_rate", Range(1e-4, 1e-1), 0.5, None),
    ],
)
def test_an_optimum_at_an_edge_that_could_be_moved_is_found(key, what, value, end):
    limit = {None: None, "lower": "minimum", "upper": "maximum"}[end]
    numbers = sorted(what.values) if end and isinstance(what, Choices) else None
    expected = numbers[-1 if end == "upper" else 0] if numbers else limit and getattr(what, limit)
    assert find_edges({key: what}, {key: value}) == ([Edge(key, value, end, expected)] if end else [])


def test_values_are_told_as_a_config_has_them():
    values = (0.0123456, 1e-5, [64, 64], None, True, "robust", 3, {"name": "cosine"})
    assert [value_text(value) for value in values] == [
        "0.01235", "1e-05", "[64, 64]", "null", "true", "robust", "3", '{"name": "cosine"}',
    ]  # fmt: skip
