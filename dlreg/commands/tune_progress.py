"""How a search goes, trial by trial, for whoever shows it."""

import math
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from dlreg.commands.tune_results import Ended, loss_of
from dlreg.search.space import Search
from dlreg.search.trials import TrialState
from dlreg.training.listener import Listener

SHOWN_TRIALS = 5


@dataclass(frozen=True)
class SearchProgress:
    """How far a search is.

    Attributes:
        metric: What is searched by.
        counts: How many trials came to each end.
        finished: How many have ended, those of before included.
        trials: How many there shall be; None for as many as the time lets.
        share: How much of the search is done, at most 1; by time where that ends it sooner.
        per_minute: Trials a minute, since the search began or went on.
        best: The best ones, the best first.
        latest: The one that ended last.
        is_best: Whether that one is the best so far.
    """

    metric: str
    counts: Mapping[TrialState, int]
    finished: int
    trials: int | None
    share: float
    per_minute: float
    best: Sequence[Ended]
    latest: Ended
    is_best: bool


class SearchListener(Listener, Protocol):
    """Is told of a search, and of the trainings after it."""

    def on_search(self, progress: SearchProgress) -> None:
        """Called after each trial."""


class SearchCounter:
    """Counts the trials of a search as they end.

    Args:
        search: What is searched.
        before: The trials of a study that goes on.
    """

    def __init__(self, search: Search, before: Sequence[Ended] = ()) -> None:
        self._search, self._n_before = search, len(before)
        self._counts = Counter(result.state for _, result in before)
        self._best = sorted(before, key=self._order)[:SHOWN_TRIALS]
        self._began = time.monotonic()

    def add(self, ended: Ended) -> SearchProgress:
        """Counts a trial that has ended; returns how far the search is."""
        self._counts[ended.result.state] += 1
        self._best = sorted([*self._best, ended], key=self._order)[:SHOWN_TRIALS]
        seconds, finished = time.monotonic() - self._began, self._counts.total()
        trials, time_limit = self._search.trials, self._search.time_limit
        shares = (finished / trials if trials else 0.0, seconds / time_limit if time_limit else 0.0)
        best = [each for each in self._best if math.isfinite(self._order(each)[0])]
        return SearchProgress(
            metric=self._search.metric,
            counts=dict(self._counts),
            finished=finished,
            trials=trials,
            share=min(max(shares), 1.0),
            per_minute=60 * (finished - self._n_before) / max(seconds, 1e-3),
            best=best,
            latest=ended,
            is_best=bool(best) and best[0] is ended,
        )

    def _order(self, ended: Ended) -> tuple[float, int]:
        return loss_of(ended.result, maximise=self._search.maximise), ended.trial.number
