"""Times whole trainings against `Model.fit` in the same run: tiny tables, ensembles, growing tables.

python tests/benchmarks/training.py
"""

import time

from dlreg.cli.importing import quiet_import
from dlreg.engine.backend import import_backend

# As a training of so small a network.
with quiet_import():
    import_backend(threads=1)

import keras
import numpy as np

from dlreg.engine.update_rules import build_optimizer
from dlreg.model.architecture import Network, Variant
from dlreg.model.initial_weights import initial_weights
from dlreg.model.keras_model import build_model
from dlreg.training.loop import Hooks, Recipe, fit
from dlreg.training.schedules import build_schedule
from dlreg.training.visited_rows import TrainingData, TrainingRows, shuffled_rows

NETWORK = Network(8, [64, 64])


def table(n_rows: int) -> TrainingRows:
    x = np.random.default_rng(0).normal(size=(n_rows, 8)).astype(np.float32)
    return TrainingRows(x, (np.sin(2 * x[:, :1]) + x[:, 1:2] * x[:, 2:3]).astype(np.float32))


def seconds_per_epoch(
    train: TrainingRows, validation: TrainingRows, *, epochs: int, batch_size: int, members: int = 1
) -> float:
    """Of all epochs but the first, which compiles."""
    times: list[float] = []
    recipe = Recipe(
        [Variant(NETWORK, members)],
        initial_weights(NETWORK, 0, members),
        build_optimizer("adam"),
        build_schedule("constant", 1e-3, epochs=epochs, steps_per_epoch=1),
        epochs,
        batch_size,
        seed=0,
    )
    order_of_rows = shuffled_rows(members * [np.arange(len(train.x))], 0)
    hooks = Hooks(on_epoch=lambda _: times.append(time.perf_counter()))
    fit(recipe, TrainingData(train, validation, order_of_rows), hooks)
    return (times[-1] - times[0]) / (len(times) - 1)


def seconds_per_epoch_of_keras(
    train: TrainingRows, validation: TrainingRows, *, epochs: int, batch_size: int
) -> float:
    model = build_model(NETWORK)
    model.compile(keras.optimizers.Adam(1e-3), "mse")
    given = {"batch_size": batch_size, "verbose": 0}
    given |= {"validation_data": tuple(validation)} if len(validation.x) else {}
    model.fit(*train, epochs=1, **given)
    began = time.perf_counter()
    model.fit(*train, epochs=epochs, **given)
    return (time.perf_counter() - began) / epochs


def main() -> None:
    nothing, small, middle = table(0), table(200), table(16512)
    validation = TrainingRows(small.x[160:], small.y[160:])
    train = TrainingRows(small.x[:160], small.y[:160])
    ours = seconds_per_epoch(train, validation, epochs=1000, batch_size=32)
    theirs = seconds_per_epoch_of_keras(train, validation, epochs=30, batch_size=32)
    print("200 rows, a fifth for validation, batches of 32, hidden layers [64, 64]")
    print(
        f"  dlreg {ours * 1e3:.2f} ms an epoch, Model.fit {theirs * 1e3:.1f} ms: {theirs / ours:.0f} times as long"
    )

    eight = seconds_per_epoch(middle, nothing, epochs=5, batch_size=32, members=8)
    one = seconds_per_epoch(middle, nothing, epochs=8, batch_size=32)
    theirs = seconds_per_epoch_of_keras(middle, nothing, epochs=3, batch_size=32)
    print("16,512 rows, batches of 32, hidden layers [64, 64]")
    print(f"  eight members {eight:.3f} s an epoch, one {one:.3f} s, one by Model.fit {theirs:.3f} s:")
    print(f"  Model.fit takes {theirs / eight:.1f} times as long for one as dlreg for eight")

    print("batches of 256, hidden layers [64, 64]")
    for n_rows in (10_000, 100_000, 1_000_000):
        seconds = seconds_per_epoch(table(n_rows), nothing, epochs=4, batch_size=256)
        print(f"  {n_rows:9,} rows: {seconds / n_rows * 1e9:6.0f} ns a row and epoch")


if __name__ == "__main__":
    main()
