"""The training loop: runs the compiled epoch, and keeps the best weights.

`Model.fit` leaves the compiled world once per batch and pays over a millisecond each time. Here an
epoch is one call of a program (`dlreg.engine.epoch`); Python only draws the next order of rows and decides
what is best and when to stop (`dlreg.training.progress`).
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from math import prod
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from dlreg.arrays import LARGE, aligned, aligned_zeros
from dlreg.engine.epoch import NO_ROW, Metric, compile_epoch
from dlreg.engine.forward import forward
from dlreg.engine.packing import Packing, State, packing_of
from dlreg.engine.update_rules import Optimizer
from dlreg.model.architecture import Network, Variant
from dlreg.model.weights import Weights
from dlreg.training.checkpoint import Checkpoint
from dlreg.training.progress import EarlyStopping, Plateau, Progress, Refit
from dlreg.training.schedules import Schedule, build_refit_schedule

# Rows predicted at a time: one shape to compile, and a few megabytes of activations.
BLOCK_ROWS = 1024


class Trained(NamedTuple):
    """Where a training ended.

    Attributes:
        weights: Of each member, at the end.
        validated: Of each member, as they were measured on validation rows; the same without refitting.
        progress: With the whole history.
    """

    weights: list[Weights]
    validated: list[Weights]
    progress: Progress


class Rows(NamedTuple):
    """Preprocessed rows: x, float32 of shape `(n_rows, n_features)`, and scaled targets y, `(n_rows, 1)`."""

    x: np.ndarray
    y: np.ndarray


def fit(
    views: Sequence[Variant],
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
    n_rows: int | None = None,
    validation_rows: np.ndarray | None = None,
    dropout: Schedule = lambda steps: np.ones(len(steps)),
    metrics: Mapping[str, Metric] | None = None,
    early_stopping: EarlyStopping | None = None,
    plateau: Plateau | None = None,
    restore_best_weights: bool = True,
    refit: Refit | None = None,
    start: Callable[[Checkpoint], Checkpoint | None] = lambda _: None,
    on_epoch: Callable[[Progress], None] = lambda _: None,
    keep: Callable[[Callable[[], Checkpoint]], None] = lambda _: None,
) -> Trained:
    """Trains one network, or several members side by side.

    Args:
        views: What is trained; members are counted through all views.
        initial: The weights each member starts from.
        optimizer: How a step moves them.
        schedule: The learning rate of each step.
        loss: A name of `dlreg.engine.epoch.LOSSES`.
        train: The rows to train on.
        validation: Rows to choose the best epoch by; there may be none.
        epochs: The most passes over the training rows.
        batch_size: Rows per step; the last step of an epoch has what is left.
        seed: Of dropout, and of the order of rows while refitting.
        order_of_rows: For a member and an epoch (both 0-based) the positions in `train` of its rows.
        n_rows: How many these are, the same for every member; None for all of `train`.
        validation_rows: Each member's positions in `validation`, `(n_members, n_validation)`, padded with
            `dlreg.engine.epoch.NO_ROW`; None for all of them.
        dropout: What multiplies the networks' dropout in each step.
        metrics: Further means to report per epoch, each a function from `y_true` and `y_pred`.
        early_stopping: When a member stops before `epochs`.
        plateau: When to lower a member's learning rate; together with a constant schedule.
        restore_best_weights: Whether a member ends with the weights of its best epoch, or of its last.
        refit: Whether and how members go on from their best epoch, with all rows of `train`.
        start: Given what a checkpoint of this training looks like, returns the one to go on from; None
            for the first epoch. What comes after it is the same to the bit as without a break.
        on_epoch: Told after each epoch.
        keep: Given after each epoch but the one that diverged a function that returns the checkpoint.

    Returns:
        The weights of each member, and the progress.

    Raises:
        RunDirError: The epochs of the checkpoint are not those of one training.
    """
    metrics = metrics or {}
    n_members, n_rows = len(initial), n_rows or len(train.x)
    batch_size = min(batch_size, n_rows)
    n_steps = -(-n_rows // batch_size)
    names = ["loss", *metrics]
    names += [f"val_{name}" for name in names] if len(validation.x) else []
    progress = Progress(
        [*names, "learning_rate"],
        n_members,
        epochs=epochs,
        early_stopping=early_stopping,
        plateau=plateau,
        refit=refit,
    )
    run_epoch = compile_epoch(
        views, optimizer, loss, metrics, n_rows=n_rows, batch_size=batch_size, seed=seed
    )
    data = [_on_device(part) for part in train]
    data += data if validation.x is train.x else [_on_device(part) for part in validation]
    own_rows = None if validation_rows is None else tf.constant(validation_rows.astype(np.int32))
    packings = [packing_of(view, alone=n_members == 1) for view in views]
    states = initial_states(packings, initial, optimizer.n_slots)
    kept = [states] * n_members
    like = _checkpoint(packings, states, kept, [np.empty((len(names) + 1, n_members))], 0)
    if checkpoint := start(like):
        progress.replay(checkpoint.values)
        states, restored = _states_of(checkpoint, states)
        kept = [restored] * n_members

    def train_epoch(
        states: list[State],
        order: Callable[[int, int], np.ndarray],
        learning_rates: np.ndarray,
        first_step: int,
        dropped: np.ndarray,
    ) -> list[State]:
        """The states after one more epoch, which is recorded."""
        n_epochs = len(progress.values)
        rows = _rows_of_steps(order, n_epochs, n_members, n_rows, batch_size)
        scalars = _scalars(optimizer, learning_rates, first_step)
        multiplier = tf.constant(dropped.astype(np.float32))
        moved, means = run_epoch(
            states, *data, own_rows, rows, scalars, multiplier, tf.constant(n_epochs * n_steps)
        )
        was_training = progress.is_training
        improved = progress.record(
            np.vstack([means.numpy().reshape(-1, n_members), learning_rates[-1:]], dtype=np.float64)
        )
        if not progress.diverged:
            for member in np.flatnonzero(improved if restore_best_weights else was_training):
                kept[member] = moved
        on_epoch(progress)
        if not progress.diverged:
            keep(partial(_checkpoint, packings, moved, tuple(kept), progress.values, len(progress.values)))
        return moved

    while not (progress.finished or progress.is_refitting):
        steps = np.arange(progress.epoch * n_steps, (progress.epoch + 1) * n_steps)
        learning_rates = schedule(steps)[:, None] * progress.slowdown
        if plateau:
            learning_rates = np.maximum(learning_rates, plateau.min_learning_rate)
        states = train_epoch(states, order_of_rows, learning_rates, int(steps[0]), dropout(steps))
    validated = _weights_of_members(packings, kept)
    if not refit or progress.diverged:
        return Trained(validated, validated, progress)
    if not progress.refit_epoch:
        states = initial_states(packings, validated, optimizer.n_slots)
    refit_schedule = build_refit_schedule(refit.learning_rate, progress.refit_epochs * n_steps)
    order_of_all = shuffled_rows([np.arange(len(train.x))] * n_members, seed, n_rows)
    while not progress.finished:
        steps = np.arange(progress.refit_epoch * n_steps, (progress.refit_epoch + 1) * n_steps)
        last = dropout(np.full(n_steps, epochs * n_steps))
        states = train_epoch(states, order_of_all, refit_schedule(steps), int(steps[0]), last)
    if progress.diverged:
        return Trained(validated, validated, progress)
    return Trained(_weights_of_members(packings, [states] * n_members), validated, progress)


def shuffled_rows(
    rows: Sequence[np.ndarray], seed: int, n_rows: int | None = None
) -> Callable[[int, int], np.ndarray]:
    """The order of rows of each member's epochs, drawn from `(seed, epoch, member)`: no state to keep.

    Args:
        rows: The positions each member trains on.
        seed: Of all orders.
        n_rows: The length of an epoch; None for the rows of the member that has most. One with fewer meets
            some of them twice, one with more leaves some out.
    """
    length = n_rows or max(map(len, rows))

    def order_of_rows(member: int, epoch: int) -> np.ndarray:
        # Long integers, and so positions in the rows, are shuffled twice as fast as short ones.
        places = np.random.default_rng((seed, epoch, member)).permutation(len(rows[member]))
        order = rows[member][places]
        return order if len(order) == length else np.resize(order, length)

    return order_of_rows


def padded_rows(rows: Sequence[np.ndarray]) -> np.ndarray:
    """One line of positions per member, padded with `dlreg.engine.epoch.NO_ROW` to the longest."""
    padded = np.full((len(rows), max(map(len, rows))), NO_ROW)
    for line, own in zip(padded, rows, strict=True):
        line[: len(own)] = own
    return padded


def predict(network: Network, members: Sequence[Weights], x: np.ndarray) -> np.ndarray:
    """What members of one view predict, in scaled units.

    Args:
        network: What each of them computes.
        members: Their weights.
        x: Preprocessed rows, shape `(n_rows, n_features)`.

    Returns:
        Shape `(n_members, n_rows)`.
    """
    # Compiled by XLA it would be twice as fast, after a time in which a hundred blocks are done.
    run = tf.function(partial(forward, network), autograph=False)
    parameters, statistics = (
        [tf.constant(np.stack(values)) for values in zip(*of_members, strict=True)]
        for of_members in zip(*members, strict=True)
    )
    blocks = []
    for start in range(0, len(x), BLOCK_ROWS):
        rows = np.zeros((BLOCK_ROWS, x.shape[1]), dtype=np.float32)
        block = x[start : start + BLOCK_ROWS]
        rows[: len(block)] = block
        y_pred, _ = run(parameters, statistics, tf.constant(rows))
        blocks.append(y_pred.numpy()[:, : len(block), 0])
    return np.concatenate(blocks, axis=1).astype(np.float64)


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
    scalars = np.empty((n_steps, 1 + len(coefficients), n_members), dtype=np.float32)
    scalars[:, 0] = learning_rates
    for place, coefficient in enumerate(coefficients, start=1):
        scalars[:, place] = coefficient[:, None]
    return tf.constant(scalars if n_members > 1 else scalars[:, :, 0])


def initial_states(packings: Sequence[Packing], initial: Sequence[Weights], n_slots: int) -> list[State]:
    """The members' weights, stacked view by view, with slots of zeros."""
    members = iter(initial)
    states = []
    for packing in packings:
        own = [next(members) for _ in range(prod(packing.axes))]
        stacked = [
            [np.stack(values) if packing.axes else values[0] for values in zip(*of_members, strict=True)]
            for of_members in zip(*own, strict=True)
        ]
        parameters = [tf.constant(each) for each in packing.pack(stacked[0])]
        slots = [[tf.zeros_like(each) for each in parameters] for _ in range(n_slots)]
        states.append(State(parameters, [tf.constant(each) for each in stacked[1]], slots))
    return states


