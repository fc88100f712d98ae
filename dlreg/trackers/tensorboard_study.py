"""A study as TensorBoard shows it: an experiment of hyperparameters, each trial a session of its own.

The events stand beside the studies: those of `studies/mine` in `studies/.tensorboard/mine`, and those of each
trial in a folder there. A search writes them anew, also one that goes on, from its first trial.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.plugins.hparams.api_pb2 import STATUS_FAILURE, STATUS_SUCCESS, STATUS_UNKNOWN
from tensorboard.plugins.hparams.summary_v2 import (
    Discrete,
    HParam,
    Metric,
    RealInterval,
    hparams_config_pb,
    hparams_pb,
)

from dlreg.trackers.tensorboard_log import PREFIX, EventFile, events_folder, image, scalars
from dlreg.trackers.told import StudyFinish, StudyOpening, ToldTrial

_STATUS = {"complete": STATUS_SUCCESS, "pruned": STATUS_UNKNOWN, "failed": STATUS_FAILURE}


class TensorboardStudy:
    """Writes the events of a study.

    Args:
        opening: The study.
    """

    def __init__(self, opening: StudyOpening) -> None:
        self._folder = events_folder(Path(opening.path))
        for old in self._folder.glob(f"trial-*/{PREFIX}*"):
            old.unlink()
        self._tracking_id, self._metric, self._n_trials = opening.tracking_id, opening.metric, 0
        self._file = EventFile(self._folder)
        hparams = [HParam(key, _domain(tried)) for key, tried in opening.space.items()]
        metric = Metric(_tag(opening.metric), display_name=opening.metric)
        self._file.add(Event(summary=hparams_config_pb(hparams, [metric], opening.started)))

    def log_trials(self, trials: list[ToldTrial]) -> None:
        """Writes some trials, each to a file of its own, and the best so far to that of the study."""
        for trial in trials:
            file = EventFile(self._folder / f"trial-{trial.number:04}")
            session = f"{self._tracking_id}-{trial.number}"
            file.add(Event(summary=hparams_pb(trial.values, session, trial.began)), trial.began)
            metrics = {_tag(name): value for name, value in trial.metrics.items()}
            file.add(Event(summary=scalars(metrics)), trial.ended)
            file.end(_STATUS[trial.state], trial.ended)
            if trial.is_best and self._metric in trial.metrics:
                best = {f"best/{_tag(self._metric)}": trial.metrics[self._metric]}
                self._file.add(Event(step=trial.number, summary=scalars(best)), trial.ended)
            self._n_trials = max(self._n_trials, trial.number)
        self._file.flush()

    def finish(self, finish: StudyFinish) -> None:
        """Writes the results of the best run, and the figures."""
        metrics = {
            f"best/{_tag(name)}": value for name, value in finish.metrics.items() if name != self._metric
        }
        self._file.add(Event(step=self._n_trials, summary=scalars(metrics)))
        for file in map(Path, finish.files):
            if file.suffix == ".png":
                self._file.add(Event(step=self._n_trials, summary=image(file.stem, file.read_bytes())))
        self._file.close()

    def stop(self, status: str) -> None:
        """Leaves the file; the study may go on."""
        del status
        self._file.close()


def _tag(metric: str) -> str:
    return metric.replace(".", "/")


def _domain(tried: dict[str, Any]) -> Discrete | RealInterval | None:
    if "values" not in tried:
        return RealInterval(float(tried["min"]), float(tried["max"]))
    return Discrete(_of_one_type(tried["values"]))


def _of_one_type(values: Iterable[Any]) -> list[Any]:
    """Values as TensorBoard takes them: numbers, truth values or texts, but not mixed."""
    values = list(values)
    if all(isinstance(value, bool) for value in values) or all(isinstance(value, str) for value in values):
        return values
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        return [float(value) for value in values]
    return [value if isinstance(value, str) else json.dumps(value, ensure_ascii=False) for value in values]
