"""Tells a training to its trackers, each of which is a process of its own.

Trackers take seconds to import, wait for servers, and write more slowly than a compiled epoch runs. So the
training hands on what it has, once a second at most and as much as a pipe takes at once, and never waits
until it is complete. A process notices by the end of its input that the training was killed.
"""

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict

from dlreg.errors import StoppedError, printable
from dlreg.trackers.told import Finish, Opening, epochs_of
from dlreg.training.listener import Listener
from dlreg.training.progress import Progress

SECONDS_BETWEEN = 1.0
# What a pipe that takes anything takes without a wait.
AT_ONCE = select.PIPE_BUF
SECONDS_TO_STOP = 2.0
# Unless the user says otherwise, a server that does not answer is given up in a minute, not in ten
# (MLflow), and nothing is sent to anybody but those whom the user names.
ENVIRONMENT = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "ORT_DISABLE_TELEMETRY": "1",
    "GIT_PYTHON_REFRESH": "quiet",
}


class Trackers:
    """The listener that tells a training to its trackers.

    Args:
        names: As in `run.log`.
        opening: The run.
        listener: Is told of everything too.
    """

    def __init__(self, names: Sequence[str], opening: Opening, listener: Listener) -> None:
        self._listener = listener
        self._trackers = [TrackerProcess(name) for name in dict.fromkeys(names)]
        self._times: list[float] = []
        self._n_told, self._told = 0, time.monotonic()
        self._progress: Progress | None = None
        self._tell("open", asdict(opening))

    def on_stage(self, stage: str) -> None:
        """Tells the other listener alone."""
        self._listener.on_stage(stage)

    def on_epoch(self, progress: Progress) -> None:
        """Tells the epochs since a second ago, of one that goes on at first those from before."""
        self._listener.on_epoch(progress)
        self._progress = progress
        self._times += [time.time()] * (len(progress.values) - len(self._times))
        if time.monotonic() - self._told >= SECONDS_BETWEEN:
            self._told = time.monotonic()
            self._tell_epochs()

    def finish(self, finish: Finish) -> list[str]:
        """Tells the results, and waits until the trackers have them; returns a note of each that has not."""
        self._tell_epochs()
        self._tell("finish", asdict(finish))
        return [note for tracker in self._trackers if (note := tracker.finish())]

    def stop(self, status: str) -> None:
        """Tells that the training was broken off, `interrupted` or `failed`; trackers may end a bit later."""
        self._tell_epochs()
        self._tell("stop", status)
        for tracker in self._trackers:
            tracker.stop()

    def _tell_epochs(self) -> None:
        if self._progress and self._trackers:
            epochs = epochs_of(self._progress, self._times, self._n_told)
            self._n_told += len(epochs)
            self._tell("epochs", [epoch._asdict() for epoch in epochs])

    def _tell(self, verb: str, values: object) -> None:
        line = json.dumps([verb, values]).encode() + b"\n"
        for tracker in self._trackers:
            tracker.tell(line)


class TrackerProcess:
    """The process of a tracker.

    Args:
        name: As in `run.log`.
        what: What it is told of, for its note.
    """

    def __init__(self, name: str, what: str = "run") -> None:
        self._name, self._what, self._pending = name, what, bytearray()
        # Without the working folder on the path, whose files may have names of modules; in a session of its
        # own, as a signal from the terminal is for the training.
        self._process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-P", "-m", "dlreg.trackers.process", name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env={**ENVIRONMENT, **os.environ},
        )

    def tell(self, line: bytes) -> None:
        """Hands on as much as can be handed on without a wait."""
        self._pending += line
        pipe = self._pipe
        with suppress(BrokenPipeError):
            while self._pending and select.select([], [pipe], [], 0)[1]:
                del self._pending[: os.write(pipe, self._pending[:AT_ONCE])]

    def finish(self) -> str | None:
        """Waits until the process has done all; returns what it has not, if anything."""
        with suppress(BrokenPipeError):
            while self._pending:
                del self._pending[: os.write(self._pipe, self._pending)]
        answer, _ = self._process.communicate()
        fault = answer.decode() if self._process.returncode == 0 else "its process ended"
        if not fault:
            return None
        lacking = f"{self._name} does not have all of this {self._what}, which is complete without it"
        return f"{lacking}: {printable(fault)}"

    def stop(self) -> None:
        """Gives the process a moment; it ends by itself in any case."""
        deadline = time.monotonic() + SECONDS_TO_STOP
        with suppress(BrokenPipeError):
            while (
                self._pending and select.select([], [self._pipe], [], max(deadline - time.monotonic(), 0))[1]
            ):
                del self._pending[: os.write(self._pipe, self._pending[:AT_ONCE])]
        if self._process.stdin:
            with suppress(BrokenPipeError):
                self._process.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(max(deadline - time.monotonic(), 0))

    @property
    def _pipe(self) -> int:
        assert self._process.stdin  # noqa: S101
        return self._process.stdin.fileno()


@contextmanager
def tracking(names: Sequence[str], opening: Opening, listener: Listener) -> Iterator[Trackers]:
    """A block in which a training is told to trackers; broken off, that is told too.

    Args:
        names: As in `run.log`.
        opening: The run.
        listener: Is told of everything too.
    """
    trackers = Trackers(names, opening, listener)
    try:
        yield trackers
    except BaseException as error:
        stopped = isinstance(error, StoppedError | KeyboardInterrupt | SystemExit)
        trackers.stop("interrupted" if stopped else "failed")
        raise
