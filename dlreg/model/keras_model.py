"""A network as a stock Keras model, which is what a run keeps of it."""

import io
import json
import re
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from dlreg.model.architecture import Network, parameter_specs
from dlreg.model.embeddings import (
    CATEGORY_WIDTH,
    FREQUENCIES,
    PERIODIC_WIDTH,
    Periodic,
    PiecewiseLinear,
)
from dlreg.model.levels import split_levels
from dlreg.model.mixture import Mixture, Ridge
from dlreg.model.trees import Trees
from dlreg.model.weights import Weights


def build_model(network: Network, seed: int = 0, n_members: int = 1) -> keras.Model:
    """The network from stock Keras layers, with Keras's own initial weights.

    Several members are one model whose layers hold the weights of all, with an axis of members in front:
    as many layers as one member has, where ten models would take ten times as long to build and to save.

    Args:
        network: What it computes.
        seed: Of the initial weights and of dropout; Keras's global seed is not touched.
        n_members: How many there are.

    Returns:
        From `(n_rows, n_features)` to `(n_rows, n_members)`.
    """
    n_sharing = network.shared_members
    regularizer = keras.regularizers.L2(network.l2) if network.l2 else None
    layers: list[keras.Layer] = [keras.Input((network.n_features,), name="features")]

    def dense(units: int, name: str, **options: Any) -> keras.Layer:
        return _dense(units, name, n_members, n_sharing, **drawn(), **options)

    def drawn() -> dict[str, Any]:
        initializer = keras.initializers.GlorotUniform(seed=seed + len(layers))
        return {"kernel_initializer": initializer, "kernel_regularizer": regularizer}

    def hidden(number: int, units: int) -> list[keras.Layer]:
        if not network.batch_norm and not network.parametric_activation:
            return [dense(units, f"hidden_{number}", activation=network.activation)]
        if not network.batch_norm:
            return [dense(units, f"hidden_{number}")]
        # Normalisation would subtract a bias again with the mean: its gradient is rounding noise.
        normed = [dense(units, f"hidden_{number}", use_bias=False), *_batch_norm(units, number, n_members)]
        if not network.parametric_activation:
            normed.append(keras.layers.Activation(network.activation, name=f"activation_{number}"))
        return normed

    x = _first_inputs(network, layers[0], n_members) if _needs_functional(network, n_members) else None
    for number, units in enumerate(network.hidden_layers, start=1):
        hidden_layers, dropout = hidden(number, units), []
        if network.dropout:
            dropout = [
                keras.layers.Dropout(network.dropout, seed=seed + len(layers), name=f"dropout_{number}")
            ]
        layers += [*hidden_layers, *dropout]
        if x is None:
            continue
        for layer in hidden_layers:
            x = layer(x)
        if network.parametric_activation:
            active = keras.layers.Activation(network.activation, name=f"activation_{number}")(x)
            x = x + _factors(units, f"activation_share_{number}", n_members, n_sharing)(active - x)
        for layer in dropout:
            x = layer(x)
    if n_sharing > 1:
        layers.append(_einsum("si,is->s", (n_sharing,), "s", "output", n_members, **drawn()))
    else:
        layers.append(dense(1, "output"))
    if x is None:
        return keras.Sequential(layers, name="dlreg")
    y_pred = layers[-1](x)
    if n_sharing > 1:
        y_pred = keras.ops.mean(y_pred, axis=-1, keepdims=True)
    if n_members > 1:
        y_pred = keras.layers.Flatten(name="members")(y_pred)
    return keras.Model(layers[0], y_pred, name="dlreg")


def _needs_functional(network: Network, n_members: int) -> bool:
    embeds = network.embedding is not None or bool(network.categories)
    has_factors = network.feature_scale or network.parametric_activation
    return n_members > 1 or embeds or has_factors or network.shared_members > 1


def _first_inputs(network: Network, features: Any, n_members: int) -> Any:
    """What the first dense layer reads: embedded numbers, features as they are, embedded categories.

    Members that share weights have an axis of theirs, the last but one.
    """
    embedding, (first, end) = network.embedding, network.plain_features
    ops, parts, axes = keras.ops, [], (n_members,) if n_members > 1 else ()
    vectors = [
        _embedding(f"category_{number}", levels, CATEGORY_WIDTH, n_members)(features[:, end + number - 1])
        for number, levels in enumerate(network.categories, start=1)
    ]
    features = keras.layers.RepeatVector(n_members, name="rows")(features) if axes else features
    if isinstance(embedding, Periodic):
        numbers = features[..., :first]
        waves = _einsum("n,nk->nk", (first, FREQUENCIES), "nk", "frequencies", n_members)(numbers)
        mixed = _einsum("nk,nkd->nd", (first, PERIODIC_WIDTH), "nd", "periodic", n_members)(ops.cos(waves))
        parts = [
            numbers,
            keras.layers.Reshape((*axes, first * PERIODIC_WIDTH), name="periodic_values")(mixed),
        ]
    elif isinstance(embedding, PiecewiseLinear):
        shape = embedding.slopes.shape
        shares = _einsum("n,nk->nk", shape, "nk", "bins", n_members, trainable=False)(features[..., :first])
        shares = ops.clip(shares, 0.0, embedding.height)
        if embedding.n_mixtures:
            mixed = (first, embedding.n_mixtures)
            shares = _einsum("nk,nkd->nd", mixed, None, "bin_mixtures", n_members)(shares)
        flat = keras.layers.Reshape((*axes, embedding.width - first), name="bin_shares")
        parts = [features[..., :first], flat(shares)]
    if parts or network.categories:
        parts += [features[..., first:end]] if end > first else []
        parts += [keras.ops.reshape(vector, (-1, *axes, CATEGORY_WIDTH)) for vector in vectors]
        features = ops.concatenate(parts, axis=-1) if len(parts) > 1 else parts[0]
    if network.feature_scale:
        features = _factors(network.width, "feature_scale", n_members)(features)
    if network.shared_members > 1:
        shape = (network.shared_members, network.width)
        features = _einsum("n,sn->sn", shape, None, "member_scale", n_members)(features)
    return features


