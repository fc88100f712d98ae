"""One epoch as one XLA program, for one network or several side by side.

The program gathers the rows of every batch, runs forward and backward, takes the optimizer's step, then
measures the validation rows. A short last batch is padded with rows of weight 0, so that there is one
body to trace and to compile.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import accumulate, islice
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from dlreg.engine.forward import Batch, forward_together, penalty
from dlreg.engine.packing import Packing, State, packing_of
from dlreg.engine.update_rules import Optimizer
from dlreg.model.architecture import Variant

# From y_true and y_pred of shape (…, n_rows, 1) to a value per row; the last axis may be kept.
Metric = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
LOSSES: dict[str, Metric] = {
    "mse": keras.losses.mean_squared_error,
    "mae": keras.losses.mean_absolute_error,
    "huber": keras.losses.huber,
    "log_cosh": keras.losses.log_cosh,
}
# Validation needs no small batches; this many rows keep its activations within a few megabytes.
VALIDATION_ROWS = 4096
# In validation rows by member, what stands in for a row that there is not.
NO_ROW = -1


def compile_epoch(
    views: Sequence[Variant],
    optimizer: Optimizer,
    loss: str,
    metrics: Mapping[str, Metric],
    *,
    n_rows: int,
    batch_size: int,
    seed: int,
) -> Callable[..., tuple[list[State], tf.Tensor]]:
    """Compiles one epoch.

    Args:
        views: What is trained; the members of the first view come first. The networks may differ in what
            their first layer reads, and in dropout.
        optimizer: How a step moves the parameters.
        loss: A name of `LOSSES`.
        metrics: Further means to report.
        n_rows: Training rows of an epoch, the same for every member.
        batch_size: Rows per step, at most `n_rows`.
        seed: Of dropout.

    Returns:
        A function of a state per view, `x, y, x_validation, y_validation`, the validation rows of each
        member `(n_members, n_validation)`, padded with `NO_ROW` (or None: all of them), the rows of each
        step `(n_steps, n_members, batch_size)`, the scalars of each step (the learning rate, then the
        optimizer's coefficients) `(n_steps, n_scalars, n_members)`, what multiplies the dropout in each
        step `(n_steps,)`, and the number of steps before this epoch; with one member the axis of members is
        left out. It returns the new states and the epoch's means `(n_values, n_members)`: the loss and
        each metric over the training batches, each weighted by its rows as by Keras, then the same over
        the validation rows if there are any.
    """
    ends = list(accumulate(view.n_members for view in views))
    members = [slice(end - view.n_members, end) for view, end in zip(views, ends, strict=True)]
    axes = (ends[-1],) if ends[-1] > 1 else ()
    measures = (LOSSES[loss], *metrics.values())
    packings = [packing_of(view, alone=not axes) for view in views]

    def unpacked(held: Sequence[Sequence[tf.Tensor]]) -> list[list[tf.Tensor]]:
        return [packing.unpack(tensors) for packing, tensors in zip(packings, held, strict=True)]

    def predict(
        parameters: Sequence[Sequence[tf.Tensor]],
        states: Sequence[State],
        x: tf.Tensor,
        batch: Batch | None = None,
    ) -> tuple[tf.Tensor, list[list[tf.Tensor]]]:
        """Predictions `(n_members, batch_size, 1)`, and the new statistics of each view."""
        rows = [x[own] if len(x.shape) == 3 and len(views) > 1 else x for own in members]
        statistics = [state.statistics for state in states]
        return forward_together([view.network for view in views], parameters, statistics, rows, batch)

    def sums_of(y: tf.Tensor, y_pred: tf.Tensor, weight: tf.Tensor) -> list[tf.Tensor]:
        shape, y = (*axes, int(y_pred.shape[-2])), tf.broadcast_to(y, y_pred.shape)
        return [tf.reduce_sum(tf.reshape(f(y, y_pred), shape) * weight, axis=-1) for f in measures]

    def with_penalty(
        sums: list[tf.Tensor], parameters: Sequence[Sequence[tf.Tensor]], n_rows: tf.Tensor
    ) -> tf.Tensor:
        if not any(view.network.l2 for view in views):
            return tf.stack(sums)
        penalties = [penalty(view.network, own) for view, own in zip(views, parameters, strict=True)]
        total = tf.concat(penalties, axis=0) if len(views) > 1 else penalties[0]
        return tf.stack([sums[0] + total * n_rows, *sums[1:]])

    def validate(states: Sequence[State], x: tf.Tensor, y: tf.Tensor, rows: tf.Tensor | None) -> tf.Tensor:
        parameters = unpacked([state.parameters for state in states])
        n_rows = int(x.shape[0] if rows is None else rows.shape[-1])
        size = min(n_rows, max(1, VALIDATION_ROWS // ends[-1]))

        def visit(block: tf.Tensor, sums: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            # The last block is moved back to be as long as the others; what it meets again has no weight.
            start = tf.minimum(block * size, n_rows - size)
            weight = tf.cast(tf.range(size) + start >= block * size, tf.float32)
            if rows is None:
                chosen = [tf.slice(part, [start, 0], [size, int(part.shape[1])]) for part in (x, y)]
            else:
                own = tf.slice(rows, [0, start], [ends[-1], size])
                weight *= tf.cast(own != NO_ROW, tf.float32)
                chosen = [tf.gather(part, tf.maximum(own, 0)) for part in (x, y)]
            y_pred, _ = predict(parameters, states, chosen[0])
            return block + 1, sums + tf.stack(sums_of(chosen[1], y_pred, weight))

        start = (tf.constant(0), tf.zeros((len(measures), *axes)))
        sums = tf.while_loop(lambda block, _: block < -(-n_rows // size), visit, start)[1]
        present = tf.constant(float(n_rows))
        if rows is not None:
            present = tf.reduce_sum(tf.cast(rows != NO_ROW, tf.float32), axis=-1)
        return with_penalty(tf.unstack(sums), parameters, present) / present

    def run_epoch(
        states: list[State],
        x: tf.Tensor,
        y: tf.Tensor,
        x_validation: tf.Tensor,
        y_validation: tf.Tensor,
        validation_rows: tf.Tensor | None,
        rows: tf.Tensor,
        scalars: tf.Tensor,
        dropout: tf.Tensor,
        first_step: tf.Tensor,
    ) -> tuple[list[State], tf.Tensor]:
        n_steps = int(rows.shape[0])

        def train_batch(
            step: tf.Tensor, states: list[State], sums: tf.Tensor
        ) -> tuple[tf.Tensor, list[State], tf.Tensor]:
            weight = tf.cast(tf.range(batch_size) + step * batch_size < n_rows, tf.float32)
            present = tf.cast(tf.minimum(batch_size, n_rows - step * batch_size), tf.float32)
            batch = Batch(weight, present, seed, first_step + step, dropout[step])
            chosen = rows[step]
            packed = [state.parameters for state in states]
            with tf.GradientTape() as tape:
                tape.watch(packed)
                parameters = unpacked(packed)
                y_pred, statistics = predict(parameters, states, tf.gather(x, chosen), batch)
                found = with_penalty(sums_of(tf.gather(y, chosen), y_pred, weight), parameters, present)
                value = found[0] / present
            moved = []
            for number, gradients in enumerate(tape.gradient(value, packed)):
                own = scalars[step][:, members[number]] if axes else scalars[step]
                tensors, slots = _step(optimizer, states[number], gradients, own, packings[number])
                moved.append(State(tensors, statistics[number], slots))
            return step + 1, moved, sums + found

        _, states, sums = tf.while_loop(
            lambda step, *_: step < n_steps,
            train_batch,
            (tf.constant(0), states, tf.zeros((len(measures), *axes))),
        )
        means = sums / n_rows
        if x_validation.shape[0]:
            validated = validate(states, x_validation, y_validation, validation_rows)
            means = tf.concat([means, validated], axis=0)
        return states, means

    compiled = tf.function(run_epoch, jit_compile=True, autograph=False)
    program: Any = None

    def call(states: list[State], *arguments: Any) -> tuple[list[State], tf.Tensor]:
        nonlocal program
        # Traced once and called as an operation: `tf.function` would compare every argument with what it
        # was traced for, which takes longer than an epoch of a small table.
        program = program or tf.function(
            lambda *traced: compiled(*traced), autograph=False
        ).get_concrete_function(states, *arguments)
        held = _tensors_of(states)
        *moved, means = tf.raw_ops.StatefulPartitionedCall(
            args=[*held, *(each for each in arguments if each is not None)],
            Tout=[tf.float32] * (len(held) + 1),
            f=program,
        )
        return _as_states(moved, states), means

    return call


def _tensors_of(states: Sequence[State]) -> list[tf.Tensor]:
    return [
        tensor
        for state in states
        for tensors in (state.parameters, state.statistics, *state.slots)
        for tensor in tensors
    ]


def _as_states(tensors: Iterable[tf.Tensor], like: Sequence[State]) -> list[State]:
    """What `_tensors_of` gave, as states again."""
    tensors = iter(tensors)

    def next_to(group: Sequence[tf.Tensor]) -> list[tf.Tensor]:
        return list(islice(tensors, len(group)))

    return [
        State(next_to(state.parameters), next_to(state.statistics), [next_to(slot) for slot in state.slots])
        for state in like
    ]


def _step(
    optimizer: Optimizer, state: State, gradients: list[tf.Tensor], scalars: tf.Tensor, packing: Packing
) -> tuple[list[tf.Tensor], list[list[tf.Tensor]]]:
    """The parameters and slots after one step."""
    axes = packing.axes

    def beside(scalar: tf.Tensor, value: tf.Tensor) -> tf.Tensor:
        return tf.reshape(scalar, axes + (1,) * (len(value.shape) - len(axes)))

    if optimizer.clip_norm is not None:
        own = [list(range(len(axes), len(gradient.shape))) for gradient in gradients]
        squares = [tf.reduce_sum(g * g, axis=dims) for g, dims in zip(gradients, own, strict=True)]
        shrink = optimizer.clip_norm / tf.maximum(tf.sqrt(tf.add_n(squares)), optimizer.clip_norm)
        gradients = [gradient * beside(shrink, gradient) for gradient in gradients]
    factors = packing.spread([optimizer.factor(*group) for group in packing.groups])
    decays = packing.spread([optimizer.decay(group) for group, _ in packing.groups])
    moved = []
    for w, g, factor, decay, *slots in zip(
        state.parameters, gradients, factors, decays, *state.slots, strict=True
    ):
        learning_rate, *coefficients = (beside(scalar, w) for scalar in tf.unstack(scalars))
        if np.any(decay):
            w -= w * (learning_rate * decay)
        own_rate = learning_rate if np.all(np.equal(factor, 1)) else learning_rate * factor
        moved.append(optimizer.update(w, g, tuple(slots), own_rate, *coefficients))
    slots = [list(slot) for slot in zip(*(slots for _, slots in moved), strict=True)]
    return [w for w, _ in moved], slots
