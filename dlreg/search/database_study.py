"""A study in a database, which several drivers share: values depend on which trial ends first."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from itertools import islice
from typing import Any

import optuna
from optuna.storages import RDBStorage, RetryHeartbeatStaleTrialCallback, fail_stale_trials
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from dlreg.errors import Fault, RunDirError, StorageError, UsageError
from dlreg.search.asking import sampler, without_notes
from dlreg.search.parameters import (
    distributions_of,
    grid_points,
    params_of,
    suggest,
    values_of,
)
from dlreg.search.pruning import Pruning
from dlreg.search.space import brought_inside, count_trials, is_within
from dlreg.search.stored import keep_result, plan_differences, plan_to_json, stops_of, stored_result, texts
from dlreg.search.study import StudyPlan, usable
from dlreg.search.trials import Trial, TrialResult

_SECONDS_BETWEEN_BEATS = 20
_SECONDS_UNTIL_LOST = 120
# By which Optuna's callback leads from a trial to the one it tries again, and what marks one too many.
_RETRIED, _SURPLUS = "failed_trial", "surplus"


class DatabaseStudy:
    """A study in a database.

    Every driver tells the database several times a minute that its trials run. What a driver that died was
    running is tried again by another after two minutes, as Optuna has it: as a further trial of the database
    with the same values, and here under the number of the first.

    Args:
        url: As SQLAlchemy has it.
        name: Of the study; a database holds several.
        plan: The same for every driver.

    Raises:
        RunDirError: The study of this name is of another plan.
        StorageError: The database does not answer.
        UsageError: The URL is none, or its library is not installed.
    """

    def __init__(self, url: str, name: str, plan: StudyPlan) -> None:
        self.plan = plan
        self._place = _without_password(url)
        with self._answering(), without_notes():
            try:
                self._storage = RDBStorage(
                    url,
                    heartbeat_interval=_SECONDS_BETWEEN_BEATS,
                    grace_period=_SECONDS_UNTIL_LOST,
                    heartbeat_stale_trial_callback=RetryHeartbeatStaleTrialCallback(),
                )
            except (ArgumentError, ImportError, NoSuchModuleError) as error:
                hint = (
                    "Install the library of this database, or name another, as in sqlite:////shared/study.db"
                )
                raise UsageError(Fault(f"{self._place}: {error}", hint=hint)) from None
            direction = StudyDirection.MAXIMIZE if plan.maximise else StudyDirection.MINIMIZE
            self._study = optuna.create_study(
                storage=self._storage, study_name=name, direction=direction, load_if_exists=True
            )
            asked = plan_to_json(plan)
            kept = self._study.user_attrs.get("plan")
            if kept is None:
                self._study.set_user_attr("plan", asked)
            elif differences := plan_differences(kept, asked):
                message = f"the study {name} has another {', '.join(differences)}"
                raise RunDirError(Fault(message, self._place, hint="Begin a new study, with another --study"))
        self._distributions = distributions_of(plan.space)
        self._id = self._storage.get_study_id_from_name(name)
        # In the hands of this driver: the number that the database has for it, by that of the trial.
        self._running: dict[int, int] = {}
        self._beaten = self._swept = float("-inf")

    def next_trial(self, n_trials: int) -> Trial | None:
        """See `Study`."""
        with self._answering(), without_notes():
            if time.monotonic() - self._swept > _SECONDS_BETWEEN_BEATS:
                fail_stale_trials(self._study)
                self._swept = time.monotonic()
            known = self._study.get_trials(deepcopy=False)
            is_waiting = any(trial.state == TrialState.WAITING for trial in known)
            if not is_waiting and sum(map(_is_original, known)) >= self._limit(n_trials):
                return None
            self._study.sampler = sampler(self.plan.method, None, self._distributions)
            asked = self._study.ask()
            trial_id = self._trial_id(asked.number)
            self._storage.record_heartbeat(trial_id)
            number = self._numbers()[asked.number]
            if number >= self._limit(n_trials):
                # Another driver was quicker.
                asked.set_user_attr(_SURPLUS, True)
                self._study.tell(asked, state=TrialState.FAIL)
                return None
            trial = self._prepare(asked, trial_id, number)
            self._running[number] = asked.number
            return trial

    def tell(self, result: TrialResult) -> None:
        """See `Study`."""
        result = usable(result)
        if (number := self._running.pop(result.number, None)) is not None:
            # A driver that was away for long finds its trials taken up by another.
            with self._answering(), suppress(optuna.exceptions.UpdateFinishedTrialError):
                keep_result(self._storage, self._trial_id(number), replace(result, number=number))

    def save(self, *, is_last: bool = False) -> None:  # noqa: ARG002 - nothing is kept back
        """See `Study`: results are there already; says that what is not finished runs."""
        if time.monotonic() - self._beaten > _SECONDS_BETWEEN_BEATS:
            with self._answering():
                for number in self._running.values():
                    self._storage.record_heartbeat(self._trial_id(number))
            self._beaten = time.monotonic()

    def is_finished(self, n_trials: int) -> bool:
        """See `Study`: those of other drivers too."""
        return sum(result is not None for _, result in self.trials()) >= self._limit(n_trials)

    def trials(self) -> Sequence[tuple[Trial, TrialResult | None]]:
        """See `Study`."""
        with self._answering(), without_notes():
            stored = self._study.get_trials(deepcopy=False)
        order = self._numbers(stored)
        found: dict[int, tuple[Trial, TrialResult | None]] = {}
        for trial in stored:
            if not trial.user_attrs.get(_SURPLUS) and (trial.params or "values" in trial.user_attrs):
                number = order[trial.number]
                result = stored_result(trial)
                found[number] = self._trial(trial, number), result and replace(result, number=number)
        return [found[number] for number in sorted(found)]

    def _limit(self, n_trials: int) -> int:
        """How many trials there are to be: a grid may have fewer points."""
        if self.plan.method != "grid":
            return n_trials
        space = self.plan.space
        return min(n_trials, count_trials(space, own_is_inside=is_within(self.plan.own_values, space)))

    def _numbers(self, stored: Sequence[FrozenTrial] | None = None) -> list[int]:
        """The number of each trial of the database: those tried again have that of the first."""
        numbers: list[int] = []
        n_originals = 0
        for trial in self._study.get_trials(deepcopy=False) if stored is None else stored:
            first = trial.system_attrs.get(_RETRIED)
            numbers.append(n_originals if first is None else numbers[first])
            n_originals += _is_original(trial)
        return numbers

    def _trial_id(self, number: int) -> int:
        return self._storage.get_trial_id_from_study_id_trial_number(self._id, number)

    def _prepare(self, asked: optuna.Trial, trial_id: int, number: int) -> Trial:
        """Gives a trial its values: those of before, of the config, of a point of the grid, or of Optuna."""
        space, attributes = self.plan.space, asked.user_attrs
        if asked.params or "values" in attributes:
            return Trial(
                number, attributes.get("values") or values_of(asked.params, space), stops_of(attributes)
            )
        values: Mapping[str, Any]
        nearest = brought_inside(self.plan.own_values, space) if number == 1 else None
        if number == 0:
            values = self.plan.own_values
        elif nearest and self.plan.method != "grid":
            values = nearest
        elif self.plan.method == "grid":
            points = grid_points(space, self.plan.seed, self.plan.own_values)
            values = next(islice(points, number - 1, None))
        else:
            values = values_of(suggest(asked, self._distributions), space)
        if not is_within(values, space):
            asked.set_user_attr("values", dict(values))
        elif not asked.params:
            for key, param in params_of(values, space).items():
                distribution = self._distributions[key]
                internal = distribution.to_internal_repr(param)
                self._storage.set_trial_param(trial_id, key, internal, distribution)
        pruning = Pruning(self.plan.prune_epochs)
        for other, result in self.trials():
            if result:
                pruning.tell(other, result)
        trial = Trial(number, values, pruning.stops(values))
        asked.set_user_attr("stops", texts(trial.stops))
        return trial

    def _trial(self, stored: FrozenTrial, number: int) -> Trial:
        values = stored.user_attrs.get("values") or values_of(stored.params, self.plan.space)
        return Trial(number, values, stops_of(stored.user_attrs))

    @contextmanager
    def _answering(self) -> Iterator[None]:
        """Turns what goes wrong with the database into a fault.

        Raises:
            StorageError: In place of it.
        """
        try:
            yield
        except (SQLAlchemyError, optuna.exceptions.StorageInternalError) as error:
            reason = str(error.__cause__ or error).partition("\n")[0]
            hint = "Check that the database runs and may be written; then go on with --resume"
            raise StorageError(Fault(f"{self._place}: {reason}", hint=hint)) from error


def _is_original(trial: FrozenTrial) -> bool:
    """Whether a trial of the database counts as one of the search."""
    return _RETRIED not in trial.system_attrs and _SURPLUS not in trial.user_attrs


def _without_password(url: str) -> str:
    with suppress(ArgumentError):
        return make_url(url).render_as_string(hide_password=True)
    return "the URL of the database"
