"""The training loop: runs the compiled epoch, and keeps the best weights.

`Model.fit` leaves the compiled world once per batch and pays over a millisecond each time. Here an
epoch is one call of a program (`dlreg.epoch`); Python only draws the next order of rows and decides
what is best and when to stop (`dlreg.progress`).
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from dlreg.aligned import LARGE, aligned, aligned_zeros
from dlreg.checkpoint import Checkpoint
from dlreg.epoch import Metric, State, compile_epoch
from dlreg.network import Network
from dlreg.optimizers import Optimizer
from dlreg.progress import EarlyStopping, Plateau, Progress
from dlreg.schedules import Schedule


class Weights(NamedTuple):
    """The weights of one network, in Keras's order.

    Attributes:
        parameters: The trainable ones.
        statistics: The moving means and variances of batch normalisation.
    """

    parameters: list[np.ndarray]
    statistics: list[np.ndarray]


class Rows(NamedTuple):
    """Preprocessed rows: x, float32 of shape `(n_rows, n_features)`, and scaled targets y, `(n_rows, 1)`."""

    x: np.ndarray
    y: np.ndarray


def fit(
    network: Network,
    initial: Sequence[Weights],
    optimizer: Optimizer,
    schedule: Schedule,
    loss: str,
    train: Rows,
    validation: Rows,
    *,
    epochs: int,
    batch_size: int,
    seed: int,
    order_of_rows: Callable[[int, int], np.ndarray],
    metrics: Mapping[str, Metric] | None = None,
    early_stopping: EarlyStopping | None = None,
    plateau: Plateau | None = None,
    start: Callable[[Checkpoint], Checkpoint | None] = lambda _: None,
    on_epoch: Callable[[Progress], None] = lambda _: None,
    keep: Callable[[Callable[[], Checkpoint]], None] = lambda _: None,
) -> tuple[list[Weights], Progress]:
    """Trains one network, or several members side by side.

    Args:
        network: What is trained.
        initial: The weights each member starts from.
        optimizer: How a step moves them.
        schedule: The learning rate of each step.
        loss: A name of `dlreg.epoch.LOSSES`.
        train: The training rows.
        validation: Rows to choose the best epoch by; there may be none.
        epochs: The most passes over the training rows.
        batch_size: Rows per step; the last step of an epoch has what is left.
        seed: Of dropout.
        order_of_rows: For a member and an epoch (both 0-based) a permutation of the row positions.
        metrics: Further means to report per epoch, each a function from `y_true` and `y_pred`.
        early_stopping: When a member stops before `epochs`.
        plateau: When to lower a member's learning rate; together with a constant schedule.
        start: Given what a checkpoint of this training looks like, returns the one to go on from; None
            for the first epoch. What comes after it is the same to the bit as without a break.
        on_epoch: Told after each epoch.
        keep: Given after each epoch but the one that diverged a function that returns the checkpoint.

    Returns:
        Each member's weights of its best epoch, and the progress with the whole history.

    Raises:
        RunDirError: The epochs of the checkpoint are not those of one training.
    """
    metrics = metrics or {}
    n_members, n_rows = len(initial), len(train.x)
    batch_size = min(batch_size, n_rows)
    n_steps = -(-n_rows // batch_size)
    names = ["loss", *metrics]
    names += [f"val_{name}" for name in names] if len(validation.x) else []
    progress = Progress(
        [*names, "learning_rate"], n_members, epochs=epochs, early_stopping=early_stopping, plateau=plateau
    )
    run_epoch = compile_epoch(
        network, optimizer, loss, metrics, batch_size=batch_size, n_members=n_members, seed=seed
    )
    data = [_on_device(part) for part in (*train, *validation)]
    state = _initial_state(initial, optimizer.n_slots)
    best = [state] * n_members
    if checkpoint := start(_checkpoint(state, best, [np.empty((len(progress.history), n_members))], 0)):
        progress.replay(checkpoint.values)
        state, kept = _states_of(checkpoint, state)
        best = [kept] * n_members
    while not progress.finished:
        first_step = progress.epoch * n_steps
        learning_rates = schedule(np.arange(first_step, first_step + n_steps))[:, None] * progress.slowdown
        if plateau:
            learning_rates = np.maximum(learning_rates, plateau.min_learning_rate)
        rows = _rows_of_steps(order_of_rows, progress.epoch, n_members, n_rows, batch_size)
        scalars = _scalars(optimizer, learning_rates, first_step)
        state, means = run_epoch(state, *data, rows, scalars, tf.constant(first_step))
        improved = progress.record(
            np.vstack([means.numpy().reshape(-1, n_members), learning_rates[-1:]], dtype=np.float64)
        )
        for member in np.flatnonzero(improved):
            best[member] = state
        on_epoch(progress)
        if not progress.diverged:
            keep(partial(_checkpoint, state, tuple(best), progress.values, progress.epoch))
    return [_weights_of(kept, member, n_members) for member, kept in enumerate(best)], progress


def shuffled_rows(n_rows: int, seed: int) -> Callable[[int, int], np.ndarray]:
    """The order of rows of each member's epochs, drawn from `(seed, epoch, member)`: no state to keep."""

    def order(member: int, epoch: int) -> np.ndarray:
        positions = np.arange(n_rows, dtype=np.int32)
        np.random.default_rng((seed, epoch, member)).shuffle(positions)
        return positions

    return order


