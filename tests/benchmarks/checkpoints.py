"""Measures which part of a training its checkpoints take: networks small and large, short and longer trainings.

python tests/benchmarks/checkpoints.py
"""

import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from dlreg.cli.importing import quiet_import
from dlreg.engine.backend import import_backend
from dlreg.processor import usable_cores

with quiet_import():
    import_backend(usable_cores())

import numpy as np

from dlreg.engine.update_rules import build_optimizer
from dlreg.model.architecture import Network, Variant
from dlreg.model.initial_weights import initial_weights
from dlreg.runs.checkpointing import Checkpointer
from dlreg.runs.directory import open_run_dir
from dlreg.runs.interruption import Interruption
from dlreg.training.loop import Hooks, Recipe, fit
from dlreg.training.schedules import build_schedule
from dlreg.training.visited_rows import TrainingData, TrainingRows, shuffled_rows

# Rows, hidden layers, members.
CASES = ((200, [64, 64], 1), (16512, [64, 64], 1), (2000, [256, 256], 8), (2000, [1024, 1024, 1024], 1))
SECONDS = (3, 12)


def share(
    folder: Path, n_rows: int, hidden_layers: list[int], members: int, seconds: float
) -> tuple[float, int]:
    """The part of the time of a training of so many seconds, and how many checkpoints there were."""
    x = np.random.default_rng(0).normal(size=(n_rows, 8)).astype(np.float32)
    network, spent, written = Network(8, hidden_layers), 0.0, 0
    with open_run_dir(folder) as run:
        checkpointer = Checkpointer(run, {}, 10**7, Interruption())
        began: list[float] = []

        def keep(take: Any) -> None:
            nonlocal spent, written
            # The first epoch compiles.
            began.append(time.perf_counter())
            due = time.monotonic() >= checkpointer._due
            checkpointer.after_epoch(take)
            spent += time.perf_counter() - began[-1]
            written += due
            if began[-1] - began[0] > seconds:
                raise TimeoutError

        with suppress(TimeoutError):
            recipe = Recipe(
                [Variant(network, members)],
                initial_weights(network, 0, members),
                build_optimizer("adam"),
                build_schedule("constant", 1e-3, epochs=1, steps_per_epoch=1),
                epochs=10**7,
                batch_size=32,
                seed=0,
            )
            data = TrainingData(
                TrainingRows(x, x[:, :1]),
                TrainingRows(x[:100], x[:100, :1]),
                shuffled_rows([np.arange(n_rows)] * members, 0),
            )
            fit(recipe, data, Hooks(resume_from=checkpointer.load, after_epoch=keep))
        return spent / (time.perf_counter() - began[0]), written


def main() -> None:
    for n_rows, hidden_layers, members in CASES:
        for seconds in SECONDS:
            with tempfile.TemporaryDirectory() as folder:
                share_of_time, written = share(Path(folder) / "run", n_rows, hidden_layers, members, seconds)
            print(
                f"{n_rows:6,} rows, {hidden_layers}, {members} members, {seconds:2} s: "
                f"{share_of_time:.1%} of the time in {written} checkpoints",
                flush=True,
            )


if __name__ == "__main__":
    main()
