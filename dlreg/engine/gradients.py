"""Operations with gradients written by hand, where the ones that TensorFlow derives are far slower."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

# Numbers whose waves one matrix mixes, at most: more waste products with zeros, fewer make the matrices
# small and the program long.
MIXED_TOGETHER = 12

# cos 2πr for r from -0.5 to 0.5 as a polynomial in r², to 4e-7: least squares at Chebyshev nodes.
_COSINE = (1.0, -19.7392045, 64.9391174, -85.4501395, 60.1676310, -25.9675992, 6.5286587)
# Its derivative by r, divided by r.
_SLOPE = tuple(2 * power * coefficient for power, coefficient in enumerate(_COSINE))[1:]


def multiply_by_column(x: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    """`tf.matmul(x, kernel)` for a kernel of one column, `(…, units, 1)`.

    XLA multiplies a matrix by a vector slowly; the gradients are elementwise products and sums.
    """

    def product(x: tf.Tensor, kernel: tf.Tensor) -> tuple[tf.Tensor, Callable[..., Any]]:
        def gradients(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            kernel_gradient = tf.reduce_sum(x * upstream, axis=-2)[..., None]
            return upstream * tf.linalg.matrix_transpose(kernel), kernel_gradient

        return tf.matmul(x, kernel), gradients

    return tf.custom_gradient(product)(x, kernel)


def share_of_mish(x: tf.Tensor, share: tf.Tensor) -> tf.Tensor:
    """Blends each value with its Mish, x + share · (mish(x) - x), with one exponential.

    Mish is x tanh(log(1 + eˣ)) (Misra, 2019, https://arxiv.org/abs/1908.08681). With g = e²ˣ + 2eˣ the
    hyperbolic tangent is g / (g + 2) = 1 - 2 / (g + 2), and its derivative 4eˣ (eˣ + 1) / (g + 2)².

    Args:
        x: Shape `(…, n_rows, units)`.
        share: How much of the activation each unit takes, `(…, 1, units)`.
    """

    def activation(x: tf.Tensor, share: tf.Tensor) -> tuple[tf.Tensor, Callable[..., Any]]:
        e = tf.exp(tf.minimum(x, 20.0))
        grown = e * (e + 2)

        def gradients(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            part = 1 / (grown + 2)
            bend = (4 * x * part) * (e * (e + 1) * part) - 2 * part
            share_gradient = tf.reduce_sum(upstream * (-2 * x * part), axis=-2, keepdims=True)
            return upstream * (1 + share * bend), share_gradient

        return x * (1 - share + share * grown / (grown + 2)), gradients

    return tf.custom_gradient(activation)(x, share)


def waves_of(x: tf.Tensor, frequencies: tf.Tensor, phases: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    """Mixtures of each number's waves, Σⱼ cos(frequencyⱼ · x + phaseⱼ) · kernelⱼ.

    A product of one small matrix for each number is slow in XLA on a CPU, and so are sums along the waves.
    Hence one product for several numbers, whose matrix is 0 where a number meets another's waves; and
    likewise in the gradients, of which there is none of the numbers themselves.

    Args:
        x: The numbers, shape `(…, n_rows, n_numbers)`.
        frequencies: Shape `(…, n_numbers, n_waves)`.
        phases: The same shape.
        kernel: Shape `(…, n_numbers, n_waves, n_mixtures)`.

    Returns:
        Shape `(…, n_rows, n_numbers · n_mixtures)`.
    """
    n_numbers = int(x.shape[-1])
    n_blocks = math.ceil(n_numbers / MIXED_TOGETHER)
    n_together = math.ceil(n_numbers / n_blocks)
    mixtures = [
        _mixtures_of(x[..., some])(frequencies[..., some, :], phases[..., some, :], kernel[..., some, :, :])
        for some in (slice(start, start + n_together) for start in range(0, n_numbers, n_together))
    ]
    return tf.concat(mixtures, axis=-1) if len(mixtures) > 1 else mixtures[0]


def _mixtures_of(x: tf.Tensor) -> Callable[[tf.Tensor, tf.Tensor, tf.Tensor], tf.Tensor]:
    n_numbers = int(x.shape[-1])
    # 1 where a number meets its own waves, in matrices (n_numbers, …, n_numbers, …).
    is_own = tf.eye(n_numbers)[:, None, :, None]

    def own_parts(product: tf.Tensor, n_each: int, n_waves: int) -> tf.Tensor:
        """The blocks in which a number meets its own waves, `(…, n_numbers, n_each, n_waves)`."""
        blocks = tf.reshape(product, (*product.shape[:-2], n_numbers, n_each, n_numbers, n_waves))
        return tf.reduce_sum(blocks * is_own, axis=-2)

    def mixtures(
        frequencies: tf.Tensor, phases: tf.Tensor, kernel: tf.Tensor
    ) -> tuple[tf.Tensor, Callable[..., Any]]:
        n_waves, n_mixtures = kernel.shape[-2:]
        per_turn = 0.5 / math.pi
        turns = (
            x[..., None] * (frequencies * per_turn)[..., None, :, :] + (phases * per_turn)[..., None, :, :]
        )
        turns = tf.reshape(turns, (*x.shape[:-1], n_numbers * n_waves))
        turns -= tf.round(turns)
        # XLA's cosine takes values one by one, ten times as long.
        waves = _polynomial(_COSINE, turns * turns)
        matrix = tf.reshape(
            kernel[..., None, :] * is_own, (*kernel.shape[:-3], n_numbers * n_waves, n_numbers * n_mixtures)
        )

        def gradients(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
            kernel_gradient = own_parts(tf.matmul(upstream, waves, transpose_a=True), n_mixtures, n_waves)
            wave_gradient = tf.matmul(upstream, matrix, transpose_b=True)
            angle_gradient = wave_gradient * (per_turn * turns * _polynomial(_SLOPE, turns * turns))
            # Their sums over the rows, times each number and times 1.
            factors = tf.concat([x, tf.ones_like(x[..., :1])], axis=-1)
            sums = tf.matmul(factors, angle_gradient, transpose_a=True)
            frequency_gradient = own_parts(sums[..., :-1, :], 1, n_waves)[..., 0, :]
            phase_gradient = tf.reshape(sums[..., -1, :], phases.shape)
            return frequency_gradient, phase_gradient, tf.linalg.matrix_transpose(kernel_gradient)

        return tf.matmul(waves, matrix), gradients

    with_gradients: Callable[[tf.Tensor, tf.Tensor, tf.Tensor], tf.Tensor] = tf.custom_gradient(mixtures)
    return with_gradients


def _polynomial(coefficients: Sequence[float], x: tf.Tensor) -> tf.Tensor:
    value = tf.constant(coefficients[-1])
    for coefficient in reversed(coefficients[:-1]):
        value = value * x + coefficient
    return value