def _on_device(array: np.ndarray) -> tf.Tensor:
    """The array as a tensor: a large one, on a processor, in the same memory."""
    if array.nbytes < LARGE:
        return tf.constant(array)
    # The identity takes it to an accelerator, where there is one.
    return tf.identity(tf.experimental.dlpack.from_dlpack(aligned(array).__dlpack__()))


def _rows_of_steps(
    order_of_rows: Callable[[int, int], np.ndarray], epoch: int, n_members: int, n_rows: int, batch_size: int
) -> tf.Tensor:
    """The rows of each step, `(n_steps, n_members, batch_size)`; the last step is padded with row 0."""
    n_steps = -(-n_rows // batch_size)
    rows = aligned_zeros((n_members, n_steps * batch_size), np.int32)
    for member in range(n_members):
        rows[member, :n_rows] = order_of_rows(member, epoch)
    rows = rows.reshape(n_members, n_steps, batch_size)
    return _on_device(rows.swapaxes(0, 1) if n_members > 1 else rows[0])


def _scalars(optimizer: Optimizer, learning_rates: np.ndarray, first_step: int) -> tf.Tensor:
    """The learning rate and the optimizer's coefficients of each step, `(n_steps, n_scalars, n_members)`."""
    n_steps, n_members = learning_rates.shape
    coefficients = optimizer.coefficients(np.arange(first_step + 1, first_step + n_steps + 1))
    columns = [learning_rates, *(np.repeat(column[:, None], n_members, axis=1) for column in coefficients)]
    scalars = np.stack(columns, axis=1, dtype=np.float32)
    return tf.constant(scalars if n_members > 1 else scalars[:, :, 0])


def _initial_state(initial: Sequence[Weights], n_slots: int) -> State:
    def stacked(values: Sequence[np.ndarray]) -> tf.Tensor:
        return tf.constant(np.stack(values) if len(values) > 1 else values[0])

    parameters = [stacked(values) for values in zip(*(each.parameters for each in initial), strict=True)]
    statistics = [stacked(values) for values in zip(*(each.statistics for each in initial), strict=True)]
    slots = [[tf.zeros_like(parameter) for parameter in parameters] for _ in range(n_slots)]
    return State(parameters, statistics, slots)


def _weights_of(state: State, member: int, n_members: int) -> Weights:
    def values(tensors: Sequence[tf.Tensor]) -> list[np.ndarray]:
        return [tensor.numpy()[member] if n_members > 1 else tensor.numpy() for tensor in tensors]

    return Weights(values(state.parameters), values(state.statistics))


def _checkpoint(
    state: State, best: Sequence[State], values: Sequence[np.ndarray], n_epochs: int
) -> Checkpoint:
    """The checkpoint after so many epochs, although more values may have been recorded since."""
    kept = [_weights_of(each, member, len(best)) for member, each in enumerate(best)]
    best_state = _initial_state(kept, n_slots=0)
    tensors = {name: tensor.numpy() for name, tensor in _named(state).items()}
    tensors |= {f"best.{name}": tensor.numpy() for name, tensor in _named(best_state).items()}
    return Checkpoint(tensors, np.stack([*values[:n_epochs], values[0]])[:n_epochs])


def _states_of(checkpoint: Checkpoint, like: State) -> tuple[State, State]:
    """The state of a checkpoint, and one that has each member's best weights in its place."""

    def tensors(prefix: str, n_tensors: int) -> list[tf.Tensor]:
        return [tf.constant(checkpoint.tensors[f"{prefix}.{number}"]) for number in range(n_tensors)]

    n_parameters, n_statistics = len(like.parameters), len(like.statistics)
    slots = [tensors(f"slots.{slot}", n_parameters) for slot in range(len(like.slots))]
    state, best = (
        State(tensors(f"{of}parameters", n_parameters), tensors(f"{of}statistics", n_statistics), slots)
        for of in ("", "best.")
    )
    return state, best


def _named(state: State) -> dict[str, tf.Tensor]:
    groups = {"parameters": state.parameters, "statistics": state.statistics}
    groups |= {f"slots.{slot}": tensors for slot, tensors in enumerate(state.slots)}
    return {f"{name}.{number}": each for name, group in groups.items() for number, each in enumerate(group)}
