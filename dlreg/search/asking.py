"""What Optuna, or the grid, would try next: a function of the seed, the space and the results known by then.

Optuna is asked in memory, where it is told results in the order of the trials' numbers. It so knows the same
at each question, whatever ended first. The same values would give the same result, so that none are tried
twice: where Optuna draws some again, the next point that has not been tried takes their place.
"""

import json
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.storages import BaseStorage, InMemoryStorage
from optuna.trial import FrozenTrial, TrialState

from dlreg.search.parameters import distributions_of, grid_points, values_of
from dlreg.search.space import Space, brought_inside, count_trials, is_finite, is_within
from dlreg.search.stored import template
from dlreg.search.study import Method
from dlreg.search.trials import Trial, TrialResult


class Asking:
    """Values to try, trial by trial.

    Args:
        space: What may be tried.
        method: How.
        seed: Of everything drawn.
        own_values: What the config itself has, which trial 0 tries: in the space or not. Where they are not,
            and there is but one way into it, trial 1 takes that; a grid has it anyway.
        maximise: Whether the largest value is the best.
    """

    def __init__(
        self, space: Space, method: Method, seed: int, own_values: Mapping[str, Any], maximise: bool
    ) -> None:
        self._space, self._method, self._seed, self._own_values = space, method, seed, own_values
        self._distributions = distributions_of(space)
        self._outside: set[int] = set()
        self._sign = -1 if maximise else 1
        self._storage: BaseStorage = InMemoryStorage()
        with without_notes():
            self._study = optuna.create_study(storage=self._storage, study_name="search")
        self._study_id = self._storage.get_study_id_from_name("search")
        self._points = grid_points(space, seed, own_values) if is_finite(space) else iter(())
        self._tried: set[str] = set()
        # Optuna's numbers of the trials.
        self._ids: list[int] = []
        # How many trials there can be; None: any number.
        own_is_inside = is_within(own_values, space)
        self.limit = count_trials(space, own_is_inside=own_is_inside) if is_finite(space) else None

    def ask(self, number: int) -> Mapping[str, Any] | None:
        """The values of the next trial; None where everything has been tried.

        Args:
            number: How many trials were asked for and taken over before.
        """
        nearest = brought_inside(self._own_values, self._space) if number == 1 else None
        if number == 0:
            values: Mapping[str, Any] | None = dict(self._own_values)
        elif nearest and self._method != "grid":
            values = nearest
        elif self._method == "grid":
            values = self._next_point()
        else:
            # A seed of its own, so that nothing is left over from trial to trial.
            drawn = int(np.random.SeedSequence([self._seed, number]).generate_state(1)[0])
            self._study.sampler = sampler(self._method, drawn, self._distributions)
            asked = self._study.ask(self._distributions)
            values = values_of(asked.params, self._space)
            if self.limit is None or _text(values) not in self._tried:
                self._tried.add(_text(values))
                self._ids.append(asked._trial_id)
                return values
            # Optuna leaves out what failed.
            self._storage.set_trial_state_values(asked._trial_id, TrialState.FAIL)
            values = self._next_point()
        if values is not None:
            self.take_over(number, values)
        return values

    def take_over(self, number: int, values: Mapping[str, Any]) -> None:
        """Takes a trial as running whose values are known."""
        if not is_within(values, self._space):
            self._outside.add(number)
        self._tried.add(_text(values))
        trial = template(Trial(number, values), self._space, self._distributions)
        self._ids.append(self._storage.create_new_trial(self._study_id, trial))

    def tell(self, result: TrialResult) -> None:
        """Takes the result of a trial into account.

        A trial that failed is among the worst, so that its like is avoided: Optuna would forget it. Values
        outside of the space are of no use to it: trial 0 is then left out.
        """
        trial_id = self._ids[result.number]
        if result.number in self._outside:
            self._storage.set_trial_state_values(trial_id, TrialState.FAIL)
        elif result.state == "complete" and result.value is not None:
            self._storage.set_trial_state_values(trial_id, TrialState.COMPLETE, [self._sign * result.value])
        else:
            curve = result.curve if result.state == "pruned" else {}
            for epoch, loss in curve.items():
                self._storage.set_trial_intermediate_value(trial_id, epoch, loss)
            self._storage.set_trial_state_values(trial_id, TrialState.PRUNED)

    def _next_point(self) -> Mapping[str, Any] | None:
        """The first point of the grid that has not been tried; None where there is none."""
        return next((point for point in self._points if _text(point) not in self._tried), None)


def _text(values: Mapping[str, Any]) -> str:
    return json.dumps(values, sort_keys=True)


def sampler(method: Method, seed: int | None, distributions: dict[str, BaseDistribution]) -> BaseSampler:
    """Optuna's sampler.

    TPE models the parameters together (`multivariate`: Falkner, Klein and Hutter 2018) and counts running
    trials as bad ones (`constant_liar`), so that many at a time are not alike. Until there are ten results,
    values are drawn at random.

    Args:
        method: A grid has none, and gets one that is not used.
        seed: None: another each time.
        distributions: Of every trial.
    """
    return _OfOneSpace(seed, distributions) if method == "tpe" else RandomSampler(seed=seed)


class _OfOneSpace(TPESampler):
    """TPE for trials that all have the same parameters: Optuna would compare all trials each time."""

    def __init__(self, seed: int | None, distributions: dict[str, BaseDistribution]) -> None:
        with without_notes():
            super().__init__(seed=seed, multivariate=True, constant_liar=True, n_startup_trials=10)
        self._distributions = distributions

    def infer_relative_search_space(
        self,
        study: optuna.Study,  # noqa: ARG002 - as Optuna calls it
        trial: FrozenTrial,  # noqa: ARG002
    ) -> dict[str, BaseDistribution]:
        """Those with a choice."""
        return {key: value for key, value in self._distributions.items() if not value.single()}


@contextmanager
def without_notes() -> Iterator[None]:
    """Uses Optuna without its log lines, and its warnings that a part of it is experimental."""
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module=r"optuna\.|dlreg\.search")
            yield
    finally:
        optuna.logging.set_verbosity(verbosity)
