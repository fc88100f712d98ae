"""A search with trials that take a given time and are no trainings.

python -m support.search_driver FOLDER TRIALS SECONDS (ADDRESS PATIENCE | shuffled SEED)
"""

import json
import math
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from dlreg.search.driver import search
from dlreg.search.pruning import rungs
from dlreg.search.sampling import open_study
from dlreg.search.space import Choices, Range
from dlreg.search.study import Study
from dlreg.search.trials import Trial, TrialResult

SPACE = {
    "model.dropout": Range(0.0, 0.5),
    "model.hidden_layers": Choices(([], [32], [64, 64], [128, 128])),
    "training.batch_size": Range(8, 256, is_log=True, is_integer=True),
    "training.learning_rate": Range(1e-4, 1e-1, is_log=True),
}
OWN_VALUES = {
    "model.dropout": 0.0,
    "model.hidden_layers": [64, 64],
    "training.batch_size": 32,
    "training.learning_rate": 0.001,
}
EPOCHS = 100


def result_of(trial: Trial, rows: np.ndarray | None = None) -> TrialResult:
    """What a training might give, of some values; ended, where its stops say so, or failed."""
    values = trial.values
    rate = math.log10(values["training.learning_rate"])
    if rate > -1.2:
        return TrialResult(trial.number, "failed", message="diverged")
    value = 1 + (rate + 2.3) ** 2 + values["model.dropout"] + abs(len(values["model.hidden_layers"]) - 1)
    value += abs(math.log(values["training.batch_size"]) - 4) / 5 + (0.0 if rows is None else float(rows[0]))
    # As seeds have it.
    value += 1 + math.sin(1e5 * values["training.learning_rate"])
    curve: dict[int, float] = {}
    for epoch in (*rungs(EPOCHS), EPOCHS):
        curve[epoch] = value + 10 / epoch
        if curve[epoch] >= trial.stops.get(epoch, math.inf):
            return TrialResult(trial.number, "pruned", value, {}, epoch, epoch, curve)
    metrics = {"validation": {"rmse": value, "mape": None}}
    return TrialResult(trial.number, "complete", value, metrics, EPOCHS, EPOCHS, curve)


def open_sleeper(rows: np.ndarray, seconds: float) -> Callable[[Trial], TrialResult]:
    """What `dlreg.search.ray_engine` opens in a worker."""
    assert not rows.flags.writeable

    def run(trial: Trial) -> TrialResult:
        time.sleep(seconds)
        return result_of(trial, rows)

    return run


class Shuffled:
    """An engine of one process whose trials end in an order drawn by a seed."""

    def __init__(self, n_jobs: int, seed: int, seconds: float = 0.0) -> None:
        self.n_jobs, self._seconds = n_jobs, seconds
        self._trials: list[Trial] = []
        self._generator = random.Random(seed)

    def submit(self, trial: Trial) -> None:
        self._trials.append(trial)

    def wait(self, _: float) -> list[TrialResult]:
        time.sleep(self._seconds)
        ended = [trial for trial in self._trials[: self.n_jobs] if self._generator.random() < 0.5]
        self._trials = [trial for trial in self._trials if trial not in ended]
        return [result_of(trial) for trial in ended]


def open_it(folder: Path, method: str = "tpe", window: int = 8) -> Study:
    """The study of a folder."""
    return open_study(
        folder / "journal.log", SPACE, method, 42, window, False, own_values=OWN_VALUES, prune_epochs=EPOCHS
    )


def main() -> None:
    folder, n_trials, seconds = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    study = open_it(folder)
    if sys.argv[4] == "shuffled":
        search(study, Shuffled(4, int(sys.argv[5]), seconds), trials=n_trials)
    else:
        from dlreg.search.ray_engine import ray_engine

        with ray_engine(
            open_sleeper, np.zeros(100_000), seconds, address=sys.argv[4], patience=float(sys.argv[5])
        ) as engine:
            print("connected", flush=True)
            search(study, engine, trials=n_trials)
    states = [result.state if result else None for _, result in study.trials()]
    best = min(
        (result.value, trial.number)
        for trial, result in study.trials()
        if result and result.state == "complete"
    )
    print(json.dumps({"states": states, "best": best}))


if __name__ == "__main__":
    main()
