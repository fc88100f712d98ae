"""Measures what a study of many trials takes beside its trainings: seconds, memory, disk.

python tests/benchmarks/search_storage.py [TRIALS]
"""

import resource
import sys
import tempfile
import time
from collections import deque
from pathlib import Path

from dlreg.search.driver import search
from dlreg.search.sampling import open_study
from dlreg.search.space import Choices, Range
from dlreg.search.study import Method, Study
from dlreg.search.trials import Trial, TrialResult

SPACE = {
    "model.dropout": Range(0.0, 0.5),
    "model.hidden_layers": Choices(([64, 64], [128, 128], [256, 256, 256])),
    "preprocessing.numeric": Choices(("standard", "robust_clip", "quantile")),
    "training.batch_size": Range(16, 512, is_log=True, is_integer=True),
    "training.learning_rate": Range(1e-4, 1e-1, is_log=True),
    "training.weight_decay": Range(1e-6, 1e-1, is_log=True),
}
OWN_VALUES = {
    "model.dropout": 0.0,
    "model.hidden_layers": [64, 64],
    "preprocessing.numeric": "standard",
    "training.batch_size": 32,
    "training.learning_rate": 0.001,
    "training.weight_decay": 1e-4,
}
SIZES = ("n", "sse", "mse", "rmse", "mae", "mape", "r2")


class Instant:
    """An engine whose trials take no time, two at once."""

    n_jobs = 2

    def __init__(self) -> None:
        self._trials: deque[Trial] = deque()

    def submit(self, trial: Trial) -> None:
        self._trials.append(trial)

    def wait(self, _: float) -> list[TrialResult]:
        if not self._trials:
            return []
        trial = self._trials.popleft()
        value = abs(trial.values["model.dropout"] - 0.2) + trial.values["training.learning_rate"]
        sizes = {name: value + place for place, name in enumerate(SIZES)}
        curve = {epoch: value + 1 / epoch for epoch in (1, 3, 10, 30, 100)}
        metrics = {"train": sizes, "validation": sizes}
        return [TrialResult(trial.number, "complete", value, metrics, 100, 87, curve, 0.4, 0.3)]


def open_it(folder: Path, method: Method) -> Study:
    return open_study(
        folder / "journal.log", SPACE, method, 42, 8, False, own_values=OWN_VALUES, prune_epochs=100
    )


def main() -> None:
    n_trials = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    for method in sys.argv[2:] or ("random", "tpe"):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            began = time.perf_counter()
            search(open_it(folder, method), Instant(), trials=n_trials)
            driven = time.perf_counter() - began
            began = time.perf_counter()
            study = open_it(folder, method)
            trials = study.trials()
            best = min(result.value for _, result in trials if result and result.value is not None)
            opened = time.perf_counter() - began
            began = time.perf_counter()
            search(study, Instant(), trials=n_trials + 1)
            went_on = time.perf_counter() - began
            peak = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1000
            disk = sum(file.stat().st_size for file in folder.iterdir()) / 1e6
            print(
                f"{method}: {n_trials:,} trials asked for, stored and told in {driven:.1f} s, opened and read in"
                f" {opened:.1f} s, one more in {went_on:.1f} s, {peak:.0f} MB of memory, {disk:.0f} MB of disk"
                f" (best {best:.4f})"
            )


main()
