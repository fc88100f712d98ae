"""Training on the device: runs compiled epochs, takes weights there and back.

The methods take a `TrainingState` and return the next one; what is decided between two epochs is up to
`dlreg.training.loop`. Another engine would offer the same methods. Rows that fit in memory lie on the device
from the first epoch to the last (`RowsInMemory`), others are read pool by pool (`RowsOnDisk`).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
import tensorflow as tf

from dlreg.arrays import LARGE, aligned, aligned_zeros
from dlreg.engine.epoch import CompiledEpoch, CompiledMeasure, CompiledPool, compiled_epoch, compiled_pool
from dlreg.engine.losses import numbers_of
from dlreg.engine.packing import Packing
from dlreg.engine.program import NO_ROW, EpochInputs, MeasureInputs, PoolInputs, Program
from dlreg.engine.states import (
    TrainingState,
    VariantState,
    initial_states,
    named_arrays,
    restored,
    weights_of_members,
)
from dlreg.model.weights import Weights


class Steps(NamedTuple):
    """What is settled of the steps of an epoch before it.

    Attributes:
        learning_rates: `(n_steps, n_members)`.
        dropout: The share of values that each member drops, float32 of shape `(n_steps, n_members)`.
        first_step: How many steps there were before, which settles what is dropped.
        optimizer_step: The same, counted from where the optimizer began.
    """

    learning_rates: np.ndarray
    dropout: np.ndarray
    first_step: int
    optimizer_step: int


class Pool(NamedTuple):
    """Some training rows of an epoch that does not fit in memory, in arrays that may have room for more.

    Attributes:
        x: Preprocessed rows, float32 of shape `(n_room, n_features)`.
        y: Their scaled targets, `(n_room, 1)`.
        orders: Of each member, and of each that shares its weights, the positions of its rows in the order in
            which it meets them, `(n,)` each, as many for every member.
    """

    x: np.ndarray
    y: np.ndarray
    orders: Sequence[np.ndarray]


class ValidationRows(NamedTuple):
    """Some rows to validate on, in arrays that may have room for more.

    Attributes:
        x: Preprocessed rows, float32 of shape `(n_room, n_features)`.
        y: Their scaled targets, `(n_room, 1)`.
        n_rows: How many of them, the first ones, every member is measured on; None where `places` tells.
        places: Of each member the positions of its rows, int32 of shape `(n_members, n)`, padded with
            `NO_ROW`; None where all are everyone's.
    """

    x: np.ndarray
    y: np.ndarray
    n_rows: int | None
    places: np.ndarray | None = None


class EpochRows(Protocol):
    """Where the rows of an epoch are, and how it is run on them."""

    def run(
        self, states: list[VariantState], visits: Iterable[Any], steps: Steps
    ) -> tuple[list[VariantState], np.ndarray]:
        """Runs an epoch; see `Trainer.run_epoch`."""


@dataclass(frozen=True)
class Trainer:
    """A program and its rows, ready to run epoch by epoch.

    Attributes:
        program: What one epoch computes.
        rows: Where the rows are.
    """

    program: Program
    rows: EpochRows

    @property
    def packings(self) -> list[Packing]:
        """How the parameters of each variant are held."""
        return self.program.packings

    def start(self, weights: Sequence[Weights]) -> TrainingState:
        """The state before the first epoch.

        Args:
            weights: What each member starts from.
        """
        optimizer = self.program.optimizer
        averages = optimizer.ema_momentum is not None
        states = initial_states(self.packings, weights, optimizer.n_slots, averages=averages)
        return TrainingState(states, (states,) * len(weights))

    def run_epoch(
        self, state: TrainingState, visits: Iterable[Any], steps: Steps
    ) -> tuple[TrainingState, np.ndarray]:
        """Trains for one epoch and measures it.

        Args:
            state: Where the training stands; its best stay as they are.
            visits: In memory the training rows of each member, and of each that shares its weights, in the
                order in which it meets them, `(n_rows,)` each; on disk the pools, each full but the last.
            steps: What is settled of each step.

        Returns:
            Where it then stands, and the epoch's means, `(n_values, n_members)`: the loss and each metric
            over the training batches, then the same over the validation rows if there are any.
        """
        states, means = self.rows.run(state.last, visits, steps)
        return state._replace(last=states), means

    def mark_best(self, state: TrainingState, members: np.ndarray) -> TrainingState:
        """Marks the last states as the best of some members, given by their positions, `(n_best,)`."""
        best = list(state.best)
        for member in members:
            best[member] = state.last
        return state._replace(best=tuple(best))

    def last_weights(self, state: TrainingState) -> list[Weights]:
        """Each member's weights after the last epoch."""
        return weights_of_members(self.packings, [state.last] * self.program.n_members)

    def best_weights(self, state: TrainingState) -> list[Weights]:
        """Each member's best weights."""
        return weights_of_members(self.packings, state.best)

    def start_from_best(self, state: TrainingState) -> TrainingState:
        """Goes back to each member's best weights, with a fresh optimizer."""
        return state._replace(last=self.start(self.best_weights(state)).last)

    def checkpoint(self, state: TrainingState) -> dict[str, np.ndarray]:
        """Everything that the rest of the training depends on, as arrays by name."""
        return named_arrays(self.packings, state)

    def restore(self, arrays: Mapping[str, np.ndarray], template: TrainingState) -> TrainingState:
        """Reads what `checkpoint` gave; `template` is any state of this training."""
        return restored(arrays, template)


