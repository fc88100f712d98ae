"""Gradients written out, against those that TensorFlow derives of the plain formulas."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from dlreg.engine.gradients import (
    MANY_MIXED_TOGETHER,
    MIXED_TOGETHER,
    mixtures_of_bins,
    multiply_by_column,
    share_of_mish,
    waves_of,
)
from dlreg.model.embeddings import FEW_NUMBERS

# One block, several, with and without some numbers left, of few numbers and of many.
N_NUMBERS = [
    1, 5, MIXED_TOGETHER, MIXED_TOGETHER + 3, 2 * MIXED_TOGETHER, FEW_NUMBERS, FEW_NUMBERS + 1,
    10 * MANY_MIXED_TOGETHER,
]  # fmt: skip


def values_and_gradients(function, arguments, weights):
    """The function's value, and the gradients of its weighted sum by each argument."""
    tensors = [tf.constant(argument, tf.float32) for argument in arguments]
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        value = function(*tensors)
        total = tf.reduce_sum(value * tf.constant(weights, tf.float32))
    return value.numpy(), [gradient.numpy() for gradient in tape.gradient(total, tensors)]


def assert_same(function, plain, arguments, shape, tolerance):
    weights = np.random.default_rng(7).normal(size=shape)
    value, gradients = values_and_gradients(function, arguments, weights)
    expected, expected_gradients = values_and_gradients(plain, arguments, weights)
    assert value.shape == shape
    np.testing.assert_allclose(value, expected, atol=tolerance, rtol=tolerance)
    for gradient, derived, argument in zip(gradients, expected_gradients, arguments, strict=True):
        assert gradient.shape == np.shape(argument)
        np.testing.assert_allclose(gradient, derived, atol=tolerance * np.abs(derived).max(), rtol=tolerance)


@pytest.mark.parametrize("members", [(), (3,)])
def test_product_with_a_column(members):
    generator = np.random.default_rng(11)
    arguments = [generator.normal(size=(*members, 40, 7)), generator.normal(size=(*members, 7, 1))]
    assert_same(multiply_by_column, tf.matmul, arguments, (*members, 40, 1), 1e-5)


@pytest.mark.parametrize("members", [(), (3,)])
@pytest.mark.parametrize("values", [np.linspace(-6, 6, 500), [-1e4, 1e4, 0, -30, -20, 20, 30, 88]], ids=len)
def test_share_of_mish(members, values):
    x = np.broadcast_to(np.reshape(values, (-1, 1)), (*members, len(values), 2))
    share = np.random.default_rng(12).normal(size=(*members, 1, 2))

    def plain(x, share):
        return x + share * (keras.activations.mish(x) - x)

    assert_same(share_of_mish, plain, [x, share], x.shape, 1e-5)


@pytest.mark.parametrize("members", [(), (3,)])
@pytest.mark.parametrize("n_numbers", N_NUMBERS)
def test_waves(members, n_numbers):
    generator = np.random.default_rng(13)
    # A few turns away, where the fast cosine must still be one.
    x = generator.uniform(-8, 8, size=(*members, 30, n_numbers))
    waves = (*members, n_numbers, 6)
    arguments = [
        generator.normal(scale=0.6, size=waves),
        generator.uniform(-np.pi, np.pi, size=waves),
        generator.normal(size=(*waves, 4)),
    ]

    def fast(*arguments):
        return waves_of(tf.constant(x, tf.float32), *arguments)

    def plain(frequencies, phases, kernel):
        angles = (
            tf.constant(x, tf.float32)[..., None] * frequencies[..., None, :, :] + phases[..., None, :, :]
        )
        mixtures = tf.einsum("...rnw,...nwm->...rnm", tf.cos(angles), kernel)
        return tf.reshape(mixtures, (*mixtures.shape[:-2], 4 * n_numbers))

    assert_same(fast, plain, arguments, (*members, 30, 4 * n_numbers), 2e-5)


@pytest.mark.parametrize("members", [(), (3,)])
@pytest.mark.parametrize("n_numbers", N_NUMBERS)
def test_mixtures_of_bins(members, n_numbers):
    generator = np.random.default_rng(14)
    x = tf.constant(generator.normal(size=(*members, 30, n_numbers)), tf.float32)
    slopes, offsets = generator.normal(scale=3, size=(2, n_numbers, 5)).astype(np.float32)
    kernel = generator.normal(size=(*members, n_numbers, 5, 2))

    def fast(kernel):
        return mixtures_of_bins(x, slopes, offsets, 2.5, kernel)

    def plain(kernel):
        shares = tf.clip_by_value(x[..., None] * slopes + offsets, 0.0, 2.5)
        mixtures = tf.einsum("...rnb,...nbm->...rnm", shares, kernel)
        return tf.reshape(mixtures, (*mixtures.shape[:-2], 2 * n_numbers))

    assert_same(fast, plain, [kernel], (*members, 30, 2 * n_numbers), 2e-5)