def _dense(
    units: int, name: str, n_members: int, n_sharing: int, *, use_bias: bool = True, **options: Any
) -> keras.Layer:
    """A dense layer, or one for each member side by side, which others may share."""
    if n_members == 1:
        return keras.layers.Dense(units, use_bias=use_bias, name=name, **options)
    axis, axes = _axis_of_sharing(n_sharing)
    equation = f"{axis}i,io->{axis}o"
    return _einsum(equation, (*axes, units), "o" if use_bias else None, name, n_members, **options)


def _axis_of_sharing(n_sharing: int) -> tuple[str, tuple[int, ...]]:
    """The axis of members that share weights, if there are several: its name and its length."""
    return ("s", (n_sharing,)) if n_sharing > 1 else ("", ())


def _embedding(name: str, n_levels: int, width: int, n_members: int = 1) -> keras.Layer:
    """From the positions of levels to the vectors of each member side by side; the last is that of none."""
    return keras.layers.Embedding(n_levels + 1, n_members * width, name=name)


def _table_of_levels(vectors: np.ndarray) -> np.ndarray:
    """The weights of `_embedding`, of the vectors of each member, `(n_members, n_levels, width)`."""
    with_origin = np.pad(vectors, ((0, 0), (0, 1), (0, 0)))
    return with_origin.transpose(1, 0, 2).reshape(with_origin.shape[1], -1)


def _einsum(
    equation: str, shape: Sequence[int], bias_axes: str | None, name: str, n_members: int, **options: Any
) -> keras.Layer:
    """An EinsumDense layer whose equation has an axis of rows added, and one of several members."""
    member, axes = ("m", (n_members,)) if n_members > 1 else ("", ())
    inputs, rest = equation.split(",")
    kernel, outputs = rest.split("->")
    return keras.layers.EinsumDense(
        f"b{member}{inputs},{member}{kernel}->b{member}{outputs}",
        (*axes, *shape),
        bias_axes=bias_axes and member + bias_axes,
        name=name,
        **options,
    )


def _factors(n_features: int, name: str, n_members: int, n_sharing: int = 1) -> keras.Layer:
    """A layer that multiplies each feature by a learnt factor, from 1 on."""
    axis, axes = _axis_of_sharing(n_sharing)
    equation, shape = f"{axis}n,n->{axis}n", (*axes, n_features)
    return _einsum(equation, shape, None, name, n_members, kernel_initializer="ones")


def _batch_norm(units: int, number: int, n_members: int) -> list[keras.Layer]:
    norm = keras.layers.BatchNormalization(name=f"batch_norm_{number}")
    if n_members == 1:
        return [norm]
    # Keras's normalises along one axis: the units of all members are laid along one.
    flat = keras.layers.Reshape((n_members * units,), name=f"units_{number}")
    return [flat, norm, keras.layers.Reshape((n_members, units), name=f"normed_{number}")]


def model_variables(network: Network, model: keras.Model) -> tuple[list[Any], list[Any]]:
    """A model's variables in the order of `parameter_specs`, and its statistics."""
    parameters = [_variable(model.get_layer(spec.layer), spec.kind) for spec in parameter_specs(network)]
    norms = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    return parameters, [value for norm in norms for value in (norm.moving_mean, norm.moving_variance)]


def _variable(layer: keras.Layer, kind: str) -> Any:
    return layer.embeddings if isinstance(layer, keras.layers.Embedding) else getattr(layer, kind)


def trained_model(network: Network, members: Sequence[Weights]) -> keras.Model:
    """A stock Keras model with the trained weights of each member, see `build_model`."""
    model = build_model(network, n_members=len(members))
    for variables, values in zip(model_variables(network, model), zip(*members, strict=True), strict=True):
        for variable, member_values in zip(variables, zip(*values, strict=True), strict=True):
            weights = np.stack(member_values)
            if variable.path.startswith("category_"):
                weights = _table_of_levels(weights)
            variable.assign(np.reshape(weights, variable.shape))
    if isinstance(network.embedding, PiecewiseLinear):
        bins = model.get_layer("bins")
        for variable, fitted in (
            (bins.kernel, network.embedding.slopes),
            (bins.bias, network.embedding.offsets),
        ):
            variable.assign(np.broadcast_to(fitted, variable.shape))
    return model


