import json
from itertools import islice, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.search_driver import OWN_VALUES, SPACE, Shuffled, open_it

from dlreg.search.asking import Asking
from dlreg.search.driver import search
from dlreg.search.parameters import distributions_of, grid_points, params_of, values_of
from dlreg.search.sampling import open_study
from dlreg.search.space import Choices, Range, brought_inside, count_trials, is_within
from dlreg.search.trials import TrialResult

GRID = {
    "model.hidden_layers": Choices(([], [32], [64, 64])),
    "preprocessing.numeric": Choices(("standard", "quantile", None)),
    "training.batch_size": Range(8, 12, is_integer=True),
}


def ask_all(asking, n_trials, value, window=1):
    """The values of trials that are told in order, a window behind."""
    asked = []
    for number in range(n_trials):
        if number >= window:
            told = number - window
            asking.tell(TrialResult(told, "complete", value(asked[told])))
        asked.append(asking.ask(number))
    return asked


@pytest.mark.parametrize("method", ["tpe", "random"])
def test_values_lie_in_the_space_and_are_of_its_types(method):
    asked = ask_all(Asking(SPACE, method, 1, OWN_VALUES, False), 40, lambda values: values["model.dropout"])
    assert all(is_within(values, SPACE) for values in asked)
    assert {type(values["training.batch_size"]) for values in asked} == {int}
    assert len({json.dumps(values) for values in asked}) == 40


def test_random_values_are_drawn_by_their_logarithm_where_that_is_asked():
    asked = ask_all(Asking(SPACE, "random", 1, OWN_VALUES, False), 300, lambda _: 0.0)
    rates = np.log10([values["training.learning_rate"] for values in asked[1:]])
    assert abs(np.mean(rates) + 2.5) < 0.15 and abs(np.std(rates) - 3 / 12**0.5) < 0.1


@pytest.mark.parametrize("maximise", [False, True])
def test_tpe_finds_what_random_values_do_not(maximise):
    sign = -1 if maximise else 1

    def value(values):
        return sign * (
            (np.log10(values["training.learning_rate"]) + 3) ** 2 + (values["model.dropout"] - 0.4) ** 2
        )

    def median_of_last(method, seed):
        asked = ask_all(Asking(SPACE, method, seed, OWN_VALUES, maximise), 70, value, window=8)
        return np.median([sign * value(values) for values in asked[40:]])

    tpe, drawn = ([median_of_last(method, seed) for seed in range(3)] for method in ("tpe", "random"))
    assert max(tpe) < min(drawn) / 2


@pytest.mark.parametrize("method", ["tpe", "random"])
def test_the_second_trial_is_the_config_where_one_way_leads_into_the_space(method):
    space = SPACE | {"model.ensemble": Choices((2,))}
    own_values = OWN_VALUES | {"model.ensemble": 1}
    asked = ask_all(Asking(space, method, 1, own_values, False), 6, lambda _: 1.0)
    assert asked[:2] == [own_values, own_values | {"model.ensemble": 2}]
    assert {values["model.ensemble"] for values in asked[1:]} == {2}
    assert len({str(values) for values in asked}) == 6


def test_there_is_one_way_into_a_space_where_nothing_else_may_be_tried():
    space = {"a": Range(0, 1), "b": Choices((2,)), "c": Choices((3, 4))}
    assert brought_inside({"a": 0.5, "b": 1, "c": 3}, space) == {"a": 0.5, "b": 2, "c": 3}
    assert brought_inside({"a": 0.5, "b": 2, "c": 3}, space) is None
    assert brought_inside({"a": 0.5, "b": 1, "c": 5}, space) is None
    assert brought_inside({"a": 1.5, "b": 1, "c": 3}, space) is None


@pytest.mark.parametrize(
    "outside", [{"model.dropout": 0.9}, {"model.hidden_layers": [7]}, {"training.batch_size": 32.5}]
)
def test_a_config_outside_of_the_space_does_not_spoil_the_search(outside):
    """TPE goes on with all keys together: as if trial 0 had not been, but for the count of trials."""

    def value(values):
        return (np.log10(values["training.learning_rate"]) + 3) ** 2 + values["model.dropout"]

    own_values = OWN_VALUES | outside
    asked = ask_all(
        Asking(SPACE, "tpe", 1, own_values, False), 60, lambda v: -100.0 if v == own_values else value(v)
    )
    assert asked[0] == own_values
    assert all(is_within(values, SPACE) for values in asked[1:])
    assert (
        np.median([value(values) for values in asked[35:]])
        < np.median([value(values) for values in asked[1:12]]) / 3
    )


