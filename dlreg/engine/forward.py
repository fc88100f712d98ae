"""What a network of dense layers computes, in plain tensors, for one network or several side by side.

`dlreg.model.keras_model` builds the same network from stock Keras layers, which is what a run keeps, and
`dlreg.pipeline.networks` writes it as ONNX. Here its parameters are plain tensors in the order of
`parameter_specs`, with one axis more in front when several members of an ensemble are computed at once.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial

import keras
import numpy as np
import tensorflow as tf

from dlreg.engine.gradients import mixtures_of_bins, multiply_by_column, share_of_mish, waves_of
from dlreg.model.architecture import (
    BATCH_NORM_EPSILON,
    BATCH_NORM_MOMENTUM,
    Network,
    hashable_network,
    parameter_specs,
)
from dlreg.model.embeddings import Periodic, PiecewiseLinear
from dlreg.model.weights import Weights

# Rows predicted at a time: one shape to compile, and a few megabytes of activations.
PREDICTED_AT_ONCE = 1024
# Networks whose traced form a process keeps for predictions to come.
MOST_PREDICTORS = 32


@dataclass(frozen=True)
class Batch:
    """What the layers that differ in training need to know of the batch.

    Attributes:
        weight: 1 for a row, 0 for padding, shape `(batch_size,)`.
        n_rows: How many rows there are, a scalar.
        seed: Of dropout, a scalar of uint32.
        step: How many steps there were before: with `seed` it settles what is dropped.
        dropout: The share of values dropped in this step, a scalar or of shape `(n_members,)`; not read where
            no network has any dropout.
    """

    weight: tf.Tensor
    n_rows: tf.Tensor
    seed: tf.Tensor
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
        x: Shape `(batch_size, n_features)` or `(n_members, batch_size, n_features)`; in a step of training
            there are as many rows for each place of the batch as members that share weights.
        batch: For a step of training; None to predict.

    Returns:
        The predictions, `(batch_size, 1)` or `(n_members, batch_size, 1)`, and the new statistics. In a step
        of training the last axis has the prediction of each member that shares weights.
    """
    y_pred, (updated,) = forward_together([network], [parameters], [statistics], [x], batch)
    return y_pred, updated


def forward_together(
    networks: Sequence[Network],
    parameters: Sequence[Sequence[tf.Tensor]],
    statistics: Sequence[Sequence[tf.Tensor]],
    x: Sequence[tf.Tensor],
    batch: Batch | None = None,
) -> tuple[tf.Tensor, list[list[tf.Tensor]]]:
    """Predicts rows with networks that differ only in what their first layer reads, and in dropout.

    What they have in common is computed for the members of all at once: there is less to compile.

    Args:
        networks: What is computed.
        parameters: Of each network, as in `forward`; of several networks with an axis of members.
        statistics: Likewise.
        x: Likewise.
        batch: As in `forward`.

    Returns:
        The predictions of the first network's members, then of the second's, `(n_members, batch_size, 1)`,
        and the new statistics of each network; in a step of training as in `forward`.
    """
    products, others = [], []
    for network, network_parameters, rows in zip(networks, parameters, x, strict=True):
        values = iter(network_parameters)
        members = network_parameters[-1].shape[:-1]
        products.append(_first_product(network, values, rows, members, is_step=batch is not None))
        others.append(list(values))
    y, values, moving = _joined(products), iter(_join_each(others)), iter(_join_each(statistics))
    network, drops = networks[0], any(network.dropout for network in networks)
    updated: list[tf.Tensor] = []
    for layer, _ in enumerate(network.hidden_layers):
        if layer:
            y = tf.matmul(y, next(values))
        if network.batch_norm:
            gamma, beta, mean, variance = next(values), next(values), next(moving), next(moving)
            if batch:
                batch_mean, batch_variance = _moments(y, batch)
                updated += [
                    old * BATCH_NORM_MOMENTUM + new * (1 - BATCH_NORM_MOMENTUM)
                    for old, new in ((mean, batch_mean), (variance, batch_variance))
                ]
                mean, variance = batch_mean, batch_variance
            scale = gamma * tf.math.rsqrt(variance + BATCH_NORM_EPSILON)
            y = y * _to_rows(scale) + _to_rows(beta - mean * scale)
        else:
            y = y + _to_rows(next(values))
        y = _activated(y, network.activation, next(values) if network.parametric_activation else None)
        if batch and drops:
            y = _dropped(y, batch, layer)
    if network.shared_members > 1:
        y = tf.reshape(y, (*y.shape[:-2], -1, network.shared_members, y.shape[-1]))
        y = tf.reduce_sum(y * tf.linalg.matrix_transpose(next(values))[..., None, :, :], axis=-1)
    elif network.hidden_layers:
        y = multiply_by_column(y, next(values))
    y = y + _to_rows(next(values))
    if network.shared_members > 1 and not batch:
        y = tf.reduce_mean(y, axis=-1, keepdims=True)
    return y, _split_each(updated, [product.shape[0] for product in products])