def _weights_of_members(packings: Sequence[Packing], kept: Sequence[Sequence[State]]) -> list[Weights]:
    """Each member's weights in the states kept for it."""
    weights: list[Weights] = []
    for view, packing in enumerate(packings):
        for place in range(prod(packing.axes)):
            state = kept[len(weights)][view]
            member = (place,) if packing.axes else ()
            held, statistics = (
                [tensor.numpy()[member] for tensor in part] for part in (state.parameters, state.statistics)
            )
            weights.append(Weights([np.asarray(each) for each in packing.unpack(held)], statistics))
    return weights


def _checkpoint(
    packings: Sequence[Packing],
    states: Sequence[State],
    kept: Sequence[Sequence[State]],
    values: Sequence[np.ndarray],
    n_epochs: int,
) -> Checkpoint:
    """The checkpoint after so many epochs, although more values may have been recorded since."""
    best = initial_states(packings, _weights_of_members(packings, kept), 0)
    tensors: dict[str, np.ndarray] = {}
    for number, (state, own) in enumerate(zip(states, best, strict=True)):
        tensors |= {f"{number}.{name}": tensor.numpy() for name, tensor in _named(state).items()}
        tensors |= {f"{number}.best.{name}": tensor.numpy() for name, tensor in _named(own).items()}
    return Checkpoint(tensors, np.stack([*values[:n_epochs], values[0]])[:n_epochs])


def _states_of(checkpoint: Checkpoint, like: Sequence[State]) -> tuple[list[State], list[State]]:
    """The states of a checkpoint, and those that have each member's best weights in their place."""

    def tensors(prefix: str, n_tensors: int) -> list[tf.Tensor]:
        return [tf.constant(checkpoint.tensors[f"{prefix}.{number}"]) for number in range(n_tensors)]

    found: tuple[list[State], list[State]] = ([], [])
    for number, state in enumerate(like):
        n_parameters, n_statistics = len(state.parameters), len(state.statistics)
        slots = [tensors(f"{number}.slots.{slot}", n_parameters) for slot in range(len(state.slots))]
        for states, of in zip(found, (f"{number}.", f"{number}.best."), strict=True):
            states.append(
                State(
                    tensors(f"{of}parameters", n_parameters), tensors(f"{of}statistics", n_statistics), slots
                )
            )
    return found


def _named(state: State) -> dict[str, tf.Tensor]:
    groups = {"parameters": state.parameters, "statistics": state.statistics}
    groups |= {f"slots.{slot}": tensors for slot, tensors in enumerate(state.slots)}
    return {f"{name}.{number}": each for name, group in groups.items() for number, each in enumerate(group)}
