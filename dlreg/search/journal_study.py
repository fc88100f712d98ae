"""A study in a file, driven by one process: the same to the bit whatever ends first, is killed or resumed."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import optuna
from optuna.storages import JournalStorage
from optuna.study import StudyDirection

from dlreg.errors import Fault, RunDirError
from dlreg.search.asking import Asking, without_notes
from dlreg.search.journal_file import SoleWriter
from dlreg.search.parameters import distributions_of
from dlreg.search.pruning import Pruning
from dlreg.search.stored import (
    keep_result,
    plan_differences,
    plan_to_json,
    stored_result,
    stored_trial,
    template,
)
from dlreg.search.study import StudyPlan, usable
from dlreg.search.trials import Trial, TrialResult

NAME = "dlreg"


class JournalStudy:
    """A study in a journal file.

    Trial k is asked for when the results of all trials up to k − window are known, and knows no others. The
    file says what came of each trial; in which order that happened does not count. A question that a kill
    lost is asked again and answered the same; a trial without a result is handed out again.

    Args:
        path: The file, which need not exist yet. Nobody else writes it.
        plan: Of a new study; one that exists keeps its window.

    Raises:
        RunDirError: The file is damaged, or of another plan.
        StorageError: It cannot be read or written.
    """

    def __init__(self, path: Path, plan: StudyPlan) -> None:
        with _reading(path), without_notes():
            self._file = SoleWriter(path)
            self._storage = JournalStorage(self._file)
            self._id, self.plan = self._open(path, plan)
            stored = self._storage.get_all_trials(self._id, deepcopy=False)
            self._trials = [stored_trial(trial, plan.space) for trial in stored]
            self._results = {trial.number: result for trial in stored if (result := stored_result(trial))}
            for trial in stored:
                if trial.number not in self._results and trial.state.is_finished():
                    raise ValueError(f"trial {trial.number} has no result")
                if trial.number in self._results and not trial.state.is_finished():
                    trial_id = self._storage.get_trial_id_from_study_id_trial_number(self._id, trial.number)
                    keep_result(self._storage, trial_id, self._results[trial.number])
        self._left = [trial for trial in self._trials if trial.number not in self._results]
        self._n_told, self._pruning = 0, Pruning(plan.prune_epochs)
        self._distributions = distributions_of(plan.space)

    def next_trial(self, n_trials: int) -> Trial | None:
        """See `Study`."""
        if self._left and self._left[0].number < n_trials:
            return self._left.pop(0)
        number = len(self._trials)
        if number >= n_trials or not self._tell_up_to(number - self.plan.window):
            return None
        values = self._asking.ask(number)
        if values is None:
            return None
        trial = Trial(number, values, self._pruning.stops(values))
        self._storage.create_new_trial(self._id, template(trial, self.plan.space, self._distributions))
        self._trials.append(trial)
        return trial

    def tell(self, result: TrialResult) -> None:
        """See `Study`; a second result of the same trial is of no account."""
        if result.number not in self._results:
            result = usable(result)
            trial_id = self._storage.get_trial_id_from_study_id_trial_number(self._id, result.number)
            keep_result(self._storage, trial_id, result)
            self._results[result.number] = result

    def save(self, *, is_last: bool = False) -> None:
        """See `Study`: one write for all that is new."""
        self._file.write(is_last=is_last)

    def is_finished(self, n_trials: int) -> bool:
        """See `Study`."""
        n_trials = min(n_trials, self._asking.limit or n_trials)
        return len(self._results) >= n_trials and all(number in self._results for number in range(n_trials))

    def trials(self) -> Sequence[tuple[Trial, TrialResult | None]]:
        """See `Study`."""
        return [(trial, self._results.get(trial.number)) for trial in self._trials]

    @cached_property
    def _asking(self) -> Asking:
        """Optuna's state of knowledge before anything is told."""
        plan = self.plan
        asking = Asking(plan.space, plan.method, plan.seed, plan.own_values, plan.maximise)
        for trial in self._trials:
            asking.take_over(trial.number, trial.values)
        return asking

    def _tell_up_to(self, last: int) -> bool:
        """Tells Optuna the results up to that of a trial, in order; whether they are all there."""
        while (number := self._n_told) <= last:
            if number not in self._results:
                return False
            self._asking.tell(self._results[number])
            self._pruning.tell(self._trials[number], self._results[number])
            self._n_told += 1
        return True

    def _open(self, path: Path, plan: StudyPlan) -> tuple[int, StudyPlan]:
        """Optuna's number of the study, which is made where there is none, and its plan."""
        asked = plan_to_json(plan)
        if self._file.is_new:
            direction = StudyDirection.MAXIMIZE if plan.maximise else StudyDirection.MINIMIZE
            self._storage.create_new_study([direction], NAME)
        study_id = self._storage.get_study_id_from_name(NAME)
        kept = self._storage.get_study_user_attrs(study_id).get("plan")
        if kept is None and not self._storage.get_all_trials(study_id, deepcopy=False):
            self._storage.set_study_user_attr(study_id, "plan", asked)
            return study_id, plan
        if not isinstance(kept, dict):
            raise TypeError("its plan is missing")
        if differences := plan_differences(kept, asked):
            message = f"the study has another {', '.join(differences)}"
            raise RunDirError(Fault(message, str(path), hint="Begin a new study, with another --study"))
        if (window := int(kept["window"])) < 1:
            raise ValueError(f"its window is {window}")
        return study_id, replace(plan, window=window)


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Turns what Optuna makes of a damaged journal into a fault.

    Raises:
        RunDirError: In place of it.
    """
    try:
        yield
    except (
        ArithmeticError, AssertionError, AttributeError, LookupError, RecursionError, TypeError, ValueError,
        optuna.exceptions.OptunaError,
    ) as error:  # fmt: skip
        hint = "Take it back from a copy, or begin a new study, with another --study"
        raise RunDirError(
            Fault(f"the journal of the study is damaged: {error}", str(path), hint=hint)
        ) from error
