"""Keras's update rules in plain tensors, for use inside a compiled program.

Keras's optimizers keep their state in variables, whose bookkeeping costs more inside a program than the
arithmetic of a small network. The rules here are the same, constants included, to rounding. What depends
on the step alone (bias corrections, the learning rate) is worked out for a whole epoch beforehand.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, get_args

import numpy as np
import tensorflow as tf

from dlreg.model.architecture import ParameterGroup

EPSILON = 1e-7
BETA_1, BETA_2, MOMENTUM_DECAY = 0.9, 0.999, np.float32(0.96)
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
        update: See `Update`.
        weight_decay: Decoupled: each step first moves w by -learning_rate · weight_decay · w.
        clip_norm: The largest norm of all gradients taken together.
        decays: The groups of parameters (see `dlreg.model.architecture.ParameterGroup`) that decay.
        factors: By group, what multiplies the learning rate of an update.
        scales_weights: Whether a weight matrix's learning rate is also divided by the root of its inputs'
            number, so that its outputs move alike whatever its width.
    """

    n_slots: int
    coefficients: Coefficients
    update: Update
    weight_decay: float = 0.0
    clip_norm: float | None = None
    decays: Collection[ParameterGroup] = get_args(ParameterGroup)
    factors: Mapping[str, float] = field(default_factory=dict)
    scales_weights: bool = False

    def factor(self, group: ParameterGroup, fan_in: int) -> float:
        """What multiplies the learning rate of a parameter's updates."""
        scaled = self.scales_weights and group == "weights"
        return self.factors.get(group, 1.0) / (fan_in**0.5 if scaled else 1.0)

    def decay(self, group: ParameterGroup) -> float:
        """The weight decay of a parameter."""
        return self.weight_decay if group in self.decays else 0.0


def build_optimizer(
    name: str,
    *,
    weight_decay: float = 0.0,
    momentum: float = 0.0,
    clip_norm: float | None = None,
    beta_1: float = BETA_1,
    beta_2: float = BETA_2,
    decays: Collection[ParameterGroup] = get_args(ParameterGroup),
    factors: Mapping[str, float] | None = None,
    scales_weights: bool = False,
) -> Optimizer:
    """The rule of Keras's optimizer of that name, with Keras's defaults.

    Args:
        name: `sgd`, `adam`, `adamw`, `rmsprop` or `nadam`.
        weight_decay: Decoupled, as in AdamW (https://arxiv.org/abs/1711.05101).
        momentum: Of sgd and rmsprop.
        clip_norm: The largest norm of all gradients taken together (Keras's `global_clipnorm`).
        beta_1: Of adam, adamw and nadam: the share of the mean gradient that a step keeps.
        beta_2: The same of the mean square.
        decays: See `Optimizer`, as the following.
        factors: By group, 1 where it is not named.
        scales_weights: The 1/√d of the neural tangent parametrisation, as in RealMLP
            (https://arxiv.org/abs/2407.04491).
    """
    rules: dict[str, tuple[int, Coefficients, Update]] = {
        "sgd": (1, _none, _momentum_rule(momentum)) if momentum else (0, _none, _sgd),
        "adam": (2, *_adam_rule(beta_1, beta_2)),
        "adamw": (2, *_adam_rule(beta_1, beta_2)),
        "rmsprop": (2, _none, _rmsprop_rule(momentum)) if momentum else (1, _none, _rmsprop),
        "nadam": (2, *_nadam_rule(beta_1, beta_2)),
    }
    return Optimizer(*rules[name], weight_decay, clip_norm, decays, factors or {}, scales_weights)


def _none(_: np.ndarray) -> Sequence[np.ndarray]:
    return ()


def _sgd(w: tf.Tensor, g: tf.Tensor, _: Slots, learning_rate: tf.Tensor) -> tuple[tf.Tensor, Slots]:
    return w - learning_rate * g, ()


