"""Times an epoch of the compiled loop against its peers, alternating, in one process and one run.

    pip install '.[bench]'
    python tests/benchmarks/loop.py                        # the sizes of RESULTS.md
    python tests/benchmarks/loop.py 16512 32 64 64         # rows, batch size, hidden layers
    python tests/benchmarks/loop.py --threads 1 …          # each peer pinned to as many threads
    python tests/benchmarks/loop.py --only dlreg,jax …     # some of the peers

Every peer trains the same network (relu, Adam, mse, float32) on the same rows in the same order of
batches. Prints microseconds a step, medians over the repeats, and each peer's time over dlreg's. `matmul`
is the floor: the matrix products of one step alone (forward, and backward for weights and inputs), by
NumPy's BLAS. So that the whole grid takes minutes, a peer slower than an epoch in `LONGEST` seconds walks
only as many of the epoch's batches as it manages in that time; dlreg and JAX always walk all of them. Short
epochs are repeated for `TURN` seconds before the next peer has its turn.
"""

import argparse
import itertools
import os
import statistics
import sys
import time
from collections.abc import Callable

FITS = {
    "Model.fit": {},
    "Model.fit jit": {"jit_compile": True},
    "Model.fit 32 steps": {"steps_per_execution": 32},
}
PEERS = ("dlreg", *FITS, "torch", "torch.compile", "scikit-learn", "jax", "matmul")
# torch.compile takes half a minute for each size, so it is left out where a line ends with 0.
SIZES = (
    "200 32 16",
    "200 32 64 64",
    "2000 256 64 64",
    "16512 32 16",
    "16512 32 64 64",
    "16512 32 256 256",
    "20000 4096 64 64",
    "100000 256 64 64",
    "100000 256 256 256",
    "20000 512 1024 1024",
    "20000 4096 1024 1024",
    "1000000 256 16",
    "1000000 4096 64 64",
    "1000000 4096 256 256",
)
COMPILED_BY_TORCH = ("16512 32 64 64", "100000 256 64 64", "100000 256 256 256", "20000 512 1024 1024")
N_FEATURES, LEARNING_RATE = 8, 1e-3
LONGEST = 1.5
# Seconds: whoever comes next finds the processor's caches full of another's data, as no training does for long.
TURN = 0.1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("size", nargs="*", help="rows, batch size, hidden layers")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--only", default=",".join(PEERS))
    options = parser.parse_args()
    _pin(options.threads)
    names = options.only.split(",")
    print(f"µs a step, and times dlreg's; {options.threads} threads\n")
    print(f"| rows | batch | hidden | {' | '.join(names)} |\n|{'---|' * (3 + len(names))}")
    for size in [" ".join(options.size)] if options.size else SIZES:
        rows, batch_size, *hidden = map(int, size.split())
        left_out = {"torch.compile"} if not options.size and size not in COMPILED_BY_TORCH else set()
        steps = measure(
            [name for name in names if name not in left_out],
            rows, batch_size, hidden, options.repeats, options.threads,
        )  # fmt: skip
        cells = [_cell(steps.get(name), steps.get("dlreg")) for name in names]
        print(f"| {rows:,} | {batch_size:,} | {hidden} | {' | '.join(cells)} |", flush=True)


def _cell(step: float | None, own: float | None) -> str:
    if step is None:
        return ""
    ratio = f" ({step / own:.2f} ×)" if own and step != own else ""
    return f"{step:,.1f}{ratio}"


def _pin(threads: int) -> None:
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = str(threads)
    os.environ["TF_NUM_INTRAOP_THREADS"] = str(threads)
    if threads == 1:
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def measure(
    names: list[str], rows: int, batch_size: int, hidden: list[int], repeats: int, threads: int
) -> dict[str, float]:
    """Microseconds a step by peer; those that are not installed are left out."""
    import numpy as np

    generator = np.random.default_rng(0)
    x = generator.normal(size=(rows, N_FEATURES)).astype(np.float32)
    y = (np.sin(2 * x[:, :1]) + x[:, 1:2] * x[:, 2:3]).astype(np.float32)
    makers = {
        "dlreg": dlreg_epoch,
        **{name: keras_epoch(options) for name, options in FITS.items()},
        "torch": torch_epoch,
        "torch.compile": torch_compiled_epoch,
        "scikit-learn": sklearn_epoch,
        "jax": jax_epoch,
        "matmul": matmul_epoch,
    }
    epochs: dict[str, Callable[[int], object]] = {}
    steps: dict[str, int] = {}
    seconds: dict[str, list[float]] = {}
    for name in names:
        try:
            epochs[name], steps[name], first = _bounded(name, makers[name], x, y, batch_size, hidden, threads)
        except ImportError as error:
            print(f"{name} is left out: {error}", file=sys.stderr)
            continue
        seconds[name] = []
        print(f"{name}: first epoch {first:.2f} s", file=sys.stderr)
    epoch = itertools.count(1)
    for _ in range(repeats):
        for name, run in epochs.items():
            began, passed, n_epochs = time.perf_counter(), 0.0, 0
            while passed < TURN:
                run(next(epoch))
                passed, n_epochs = time.perf_counter() - began, n_epochs + 1
            seconds[name].append(passed / n_epochs)
    return {name: statistics.median(times) / steps[name] * 1e6 for name, times in seconds.items()}


