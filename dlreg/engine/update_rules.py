"""Keras's update rules in plain tensors, for use inside a compiled program.

Keras's optimizers keep their state in variables, whose bookkeeping costs more inside a program than the
arithmetic of a small network. The rules here are the same, constants included, to rounding. What depends
on the step alone (bias corrections, the learning rate) is worked out for a whole epoch beforehand.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import tensorflow as tf

from dlreg.engine.optimizer import Coefficients, Optimizer, Slots, Update
from dlreg.model.optimizer_slots import count_slots

EPSILON = 1e-7
MUON_MOMENTUM, MUON_SCALE = 0.95, 0.2
# Of the polynomial whose iteration brings singular values near 1.
NEWTON_SCHULZ, NEWTON_SCHULZ_STEPS = (3.4445, -4.7750, 2.0315), 5
BETA_1, BETA_2, MOMENTUM_DECAY = 0.9, 0.999, np.float32(0.96)


def build_optimizer(
    name: str, *, momentum: float = 0.0, beta_1: float = BETA_1, beta_2: float = BETA_2, **options: Any
) -> Optimizer:
    """The rule of Keras's optimizer of that name, with Keras's defaults.

    Args:
        name: `sgd`, `adam`, `adamw`, `rmsprop`, `nadam` or `muon`.
        momentum: Of sgd and rmsprop.
        beta_1: Of adam, adamw, nadam, and of what muon does not move as matrices: the share of the mean
            gradient that a step keeps.
        beta_2: The same of the mean square.
        options: What `Optimizer` takes beside the rule: `weight_decay`, `clip_norm`, `ema_momentum`,
            `decays`, `factors`, `scales_weights`.
    """
    kept = partial(_every_step, momentum)
    adam = partial(_adam_coefficients, beta_1, beta_2)
    rules: dict[str, tuple[Coefficients, Update] | tuple[Coefficients, Update, Update]] = {
        "sgd": (kept, _momentum) if momentum else (_every_step, _sgd),
        "adam": (adam, _adam),
        "adamw": (adam, _adam),
        "rmsprop": (kept, _rmsprop_with_momentum) if momentum else (_every_step, _rmsprop),
        "nadam": (partial(_nadam_coefficients, beta_1, beta_2), _nadam),
        "muon": (adam, _adam, _muon),
    }
    return Optimizer(count_slots(name, momentum), *rules[name], **options)


def _every_step(*constants_and_steps: Any) -> Sequence[np.ndarray]:
    """Constants as the coefficients of every step: numbers that may change without being compiled again."""
    *constants, steps = constants_and_steps
    return [np.full(len(steps), constant) for constant in constants]


def _sgd(w: tf.Tensor, g: tf.Tensor, _: Slots, learning_rate: tf.Tensor) -> tuple[tf.Tensor, Slots]:
    return w - learning_rate * g, ()


def _momentum(
    w: tf.Tensor, g: tf.Tensor, slots: Slots, learning_rate: tf.Tensor, momentum: tf.Tensor
) -> tuple[tf.Tensor, Slots]:
    velocity = momentum * slots[0] - learning_rate * g
    return w + _without_coasting(velocity, learning_rate), (velocity,)


def _rmsprop_step(g: tf.Tensor, square: tf.Tensor, learning_rate: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    square = 0.9 * square + 0.1 * g * g
    return learning_rate * g * tf.math.rsqrt(square + EPSILON), square


def _rmsprop(w: tf.Tensor, g: tf.Tensor, slots: Slots, learning_rate: tf.Tensor) -> tuple[tf.Tensor, Slots]:
    step, square = _rmsprop_step(g, slots[0], learning_rate)
    return w - step, (square,)


def _rmsprop_with_momentum(
    w: tf.Tensor, g: tf.Tensor, slots: Slots, learning_rate: tf.Tensor, momentum: tf.Tensor
) -> tuple[tf.Tensor, Slots]:
    step, square = _rmsprop_step(g, slots[0], learning_rate)
    velocity = momentum * slots[1] + step
    return w - _without_coasting(velocity, learning_rate), (square, velocity)


def _without_coasting(velocity: tf.Tensor, learning_rate: tf.Tensor) -> tf.Tensor:
    """The velocity, but 0 where the learning rate is 0: that member has finished while others go on."""
    return velocity * tf.cast(learning_rate > 0, tf.float32)


def _adam_coefficients(beta_1: float, beta_2: float, steps: np.ndarray) -> Sequence[np.ndarray]:
    # Single precision, as Keras corrects the bias: in 1 - β₂ᵗ the rounding of 0.999 shows.
    single_1, single_2 = np.float32(beta_1), np.float32(beta_2)
    numbers = steps.astype(np.float32)
    correction = np.sqrt(1 - single_2**numbers) / (1 - single_1**numbers)
    return [correction, *_every_step(1 - beta_1, 1 - beta_2, steps)]


def _adam(
    w: tf.Tensor,
    g: tf.Tensor,
    slots: Slots,
    learning_rate: tf.Tensor,
    correction: tf.Tensor,
    share_1: tf.Tensor,
    share_2: tf.Tensor,
) -> tuple[tf.Tensor, Slots]:
    """Kingma and Ba, 2015 (https://arxiv.org/abs/1412.6980), ε outside the bias correction as in Keras."""
    mean, square = slots
    mean += (g - mean) * share_1
    square += (g * g - square) * share_2
    return w - mean * (learning_rate * correction) / (tf.sqrt(square) + EPSILON), (mean, square)


def _nadam_coefficients(beta_1: float, beta_2: float, steps: np.ndarray) -> Sequence[np.ndarray]:
    single_1, single_2 = np.float32(beta_1), np.float32(beta_2)

    def momentum(numbers: np.ndarray) -> np.ndarray:
        return np.asarray(single_1 * (1 - np.float32(0.5) * MOMENTUM_DECAY ** numbers.astype(np.float32)))

    # The product runs over every step so far, although only the last ones are returned.
    every = np.cumprod(momentum(np.arange(1, steps[-1] + 2)))
    so_far, with_next = every[steps - 1], every[steps]
    return [
        momentum(steps + 1) / (1 - with_next),
        (1 - momentum(steps)) / (1 - so_far),
        1 / (1 - single_2 ** steps.astype(np.float32)),
        *_every_step(1 - single_1, 1 - single_2, steps),
    ]


def _nadam(
    w: tf.Tensor,
    g: tf.Tensor,
    slots: Slots,
    learning_rate: tf.Tensor,
    ahead: tf.Tensor,
    now: tf.Tensor,
    correction: tf.Tensor,
    share_1: tf.Tensor,
    share_2: tf.Tensor,
) -> tuple[tf.Tensor, Slots]:
    """Dozat, 2016 (https://openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ)."""
    mean, square = slots
    mean += (g - mean) * share_1
    square += (g * g - square) * share_2
    direction = mean * ahead + g * now
    return w - direction * learning_rate / (tf.sqrt(square * correction) + EPSILON), (mean, square)


def _muon(
    w: tf.Tensor, g: tf.Tensor, slots: Slots, learning_rate: tf.Tensor, *_: tf.Tensor
) -> tuple[tf.Tensor, Slots]:
    """Jordan, 2024 (https://kellerjordan.github.io/posts/muon), with Nesterov momentum as in Keras.

    A step is as large as one of adam whatever the shape (Liu et al., 2025, https://arxiv.org/abs/2502.16982).
    """
    momentum, unread = slots
    momentum = MUON_MOMENTUM * momentum + g
    scale = MUON_SCALE * max(w.shape[-2:]) ** 0.5
    step = _orthogonalized(g + MUON_MOMENTUM * momentum)
    return w - step * (learning_rate * scale), (momentum, unread)


def _orthogonalized(x: tf.Tensor) -> tf.Tensor:
    """Nearly the closest matrix with orthonormal rows or columns, by the Newton-Schulz iteration.

    Args:
        x: Shape `(…, n_rows, n_columns)`.
    """
    is_tall = x.shape[-2] > x.shape[-1]
    x = tf.linalg.matrix_transpose(x) if is_tall else x
    x /= tf.sqrt(tf.reduce_sum(x * x, axis=(-2, -1), keepdims=True)) + 1e-7
    a, b, c = NEWTON_SCHULZ
    for _ in range(NEWTON_SCHULZ_STEPS):
        gram = tf.matmul(x, x, transpose_b=True)
        x = a * x + tf.matmul(b * gram + c * tf.matmul(gram, gram), x)
    return tf.linalg.matrix_transpose(x) if is_tall else x