def predict(network: Network, members: Sequence[Weights], x: np.ndarray) -> np.ndarray:
    """What members of one variant predict, in scaled units.

    Args:
        network: What each of them computes.
        members: Their weights.
        x: Preprocessed rows, shape `(n_rows, n_features)`.

    Returns:
        Shape `(n_members, n_rows)`.
    """
    run = _predictor(hashable_network(network, dropout=0.0, l2=0.0))
    parameters, statistics = (
        [tf.constant(np.stack(values)) for values in zip(*member_values, strict=True)]
        for member_values in zip(*members, strict=True)
    )
    blocks = []
    for start in range(0, len(x), PREDICTED_AT_ONCE):
        rows = np.zeros((PREDICTED_AT_ONCE, x.shape[1]), dtype=np.float32)
        block = x[start : start + PREDICTED_AT_ONCE]
        rows[: len(block)] = block
        y_pred, _ = run(parameters, statistics, tf.constant(rows))
        blocks.append(y_pred.numpy()[:, : len(block), 0])
    return np.concatenate(blocks, axis=1).astype(np.float64)


@lru_cache(MOST_PREDICTORS)
def _predictor(network: Network) -> Callable[..., tuple[tf.Tensor, list[tf.Tensor]]]:
    # XLA would make it twice as fast, but compiling takes as long as a hundred blocks.
    run: Callable[..., tuple[tf.Tensor, list[tf.Tensor]]] = tf.function(
        partial(forward, network), autograph=False
    )
    return run


def sum_of_squares(network: Network, parameters: Sequence[tf.Tensor]) -> tf.Tensor:
    """Σ w² over the weight matrices, a scalar or of shape `(n_members,)`."""
    kernels = [
        value
        for value, spec in zip(parameters, parameter_specs(network), strict=True)
        if spec.group == "weights"
    ]
    return tf.add_n([tf.reduce_sum(kernel * kernel, axis=[-2, -1]) for kernel in kernels])


def _first_product(
    network: Network, values: Iterator[tf.Tensor], x: tf.Tensor, members: Sequence[int], *, is_step: bool
) -> tf.Tensor:
    """What the first dense layer reads, times its weights.

    Each row stands there as often as there are members that share weights, one after the other; in a step of
    training each of these has a row of its own there.
    """
    if (network.embedding or network.categories) and len(x.shape) < 2 + len(members):
        x = tf.broadcast_to(x, (*members, *x.shape))
    x = _first_inputs(network, values, x)
    # Multiplied into the weights instead of the rows, the factors need no gradient of the rows.
    factors = next(values)[..., None] if network.feature_scale else None
    own_factors = next(values) if network.shared_members > 1 else None
    kernel = next(values) if factors is None else next(values) * factors
    if own_factors is not None:
        x = _of_each(x, own_factors, has_rows_of_each=is_step)
    return tf.matmul(x, kernel) if network.hidden_layers else multiply_by_column(x, kernel)


def _of_each(x: tf.Tensor, factors: tf.Tensor, *, has_rows_of_each: bool) -> tf.Tensor:
    """Rows `(…, n_rows, width)` times the factors of each member, `(…, n_rows · n_each, width)`.

    Or rows of each member beforehand, `(…, n_rows · n_each, width)`.
    """
    n_each, width = factors.shape[-2:]
    x = tf.reshape(x, (*x.shape[:-2], -1, n_each if has_rows_of_each else 1, width))
    x *= factors[..., None, :, :]
    return tf.reshape(x, (*x.shape[:-3], -1, width))


