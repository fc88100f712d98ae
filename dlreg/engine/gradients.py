"""Operations with gradients written by hand, where the ones that TensorFlow derives are far slower."""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from dlreg.model.embeddings import FEW_NUMBERS

# Numbers whose waves or bins one matrix mixes, at most: more waste products with zeros, fewer make the
# matrices small.
MIXED_TOGETHER, MANY_MIXED_TOGETHER = 12, 4

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
    mixtures = [
        _joined(
            _mixtures_of_waves(_rows_in_blocks(x[..., some], n_blocks))(
                _in_blocks(frequencies[..., some, :], n_blocks, 2),
                _in_blocks(phases[..., some, :], n_blocks, 2),
                _in_blocks(kernel[..., some, :, :], n_blocks, 3),
            )
        )
        for some, n_blocks in _blocks(int(x.shape[-1]))
    ]
    return tf.concat(mixtures, axis=-1) if len(mixtures) > 1 else mixtures[0]


def mixtures_of_bins(
    x: tf.Tensor, slopes: np.ndarray, offsets: np.ndarray, height: float, kernel: tf.Tensor
) -> tf.Tensor:
    """Mixtures of the shares of each number's bins, Σⱼ clip(x · slopeⱼ + offsetⱼ, 0, height) · kernelⱼ.

    Done as in `waves_of`, for the same reasons.

    Args:
        x: The numbers, shape `(…, n_rows, n_numbers)`.
        slopes: Shape `(n_numbers, n_bins)`.
        offsets: The same shape.
        height: The share of a bin that lies below the number altogether.
        kernel: Shape `(…, n_numbers, n_bins, n_mixtures)`.

    Returns:
        Shape `(…, n_rows, n_numbers · n_mixtures)`.
    """
    mixtures = []
    for some, n_blocks in _blocks(int(x.shape[-1])):
        slope, offset = (
            _in_blocks(tf.constant(bins[some]), n_blocks, 2)[:, None] for bins in (slopes, offsets)
        )
        rows = _rows_in_blocks(x[..., some], n_blocks)[..., None]
        shares = tf.clip_by_value(rows * slope + offset, 0.0, height)
        kernels = _in_blocks(kernel[..., some, :, :], n_blocks, 3)
        mixtures.append(_joined(_mixtures_of_values(shares)(kernels)))
    return tf.concat(mixtures, axis=-1) if len(mixtures) > 1 else mixtures[0]


def _blocks(n_numbers: int) -> Iterator[tuple[slice, int]]:
    """Which numbers make how many blocks of one size: nearly all of them, then what is left, as one."""
    most = MIXED_TOGETHER if n_numbers <= FEW_NUMBERS else MANY_MIXED_TOGETHER
    size = math.ceil(n_numbers / math.ceil(n_numbers / most))
    n_blocks = n_numbers // size
    yield slice(0, n_blocks * size), n_blocks
    if n_numbers % size:
        yield slice(n_blocks * size, n_numbers), 1


