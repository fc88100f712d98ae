"""One epoch as one XLA program, for one network or several side by side.

The program gathers the rows of every batch, runs forward and backward, takes the optimizer's step, then
measures the validation rows. A short last batch is padded with rows of weight 0, so that there is one
body to trace and to compile. Numbers that no shape depends on (learning rate, decay, dropout, penalty, seed)
are read with the rows, so that what was compiled for some serves all others.
"""

from collections.abc import Sequence
from functools import lru_cache, partial
from typing import Any

import tensorflow as tf

from dlreg.engine.forward import Batch, forward_together, sum_of_squares
from dlreg.engine.losses import with_numbers
from dlreg.engine.optimizer import take_step
from dlreg.engine.program import NO_ROW, EpochInputs, MeasureInputs, PoolInputs, Program
from dlreg.engine.states import VariantState, as_states, tensors_of
from dlreg.model.architecture import members_by_variant

# Validation needs no small batches; this many rows keep its activations within a few megabytes.
VALIDATION_ROWS = 4096
# Compiled programs that a process keeps for trainings to come.
MOST_COMPILED = 32
# Of each variant, its parameters in the order of `parameter_specs`.
Parameters = Sequence[Sequence[tf.Tensor]]


class CompiledEpoch:
    """One epoch, compiled when it is called for the first time.

    Args:
        program: What it computes.
    """

    def __init__(self, program: Program) -> None:
        self._compiled = tf.function(partial(_run_epoch, program), jit_compile=True, autograph=False)
        self._traced: Any = None

    def __call__(
        self, states: list[VariantState], inputs: EpochInputs
    ) -> tuple[list[VariantState], tf.Tensor]:
        """Runs an epoch.

        Returns:
            The new states and the epoch's means `(n_values, n_members)`: the loss and each metric over the
            training batches, each weighted by its rows as by Keras, then the same over the validation rows
            if there are any.
        """
        # Traced once and called as an operation: `tf.function` would compare every argument with what it
        # was traced for, which takes longer than an epoch of a small table.
        self._traced = self._traced or tf.function(
            lambda *arguments: self._compiled(*arguments), autograph=False
        ).get_concrete_function(states, inputs)
        tensors = tensors_of(states)
        *moved, means = tf.raw_ops.StatefulPartitionedCall(
            args=[*tensors, *(tensor for tensor in inputs if tensor is not None)],
            Tout=[tf.float32] * (len(tensors) + 1),
            f=self._traced,
        )
        return as_states(moved, states), means


class CompiledPool:
    """The part of an epoch that trains on a pool of rows, compiled when it is called for the first time.

    Args:
        program: What an epoch computes.
    """

    def __init__(self, program: Program) -> None:
        self._compiled = tf.function(partial(_train_pool, program), jit_compile=True, autograph=False)

    def __call__(
        self, states: list[VariantState], inputs: PoolInputs
    ) -> tuple[list[VariantState], tf.Tensor]:
        """Trains on a pool.

        Returns:
            The new states, and of the loss and each metric the sum over the rows, `(n_measures, n_members)`.
        """
        states, sums = self._compiled(states, inputs)
        return states, sums


class CompiledMeasure:
    """The measures of some rows, compiled when it is called for the first time.

    Args:
        program: What an epoch computes.
    """

    def __init__(self, program: Program) -> None:
        self._compiled = tf.function(partial(_measure_block, program), jit_compile=True, autograph=False)

    def __call__(self, states: list[VariantState], inputs: MeasureInputs) -> tf.Tensor:
        """Of the loss and each metric the sum over the rows, `(n_measures, n_members)`."""
        return self._compiled(states, inputs)


@lru_cache(MOST_COMPILED)
def compiled_epoch(program: Program, shapes: tuple[tuple[int, ...] | None, ...]) -> CompiledEpoch:
    """The compiled epoch of a program for rows of such shapes; the one of an equal program, if there was one.

    Args:
        program: What it computes.
        shapes: Of the first inputs of `EpochInputs`, those that are the same in every epoch.
    """
    del shapes
    return CompiledEpoch(program)


@lru_cache(MOST_COMPILED)
def compiled_pool(program: Program) -> tuple[CompiledPool, CompiledMeasure]:
    """The compiled parts of an epoch on disk; those of an equal program, if there were any."""
    return CompiledPool(program), CompiledMeasure(program)


