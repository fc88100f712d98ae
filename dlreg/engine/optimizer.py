"""An optimizer as a value, and the step it takes inside the compiled epoch."""

from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import get_args

import numpy as np
import tensorflow as tf

from dlreg.engine.packing import Packing
from dlreg.engine.states import VariantState
from dlreg.model.architecture import ParameterGroup

Slots = tuple[tf.Tensor, ...]
# Of step numbers from 1, shape `(n_steps,)`, the coefficients each step needs.
Coefficients = Callable[[np.ndarray], Sequence[np.ndarray]]
# From parameters, gradients, slots, the learning rate and the coefficients, to parameters and slots.
Update = Callable[..., tuple[tf.Tensor, Slots]]


@dataclass(frozen=True)
class Optimizer:
    """How a step moves the parameters.

    Attributes:
        n_slots: Tensors kept per parameter, of its shape; they start as zeros.
        coefficients: See `Coefficients`.
        update: See `Update`; the same function wherever the same is compiled.
        matrix_update: The same of the matrices of hidden layers, `(…, n_inputs, n_units)`; None where they
            move like all else.
        weight_decay: Decoupled, as in AdamW (https://arxiv.org/abs/1711.05101): each step first moves w by
            -learning_rate · weight_decay · w. One number for all members, or one for each.
        clip_norm: The largest norm of all gradients taken together (Keras's `global_clipnorm`).
        ema_momentum: How much of the parameters' moving average a step keeps (Keras's `use_ema`); None for no
            average.
        decays: The groups of parameters (see `dlreg.model.architecture.ParameterGroup`) that decay.
        factors: By group, what multiplies the learning rate of an update; 1 where it is not named.
        scales_weights: Whether a weight matrix's learning rate is also divided by the root of its inputs'
            number, so that its outputs move alike whatever its width: the 1/√d of the neural tangent
            parametrisation, as in RealMLP (https://arxiv.org/abs/2407.04491).
    """

    n_slots: int
    coefficients: Coefficients
    update: Update
    matrix_update: Update | None = None
    weight_decay: float | tuple[float, ...] = 0.0
    clip_norm: float | None = None
    ema_momentum: float | None = None
    decays: Collection[ParameterGroup] = get_args(ParameterGroup)
    factors: Mapping[str, float] = field(default_factory=dict)
    scales_weights: bool = False

    @property
    def moves_matrices(self) -> bool:
        """Whether it moves the matrices of hidden layers as matrices."""
        return self.matrix_update is not None

    @property
    def structure(self) -> Hashable:
        """What is compiled of it: all but the numbers that `scalars` hands to each step."""
        rules = self.update, self.matrix_update, self.clip_norm is None, self.ema_momentum is None
        decays = frozenset(self.decays) if self.weight_decay else None
        return rules, decays, frozenset(self.factors.items()), self.scales_weights

    def scalars(self, steps: np.ndarray) -> list[np.ndarray]:
        """What steps need beside their learning rate, of step numbers from 1 on, `(n_steps,)` each.

        Of what members have each for themselves `(n_steps, n_members)`.

        The weight decay if there is any, the largest norm if there is one, the momentum of an average if
        there is one, then the coefficients.
        """
        scalars = []
        if self.weight_decay:
            scalars.append(np.full((len(steps), *np.shape(self.weight_decay)), self.weight_decay))
        if self.clip_norm is not None:
            scalars.append(np.full(len(steps), self.clip_norm))
        if self.ema_momentum is not None:
            # As in Keras the average begins with the weights after the first step.
            scalars.append(np.where(steps == 1, 0.0, self.ema_momentum))
        return [*scalars, *self.coefficients(steps)]

    def factor(self, group: ParameterGroup, fan_in: int) -> float:
        """What multiplies the learning rate of a parameter's updates."""
        scaled = self.scales_weights and group == "weights"
        return self.factors.get(group, 1.0) / (fan_in**0.5 if scaled else 1.0)

    def does_decay(self, group: ParameterGroup) -> bool:
        """Whether a parameter decays."""
        return bool(self.weight_decay) and group in self.decays


