"""What a network of dense layers computes, in plain tensors, for one network or several side by side.

`dlreg.model` builds the same network from stock Keras layers, which is what a run keeps, and
`dlreg.onnx_network` writes it as ONNX. Here its parameters are plain tensors in the order of
`parameter_specs`, with one axis more in front when several members of an ensemble are computed at once.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import keras
import tensorflow as tf

from dlreg.embeddings import CATEGORY_WIDTH, FREQUENCIES, PERIODIC_WIDTH, Embedding, Periodic, PiecewiseLinear

# Keras's defaults.
MOMENTUM = 0.99
VARIANCE_EPSILON = 1e-3

# Numbers whose waves one matrix mixes: more waste products with zeros, fewer make the matrices small.
MIXED_TOGETHER = 8

_COSINE = (1.0, -19.7392045, 64.9391174, -85.4501395, 60.1676310, -25.9675992, 6.5286587)

Group = Literal["weights", "biases", "embeddings", "feature_scale"]


@dataclass(frozen=True)
class Network:
    """A network of dense layers with one linear output node.

    Each hidden layer is Dense → BatchNormalization (if asked for) → activation → Dropout (if asked
    for). Without hidden layers and embeddings the network is exactly a linear regression.

    Attributes:
        n_features: The width of its input, of shape `(n_rows, n_features)`; its output is `(n_rows, 1)`.
        hidden_layers: Units of each hidden layer.
        activation: What `keras.activations` calls it.
        dropout: The share of each hidden layer's outputs dropped in training.
        l2: Every weight matrix adds l2 · Σ w² to the loss.
        batch_norm: Whether to normalise each hidden layer over the batch.
        parametric_activation: Whether each unit learns how much of the activation it takes: x + a (f(x) - x),
            a from 1 on (https://arxiv.org/abs/2407.04491).
        feature_scale: Whether the first layer's inputs have learnt factors, from 1 on (the same source).
        initializer: `glorot_uniform` as Keras, or `he_normal`, see `dlreg.model.initial_weights`.
        embedding: Of the first features; None leaves them as they are.
        categories: The first column and the number of levels of one-hot columns that are embedded in
            `CATEGORY_WIDTH` dimensions; a level never seen is the origin.
    """

    n_features: int
    hidden_layers: Sequence[int] = (64, 64)
    activation: str = "relu"
    dropout: float = 0.0
    l2: float = 0.0
    batch_norm: bool = False
    parametric_activation: bool = False
    feature_scale: bool = False
    initializer: str = "glorot_uniform"
    embedding: Embedding | None = None
    categories: Sequence[tuple[int, int]] = ()

    @property
    def embedded(self) -> tuple[int, int]:
        """The features from the first to before the second stand as they are."""
        return (
            self.embedding.n_numbers if self.embedding else 0,
            self.categories[0][0] if self.categories else self.n_features,
        )

    @property
    def width(self) -> int:
        """What the first dense layer reads."""
        first, end = self.embedded
        numbers = self.embedding.width if self.embedding else 0
        return numbers + end - first + CATEGORY_WIDTH * len(self.categories)


@dataclass(frozen=True)
class ParameterSpec:
    """One trainable tensor of a network.

    Attributes:
        layer: The name of its layer, as in the Keras model.
        kind: Its role there: `kernel`, `bias`, `gamma` or `beta`.
        shape: Without an axis of members.
        group: What it shares its learning rate with.
    """

    layer: str
    kind: Literal["kernel", "bias", "gamma", "beta"]
    shape: tuple[int, ...]
    group: Group

    @property
    def fan_in(self) -> int:
        """How many values each output adds up, of a kernel of a dense layer."""
        return self.shape[0]


def parameter_specs(network: Network) -> Iterator[ParameterSpec]:
    """The trainable tensors of a network, in the order in which `forward` reads them."""
    if isinstance(network.embedding, Periodic):
        n_numbers = network.embedding.n_numbers
        waves, mixed = (n_numbers, FREQUENCIES), (n_numbers, FREQUENCIES, PERIODIC_WIDTH)
        yield ParameterSpec("frequencies", "kernel", waves, "embeddings")
        yield ParameterSpec("frequencies", "bias", waves, "embeddings")
        yield ParameterSpec("periodic", "kernel", mixed, "embeddings")
        yield ParameterSpec("periodic", "bias", (n_numbers, PERIODIC_WIDTH), "embeddings")
    for number, (_, levels) in enumerate(network.categories, start=1):
        yield ParameterSpec(f"category_{number}", "kernel", (levels, CATEGORY_WIDTH), "embeddings")
    if network.feature_scale:
        yield ParameterSpec("feature_scale", "kernel", (network.width,), "feature_scale")
    before = network.width
    for number, units in enumerate(network.hidden_layers, start=1):
        yield ParameterSpec(f"hidden_{number}", "kernel", (before, units), "weights")
        if network.batch_norm:
            yield ParameterSpec(f"batch_norm_{number}", "gamma", (units,), "biases")
            yield ParameterSpec(f"batch_norm_{number}", "beta", (units,), "biases")
        else:
            yield ParameterSpec(f"hidden_{number}", "bias", (units,), "biases")
        if network.parametric_activation:
            yield ParameterSpec(f"activation_share_{number}", "kernel", (units,), "biases")
        before = units
    yield ParameterSpec("output", "kernel", (before, 1), "weights")
    yield ParameterSpec("output", "bias", (1,), "biases")


@dataclass(frozen=True)
class Batch:
    """What the layers that differ in training need to know of the batch.

    Attributes:
        weight: 1 for a row, 0 for padding, shape `(batch_size,)`.
        n_rows: How many rows there are, a scalar.
        seed: Of dropout.
        step: How many steps there were before: with `seed` it settles what is dropped.
        dropout: What multiplies the network's dropout in this step, a scalar.
    """

    weight: tf.Tensor
    n_rows: tf.Tensor
    seed: int
    step: tf.Tensor
    dropout: tf.Tensor


def forward(
    network: Network,
    parameters: Sequence[tf.Tensor],
    statistics: Sequence[tf.Tensor],
    x: tf.Tensor,
    batch: Batch | None = None,
) -> tuple[tf.Tensor, list[tf.Tensor]]:
    """Predicts rows.

    Args:
        network: What is computed.
        parameters: As `parameter_specs` says, each of shape `(…)` or `(n_members, …)`.
        statistics: The moving means and variances of batch normalisation, in Keras's order.
        x: Shape `(batch_size, n_features)` or `(n_members, batch_size, n_features)`.
        batch: For a step of training; None to predict.

    Returns:
        The predictions, `(batch_size, 1)` or `(n_members, batch_size, 1)`, and the new statistics.
    """
    values, moving = iter(parameters), iter(statistics)
    updated: list[tf.Tensor] = []
    members = parameters[-1].shape[:-1]
    if (network.embedding or network.categories) and len(x.shape) < 2 + len(members):
        x = tf.broadcast_to(x, (*members, *x.shape))
    x = _first_inputs(network, values, x)
    # Multiplied into the weights instead of the rows, the factors need no gradient of the rows.
    factors = next(values)[..., None] if network.feature_scale else None
    for layer, _ in enumerate(network.hidden_layers):
        x = tf.matmul(x, _scaled(next(values), None if layer else factors))
        if network.batch_norm:
            gamma, beta, mean, variance = next(values), next(values), next(moving), next(moving)
            if batch:
                batch_mean, batch_variance = _moments(x, batch)
                updated += [
                    old * MOMENTUM + new * (1 - MOMENTUM)
                    for old, new in ((mean, batch_mean), (variance, batch_variance))
                ]
                mean, variance = batch_mean, batch_variance
            scale = gamma * tf.math.rsqrt(variance + VARIANCE_EPSILON)
            x = x * _to_rows(scale) + _to_rows(beta - mean * scale)
        else:
            x = x + _to_rows(next(values))
        active = _mish(x) if network.activation == "mish" else keras.activations.get(network.activation)(x)
        x = x + _to_rows(next(values)) * (active - x) if network.parametric_activation else active
        if batch and network.dropout:
            x = _dropped(x, network.dropout * batch.dropout, batch, layer)
    kernel = _scaled(next(values), None if network.hidden_layers else factors)
    output = tf.custom_gradient(_to_one)(x, kernel)
    return output + _to_rows(next(values)), updated


def penalty(network: Network, parameters: Sequence[tf.Tensor]) -> tf.Tensor:
    """l2 · Σ w² over the weight matrices, a scalar or of shape `(n_members,)`."""
    kernels = [
        value
        for value, spec in zip(parameters, parameter_specs(network), strict=True)
        if spec.group == "weights"
    ]
    return network.l2 * tf.add_n([tf.reduce_sum(kernel * kernel, axis=[-2, -1]) for kernel in kernels])


def _first_inputs(network: Network, values: Iterator[tf.Tensor], x: tf.Tensor) -> tf.Tensor:
    """What the first dense layer reads: embedded numbers, features as they are, embedded categories."""
    embedding, (first, end) = network.embedding, network.embedded
    parts = []
    if isinstance(embedding, Periodic):
        frequencies, phases, kernel, bias = (next(values) for _ in range(4))
        numbers = x[..., :first]
        waves = _cosine(numbers[..., None] * frequencies[..., None, :, :] + phases[..., None, :, :])
        parts = [numbers, *_mixed(waves, kernel, bias)]
    elif isinstance(embedding, PiecewiseLinear):
        shares = tf.clip_by_value(x[..., :first, None] * embedding.slopes + embedding.offsets, 0.0, 1.0)
        parts = [tf.reshape(shares, (*shares.shape[:-2], embedding.width))]
    # The rest in one piece, and nothing copied where nothing is embedded.
    if parts or network.categories:
        parts.append(x[..., first:end])
        parts += [
            tf.matmul(x[..., start : start + levels], next(values)) for start, levels in network.categories
        ]
        x = tf.concat(parts, axis=-1)
    return x


def _mixed(waves: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor) -> list[tf.Tensor]:
    """The mixtures of each number's waves, as parts `(…, n_rows, some of n_numbers · PERIODIC_WIDTH)`.

    A product of one small matrix for each number is slow in XLA on a CPU, and so are sums along the waves.
    Hence one product for several numbers, whose matrix is 0 where a number meets another's waves.
    """
    parts = []
    for start in range(0, int(waves.shape[-2]), MIXED_TOGETHER):
        some = waves[..., start : start + MIXED_TOGETHER, :]
        n_some = int(some.shape[-2])
        matrix = kernel[..., start : start + n_some, :, None, :] * tf.eye(n_some)[:, None, :, None]
        rows = tf.reshape(some, (*some.shape[:-2], n_some * FREQUENCIES))
        matrix = tf.reshape(matrix, (*kernel.shape[:-3], n_some * FREQUENCIES, n_some * PERIODIC_WIDTH))
        added = bias[..., start : start + n_some, :]
        added = tf.reshape(added, (*bias.shape[:-2], 1, n_some * PERIODIC_WIDTH))
        parts.append(tf.matmul(rows, matrix) + added)
    return parts


def _scaled(kernel: tf.Tensor, factors: tf.Tensor | None) -> tf.Tensor:
    return kernel if factors is None else kernel * factors


def _to_one(x: tf.Tensor, kernel: tf.Tensor) -> tuple[tf.Tensor, Any]:
    """`tf.matmul(x, kernel)` for a kernel of one column, `(…, units, 1)`, and its gradients.

    They are written as elementwise products and sums: XLA multiplies a matrix by a vector slowly.
    """

    def gradients(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        of_kernel = tf.reduce_sum(x * upstream, axis=-2)[..., None]
        return upstream * tf.linalg.matrix_transpose(kernel), of_kernel

    return tf.matmul(x, kernel), gradients


def _to_rows(value: tf.Tensor) -> tf.Tensor:
    """Shape `(…, units)` to `(…, 1, units)`, so that it meets every row."""
    return value[..., None, :]


def _mish(x: tf.Tensor) -> tf.Tensor:
    """Mish, x tanh(log(1 + eˣ)), with one exponential: tanh(log(1 + e)) = (e² + 2e) / (e² + 2e + 2).

    Misra, 2019 (https://arxiv.org/abs/1908.08681).
    """
    e = tf.exp(tf.minimum(x, 20.0))
    grown = e * (e + 2)
    return x * (grown / (grown + 2))


def _cosine(x: tf.Tensor) -> tf.Tensor:
    """The cosine to 4e-7, ten times as fast on a CPU as XLA's, which takes values one by one.

    With r the distance of x / 2π from the nearest whole number, cos 2πr is a polynomial in r², fitted by
    least squares at Chebyshev nodes.
    """
    turns = x * (0.5 / math.pi)
    square = tf.square(turns - tf.round(turns))
    value = tf.constant(_COSINE[-1])
    for coefficient in reversed(_COSINE[:-1]):
        value = value * square + coefficient
    return value


def _moments(x: tf.Tensor, batch: Batch) -> tuple[tf.Tensor, tf.Tensor]:
    """Mean and variance over the rows that are no padding, each of shape `(…, units)`."""
    weight = batch.weight[:, None]
    mean = tf.reduce_sum(x * weight, axis=-2) / batch.n_rows
    return mean, tf.reduce_sum(tf.square(x - _to_rows(mean)) * weight, axis=-2) / batch.n_rows


def _dropped(x: tf.Tensor, rate: tf.Tensor, batch: Batch, layer: int) -> tf.Tensor:
    """Zeroes a share of the values and scales the others up (https://jmlr.org/papers/v15/srivastava14a).

    Each value's place is hashed with the seed and the step, twenty times as fast on a CPU as XLA's
    generators; the upper 24 bits are the uniform number.
    """
    start = _hashed(tf.constant((batch.seed + layer) % 2**32, tf.uint32))
    seed = _hashed(tf.cast(batch.step, tf.uint32) + start)
    places = tf.reshape(tf.cast(tf.range(math.prod(x.shape)), tf.uint32), x.shape)
    uniform = tf.cast(tf.bitwise.right_shift(_hashed(places ^ seed), tf.constant(8, tf.uint32)), tf.float32)
    kept = uniform * 2.0**-24 >= rate
    return tf.where(kept, x / (1 - rate), 0.0)


def _hashed(value: tf.Tensor) -> tf.Tensor:
    """A whole number of 32 bits, scrambled (lowbias32 of https://github.com/skeeto/hash-prospector)."""
    for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B)):
        value ^= tf.bitwise.right_shift(value, tf.constant(shift, tf.uint32))
        value *= tf.constant(factor, tf.uint32)
    return value ^ tf.bitwise.right_shift(value, tf.constant(16, tf.uint32))