def test_values_where_trials_fail_are_avoided():
    asking, asked = Asking(SPACE, "tpe", 3, OWN_VALUES, False), []
    for number in range(80):
        if number:
            fails = asked[-1]["training.learning_rate"] > 1e-2
            state, value = ("failed", None) if fails else ("complete", asked[-1]["model.dropout"])
            asking.tell(TrialResult(number - 1, state, value))
        asked.append(asking.ask(number))
    failed = [values["training.learning_rate"] > 1e-2 for values in asked]
    assert sum(failed[1:11]) >= 2 and sum(failed[40:]) <= 3


def test_a_grid_tries_every_point_once_and_the_config_first(tmp_path):
    own_values = {"model.hidden_layers": [32], "preprocessing.numeric": None, "training.batch_size": 9}
    study = open_study(tmp_path / "journal.log", GRID, "grid", 5, 8, False, own_values=own_values)

    class Ends(Shuffled):
        def wait(self, _):
            trials, self._trials = self._trials, []
            return [TrialResult(trial.number, "complete", 1.0) for trial in trials]

    assert search(study, Ends(3, 1), trials=1000) == "complete"
    tried = [trial.values for trial, _ in study.trials()]
    assert tried[0] == own_values
    every = [dict(zip(GRID, point, strict=True)) for point in product(([], [32], [64, 64]), ("standard", "quantile", None), range(8, 13))]  # fmt: skip
    assert sorted(map(json.dumps, tried)) == sorted(map(json.dumps, every))
    again = open_study(tmp_path / "journal.log", GRID, "grid", 5, 8, False, own_values=own_values)
    assert again.is_finished(1000) and again.next_trial(1000) is None


def test_a_grid_with_more_points_than_memory_is_gone_through_as_well():
    space = {f"data.types.{place}": Choices(tuple(range(10))) for place in range(30)}
    assert count_trials(space, own_is_inside=True) == 10**30
    points = [tuple(point.values()) for point in islice(grid_points(space, 3, {}), 200)]
    assert len(set(points)) == 200
    assert 4 < np.mean(points) < 5


@given(st.integers(0, 2**32), st.integers(1, 60))
def test_the_order_of_a_grid_is_a_permutation(seed, size):
    points = [point["k"] for point in grid_points({"k": Choices(tuple(range(size)))}, seed, {})]
    assert sorted(points) == list(range(size))


@given(
    st.lists(
        st.one_of(st.none(), st.booleans(), st.integers(), st.text(), st.lists(st.integers())),
        min_size=1,
        unique_by=json.dumps,
    )
)
def test_any_plain_values_can_be_choices(values):
    space = {"key": Choices(tuple(values))}
    for value in values:
        params = params_of({"key": value}, space)
        assert params["key"] in distributions_of(space)["key"].choices
        assert json.dumps(values_of(params, space)["key"]) in map(json.dumps, values)


def test_truth_is_no_number():
    assert not is_within({"k": True}, {"k": Range(0, 2)})
    assert not is_within({"k": True}, {"k": Choices((1, 2))})
    assert is_within({"k": 1}, {"k": Choices((1.0, 2.0))})
    assert not is_within({}, {"k": Choices((1,))})


def test_the_seed_and_nothing_else_decides(tmp_path):
    studies = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        asked = ask_all(
            Asking(SPACE, "tpe", seed, OWN_VALUES, False), 25, lambda values: values["model.dropout"]
        )
        studies.append(asked)
        np.random.seed(seed + len(name))
    assert studies[0] == studies[1] != studies[2]
    assert open_it(tmp_path).trials() == []


@pytest.mark.parametrize("method", ["tpe", "random", "grid"])
@pytest.mark.parametrize("outside", [False, True])
def test_nothing_is_tried_twice_and_a_search_ends_when_everything_was(method, outside):
    own = {
        "model.hidden_layers": [32],
        "preprocessing.numeric": None,
        "training.batch_size": 32 if outside else 9,
    }
    n_points = 45 + outside

    def ask(asking, n_trials):
        return ask_all(asking, n_trials, lambda values: len(str(values)), window=3)

    whole = Asking(GRID, method, 5, own, False)
    asked = ask(whole, n_points)
    assert whole.limit == n_points == len({json.dumps(values, sort_keys=True) for values in asked})
    assert whole.ask(n_points) is None
    # One that goes on is told of the trials before it, and asks for the same.
    for n_before in (1, 7, 20, 40):
        again = Asking(GRID, method, 5, own, False)
        for number, values in enumerate(asked[:n_before]):
            again.take_over(number, values)
        for told in range(n_before - 3):
            again.tell(TrialResult(told, "complete", len(str(asked[told]))))
        for number in range(n_before, n_points):
            if number >= 3 and number - 3 >= max(0, n_before - 3):
                again.tell(TrialResult(number - 3, "complete", len(str(asked[number - 3]))))
            assert again.ask(number) == asked[number]