def _first_inputs(network: Network, values: Iterator[tf.Tensor], x: tf.Tensor) -> tf.Tensor:
    """What the first dense layer reads: embedded numbers, features as they are, embedded categories."""
    embedding, (first, end) = network.embedding, network.plain_features
    parts = []
    if isinstance(embedding, Periodic):
        frequencies, phases, kernel, bias = (next(values) for _ in range(4))
        waves = waves_of(x[..., :first], frequencies, phases, kernel)
        parts = [x[..., :first], waves + tf.reshape(bias, (*bias.shape[:-2], 1, waves.shape[-1]))]
    elif isinstance(embedding, PiecewiseLinear) and embedding.n_mixtures:
        bins = (embedding.slopes, embedding.offsets, embedding.height)
        parts = [x[..., :first], mixtures_of_bins(x[..., :first], *bins, next(values))]
    elif isinstance(embedding, PiecewiseLinear):
        shares = tf.clip_by_value(x[..., :first, None] * embedding.slopes + embedding.offsets, 0.0, 1.0)
        parts = [x[..., :first], tf.reshape(shares, (*shares.shape[:-2], embedding.slopes.size))]
    # What is not embedded stays in one piece; without any embedding nothing is copied.
    if parts or network.categories:
        parts.append(x[..., first:end])
        parts += [
            _vectors_of_levels(x[..., end + place], next(values))
            for place, _ in enumerate(network.categories)
        ]
        x = tf.concat(parts, axis=-1)
    return x


def _vectors_of_levels(positions: tf.Tensor, vectors: tf.Tensor) -> tf.Tensor:
    """Of all vectors `(…, n_levels, n)` those at positions `(…, n_rows)`, `(…, n_rows, n)`; else 0."""
    n_levels = vectors.shape[-2]
    is_known = tf.cast(positions < n_levels, vectors.dtype)
    places = tf.cast(tf.minimum(positions, n_levels - 1), tf.int32)
    return tf.gather(vectors, places, axis=-2, batch_dims=len(vectors.shape) - 2) * is_known[..., None]


def _joined(parts: Sequence[tf.Tensor]) -> tf.Tensor:
    return tf.concat(parts, axis=0) if len(parts) > 1 else parts[0]


def _join_each(tensors_by_network: Sequence[Sequence[tf.Tensor]]) -> list[tf.Tensor]:
    return [_joined(parts) for parts in zip(*tensors_by_network, strict=True)]


def _split_each(joined: Sequence[tf.Tensor], n_members: Sequence[int]) -> list[list[tf.Tensor]]:
    """Splits tensors of all members, `(n_members, …)`, into those of each network."""
    if len(n_members) == 1:
        return [list(joined)]
    parts = [tf.split(tensor, n_members) for tensor in joined]
    return [
        [tensors_by_network[number] for tensors_by_network in parts] for number, _ in enumerate(n_members)
    ]


def _activated(x: tf.Tensor, name: str, share: tf.Tensor | None) -> tf.Tensor:
    if name == "mish":
        return share_of_mish(x, tf.ones_like(x[..., :1, :]) if share is None else _to_rows(share))
    active = keras.activations.get(name)(x)
    return active if share is None else x + _to_rows(share) * (active - x)


def _to_rows(value: tf.Tensor) -> tf.Tensor:
    """Shape `(…, units)` to `(…, 1, units)`, to broadcast over rows."""
    return value[..., None, :]


def _moments(x: tf.Tensor, batch: Batch) -> tuple[tf.Tensor, tf.Tensor]:
    """Mean and variance over the rows that are no padding, each of shape `(…, units)`."""
    weight = batch.weight[:, None]
    mean = tf.reduce_sum(x * weight, axis=-2) / batch.n_rows
    return mean, tf.reduce_sum(tf.square(x - _to_rows(mean)) * weight, axis=-2) / batch.n_rows


def _dropped(x: tf.Tensor, batch: Batch, layer: int) -> tf.Tensor:
    """Zeroes a share of the values and scales the others up (https://jmlr.org/papers/v15/srivastava14a).

    Each value's place is hashed with the seed and the step, twenty times as fast on a CPU as XLA's
    generators; the upper 24 bits are the uniform number.
    """
    start = _hashed(batch.seed + tf.constant(layer, tf.uint32))
    seed = _hashed(tf.cast(batch.step, tf.uint32) + start)
    places = tf.reshape(tf.cast(tf.range(math.prod(x.shape)), tf.uint32), x.shape)
    uniform = tf.cast(tf.bitwise.right_shift(_hashed(places ^ seed), tf.constant(8, tf.uint32)), tf.float32)
    rate = batch.dropout[..., None, None]
    is_kept = uniform * 2.0**-24 >= rate
    return tf.where(is_kept, x / (1 - rate), 0.0)


def _hashed(value: tf.Tensor) -> tf.Tensor:
    """A whole number of 32 bits, scrambled (lowbias32 of https://github.com/skeeto/hash-prospector)."""
    for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B)):
        value ^= tf.bitwise.right_shift(value, tf.constant(shift, tf.uint32))
        value *= tf.constant(factor, tf.uint32)
    return value ^ tf.bitwise.right_shift(value, tf.constant(16, tf.uint32))
