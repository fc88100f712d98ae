"""Times the first epoch – tracing and compiling – with a cold and with a warm cache of compiled programs.

    python tests/benchmarks/first_epoch.py

The network is a plain one: 16,512 x 8 rows, batches of 32, hidden layers [64, 64], Adam. Each figure is the
median of three processes; what an epoch takes later is taken off.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time

REPEATS = 3


def main() -> None:
    found: dict[str, list[list[float]]] = {"cold": [], "warm": []}
    for _ in range(REPEATS):
        with tempfile.TemporaryDirectory() as folder:
            environment = {**os.environ, "XDG_CACHE_HOME": folder}
            for cache in found.values():
                printed = subprocess.run(
                    [sys.executable, __file__, "measure"],
                    env=environment,
                    check=True,
                    capture_output=True,
                    text=True,
                )
                cache.append([float(number) for number in printed.stdout.split()])
    for cache, times in found.items():
        imported, first = (statistics.median(column) for column in zip(*times, strict=True))
        print(f"{cache} cache: first epoch {first:.2f} s, where the import takes {imported:.2f} s")


def measure() -> None:
    """Prints the seconds of the import and of the first epoch."""
    from dlreg.cli.importing import quiet_import
    from dlreg.engine.backend import import_backend
    from dlreg.engine.compile_cache import compile_cache

    with compile_cache(enabled=True) as cache:
        began = time.perf_counter()
        with quiet_import(cache):
            import_backend(1)
        imported = time.perf_counter() - began

        import numpy as np

        from dlreg.engine.update_rules import build_optimizer
        from dlreg.model.architecture import Network, Variant
        from dlreg.model.initial_weights import initial_weights
        from dlreg.training.loop import Hooks, Recipe, fit
        from dlreg.training.schedules import build_schedule
        from dlreg.training.visited_rows import TrainingData, TrainingRows, shuffled_rows

        x = np.random.default_rng(0).normal(size=(16512, 8)).astype(np.float32)
        network = Network(8, [64, 64])
        weights = initial_weights(network, 0)
        times = [time.perf_counter()]
        recipe = Recipe(
            [Variant(network, 1)],
            weights,
            build_optimizer("adam"),
            build_schedule("constant", 1e-3, epochs=3, steps_per_epoch=1),
            epochs=3,
            batch_size=32,
            seed=0,
        )
        data = TrainingData(
            TrainingRows(x, x[:, :1]),
            TrainingRows(x[:0], x[:0, :1]),
            shuffled_rows([np.arange(len(x))], 0),
        )
        fit(recipe, data, Hooks(on_epoch=lambda _: times.append(time.perf_counter())))
    first, second, _ = np.diff(times)
    print(imported, first - second)


if __name__ == "__main__":
    measure() if "measure" in sys.argv else main()
