"""One epoch as one XLA program, for one network or several side by side.

The program gathers the rows of every batch, runs forward and backward, takes the optimizer's step, then
measures the validation rows. A short last batch is padded with rows of weight 0, so that there is one
body to trace and to compile.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from dlreg.network import Batch, Network, forward, penalty
from dlreg.optimizers import Optimizer

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


class State(NamedTuple):
    """What an epoch starts from and leaves; several members have an axis in front of each tensor.

    Attributes:
        parameters: In the order of Keras's `trainable_weights`.
        statistics: Moving means and variances of batch normalisation.
        slots: For each slot of the optimizer, a tensor per parameter.
    """

    parameters: list[tf.Tensor]
    statistics: list[tf.Tensor]
    slots: list[list[tf.Tensor]]


def compile_epoch(
    network: Network,
    optimizer: Optimizer,
    loss: str,
    metrics: Mapping[str, Metric],
    *,
    batch_size: int,
    n_members: int,
    seed: int,
) -> Callable[..., tuple[State, tf.Tensor]]:
    """Compiles one epoch.

    Args:
        network: What is trained.
        optimizer: How a step moves the parameters.
        loss: A name of `LOSSES`.
        metrics: Further means to report.
        batch_size: Rows per step, at most as many as there are.
        n_members: How many networks are trained side by side; the axis of members below is there if
            there are several.
        seed: Of dropout.

    Returns:
        A function of a state, `x, y, x_validation, y_validation`, the rows of each step
        `(n_steps, n_members, batch_size)`, the scalars of each step (the learning rate, then the
        optimizer's coefficients) `(n_steps, n_scalars, n_members)`, and the number of steps before this
        epoch. It returns the new state and the epoch's means `(n_values, n_members)`: the loss and each
        metric over the training batches, each weighted by its rows as by Keras, then the same over the
        validation rows if there are any.
    """
    axes = (n_members,) if n_members > 1 else ()
    measures = (LOSSES[loss], *metrics.values())

    def sums_of(y: tf.Tensor, y_pred: tf.Tensor, weight: tf.Tensor) -> list[tf.Tensor]:
        shape, y = (*axes, int(y_pred.shape[-2])), tf.broadcast_to(y, y_pred.shape)
        return [tf.reduce_sum(tf.reshape(f(y, y_pred), shape) * weight, axis=-1) for f in measures]

    def with_penalty(sums: list[tf.Tensor], parameters: Sequence[tf.Tensor], n_rows: tf.Tensor) -> tf.Tensor:
        first = sums[0] + penalty(network, parameters) * n_rows if network.l2 else sums[0]
        return tf.stack([first, *sums[1:]])

    def validate(state: State, x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
        n_rows = int(x.shape[0])
        size = min(n_rows, VALIDATION_ROWS)

        def visit(block: tf.Tensor, sums: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            # The last block is moved back to be as long as the others; what it meets again has no weight.
            start = tf.minimum(block * size, n_rows - size)
            weight = tf.cast(tf.range(size) + start >= block * size, tf.float32)
            rows = [tf.slice(part, [start, 0], [size, int(part.shape[1])]) for part in (x, y)]
            y_pred, _ = forward(network, state.parameters, state.statistics, rows[0])
            return block + 1, sums + tf.stack(sums_of(rows[1], y_pred, weight))

        start = (tf.constant(0), tf.zeros((len(measures), *axes)))
        sums = tf.while_loop(lambda block, _: block < -(-n_rows // size), visit, start)[1]
        return with_penalty(tf.unstack(sums), state.parameters, tf.constant(float(n_rows))) / n_rows

    def run_epoch(
        state: State,
        x: tf.Tensor,
        y: tf.Tensor,
        x_validation: tf.Tensor,
        y_validation: tf.Tensor,
        rows: tf.Tensor,
        scalars: tf.Tensor,
        first_step: tf.Tensor,
    ) -> tuple[State, tf.Tensor]:
        n_rows, n_steps = int(x.shape[0]), int(rows.shape[0])

        def train_batch(step: tf.Tensor, state: State, sums: tf.Tensor) -> tuple[tf.Tensor, State, tf.Tensor]:
            weight = tf.cast(tf.range(batch_size) + step * batch_size < n_rows, tf.float32)
            present = tf.cast(tf.minimum(batch_size, n_rows - step * batch_size), tf.float32)
            batch = Batch(weight, present, seed, first_step + step)
            chosen = rows[step]
            with tf.GradientTape() as tape:
                tape.watch(state.parameters)
                y_pred, statistics = forward(
                    network, state.parameters, state.statistics, tf.gather(x, chosen), batch
                )
                sums_of_batch = sums_of(tf.gather(y, chosen), y_pred, weight)
                found = with_penalty(sums_of_batch, state.parameters, present)
                value = found[0] / present
            gradients = tape.gradient(value, state.parameters)
            parameters, slots = _step(optimizer, state, gradients, scalars[step], axes)
            return step + 1, State(parameters, statistics, slots), sums + found

        start = (tf.constant(0), state, tf.zeros((len(measures), *axes)))
        _, state, sums = tf.while_loop(lambda step, *_: step < n_steps, train_batch, start)
        means = sums / n_rows
        if x_validation.shape[0]:
            means = tf.concat([means, validate(state, x_validation, y_validation)], axis=0)
        return state, means

    compiled = tf.function(run_epoch, jit_compile=True, autograph=False)
    program: Callable[..., tuple[State, tf.Tensor]] | None = None

    def call(*arguments: Any) -> tuple[State, tf.Tensor]:
        # Always the same one: to look for the one that fits the arguments takes as long as a small epoch.
        nonlocal program
        program = program or compiled.get_concrete_function(*arguments)
        return program(*arguments)

    return call


def _step(
    optimizer: Optimizer, state: State, gradients: list[tf.Tensor], scalars: tf.Tensor, axes: tuple[int, ...]
) -> tuple[list[tf.Tensor], list[list[tf.Tensor]]]:
    """The parameters and slots after one step."""

    def beside(scalar: tf.Tensor, value: tf.Tensor) -> tf.Tensor:
        return tf.reshape(scalar, axes + (1,) * (len(value.shape) - len(axes)))

    if optimizer.clip_norm is not None:
        own = [list(range(len(axes), len(gradient.shape))) for gradient in gradients]
        squares = [tf.reduce_sum(g * g, axis=dims) for g, dims in zip(gradients, own, strict=True)]
        shrink = optimizer.clip_norm / tf.maximum(tf.sqrt(tf.add_n(squares)), optimizer.clip_norm)
        gradients = [gradient * beside(shrink, gradient) for gradient in gradients]
    moved = []
    for w, g, *slots in zip(state.parameters, gradients, *state.slots, strict=True):
        learning_rate, *coefficients = (beside(scalar, w) for scalar in tf.unstack(scalars))
        if optimizer.weight_decay:
            w -= w * (learning_rate * optimizer.weight_decay)
        moved.append(optimizer.update(w, g, tuple(slots), learning_rate, *coefficients))
    slots = [list(slot) for slot in zip(*(slots for _, slots in moved), strict=True)]
    return [w for w, _ in moved], slots
