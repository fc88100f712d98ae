"""The process of a tracker: what a training tells, line by line of JSON, until its input ends.

Its output is what went wrong, in one line, or nothing. After a fault it reads on, so that no pipe is full.
"""

import json
import os
import sys
import textwrap
from collections.abc import Iterable
from typing import Any, Protocol

from dlreg.trackers.told import Epoch, Finish, Opening

MAX_FAULT, NICENESS = 300, 5


class Tracker(Protocol):
    """Keeps what a training tells."""

    def log_epochs(self, epochs: list[Epoch]) -> None:
        """Keeps some epochs; where a run goes on, those from before come again."""

    def finish(self, finish: Finish) -> None:
        """Keeps the results of a complete run."""

    def stop(self, status: str) -> None:
        """Keeps that the training was `interrupted` or has `failed`."""


def open_tracker(name: str, opening: Opening) -> Tracker:
    """The tracker of a name; its library is imported here."""
    if name == "tensorboard":
        from dlreg.trackers.tensorboard_log import TensorboardLog

        return TensorboardLog(opening)
    from dlreg.trackers.mlflow_log import MlflowLog

    return MlflowLog(opening)


def follow(name: str, lines: Iterable[bytes]) -> None:
    """Keeps what a training tells, until its end or that of the lines: then it was killed.

    Args:
        name: Of the tracker.
        lines: A verb and its values each, as `dlreg.trackers.listening` writes them.
    """
    tracker: Tracker | None = None
    for line in lines:
        verb, values = json.loads(line)
        if verb == "open":
            tracker = open_tracker(name, Opening(**values))
        elif tracker and verb == "epochs":
            tracker.log_epochs([Epoch(**epoch) for epoch in values])
        elif tracker:
            tracker.finish(Finish(**values)) if verb == "finish" else tracker.stop(values)
            return
    if tracker:
        tracker.stop("interrupted")


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
