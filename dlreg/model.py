"""Stock Keras models, losses, optimizers and schedules from plain parameters."""

import io
import json
import re
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras

LOSSES = {
    "mse": keras.losses.MeanSquaredError,
    "mae": keras.losses.MeanAbsoluteError,
    "huber": keras.losses.Huber,
    "log_cosh": keras.losses.LogCosh,
}


def build_model(
    n_features: int,
    *,
    hidden_layers: Sequence[int] = (64, 64),
    activation: str = "relu",
    dropout: float = 0.0,
    l2: float = 0.0,
    batch_norm: bool = False,
    seed: int = 0,
) -> keras.Sequential:
    """A network of dense layers with one linear output node.

    Each hidden layer is Dense → BatchNormalization (if asked for) → activation → Dropout (if asked
    for). Without hidden layers the network is exactly a linear regression.

    Args:
        n_features: The width of its input, of shape `(n_rows, n_features)`; its output is `(n_rows, 1)`.
        hidden_layers: Units of each hidden layer.
        activation: What `keras.activations` calls it.
        dropout: The share of each hidden layer's outputs dropped in training.
        l2: Every weight matrix adds l2 · Σ w² to the loss.
        batch_norm: Whether to normalise each hidden layer over the batch.
        seed: Of the initial weights and of dropout; Keras's global seed is not touched.
    """
    regularizer = keras.regularizers.L2(l2) if l2 else None

    def dense(units: int, name: str, **options: Any) -> keras.Layer:
        initializer = keras.initializers.GlorotUniform(seed=seed + len(layers))
        return keras.layers.Dense(
            units, name=name, kernel_initializer=initializer, kernel_regularizer=regularizer, **options
        )

    layers: list[keras.Layer] = [keras.Input((n_features,), name="features")]
    for number, units in enumerate(hidden_layers, start=1):
        if batch_norm:
            # A bias would be taken off again with the mean: its gradient is rounding noise.
            layers.append(dense(units, f"hidden_{number}", use_bias=False))
            layers.append(keras.layers.BatchNormalization(name=f"batch_norm_{number}"))
            layers.append(keras.layers.Activation(activation, name=f"activation_{number}"))
        else:
            layers.append(dense(units, f"hidden_{number}", activation=activation))
        if dropout:
            layers.append(keras.layers.Dropout(dropout, seed=seed + len(layers), name=f"dropout_{number}"))
    layers.append(dense(1, "output"))
    model = keras.Sequential(layers, name="dlreg")
    # A mask tells batch normalisation which rows of a padded batch are there.
    model.supports_masking = True
    return model


def build_optimizer(
    name: str,
    learning_rate: float | keras.optimizers.schedules.LearningRateSchedule,
    *,
    weight_decay: float = 0.0,
    momentum: float = 0.0,
    clip_norm: float | None = None,
) -> keras.optimizers.Optimizer:
    """A stock Keras optimizer.

    Args:
        name: `sgd`, `adam`, `adamw`, `rmsprop` or `nadam`.
        learning_rate: A number, or a schedule of it.
        weight_decay: Decoupled: each step also moves the weights by -learning_rate · weight_decay · w.
        momentum: Of sgd and rmsprop.
        clip_norm: The largest norm of all gradients taken together (Keras's `global_clipnorm`).
    """
    options: dict[str, Any] = {"global_clipnorm": clip_norm}
    if name in ("sgd", "rmsprop"):
        options["momentum"] = momentum
    if weight_decay or name == "adamw":
        options["weight_decay"] = weight_decay
    optimizers = {
        "sgd": keras.optimizers.SGD,
        "adam": keras.optimizers.Adam,
        "adamw": keras.optimizers.AdamW,
        "rmsprop": keras.optimizers.RMSprop,
        "nadam": keras.optimizers.Nadam,
    }
    return optimizers[name](learning_rate=learning_rate, **options)


def build_learning_rate(
    schedule: str, learning_rate: float, *, epochs: int, steps_per_epoch: int, **options: Any
) -> float | keras.optimizers.schedules.LearningRateSchedule:
    """The learning rate over the steps of a training.

    Args:
        schedule: `cosine` rises linearly from 0 over `warmup_epochs`, then falls along half a cosine to
            `final_fraction` of the peak at the last epoch. `step` multiplies by `factor` after every
            `every_epochs` epochs. `constant` and `plateau` stay as they are: the loop lowers the latter.
        learning_rate: The value at the start, or at the peak.
        epochs: The most epochs there will be.
        steps_per_epoch: Batches in an epoch.
        **options: The schedule's own.
    """
    schedules = keras.optimizers.schedules
    if schedule == "step":
        decay_steps = options["every_epochs"] * steps_per_epoch
        return schedules.ExponentialDecay(learning_rate, decay_steps, options["factor"], staircase=True)
    if schedule == "cosine":
        warmup_steps = options["warmup_epochs"] * steps_per_epoch
        decay_steps, alpha = epochs * steps_per_epoch - warmup_steps, options["final_fraction"]
        if not warmup_steps:
            return schedules.CosineDecay(learning_rate, decay_steps, alpha=alpha)
        return schedules.CosineDecay(
            0.0, decay_steps, alpha=alpha, warmup_target=learning_rate, warmup_steps=warmup_steps
        )
    return learning_rate


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