def take_step(
    optimizer: Optimizer,
    state: VariantState,
    gradients: Sequence[tf.Tensor],
    scalars: tf.Tensor,
    packing: Packing,
) -> VariantState:
    """Moves the parameters of one variant by one step.

    Args:
        optimizer: How.
        state: The parameters, as `packing` holds them, with slots and averages.
        gradients: The like of the parameters.
        scalars: The learning rate, then those of `Optimizer.scalars`, `(n_scalars,)` or
            `(n_scalars, n_members)`.
        packing: How they are held.

    Returns:
        The state after the step.
    """
    axes, values = packing.axes, iter(tf.unstack(scalars))
    rate, decay = next(values), next(values) if optimizer.weight_decay else None
    if optimizer.clip_norm is not None:
        gradients = _clipped(gradients, next(values), axes)
    ema_momentum = None if optimizer.ema_momentum is None else next(values)
    others = list(values)
    factors = packing.spread([optimizer.factor(*group) for group in packing.groups])
    decaying = packing.spread([float(optimizer.does_decay(group)) for group, _ in packing.groups])
    moved = []
    for w, g, factor, decays, is_matrix, *own_slots in zip(
        state.parameters, gradients, factors, decaying, packing.held_matrices, *state.slots, strict=True
    ):
        learning_rate, *coefficients = (
            _broadcast_to_parameter(scalar, w, axes) for scalar in (rate, *others)
        )
        if decay is not None and np.any(decays):
            own_decay = _broadcast_to_parameter(decay, w, axes)
            w -= w * (learning_rate * (own_decay if np.all(decays) else own_decay * decays))
        scaled_rate = learning_rate if np.all(np.equal(factor, 1)) else learning_rate * factor
        update = optimizer.matrix_update if is_matrix and optimizer.matrix_update else optimizer.update
        moved.append(update(w, g, tuple(own_slots), scaled_rate, *coefficients))
    parameters = [w for w, _ in moved]
    slots = [list(slot) for slot in zip(*(own_slots for _, own_slots in moved), strict=True)]
    averages = state.averages
    if ema_momentum is not None:
        averages = _averaged(averages, parameters, ema_momentum, rate, axes)
    return VariantState(parameters, state.statistics, slots, averages)


def _averaged(
    averages: Sequence[tf.Tensor],
    parameters: Sequence[tf.Tensor],
    momentum: tf.Tensor,
    rate: tf.Tensor,
    axes: tuple[int, ...],
) -> list[tf.Tensor]:
    """The moving averages with the parameters after a step.

    They rest where the learning rate is 0: that member has finished while others go on.
    """
    kept = tf.where(rate > 0, momentum, tf.ones_like(momentum))
    return [
        share * average + (1 - share) * w
        for average, w in zip(averages, parameters, strict=True)
        for share in [_broadcast_to_parameter(kept, w, axes)]
    ]


def _clipped(gradients: Sequence[tf.Tensor], clip_norm: tf.Tensor, axes: tuple[int, ...]) -> list[tf.Tensor]:
    """Scales each member's gradients down so that their joint norm is at most `clip_norm`."""
    dims = [list(range(len(axes), len(gradient.shape))) for gradient in gradients]
    squares = [tf.reduce_sum(g * g, axis=axis) for g, axis in zip(gradients, dims, strict=True)]
    shrink = clip_norm / tf.maximum(tf.sqrt(tf.add_n(squares)), clip_norm)
    return [gradient * _broadcast_to_parameter(shrink, gradient, axes) for gradient in gradients]


def _broadcast_to_parameter(scalar: tf.Tensor, value: tf.Tensor, axes: tuple[int, ...]) -> tf.Tensor:
    """Reshapes one number per member so that it broadcasts over that member's parameter."""
    return tf.reshape(scalar, axes + (1,) * (len(value.shape) - len(axes)))
