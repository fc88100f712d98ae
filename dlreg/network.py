"""What a network of dense layers computes, in plain tensors, for one network or several side by side.

`dlreg.model` builds the same network from stock Keras layers, which is what a run keeps. Here its
parameters are plain tensors in the order of Keras's `trainable_weights`, with one axis more in front
when several members of an ensemble are computed at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf

# Keras's defaults.
MOMENTUM = 0.99
VARIANCE_EPSILON = 1e-3


@dataclass(frozen=True)
class Network:
    """A network of dense layers with one linear output node.

    Each hidden layer is Dense → BatchNormalization (if asked for) → activation → Dropout (if asked
    for). Without hidden layers the network is exactly a linear regression.

    Attributes:
        n_features: The width of its input, of shape `(n_rows, n_features)`; its output is `(n_rows, 1)`.
        hidden_layers: Units of each hidden layer.
        activation: What `keras.activations` calls it.
        dropout: The share of each hidden layer's outputs dropped in training.
        l2: Every weight matrix adds l2 · Σ w² to the loss.
        batch_norm: Whether to normalise each hidden layer over the batch.
    """

    n_features: int
    hidden_layers: Sequence[int] = (64, 64)
    activation: str = "relu"
    dropout: float = 0.0
    l2: float = 0.0
    batch_norm: bool = False


@dataclass(frozen=True)
class Batch:
    """What the layers that differ in training need to know of the batch.

    Attributes:
        weight: 1 for a row, 0 for padding, shape `(batch_size,)`.
        n_rows: How many rows there are, a scalar.
        seed: Of dropout.
        step: How many steps there were before: with `seed` it settles what is dropped.
    """

    weight: tf.Tensor
    n_rows: tf.Tensor
    seed: int
    step: tf.Tensor


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
        parameters: As Keras's `trainable_weights`, each of shape `(…)` or `(n_members, …)`.
        statistics: The moving means and variances of batch normalisation, in Keras's order.
        x: Shape `(batch_size, n_features)` or `(n_members, batch_size, n_features)`.
        batch: For a step of training; None to predict.

    Returns:
        The predictions, `(batch_size, 1)` or `(n_members, batch_size, 1)`, and the new statistics.
    """
    activation = keras.activations.get(network.activation)
    values, moving = iter(parameters), iter(statistics)
    updated: list[tf.Tensor] = []
    for layer, _ in enumerate(network.hidden_layers):
        x = tf.matmul(x, next(values))
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
        x = activation(x)
        if batch and network.dropout:
            x = _dropped(x, network.dropout, tf.stack([batch.seed + layer, batch.step]))
    output = tf.custom_gradient(_to_one)(x, next(values))
    return output + _to_rows(next(values)), updated


def penalty(network: Network, parameters: Sequence[tf.Tensor]) -> tf.Tensor:
    """l2 · Σ w² over the weight matrices, a scalar or of shape `(n_members,)`."""
    per_layer = 3 if network.batch_norm else 2
    kernels = [*parameters[: per_layer * len(network.hidden_layers) : per_layer], parameters[-2]]
    return network.l2 * tf.add_n([tf.reduce_sum(kernel * kernel, axis=[-2, -1]) for kernel in kernels])


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


def _moments(x: tf.Tensor, batch: Batch) -> tuple[tf.Tensor, tf.Tensor]:
    """Mean and variance over the rows that are no padding, each of shape `(…, units)`."""
    weight = batch.weight[:, None]
    mean = tf.reduce_sum(x * weight, axis=-2) / batch.n_rows
    return mean, tf.reduce_sum(tf.square(x - _to_rows(mean)) * weight, axis=-2) / batch.n_rows


def _dropped(x: tf.Tensor, rate: float, seed: tf.Tensor) -> tf.Tensor:
    """Zeroes a share of the values and scales the others up (https://jmlr.org/papers/v15/srivastava14a)."""
    kept = tf.random.stateless_uniform(tf.shape(x), seed) >= rate
    return tf.where(kept, x / (1 - rate), 0.0)
