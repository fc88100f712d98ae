"""The process of a tracker: what a training tells, line by line of JSON, until its input ends.

Its output is what went wrong, in one line, or nothing. After a fault it reads on, so that no pipe is full.
"""

import json
import os
import sys
import textwrap
from collections.abc import Iterable
from typing import Any, Protocol

from dlreg.trackers.told import Epoch, Finish, Opening, StudyFinish, StudyOpening, ToldTrial

MAX_FAULT, NICENESS = 300, 5


class Tracker(Protocol):
    """Keeps what a training tells."""

    def log_epochs(self, epochs: list[Epoch]) -> None:
        """Keeps some epochs; where a run goes on, those from before come again."""

    def finish(self, finish: Finish) -> None:
        """Keeps the results of a complete run."""

    def stop(self, status: str) -> None:
        """Keeps that the training was `interrupted` or has `failed`."""


class StudyTracker(Protocol):
    """Keeps what a search tells."""

    def log_trials(self, trials: list[ToldTrial]) -> None:
        """Keeps some trials; where a study goes on, those from before come again."""

    def finish(self, finish: StudyFinish) -> None:
        """Keeps the results of a complete study."""

    def stop(self, status: str) -> None:
        """Keeps that the search was `interrupted` or has `failed`."""


def open_tracker(name: str, opening: Opening) -> Tracker:
    """The tracker of a name; its library is imported here."""
    if name == "tensorboard":
        from dlreg.trackers.tensorboard_log import TensorboardLog

        return TensorboardLog(opening)
    from dlreg.trackers.mlflow_log import MlflowLog

    return MlflowLog(opening)


def open_study_tracker(name: str, opening: StudyOpening) -> StudyTracker:
    """The tracker of a name, for a search; its library is imported here."""
    if name == "tensorboard":
        from dlreg.trackers.tensorboard_study import TensorboardStudy

        return TensorboardStudy(opening)
    from dlreg.trackers.mlflow_study import MlflowStudy

    return MlflowStudy(opening)


def follow(name: str, lines: Iterable[bytes]) -> None:
    """Keeps what a training or a search tells, until its end or that of the lines: then it was killed.

    Args:
        name: Of the tracker.
        lines: A verb and its values each, as `dlreg.trackers.listening` and `study_listening` write them.
    """
    tracker: Tracker | None = None
    study: StudyTracker | None = None
    for line in lines:
        verb, values = json.loads(line)
        if verb == "open":
            tracker = open_tracker(name, Opening(**values))
        elif verb == "open_study":
            study = open_study_tracker(name, StudyOpening(**values))
        elif tracker and verb == "epochs":
            tracker.log_epochs([Epoch(**epoch) for epoch in values])
        elif study and verb == "trials":
            study.log_trials([ToldTrial(**trial) for trial in values])
        elif tracker:
            tracker.finish(Finish(**values)) if verb == "finish" else tracker.stop(values)
            return
        elif study:
            study.finish(StudyFinish(**values)) if verb == "finish_study" else study.stop(values)
            return
    if opened := tracker or study:
        opened.stop("interrupted")


def _serve(name: str) -> None:
    output: Any = os.fdopen(os.dup(1), "w")
    # The training goes first.
    os.nice(NICENESS)
    # Libraries greet on stdout.
    os.dup2(2, 1)
    lines = iter(sys.stdin.buffer.readline, b"")
    try:
        follow(name, lines)
    except Exception as error:
        for _ in lines:
            pass
        text = " ".join(str(error).split()) or type(error).__name__
        output.write(textwrap.shorten(text, MAX_FAULT))
    output.close()


if __name__ == "__main__":
    _serve(sys.argv[1])