def _bounded(name, maker, x, y, batch_size, hidden, threads):
    """An epoch of at most `LONGEST` seconds, its steps, and how long the very first one took."""
    n_rows = len(x)
    run = maker(x, y, batch_size, hidden, threads)
    began = time.perf_counter()
    if name not in ("dlreg", "jax"):
        # A few batches tell the pace.
        n_rows = min(len(x), 40 * batch_size)
        run = maker(x[:n_rows], y[:n_rows], batch_size, hidden, threads)
    run(0)
    first = time.perf_counter() - began
    if n_rows < len(x):
        began = time.perf_counter()
        run(0)
        pace = (time.perf_counter() - began) / 40
        n_rows = min(len(x), max(40, int(LONGEST / pace)) * batch_size)
        run = maker(x[:n_rows], y[:n_rows], batch_size, hidden, threads)
        run(0)
    return run, -(-n_rows // batch_size), first


def dlreg_epoch(x, y, batch_size, hidden, _threads):
    from dlreg.cli.importing import quiet_import
    from dlreg.engine.backend import import_backend
    from dlreg.processor import usable_cores

    with quiet_import():
        import_backend(usable_cores())
    import numpy as np

    from dlreg.engine.losses import LOSSES
    from dlreg.engine.program import Program
    from dlreg.engine.trainer import build_trainer
    from dlreg.engine.update_rules import build_optimizer
    from dlreg.model.architecture import Network, Variant
    from dlreg.model.initial_weights import initial_weights
    from dlreg.training.visited_rows import shuffled_rows

    network = Network(x.shape[1], hidden)
    program = Program(
        (Variant(network, 1),),
        build_optimizer("adam"),
        (LOSSES["mse"],),
        len(x),
        min(batch_size, len(x)),
        seed=0,
    )
    trainer = build_trainer(program, (x, y), (x[:0], y[:0]))
    state = trainer.start(initial_weights(network, 0))
    order, steps = shuffled_rows([np.arange(len(x))], 0), program.n_steps
    learning_rates, dropout = np.full((steps, 1), LEARNING_RATE), np.ones(steps)

    def run(epoch: int) -> float:
        nonlocal state
        state, means = trainer.run_epoch(
            state,
            [order(0, epoch)],
            learning_rates,
            dropout,
            first_step=epoch * steps,
            optimizer_step=epoch * steps,
        )
        return float(means[0, 0])

    return run


def keras_epoch(options):
    def make(x, y, batch_size, hidden, _threads):
        import keras

        from dlreg.model.architecture import Network
        from dlreg.model.keras_model import build_model

        model = build_model(Network(x.shape[1], hidden))
        model.compile(keras.optimizers.Adam(LEARNING_RATE), "mse", **options)
        return lambda _: model.fit(x, y, batch_size=batch_size, epochs=1, verbose=0)

    return make


def torch_epoch(x, y, batch_size, hidden, threads, wrap=lambda step: step):
    import torch

    torch.set_num_threads(threads)
    sizes = [x.shape[1], *hidden]
    layers = [
        layer
        for pair in zip(sizes, hidden, strict=False)
        for layer in (torch.nn.Linear(*pair), torch.nn.ReLU())
    ]
    model = torch.nn.Sequential(*layers, torch.nn.Linear(sizes[-1], 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE, fused=True)
    inputs, targets = torch.from_numpy(x), torch.from_numpy(y)

    def loss_of(rows):
        return torch.nn.functional.mse_loss(model(inputs[rows]), targets[rows])

    loss_of = wrap(loss_of)

    def run(epoch: int) -> float:
        order = torch.randperm(len(x), generator=torch.Generator().manual_seed(epoch))
        total = 0.0
        for rows in order.split(batch_size):
            optimizer.zero_grad()
            loss = loss_of(rows)
            loss.backward()
            optimizer.step()
            total = loss.detach()
        return float(total)

    return run


def torch_compiled_epoch(x, y, batch_size, hidden, threads):
    import torch

    return torch_epoch(x, y, batch_size, hidden, threads, wrap=torch.compile)


def sklearn_epoch(x, y, batch_size, hidden, _threads):
    import warnings

    from sklearn.neural_network import MLPRegressor

    warnings.filterwarnings("ignore", message="Stochastic Optimizer")
    model = MLPRegressor(
        hidden_layer_sizes=hidden, batch_size=batch_size, alpha=0.0, max_iter=1, warm_start=True, tol=0.0
    )
    return lambda _: model.fit(x, y[:, 0])


def jax_epoch(x, y, batch_size, hidden, _threads):
    import jax
    import jax.numpy as jnp
    import numpy as np

    n_rows, steps = len(x), -(-len(x) // batch_size)
    generator = np.random.default_rng(0)
    sizes = [x.shape[1], *hidden, 1]
    parameters = [
        (
            jnp.asarray(generator.uniform(-1, 1, (i, o)) * np.sqrt(6 / (i + o)), dtype=jnp.float32),
            jnp.zeros(o, dtype=jnp.float32),
        )
        for i, o in itertools.pairwise(sizes)
    ]

    def loss(parameters, x, y, weight):
        for kernel, bias in parameters[:-1]:
            x = jax.nn.relu(x @ kernel + bias)
        error = x @ parameters[-1][0] + parameters[-1][1] - y
        return jnp.sum(error[:, 0] ** 2 * weight) / jnp.sum(weight)

    @jax.jit
    def run_epoch(state, x, y, order):
        order = jnp.pad(order, (0, steps * batch_size - n_rows)).reshape(steps, batch_size)
        weights = (jnp.arange(steps * batch_size) < n_rows).astype(jnp.float32).reshape(steps, batch_size)

        def step(state, batch):
            parameters, means, squares, count = state
            rows, weight = batch
            value, gradients = jax.value_and_grad(loss)(parameters, x[rows], y[rows], weight)
            count = count + 1
            rate = LEARNING_RATE * jnp.sqrt(1 - 0.999**count) / (1 - 0.9**count)
            means = jax.tree.map(lambda m, g: m + (g - m) * 0.1, means, gradients)
            squares = jax.tree.map(lambda v, g: v + (g * g - v) * 0.001, squares, gradients)
            parameters = jax.tree.map(
                lambda w, m, v: w - rate * m / (jnp.sqrt(v) + 1e-7), parameters, means, squares
            )
            return (parameters, means, squares, count), value * jnp.sum(weight)

        state, losses = jax.lax.scan(step, state, (order, weights))
        return state, jnp.sum(losses) / n_rows

    zeros = jax.tree.map(jnp.zeros_like, parameters)
    state = (parameters, zeros, zeros, jnp.float32(0))
    data = jnp.asarray(x), jnp.asarray(y)

    def run(epoch: int) -> float:
        nonlocal state
        order = np.random.default_rng((0, epoch)).permutation(n_rows).astype(np.int32)
        state, mean = run_epoch(state, *data, order)
        return float(mean)

    return run


def matmul_epoch(x, y, batch_size, hidden, _threads):
    import numpy as np

    sizes = [x.shape[1], *hidden, 1]
    generator = np.random.default_rng(0)
    layers = [
        (
            generator.normal(size=(batch_size, i)).astype(np.float32),
            generator.normal(size=(i, o)).astype(np.float32),
            generator.normal(size=(batch_size, o)).astype(np.float32),
        )
        for i, o in itertools.pairwise(sizes)
    ]
    spaces = [[np.empty_like(part) for part in layer] for layer in layers]

    def run(_: int) -> None:
        for _step in range(-(-len(x) // batch_size)):
            for number, ((rows, kernel, errors), space) in enumerate(zip(layers, spaces, strict=True)):
                np.matmul(rows, kernel, out=space[2])
                np.matmul(rows.T, errors, out=space[1])
                if number:
                    np.matmul(errors, kernel.T, out=space[0])

    return run


if __name__ == "__main__":
    main()
