"""Tells a search to its trackers, as `listening` tells a training: nothing waits for them until the end."""

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict

from dlreg.errors import StoppedError
from dlreg.trackers.listening import SECONDS_BETWEEN, TrackerProcess
from dlreg.trackers.told import StudyFinish, StudyOpening, ToldTrial


class StudyTrackers:
    """Tells a search to its trackers.

    Args:
        names: As in `run.log`.
        opening: The study.
    """

    def __init__(self, names: Sequence[str], opening: StudyOpening) -> None:
        self._trackers = [TrackerProcess(name, "study") for name in dict.fromkeys(names)]
        self._pending: list[ToldTrial] = []
        self._told = time.monotonic()
        self._tell("open_study", asdict(opening))

    def tell_trial(self, trial: ToldTrial) -> None:
        """Tells the trials since a second ago; of a study that goes on at first those from before."""
        if self._trackers:
            self._pending.append(trial)
            if time.monotonic() - self._told >= SECONDS_BETWEEN:
                self._tell_trials()

    def finish(self, finish: StudyFinish) -> list[str]:
        """Tells the results, and waits until the trackers have them; returns a note of each that has not."""
        self._tell_trials()
        self._tell("finish_study", asdict(finish))
        return [note for tracker in self._trackers if (note := tracker.finish())]

    def stop(self, status: str) -> None:
        """Tells that the search was broken off, `interrupted` or `failed`; trackers may end a bit later."""
        self._tell_trials()
        self._tell("stop", status)
        for tracker in self._trackers:
            tracker.stop()

    def _tell_trials(self) -> None:
        self._told = time.monotonic()
        if self._pending:
            self._tell("trials", [trial._asdict() for trial in self._pending])
            self._pending = []

    def _tell(self, verb: str, values: object) -> None:
        line = json.dumps([verb, values]).encode() + b"\n"
        for tracker in self._trackers:
            tracker.tell(line)


@contextmanager
def tracking_study(names: Sequence[str], opening: StudyOpening) -> Iterator[StudyTrackers]:
    """A block in which a search is told to trackers; broken off, that is told too.

    Args:
        names: As in `run.log`.
        opening: The study.
    """
    trackers = StudyTrackers(names, opening)
    try:
        yield trackers
    except BaseException as error:
        stopped = isinstance(error, StoppedError | KeyboardInterrupt | SystemExit)
        trackers.stop("interrupted" if stopped else "failed")
        raise
