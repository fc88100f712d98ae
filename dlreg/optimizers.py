"""Keras's update rules in plain tensors, for use inside a compiled program.

Keras's optimizers keep their state in variables, whose bookkeeping costs more inside a program than the
arithmetic of a small network. The rules here are the same, constants included, to rounding. What depends
on the step alone (bias corrections, the learning rate) is worked out for a whole epoch beforehand.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

EPSILON = 1e-7
# Single precision, as Keras corrects the bias: in 1 - β₂ᵗ the rounding of 0.999 shows.
BETA_1, BETA_2, MOMENTUM_DECAY = np.float32(0.9), np.float32(0.999), np.float32(0.96)
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
    """

    n_slots: int
    coefficients: Coefficients
    update: Update
    weight_decay: float = 0.0
    clip_norm: float | None = None


def build_optimizer(
    name: str, *, weight_decay: float = 0.0, momentum: float = 0.0, clip_norm: float | None = None
) -> Optimizer:
    """The rule of Keras's optimizer of that name, with Keras's defaults.

    Args:
        name: `sgd`, `adam`, `adamw`, `rmsprop` or `nadam`.
        weight_decay: Decoupled, as in AdamW (https://arxiv.org/abs/1711.05101).
        momentum: Of sgd and rmsprop.
        clip_norm: The largest norm of all gradients taken together (Keras's `global_clipnorm`).
    """
    rules: dict[str, tuple[int, Coefficients, Update]] = {
        "sgd": (1, _none, _momentum_rule(momentum)) if momentum else (0, _none, _sgd),
        "adam": (2, _adam_coefficients, _adam),
        "adamw": (2, _adam_coefficients, _adam),
        "rmsprop": (2, _none, _rmsprop_rule(momentum)) if momentum else (1, _none, _rmsprop),
        "nadam": (2, _nadam_coefficients, _nadam),
    }
    return Optimizer(*rules[name], weight_decay, clip_norm)


def _none(_: np.ndarray) -> Sequence[np.ndarray]:
    return ()


def _sgd(w: tf.Tensor, g: tf.Tensor, _: Slots, learning_rate: tf.Tensor) -> tuple[tf.Tensor, Slots]:
    return w - learning_rate * g, ()


def _momentum_rule(momentum: float) -> Update:
    def update(w: tf.Tensor, g: tf.Tensor, slots: Slots, learning_rate: tf.Tensor) -> Any:
        velocity = momentum * slots[0] - learning_rate * g
        return w + velocity, (velocity,)

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
        return w - velocity, (square, velocity)

    return update


def _adam_coefficients(steps: np.ndarray) -> Sequence[np.ndarray]:
    steps = steps.astype(np.float32)
    return (np.sqrt(1 - BETA_2**steps) / (1 - BETA_1**steps),)


def _adam(
    w: tf.Tensor, g: tf.Tensor, slots: Slots, learning_rate: tf.Tensor, correction: tf.Tensor
) -> tuple[tf.Tensor, Slots]:
    """Kingma and Ba, 2015 (https://arxiv.org/abs/1412.6980), ε outside the bias correction as in Keras."""
    mean, square = slots
    mean += (g - mean) * (1 - 0.9)
    square += (g * g - square) * (1 - 0.999)
    return w - mean * (learning_rate * correction) / (tf.sqrt(square) + EPSILON), (mean, square)


def _nadam_coefficients(steps: np.ndarray) -> Sequence[np.ndarray]:
    def momentum(steps: np.ndarray) -> np.ndarray:
        return np.asarray(BETA_1 * (1 - np.float32(0.5) * MOMENTUM_DECAY ** steps.astype(np.float32)))

    # The product over every step so far, though only the last ones are asked for.
    every = np.cumprod(momentum(np.arange(1, steps[-1] + 2)))
    so_far, with_next = every[steps - 1], every[steps]
    return (
        momentum(steps + 1) / (1 - with_next),
        (1 - momentum(steps)) / (1 - so_far),
        1 / (1 - BETA_2 ** steps.astype(np.float32)),
    )


def _nadam(
    w: tf.Tensor,
    g: tf.Tensor,
    slots: Slots,
    learning_rate: tf.Tensor,
    ahead: tf.Tensor,
    now: tf.Tensor,
    correction: tf.Tensor,
) -> tuple[tf.Tensor, Slots]:
    """Dozat, 2016 (https://openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ)."""
    mean, square = slots
    mean += (g - mean) * (1 - BETA_1)
    square += (g * g - square) * (1 - BETA_2)
    direction = mean * ahead + g * now
    return w - direction * learning_rate / (tf.sqrt(square * correction) + EPSILON), (mean, square)
