"""What a training or a search tells its trackers: plain values that are the same in JSON."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from dlreg.training.progress import Progress


@dataclass(frozen=True)
class Opening:
    """A run that begins, or goes on.

    Attributes:
        path: Where the finished run will stand, absolute.
        tracking_id: Tells the run from all others; the same when it goes on.
        parameters: Every key of the config by its dotted name; lists and mappings of columns as JSON.
        tags: Further facts: versions, the hash of the data.
        started: When it began, in seconds since 1970.
    """

    path: str
    tracking_id: str
    parameters: dict[str, Any]
    tags: dict[str, str]
    started: float


class Epoch(NamedTuple):
    """An epoch that is over.

    Attributes:
        step: 1-based; epochs of refitting go on counting.
        time: When it was told, in seconds since 1970.
        values: The names of `history.json`, with `refit_` before those of refitting.
    """

    step: int
    time: float
    values: dict[str, float]


@dataclass(frozen=True)
class Finish:
    """A run that is complete.

    Attributes:
        metrics: Every number of its results by its dotted name, such as `test.rmse`.
        figures: A folder of figures in PNG.
        files: Absolute paths of what is kept with the run, the pipeline apart.
        pipeline: That of `pipeline.onnx`.
        example: A row that can be predicted, by column.
        finished: When it was complete, in seconds since 1970.
    """

    metrics: dict[str, float]
    figures: str
    files: list[str]
    pipeline: str
    example: dict[str, Any]
    finished: float


@dataclass(frozen=True)
class StudyOpening:
    """A search that begins, or goes on.

    Attributes:
        path: The study directory, absolute.
        tracking_id: Tells the study from all others; the same when it goes on.
        parameters: Every key of the config by its dotted name, and how it is searched.
        tags: Further facts: versions, the hash of the data.
        started: When it began, in seconds since 1970.
        metric: What is searched by, such as `validation.rmse`.
        space: What is tried of each key: `min` and `max`, or `values`.
    """

    path: str
    tracking_id: str
    parameters: dict[str, Any]
    tags: dict[str, str]
    started: float
    metric: str
    space: dict[str, dict[str, Any]]


class ToldTrial(NamedTuple):
    """A trial that has ended.

    Attributes:
        number: Of the trial.
        state: `complete`, `pruned` or `failed`.
        values: Of each key that is searched; lists and mappings as JSON.
        metrics: By dotted name, such as `validation.rmse`.
        began: In seconds since 1970.
        ended: The same.
        is_best: Whether it is the best so far.
    """

    number: int
    state: str
    values: dict[str, Any]
    metrics: dict[str, float]
    began: float
    ended: float
    is_best: bool


@dataclass(frozen=True)
class StudyFinish:
    """A study that is complete.

    Attributes:
        metrics: Every number of the best run by its dotted name, such as `test.rmse`.
        files: Absolute paths of what is kept with the study, figures among them.
        finished: When it was complete, in seconds since 1970.
    """

    metrics: dict[str, float]
    files: list[str]
    finished: float


def epochs_of(progress: Progress, times: Sequence[float], since: int) -> list[Epoch]:
    """The epochs of a training that come after the first `since`.

    Args:
        progress: Of the training.
        times: When each was over.
        since: How many to leave out.
    """
    return [
        Epoch(
            number + 1,
            times[number],
            {name: values[number] for name, values in progress.history.items()}
            if number < progress.epoch
            else {
                f"refit_{name}": values[number - progress.epoch] for name, values in progress.refit.items()
            },
        )
        for number in range(since, len(progress.values))
    ]
