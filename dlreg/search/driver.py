"""The loop of a search: hand trials out, wait for results, keep them, ask for more."""

import time
from collections import Counter
from collections.abc import Callable
from typing import Literal

from dlreg.search.study import Study
from dlreg.search.trials import Engine, Trial, TrialResult

# `complete`: there are as many trials as asked for, or everything has been tried; `time_limit`, `stopped`:
# ended before, and trials that were not finished stay in the study as such.
Ending = Literal["complete", "time_limit", "stopped"]
_SECONDS_BETWEEN_LOOKS = 0.5


def search(
    study: Study,
    engine: Engine,
    *,
    trials: int,
    deadline: float | None = None,
    on_result: Callable[[Trial, TrialResult], None] | None = None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Ending:
    """Goes on with a study until it has so many trials.

    With each round all that is new is put into the storage. Whatever ends the search, an exception too,
    leaves a study that can be gone on with: trials without a result are handed out again.

    Args:
        study: New, or with some trials.
        engine: Runs them.
        trials: How many the study is to have, those of earlier sessions included.
        deadline: The `time.monotonic` at which the search ends. Trials that are running then are given up, as
            to wait for them may take longer than all before; but there is no end before trial 0 has ended,
            without which nobody knows what the search bought, and one is complete, or a whole window of them
            has ended and none is.
        on_result: Called with each new result, in the order in which they end.
        should_stop: Asked twice a second.

    Returns:
        Why it ended.

    Raises:
        ClusterError: Workers are lost and not replaced.
        StorageError: The storage cannot be read or written.
    """
    running: dict[int, Trial] = {}
    states = Counter(result.state for _, result in study.trials() if result)
    try:
        while not study.is_finished(trials):
            if should_stop():
                return "stopped"
            left = float("inf") if deadline is None else deadline - time.monotonic()
            is_enough = bool(states["complete"]) or states.total() >= study.plan.window
            if left <= 0 and is_enough and 0 not in running:
                return "time_limit"
            # As many again as run at once wait, so that none that ends leaves its place empty.
            is_asking = left > 0 or not is_enough
            while is_asking and len(running) < 2 * engine.n_jobs and (trial := study.next_trial(trials)):
                running[trial.number] = trial
                engine.submit(trial)
            study.save()
            seconds = min(_SECONDS_BETWEEN_LOOKS, left) if left > 0 else _SECONDS_BETWEEN_LOOKS
            for result in engine.wait(seconds):
                if trial := running.pop(result.number, None):
                    study.tell(result)
                    states[result.state] += 1
                    if on_result:
                        on_result(trial, result)
    finally:
        study.save(is_last=True)
    return "complete"
