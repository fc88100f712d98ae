"""Times an epoch of the compiled loop against `Model.fit` on the same rows, alternating, in one process.

    python tests/benchmarks/epoch.py [ROWS BATCH_SIZE HIDDEN…]

Prints microseconds a step (medians over the repeats) and their ratio.
"""

import statistics
import sys
import time

from dlreg.backend import import_backend

import_backend()

import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

from dlreg.model import LOSSES, build_model, build_optimizer  # noqa: E402
from dlreg.training import compile_epoch, shuffled_rows  # noqa: E402

REPEATS = 7


def main() -> None:
    rows, batch_size, *hidden = map(int, sys.argv[1:] or (16512, 32, 64, 64))
    generator = np.random.default_rng(0)
    x = generator.normal(size=(rows, 8)).astype(np.float32)
    y = (np.sin(2 * x[:, :1]) + x[:, 1:2] * x[:, 2:3]).astype(np.float32)
    steps = -(-rows // batch_size)

    model, optimizer = build_model(8, hidden_layers=hidden), build_optimizer("adam", 1e-3)
    optimizer.build(model.trainable_variables)
    loss = LOSSES["mse"](reduction="mean_with_sample_weight")
    run_epoch = compile_epoch(model, optimizer, loss, {}, batch_size)
    data = [tf.constant(part) for part in (x, y, x[:0], y[:0])]
    order = shuffled_rows(rows, 0)
    peer = build_model(8, hidden_layers=hidden)
    peer.compile(build_optimizer("adam", 1e-3), "mse")

    def ours(epoch: int) -> None:
        run_epoch(*data, tf.constant(order(epoch), dtype=tf.int32)).numpy()

    def theirs(epoch: int) -> None:
        peer.fit(x, y, batch_size=batch_size, epochs=1, verbose=0)

    seconds: dict[str, list[float]] = {"dlreg": [], "Model.fit": []}
    for epoch in range(REPEATS + 1):
        for name, run in (("dlreg", ours), ("Model.fit", theirs)):
            began = time.perf_counter()
            run(epoch)
            seconds[name].append(time.perf_counter() - began)
    step = {name: statistics.median(times[1:]) / steps * 1e6 for name, times in seconds.items()}
    print(f"{rows:,} rows, batches of {batch_size}, hidden layers {hidden}")
    print(f"first epoch, with tracing and compiling: {seconds['dlreg'][0]:.2f} s")
    for name, microseconds in step.items():
        print(f"{name:10} {microseconds:8.1f} µs a step")
    print(f"Model.fit takes {step['Model.fit'] / step['dlreg']:.0f} times as long")


if __name__ == "__main__":
    main()
