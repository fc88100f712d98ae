"""A study: which trials there are, and what came of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any, Literal, Protocol

from dlreg.search.space import Space
from dlreg.search.trials import Trial, TrialResult

Method = Literal["tpe", "random", "grid"]


@dataclass(frozen=True)
class StudyPlan:
    """What decides the values of every trial.

    Attributes:
        space: What may be tried.
        method: How.
        seed: Of everything drawn.
        window: A trial is asked for when the results of all but that many before it are known, and with no
            others.
        maximise: Whether the largest value is the best.
        own_values: Of the config, which trial 0 tries: in the space or not.
        prune_epochs: The most epochs of a trial, where trials that fall behind end before; None: none does.
    """

    space: Space
    method: Method
    seed: int
    window: int
    maximise: bool
    own_values: Mapping[str, Any]
    prune_epochs: int | None = None


class Study(Protocol):
    """What the driver needs."""

    plan: StudyPlan

    def next_trial(self, n_trials: int) -> Trial | None:
        """A trial to hand out: first those that were not finished before; None if there is none by now.

        Args:
            n_trials: How many the study is to have.

        Raises:
            StorageError: The storage cannot be read or written.
        """

    def tell(self, result: TrialResult) -> None:
        """Keeps a result, until `save` puts it into the storage."""

    def save(self, *, is_last: bool = False) -> None:
        """Puts what is new into the storage.

        Args:
            is_last: Whether nothing more comes.

        Raises:
            StorageError: It cannot be written.
        """

    def is_finished(self, n_trials: int) -> bool:
        """Whether so many trials have a result, or everything has been tried."""

    def trials(self) -> Sequence[tuple[Trial, TrialResult | None]]:
        """Every trial with its result, in the order of their numbers; without where it is not finished."""


def usable(result: TrialResult) -> TrialResult:
    """A result whose value can be compared: one that is not finite is a failed trial's."""
    if result.state != "complete" or (result.value is not None and isfinite(result.value)):
        return result
    message = f"expected a finite value to compare trials by, found {result.value}"
    return replace(result, state="failed", value=None, message=message)