@dataclass(frozen=True)
class RowsInMemory:
    """Rows that lie on the device from the first epoch to the last.

    Attributes:
        program: What one epoch computes.
        epoch: The same, compiled.
        tensors: x and y of the training rows, then of the validation rows, see `EpochInputs`.
        validation_rows: See `EpochInputs`.
    """

    program: Program
    epoch: CompiledEpoch
    tensors: tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]
    validation_rows: tf.Tensor | None

    def run(
        self, states: list[VariantState], visits: Iterable[np.ndarray], steps: Steps
    ) -> tuple[list[VariantState], np.ndarray]:
        """Runs an epoch as one program."""
        inputs = EpochInputs(
            *self.tensors,
            self.validation_rows,
            _rows_of_steps(self.program, visits, self.program.n_steps),
            *_settled(self.program, steps),
        )
        states, means = self.epoch(states, inputs)
        return states, means.numpy().reshape(-1, self.program.n_members)


@dataclass(frozen=True)
class RowsOnDisk:
    """Rows that are read anew in every epoch, pool by pool.

    Attributes:
        program: What one epoch computes.
        pool: Training on a pool, compiled.
        measure: Measuring one, compiled.
        n_pool_steps: The most steps that a pool has.
        read_validation: Reads the rows to validate on, each time from the first; none where there are none.
    """

    program: Program
    pool: CompiledPool
    measure: CompiledMeasure
    n_pool_steps: int
    read_validation: Callable[[], Iterator[ValidationRows]]

    def run(
        self, states: list[VariantState], visits: Iterable[Pool], steps: Steps
    ) -> tuple[list[VariantState], np.ndarray]:
        """Runs a program for each pool; sums over pools are of double precision."""
        sums, first = np.zeros((len(self.program.measures), self.program.n_members)), 0
        for pool in visits:
            n_steps = -(-len(pool.orders[0]) // self.program.batch_size)
            states, pool_sums = self.pool(states, self._inputs(pool, steps, slice(first, first + n_steps)))
            sums += self._as_array(pool_sums)
            first += n_steps
        return states, np.vstack([sums / self.program.n_rows, *self._validate(states)])

    def _inputs(self, pool: Pool, steps: Steps, places: slice) -> PoolInputs:
        n_missing = self.n_pool_steps - (places.stop - places.start)
        # Steps without rows are not taken, but every array has room for them.
        rates = np.pad(steps.learning_rates[places], ((0, n_missing), (0, 0)))
        first, optimizer_first = (step + places.start for step in (steps.first_step, steps.optimizer_step))
        dropout = np.pad(steps.dropout[places], ((0, n_missing), (0, 0)))
        of_pool = Steps(rates, dropout, first, optimizer_first)
        return PoolInputs(
            _on_device(pool.x),
            _on_device(pool.y),
            _rows_of_steps(self.program, pool.orders, self.n_pool_steps),
            *_settled(self.program, of_pool),
            tf.constant(len(pool.orders[0])),
        )

    def _validate(self, states: list[VariantState]) -> Iterator[np.ndarray]:
        """The means over the validation rows; nothing where there are none."""
        n_members = self.program.n_members
        sums, n_rows = np.zeros((len(self.program.measures), n_members)), np.zeros(n_members)
        for block in self.read_validation():
            places = None if block.places is None else tf.constant(block.places)
            end = None if block.n_rows is None else tf.constant(block.n_rows)
            settled = _l2(self.program), _numbers(self.program)
            inputs = MeasureInputs(_on_device(block.x), _on_device(block.y), places, end, *settled)
            sums += self._as_array(self.measure(states, inputs))
            n_rows += np.sum(block.places != NO_ROW, axis=1) if block.n_rows is None else block.n_rows
        if n_rows.any():
            yield sums / n_rows

    def _as_array(self, sums: tf.Tensor) -> np.ndarray:
        return np.asarray(sums.numpy(), dtype=np.float64).reshape(-1, self.program.n_members)


def _rows_of_steps(program: Program, orders: Iterable[np.ndarray], n_steps: int) -> tf.Tensor:
    """The rows of each step, see `EpochInputs`; what no row is left for is row 0."""
    n_members, n_sharing, size = program.n_members, program.n_sharing, program.batch_size
    rows = aligned_zeros((program.n_orders, n_steps * size), np.int32)
    for line, order in zip(rows, orders, strict=True):
        line[: len(order)] = order
    if n_sharing > 1:
        rows = rows.reshape(n_members, n_sharing, -1).swapaxes(1, 2)
    rows = rows.reshape(n_members, n_steps, size * n_sharing)
    return _on_device(rows.swapaxes(0, 1) if n_members > 1 else rows[0])


class _Settled(NamedTuple):
    """What `EpochInputs` and `PoolInputs` have beside rows."""

    scalars: tf.Tensor
    dropout: tf.Tensor
    first_step: tf.Tensor
    l2: tf.Tensor
    seed: tf.Tensor
    numbers: tf.Tensor


def _settled(program: Program, steps: Steps) -> _Settled:
    n_steps, n_members = steps.learning_rates.shape
    first = steps.optimizer_step + 1
    others = program.optimizer.scalars(np.arange(first, first + n_steps))
    scalars = np.empty((n_steps, 1 + len(others), n_members), dtype=np.float32)
    scalars[:, 0] = steps.learning_rates
    for place, of_steps in enumerate(others, start=1):
        scalars[:, place] = of_steps if of_steps.ndim > 1 else of_steps[:, None]
    return _Settled(
        tf.constant(scalars if n_members > 1 else scalars[:, :, 0]),
        tf.constant(steps.dropout if n_members > 1 else steps.dropout[:, 0]),
        tf.constant(steps.first_step),
        _l2(program),
        tf.constant(program.seed % 2**32, tf.uint32),
        _numbers(program),
    )


def _l2(program: Program) -> tf.Tensor:
    # The networks of a program differ in what their first layer reads, and in dropout.
    return tf.constant(program.variants[0].network.l2, tf.float32)


def _numbers(program: Program) -> tf.Tensor:
    return tf.constant(numbers_of(program.measures), tf.float32)


def build_trainer(
    program: Program,
    train: tuple[np.ndarray, np.ndarray],
    validation: tuple[np.ndarray, np.ndarray],
    validation_rows: np.ndarray | None = None,
) -> Trainer:
    """Puts the rows on the device; the program is compiled with the first epoch.

    Args:
        program: What one epoch computes.
        train: x, float32 of shape `(n_train, n_features)`, and y, `(n_train, 1)`, as in `EpochInputs`.
        validation: The same of the rows to validate on; the very same arrays take no more room.
        validation_rows: See `EpochInputs`.
    """
    x, y = map(_on_device, train)
    x_validation, y_validation = (x, y) if validation[0] is train[0] else map(_on_device, validation)
    positions = None if validation_rows is None else tf.constant(validation_rows.astype(np.int32))
    rows = (x, y, x_validation, y_validation)
    shapes = tuple(None if tensor is None else tuple(tensor.shape) for tensor in (*rows, positions))
    return Trainer(program, RowsInMemory(program, compiled_epoch(program, shapes), rows, positions))


def build_disk_trainer(
    program: Program, n_pool_rows: int, read_validation: Callable[[], Iterator[ValidationRows]]
) -> Trainer:
    """A trainer whose rows are read pool by pool; its programs are compiled with the first epoch.

    Args:
        program: What one epoch computes.
        n_pool_rows: Training rows of a full pool of each member, whole batches.
        read_validation: See `RowsOnDisk`.
    """
    pool, measure = compiled_pool(program)
    return Trainer(
        program, RowsOnDisk(program, pool, measure, n_pool_rows // program.batch_size, read_validation)
    )


def _on_device(array: np.ndarray) -> tf.Tensor:
    """The array as a tensor; a large one shares its memory if the device is the CPU."""
    if array.nbytes < LARGE:
        return tf.constant(array)
    # The identity takes it to an accelerator, where there is one.
    return tf.identity(tf.experimental.dlpack.from_dlpack(aligned(array).__dlpack__()))