def _run_epoch(
    program: Program, states: list[VariantState], inputs: EpochInputs
) -> tuple[list[VariantState], tf.Tensor]:
    states, sums = _train(program, states, inputs, int(inputs.rows.shape[0]), program.n_rows)
    means = sums / program.n_rows
    if inputs.x_validation.shape[0]:
        means = tf.concat([means, _validate(program, inputs, states)], axis=0)
    return states, means


def _train_pool(
    program: Program, states: list[VariantState], inputs: PoolInputs
) -> tuple[list[VariantState], tf.Tensor]:
    n_steps = -(-inputs.n_rows // program.batch_size)
    return _train(program, states, inputs, n_steps, inputs.n_rows)


def _train(
    program: Program,
    states: list[VariantState],
    inputs: EpochInputs | PoolInputs,
    n_steps: int | tf.Tensor,
    n_rows: int | tf.Tensor,
) -> tuple[list[VariantState], tf.Tensor]:
    """The states after a step for each batch, and the sums of all measures over its rows."""
    _, states, sums = tf.while_loop(
        lambda step, *_: step < n_steps,
        partial(_train_batch, program, inputs, n_rows),
        (tf.constant(0), states, tf.zeros((len(program.measures), *program.axes))),
    )
    return states, sums


def _train_batch(
    program: Program,
    inputs: EpochInputs | PoolInputs,
    n_rows: int | tf.Tensor,
    step: tf.Tensor,
    states: list[VariantState],
    sums: tf.Tensor,
) -> tuple[tf.Tensor, list[VariantState], tf.Tensor]:
    size = program.batch_size
    weight = tf.cast(tf.range(size) + step * size < n_rows, tf.float32)
    n_present = tf.cast(tf.minimum(size, n_rows - step * size), tf.float32)
    batch = Batch(weight, n_present, inputs.seed, inputs.first_step + step, inputs.dropout[step])
    rows = inputs.rows[step]
    packed = [state.parameters for state in states]
    with tf.GradientTape() as tape:
        tape.watch(packed)
        parameters = _unpacked(program, packed)
        y_pred, statistics = _predict(program, parameters, states, tf.gather(inputs.x, rows), batch)
        # A column for each member that shares weights.
        y_true = tf.reshape(tf.gather(inputs.y, rows), y_pred.shape)
        batch_sums = _add_l2(
            program,
            _weighted_sums(program, inputs.numbers, y_true, y_pred, weight),
            parameters,
            inputs.l2,
            n_present,
        )
        loss = batch_sums[0] / n_present
    moved = []
    members = members_by_variant(program.variants)
    for number, gradients in enumerate(tape.gradient(loss, packed)):
        scalars = inputs.scalars[step][:, members[number]] if program.axes else inputs.scalars[step]
        state = states[number]._replace(statistics=statistics[number])
        moved.append(take_step(program.optimizer, state, gradients, scalars, program.packings[number]))
    return step + 1, moved, sums + batch_sums


def _validate(program: Program, inputs: EpochInputs, states: Sequence[VariantState]) -> tf.Tensor:
    """The means of all measures over each member's validation rows, `(n_measures, n_members)`."""
    x, y, rows = inputs.x_validation, inputs.y_validation, inputs.validation_rows
    n_present = tf.constant(float(x.shape[0]))
    if rows is not None:
        n_present = tf.reduce_sum(tf.cast(rows != NO_ROW, tf.float32), axis=-1)
    return _measure(program, states, x, y, rows, inputs.l2, inputs.numbers, n_present) / n_present


def _measure_block(program: Program, states: Sequence[VariantState], inputs: MeasureInputs) -> tf.Tensor:
    x, y, rows, n_rows, l2, numbers = inputs
    present = tf.reduce_sum(tf.cast(rows != NO_ROW, tf.float32), axis=-1) if n_rows is None else n_rows
    n_present = tf.cast(present, tf.float32)
    return _measure(program, states, x, y, rows, l2, numbers, n_present, n_rows)


def _measure(
    program: Program,
    states: Sequence[VariantState],
    x: tf.Tensor,
    y: tf.Tensor,
    rows: tf.Tensor | None,
    l2: tf.Tensor,
    numbers: tf.Tensor,
    n_present: tf.Tensor,
    end: tf.Tensor | None = None,
) -> tf.Tensor:
    """The sums of all measures over rows, with those of a penalty, `(n_measures, n_members)`.

    Args:
        program: What an epoch computes.
        states: What predicts.
        x: Preprocessed rows, `(n_rows, n_features)`.
        y: Their scaled targets, `(n_rows, 1)`.
        rows: The positions of those of each member, as in `EpochInputs`; None for all.
        l2: The penalty, a scalar.
        numbers: What each measure reads, `(n_measures, 2)`.
        n_present: How many rows each member has.
        end: How many rows of x count; None for all.
    """
    parameters = _unpacked(program, [state.predicting for state in states])
    n_rows = int(x.shape[0] if rows is None else rows.shape[-1])
    size = min(n_rows, max(1, VALIDATION_ROWS // program.n_orders))

    def visit(block: tf.Tensor, sums: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        # The last block is moved back to be as long as the others; rows that it repeats have no weight.
        start = tf.minimum(block * size, n_rows - size)
        weight = tf.cast(tf.range(size) + start >= block * size, tf.float32)
        if end is not None and rows is None:
            weight *= tf.cast(tf.range(size) + start < end, tf.float32)
        if rows is None:
            x_block, y_block = (tf.slice(array, [start, 0], [size, int(array.shape[1])]) for array in (x, y))
        else:
            places = tf.slice(rows, [0, start], [program.n_members, size])
            weight *= tf.cast(places != NO_ROW, tf.float32)
            x_block, y_block = (tf.gather(array, tf.maximum(places, 0)) for array in (x, y))
        y_pred, _ = _predict(program, parameters, states, x_block)
        return block + 1, sums + tf.stack(_weighted_sums(program, numbers, y_block, y_pred, weight))

    begin = (tf.constant(0), tf.zeros((len(program.measures), *program.axes)))
    sums = tf.while_loop(lambda block, _: block < -(-n_rows // size), visit, begin)[1]
    return _add_l2(program, tf.unstack(sums), parameters, l2, n_present)


def _unpacked(program: Program, packed: Sequence[Sequence[tf.Tensor]]) -> list[list[tf.Tensor]]:
    return [packing.unpack(tensors) for packing, tensors in zip(program.packings, packed, strict=True)]


def _predict(
    program: Program,
    parameters: Parameters,
    states: Sequence[VariantState],
    x: tf.Tensor,
    batch: Batch | None = None,
) -> tuple[tf.Tensor, list[list[tf.Tensor]]]:
    """Predictions `(n_members, batch_size, 1)`, and the new statistics of each variant."""
    has_members = len(x.shape) == 3 and len(program.variants) > 1
    rows = [x[members] if has_members else x for members in members_by_variant(program.variants)]
    statistics = [state.statistics for state in states]
    networks = [variant.network for variant in program.variants]
    return forward_together(networks, parameters, statistics, rows, batch)


def _weighted_sums(
    program: Program, numbers: tf.Tensor, y_true: tf.Tensor, y_pred: tf.Tensor, weight: tf.Tensor
) -> list[tf.Tensor]:
    """The weighted sum of each measure over the rows, a scalar or `(n_members,)`."""
    shape, y_true = (*program.axes, int(y_pred.shape[-2]), -1), tf.broadcast_to(y_true, y_pred.shape)
    values = [
        with_numbers(measure, numbers[place])(y_true, y_pred)
        for place, measure in enumerate(program.measures)
    ]
    # Members that share weights count each for itself.
    means = [tf.reduce_mean(tf.reshape(value, shape), axis=-1) for value in values]
    return [tf.reduce_sum(mean * weight, axis=-1) for mean in means]


def _add_l2(
    program: Program, sums: Sequence[tf.Tensor], parameters: Parameters, l2: tf.Tensor, n_rows: tf.Tensor
) -> tf.Tensor:
    """Adds the penalty, l2 · Σ w² once per row, to the sum of the losses."""
    if not any(variant.network.l2 for variant in program.variants):
        return tf.stack(sums)
    squares = [
        sum_of_squares(variant.network, variant_parameters)
        for variant, variant_parameters in zip(program.variants, parameters, strict=True)
    ]
    total = tf.concat(squares, axis=0) if len(squares) > 1 else squares[0]
    return tf.stack([sums[0] + l2 * total * n_rows, *sums[1:]])