def combined_model(
    models: Sequence[keras.Model], mixture: Mixture, categories: Sequence[int] = ()
) -> keras.Model:
    """One model that predicts as the mixture says; the given one if there is a single member and no limits.

    Args:
        models: Of each variant the model of its trained members, see `trained_model`.
        mixture: How much of each member there is in a prediction.
        categories: As the networks have them.
    """
    if mixture.is_one_member and not mixture.limits:
        return models[0]
    for number, model in enumerate(models, start=1):
        # The name of a layer in `model.keras`, which stays as it is from version to version.
        model.name = f"view_{number}"
    features = keras.Input(models[0].input_shape[1:], name="features")
    parts = [model(features) for model in models]
    weights = mixture.weights
    if mixture.ridge:
        parts.append(_ridge(features, mixture.ridge, categories))
        weights = np.append(weights, mixture.ridge.weight)
    if mixture.trees:
        parts.append(_tree_model(features.shape[1], mixture.trees)(features))
        weights = np.append(weights, mixture.trees.weight)
    y_pred = keras.ops.concatenate(parts, axis=-1) if len(parts) > 1 else parts[0]
    if not mixture.is_one_member:
        mean = keras.layers.Dense(1, use_bias=False, name="mean")
        y_pred = mean(y_pred)
        mean.set_weights([weights[:, None]])
    if mixture.limits:
        y_pred = keras.ops.clip(y_pred, *mixture.limits)
    return keras.Model(features, y_pred, name="dlreg")


def _ridge(features: Any, ridge: Ridge, categories: Sequence[int]) -> Any:
    n_plain = features.shape[1] - len(categories)
    coefficients, of_levels = split_levels(ridge.coefficients, categories)
    layer = keras.layers.Dense(1, name="ridge")
    y_pred = layer(features[:, :n_plain] if categories else features)
    layer.set_weights([coefficients[:, None], np.array([ridge.intercept])])
    for number, values in enumerate(of_levels, start=1):
        if not len(values):
            continue
        embedding = _embedding(f"ridge_category_{number}", len(values), 1)
        y_pred = y_pred + embedding(features[:, n_plain + number - 1])
        embedding.set_weights([_table_of_levels(values[None, :, None])])
    return y_pred


def _tree_model(n_features: int, trees: Trees) -> keras.Model:
    """From `(n_rows, n_features)` to `(n_rows, 1)`: all trees at once, one comparison after the other.

    An embedding of a node's position holds what it compares, with which number, and its two children.
    """
    ops, n_nodes = keras.ops, len(trees.features)
    columns = [np.maximum(trees.features, 0), trees.numbers, trees.left, trees.right]
    roots = keras.layers.Embedding(1, len(trees.roots), trainable=False, name="roots")
    nodes = keras.layers.Embedding(n_nodes, len(columns), trainable=False, name="nodes")
    features = keras.Input((n_features,), name="features")
    place = roots(ops.zeros_like(features[:, 0], dtype="int32"))
    for _ in range(trees.depth):
        compared, number, left, right = ops.unstack(nodes(place), axis=-1)
        value = ops.take_along_axis(features, ops.cast(compared, "int32"), axis=1)
        place = ops.where(value <= number, left, right)
    leaves = ops.unstack(nodes(place), axis=-1)[1]
    model = keras.Model(features, ops.sum(leaves, axis=-1, keepdims=True) + trees.intercept, name="trees")
    roots.set_weights([trees.roots[None]])
    nodes.set_weights([np.column_stack(columns)])
    return model


def summary_of(model: keras.Model) -> str:
    """Keras's table of layers and parameters, as plain text of 80 columns."""
    lines: list[str] = []
    model.summary(line_length=80, print_fn=lambda line, **_: lines.append(line))
    return "\n".join(lines) + "\n"


def keras_file(model: keras.Model) -> bytes:
    """The model as a `.keras` file; equal models give equal bytes.

    Keras writes the time of saving, which is left out, and memory addresses as the numbers of shared
    objects, which are counted from 1 instead.
    """
    numbers: dict[bytes, bytes] = {}

    def renumber(match: re.Match[bytes]) -> bytes:
        number = numbers.setdefault(match[1], str(len(numbers) + 1).encode())
        return b'"shared_object_id": ' + number

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        keras.saving.save_model(model, path)
        content = io.BytesIO()
        with zipfile.ZipFile(path) as saved, zipfile.ZipFile(content, "w") as plain:
            for name in saved.namelist():
                entry = saved.read(name)
                if name == "metadata.json":
                    entry = json.dumps({**json.loads(entry), "date_saved": ""}).encode()
                if name == "config.json":
                    entry = re.sub(rb'"shared_object_id": (\d+)', renumber, entry)
                plain.writestr(zipfile.ZipInfo(name), entry)
    return content.getvalue()