def _momentum_rule(momentum: float) -> Update:
    def update(w: tf.Tensor, g: tf.Tensor, slots: Slots, learning_rate: tf.Tensor) -> Any:
        velocity = momentum * slots[0] - learning_rate * g
        return w + _without_coasting(velocity, learning_rate), (velocity,)

    return update


def _rmsprop_step(g: tf.Tensor, square: tf.Tensor, learning_rate: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    square = 0.9 * square + 0.1 * g * g
    return learning_rate * g * tf.math.rsqrt(square + EPSILON), square


def _rmsprop(w: tf.Tensor, g: tf.Tensor, slots: Slots, learning_rate: tf.Tensor) -> tuple[tf.Tensor, Slots]:
    step, square = _rmsprop_step(g, slots[0], learning_rate)
    return w - step, (square,)


def _rmsprop_rule(momentum: float) -> Update:
    def update(w: tf.Tensor, g: tf.Tensor, slots: Slots, learning_rate: tf.Tensor) -> Any:
        step, square = _rmsprop_step(g, slots[0], learning_rate)
        velocity = momentum * slots[1] + step
        return w - _without_coasting(velocity, learning_rate), (square, velocity)

    return update


def _without_coasting(velocity: tf.Tensor, learning_rate: tf.Tensor) -> tf.Tensor:
    """The velocity, or none where the learning rate is 0: of a member that is done while others go on."""
    return velocity * tf.cast(learning_rate > 0, tf.float32)


def _adam_rule(beta_1: float, beta_2: float) -> tuple[Coefficients, Update]:
    """Kingma and Ba, 2015 (https://arxiv.org/abs/1412.6980), ε outside the bias correction as in Keras."""
    # Single precision, as Keras corrects the bias: in 1 - β₂ᵗ the rounding of 0.999 shows.
    single_1, single_2 = np.float32(beta_1), np.float32(beta_2)

    def coefficients(steps: np.ndarray) -> Sequence[np.ndarray]:
        steps = steps.astype(np.float32)
        return (np.sqrt(1 - single_2**steps) / (1 - single_1**steps),)

    def update(
        w: tf.Tensor, g: tf.Tensor, slots: Slots, learning_rate: tf.Tensor, correction: tf.Tensor
    ) -> tuple[tf.Tensor, Slots]:
        mean, square = slots
        mean += (g - mean) * (1 - beta_1)
        square += (g * g - square) * (1 - beta_2)
        return w - mean * (learning_rate * correction) / (tf.sqrt(square) + EPSILON), (mean, square)

    return coefficients, update


def _nadam_rule(beta_1: float, beta_2: float) -> tuple[Coefficients, Update]:
    """Dozat, 2016 (https://openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ)."""
    single_1, single_2 = np.float32(beta_1), np.float32(beta_2)

    def momentum(steps: np.ndarray) -> np.ndarray:
        return np.asarray(single_1 * (1 - np.float32(0.5) * MOMENTUM_DECAY ** steps.astype(np.float32)))

    def coefficients(steps: np.ndarray) -> Sequence[np.ndarray]:
        # The product over every step so far, though only the last ones are asked for.
        every = np.cumprod(momentum(np.arange(1, steps[-1] + 2)))
        so_far, with_next = every[steps - 1], every[steps]
        return (
            momentum(steps + 1) / (1 - with_next),
            (1 - momentum(steps)) / (1 - so_far),
            1 / (1 - single_2 ** steps.astype(np.float32)),
        )

    def update(
        w: tf.Tensor,
        g: tf.Tensor,
        slots: Slots,
        learning_rate: tf.Tensor,
        ahead: tf.Tensor,
        now: tf.Tensor,
        correction: tf.Tensor,
    ) -> tuple[tf.Tensor, Slots]:
        mean, square = slots
        mean += (g - mean) * (1 - single_1)
        square += (g * g - square) * (1 - single_2)
        direction = mean * ahead + g * now
        return w - direction * learning_rate / (tf.sqrt(square * correction) + EPSILON), (mean, square)

    return coefficients, update
