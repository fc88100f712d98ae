"""Training on the device: holds the rows, runs the compiled epoch, takes weights there and back.

The methods take a `TrainingState` and return the next one; what is decided between two epochs is up to
`dlreg.training.loop`. Another engine would offer the same methods.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from dlreg.arrays import LARGE, aligned, aligned_zeros
from dlreg.engine.epoch import CompiledEpoch, EpochInputs, Program
from dlreg.engine.packing import Packing
from dlreg.engine.states import (
    TrainingState,
    initial_states,
    named_arrays,
    restored,
    weights_of_members,
)
from dlreg.model.weights import Weights


@dataclass(frozen=True)
class Trainer:
    """A program with its rows on the device, ready to run epoch by epoch.

    Attributes:
        program: What one epoch computes.
        packings: How the parameters of each variant are held.
        run: The compiled epoch.
        rows: x and y of the training rows, then of the validation rows, see `EpochInputs`.
        validation_rows: See `EpochInputs`.
    """

    program: Program
    packings: list[Packing]
    run: CompiledEpoch
    rows: tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]
    validation_rows: tf.Tensor | None

    def start(self, weights: Sequence[Weights]) -> TrainingState:
        """The state before the first epoch.

        Args:
            weights: What each member starts from.
        """
        states = initial_states(self.packings, weights, self.program.optimizer.n_slots)
        return TrainingState(states, (states,) * len(weights))

    def run_epoch(
        self,
        state: TrainingState,
        orders: Iterable[np.ndarray],
        learning_rates: np.ndarray,
        dropout: np.ndarray,
        *,
        first_step: int,
        optimizer_step: int,
    ) -> tuple[TrainingState, np.ndarray]:
        """Trains for one epoch and measures it.

        Args:
            state: Where the training stands; its best stay as they are.
            orders: Each member's training rows in the order in which it meets them, `(n_rows,)` each.
            learning_rates: Of each step, `(n_steps, n_members)`.
            dropout: What multiplies the networks' dropout in each step, `(n_steps,)`.
            first_step: How many steps there were before, which settles what is dropped.
            optimizer_step: The same, counted from where the optimizer began.

        Returns:
            Where it then stands, and the means as `CompiledEpoch` gives them, `(n_values, n_members)`.
        """
        inputs = EpochInputs(
            *self.rows,
            self.validation_rows,
            self._rows_of_steps(orders),
            self._scalars(learning_rates, optimizer_step),
            tf.constant(dropout.astype(np.float32)),
            tf.constant(first_step),
        )
        states, means = self.run(state.last, inputs)
        return state._replace(last=states), means.numpy().reshape(-1, self.program.n_members)

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

    def _rows_of_steps(self, orders: Iterable[np.ndarray]) -> tf.Tensor:
        """The rows of each step, `(n_steps, n_members, batch_size)`; the last step is padded with row 0."""
        program, n_members = self.program, self.program.n_members
        rows = aligned_zeros((n_members, program.n_steps * program.batch_size), np.int32)
        for line, order in zip(rows, orders, strict=True):
            line[: program.n_rows] = order
        rows = rows.reshape(n_members, program.n_steps, program.batch_size)
        return _on_device(rows.swapaxes(0, 1) if n_members > 1 else rows[0])

    def _scalars(self, learning_rates: np.ndarray, optimizer_step: int) -> tf.Tensor:
        """The learning rate and the optimizer's coefficients, `(n_steps, n_scalars, n_members)`."""
        n_steps, n_members = learning_rates.shape
        coefficients = self.program.optimizer.coefficients(
            np.arange(optimizer_step + 1, optimizer_step + n_steps + 1)
        )
        scalars = np.empty((n_steps, 1 + len(coefficients), n_members), dtype=np.float32)
        scalars[:, 0] = learning_rates
        for place, coefficient in enumerate(coefficients, start=1):
            scalars[:, place] = coefficient[:, None]
        return tf.constant(scalars if n_members > 1 else scalars[:, :, 0])


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
    return Trainer(program, program.packings, CompiledEpoch(program), rows, positions)


def _on_device(array: np.ndarray) -> tf.Tensor:
    """The array as a tensor; a large one shares its memory if the device is the CPU."""
    if array.nbytes < LARGE:
        return tf.constant(array)
    # The identity takes it to an accelerator, where there is one.
    return tf.identity(tf.experimental.dlpack.from_dlpack(aligned(array).__dlpack__()))
