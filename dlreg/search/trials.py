"""What a search hands around: a trial, its result, and the engine that runs trials."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

# `complete`: trained to its end; `pruned`: ended before, as others were better by then; `failed`: diverged,
# or its values contradict each other.
TrialState = Literal["complete", "pruned", "failed"]
# Metrics by part and name, such as those of `metrics.json`; None of a part without rows.
Metrics = Mapping[str, Mapping[str, float | None] | None]


def error_of(metric: str) -> str:
    """The error that puts trials into the order of a metric: where it is made of squared errors, their root.

    Args:
        metric: Its name without its part.
    """
    return metric if metric in ("mae", "mape") else "rmse"


@dataclass(frozen=True)
class Trial:
    """Values to try.

    Attributes:
        number: Counts the trials of a study from 0; trial 0 is the config as it stands.
        values: A plain value, as JSON has it, by dotted key; what is not named is as in the config.
        stops: By epoch, 1-based, the lowest validation loss so far at which training does not go on; empty
            where nothing is pruned.
    """

    number: int
    values: Mapping[str, Any]
    stops: Mapping[int, float] = field(default_factory=dict)


@dataclass(frozen=True)
class TrialResult:
    """What came of a trial.

    Attributes:
        number: Of the trial.
        state: See `TrialState`.
        value: The metric that is searched by; None where the trial did not come to its end.
        metrics: Of every part but test, the same numbers as in `metrics.json`; none where it did not.
        epochs: How many there were.
        best_epoch: The one whose weights are kept, 1-based.
        curve: The lowest validation loss so far at some epochs, 1-based, for `dlreg.search.pruning`.
        seconds: It took, training included.
        training_seconds: The training alone.
        message: Why it failed.
        interval: Of trial 0 the 95% interval of its error, the one of `error_of`, by a bootstrap of the rows
            that trials are compared by; None of others.
    """

    number: int
    state: TrialState
    value: float | None = None
    metrics: Metrics = field(default_factory=dict)
    epochs: int = 0
    best_epoch: int = 0
    curve: Mapping[int, float] = field(default_factory=dict)
    seconds: float = 0.0
    training_seconds: float = 0.0
    message: str | None = None
    interval: tuple[float, float] | None = None


class Engine(Protocol):
    """Runs trials, several at once, in whatever order they end.

    A trial whose process or machine is lost is tried again by the engine itself.
    """

    @property
    def n_jobs(self) -> int:
        """How many trials run at once; more may be submitted, and wait."""

    def submit(self, trial: Trial) -> None:
        """Hands a trial out."""

    def wait(self, seconds: float) -> list[TrialResult]:
        """The trials that ended since the last call; waits that long until there is one.

        Raises:
            ClusterError: Workers are lost and not replaced; nothing comes any more (exit code 75).
        """