def _in_blocks(value: tf.Tensor, n_blocks: int, n_axes: int) -> tf.Tensor:
    """Shape `(…, n_numbers, …)` to `(…, n_blocks, n_numbers / n_blocks, …)`, of the last `n_axes` axes."""
    before, (n_numbers, *after) = value.shape[:-n_axes], value.shape[-n_axes:]
    return tf.reshape(value, (*before, n_blocks, n_numbers // n_blocks, *after))


def _rows_in_blocks(x: tf.Tensor, n_blocks: int) -> tf.Tensor:
    """Shape `(…, n_rows, n_numbers)` to `(…, n_blocks, n_rows, n_numbers / n_blocks)`."""
    return _swapped(_in_blocks(x, n_blocks, 1))


def _joined(mixed: tf.Tensor) -> tf.Tensor:
    """Shape `(…, n_blocks, n_rows, n)` to `(…, n_rows, n_blocks · n)`."""
    rows = _swapped(mixed)
    return tf.reshape(rows, (*rows.shape[:-2], rows.shape[-2] * rows.shape[-1]))


def _swapped(x: tf.Tensor) -> tf.Tensor:
    """Shape `(…, a, b, c)` to `(…, b, a, c)`."""
    n_before = len(x.shape) - 3
    return tf.transpose(x, [*range(n_before), n_before + 1, n_before, n_before + 2])


def _mixtures_of_waves(x: tf.Tensor) -> Callable[[tf.Tensor, tf.Tensor, tf.Tensor], tf.Tensor]:
    n_numbers = int(x.shape[-1])

    def mixtures(
        frequencies: tf.Tensor, phases: tf.Tensor, kernel: tf.Tensor
    ) -> tuple[tf.Tensor, Callable[..., Any]]:
        n_waves = kernel.shape[-2]
        per_turn = 0.5 / math.pi
        turns = (
            x[..., None] * (frequencies * per_turn)[..., None, :, :] + (phases * per_turn)[..., None, :, :]
        )
        turns = tf.reshape(turns, (*x.shape[:-1], n_numbers * n_waves))
        turns -= tf.round(turns)
        # XLA's cosine takes values one by one, ten times as long.
        waves = _polynomial(_COSINE, turns * turns)
        matrix = _own_matrix(kernel)

        def gradients(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
            kernel_gradient = _own_parts(tf.matmul(upstream, waves, transpose_a=True), n_numbers, n_waves)
            wave_gradient = tf.matmul(upstream, matrix, transpose_b=True)
            angle_gradient = wave_gradient * (per_turn * turns * _polynomial(_SLOPE, turns * turns))
            # Their sums over the rows, times each number and times 1.
            factors = tf.concat([x, tf.ones_like(x[..., :1])], axis=-1)
            sums = tf.matmul(factors, angle_gradient, transpose_a=True)
            frequency_gradient = _own_parts(sums[..., :-1, :], n_numbers, n_waves)[..., 0, :]
            phase_gradient = tf.reshape(sums[..., -1, :], phases.shape)
            return frequency_gradient, phase_gradient, tf.linalg.matrix_transpose(kernel_gradient)

        return tf.matmul(waves, matrix), gradients

    with_gradients: Callable[[tf.Tensor, tf.Tensor, tf.Tensor], tf.Tensor] = tf.custom_gradient(mixtures)
    return with_gradients


def _mixtures_of_values(values: tf.Tensor) -> Callable[[tf.Tensor], tf.Tensor]:
    """Mixes values of shape `(…, n_rows, n_numbers, n_values)`, which need no gradient."""
    n_numbers, n_values = values.shape[-2:]
    flat = tf.reshape(values, (*values.shape[:-2], n_numbers * n_values))

    def mixtures(kernel: tf.Tensor) -> tuple[tf.Tensor, Callable[..., Any]]:
        def gradients(upstream: tf.Tensor) -> tf.Tensor:
            product = tf.matmul(upstream, flat, transpose_a=True)
            return tf.linalg.matrix_transpose(_own_parts(product, n_numbers, n_values))

        return tf.matmul(flat, _own_matrix(kernel)), gradients

    with_gradients: Callable[[tf.Tensor], tf.Tensor] = tf.custom_gradient(mixtures)
    return with_gradients


def _own_matrix(kernel: tf.Tensor) -> tf.Tensor:
    """All kernels `(…, n_numbers, n_values, n_mixtures)` as one matrix, 0 where they have nothing to say."""
    n_numbers, n_values, n_mixtures = kernel.shape[-3:]
    matrix = kernel[..., None, :] * _is_own(n_numbers)
    return tf.reshape(matrix, (*kernel.shape[:-3], n_numbers * n_values, n_numbers * n_mixtures))


def _own_parts(product: tf.Tensor, n_numbers: int, n_values: int) -> tf.Tensor:
    """The blocks of a matrix in which a number meets its own values, `(…, n_numbers, n_each, n_values)`."""
    n_each = product.shape[-2] // n_numbers
    blocks = tf.reshape(product, (*product.shape[:-2], n_numbers, n_each, n_numbers, n_values))
    return tf.reduce_sum(blocks * _is_own(n_numbers), axis=-2)


def _is_own(n_numbers: int) -> tf.Tensor:
    """1 where a number meets its own values, in matrices `(n_numbers, …, n_numbers, …)`."""
    return tf.eye(n_numbers)[:, None, :, None]


def _polynomial(coefficients: Sequence[float], x: tf.Tensor) -> tf.Tensor:
    value = tf.constant(coefficients[-1])
    for coefficient in reversed(coefficients[:-1]):
        value = value * x + coefficient
    return value
