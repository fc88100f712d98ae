"""Stock Keras models: where a network's weights start, and what a run keeps of it."""

import io
import json
import re
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras

from dlreg.network import Network
from dlreg.training import Weights

# Far enough apart for the seeds of one member's layers.
MEMBER_SEEDS = 1000


def build_model(network: Network, seed: int = 0) -> keras.Sequential:
    """The network from stock Keras layers, with Keras's own initial weights.

    Args:
        network: What it computes.
        seed: Of the initial weights and of dropout; Keras's global seed is not touched.
    """
    regularizer = keras.regularizers.L2(network.l2) if network.l2 else None

    def dense(units: int, name: str, **options: Any) -> keras.Layer:
        initializer = keras.initializers.GlorotUniform(seed=seed + len(layers))
        return keras.layers.Dense(
            units, name=name, kernel_initializer=initializer, kernel_regularizer=regularizer, **options
        )

    layers: list[keras.Layer] = [keras.Input((network.n_features,), name="features")]
    for number, units in enumerate(network.hidden_layers, start=1):
        if network.batch_norm:
            # A bias would be taken off again with the mean: its gradient is rounding noise.
            layers.append(dense(units, f"hidden_{number}", use_bias=False))
            layers.append(keras.layers.BatchNormalization(name=f"batch_norm_{number}"))
            layers.append(keras.layers.Activation(network.activation, name=f"activation_{number}"))
        else:
            layers.append(dense(units, f"hidden_{number}", activation=network.activation))
        if network.dropout:
            layers.append(
                keras.layers.Dropout(network.dropout, seed=seed + len(layers), name=f"dropout_{number}")
            )
    layers.append(dense(1, "output"))
    return keras.Sequential(layers, name="dlreg")


def initial_weights(network: Network, seed: int, n_members: int = 1) -> list[Weights]:
    """What each member of an ensemble starts from: Keras's initial weights, with a seed of its own."""
    models = [build_model(network, seed + MEMBER_SEEDS * member) for member in range(n_members)]
    return [
        Weights(
            [weight.numpy() for weight in model.trainable_weights],
            [weight.numpy() for weight in model.non_trainable_weights],
        )
        for model in models
    ]


def members_of(network: Network, weights: Sequence[Weights]) -> list[keras.Sequential]:
    """A stock Keras model with trained weights for each member."""
    members = [build_model(network) for _ in weights]
    for model, (parameters, statistics) in zip(members, weights, strict=True):
        for weight, value in zip(model.trainable_weights, parameters, strict=True):
            weight.assign(value)
        for weight, value in zip(model.non_trainable_weights, statistics, strict=True):
            weight.assign(value)
    return members


def mean_model(members: Sequence[keras.Sequential]) -> keras.Model:
    """One model that gives the mean of its members; the member itself if there is only one."""
    if len(members) == 1:
        return members[0]
    for number, member in enumerate(members, start=1):
        member.name = f"member_{number}"
    features = keras.Input(members[0].input_shape[1:], name="features")
    mean = keras.layers.Average(name="mean")([member(features) for member in members])
    return keras.Model(features, mean, name="dlreg")


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

    def renumber(found: re.Match[bytes]) -> bytes:
        number = numbers.setdefault(found[1], str(len(numbers) + 1).encode())
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
