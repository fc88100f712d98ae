"""What a training would do, told beforehand without TensorFlow and scikit-learn."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from dlreg.config.schema import Config
from dlreg.errors import ConfigError, DataError, Fault, gathering, located
from dlreg.features.calendar import calendar_feature_names
from dlreg.features.encoding import MOST_ONEHOT_LEVELS
from dlreg.features.numbers import fit_features
from dlreg.features.target import fit_target
from dlreg.model.embeddings import BINS, CATEGORY_WIDTH, FREQUENCIES, PERIODIC_WIDTH
from dlreg.table.column import Column
from dlreg.table.dataset import Dataset, Part, shown_path
from dlreg.training.members import (
    count_epochs,
    count_refit_epochs,
    divide_epoch,
    members_of,
    rows_per_epoch,
)

# The arrays an optimizer keeps, each as large as the weights.
OPTIMIZER_SLOTS = {"sgd": 0, "rmsprop": 1, "adam": 2, "adamw": 2, "nadam": 2}
# Measured at the end of a small run: TensorFlow, scikit-learn, ONNX Runtime and a compiled loop.
LIBRARY_BYTES = 930_000_000
# Measured on networks of millions of weights: gradients, the best epoch's and what is written at the end.
WEIGHT_COPIES = 14
FLOAT_BYTES = 4
CELL_BYTES = 8
# 1 GB of weights: a file of ONNX ends at 2 GB.
MAX_PARAMETERS = 250_000_000
# Operations of one step, below which a second core costs more than it saves (tests/benchmarks/loop.py).
ONE_THREAD_OPERATIONS = 100_000_000
# Beside its cells a row has a target, a position, a place in the order of an epoch, a prediction …
ROW_CELLS = 8


@dataclass(frozen=True)
class Plan:
    """The size of a training.

    Attributes:
        rows: Rows of each part: `train`, `validation`, `test`.
        columns: Columns the model reads, by kind.
        features: Inputs of the network, after encoding.
        parameters: Weights of the network, as Keras counts them.
        steps_per_epoch: Batches in an epoch.
        epochs: The most epochs there will be.
        refit_epochs: The most epochs of refitting after them.
        memory_bytes: A rough estimate of the memory at its peak, libraries included.
        threads: Threads that an operation may use; None for as many as there are cores.
    """

    rows: dict[str, int]
    columns: dict[str, int]
    features: int
    parameters: int
    steps_per_epoch: int
    epochs: int
    refit_epochs: int
    memory_bytes: int
    threads: int | None


def plan_training(config: Config, dataset: Dataset) -> Plan:
    """Tells the size of a training.

    Raises:
        DataError: The training rows cannot be preprocessed as the config asks, with every reason.
        ConfigError: The network is too large to be written.
    """
    _refuse_what_cannot_be_fitted(config, dataset)
    train = dataset.parts["train"]
    features = count_features(
        dataset.columns,
        train,
        config.preprocessing.categorical,
        missing_indicator=config.preprocessing.missing_indicator,
    )
    members = members_of(config)
    parameters = sum(_count_member(config, dataset, features, member.embedding) for member in members)
    if parameters > MAX_PARAMETERS:
        message = (
            f"the network has {parameters:,} parameters for {features:,} features, more than "
            f"{MAX_PARAMETERS:,} cannot be trained"
        )
        hint = "Use smaller model.hidden_layers, fewer members in model.ensemble, or fewer columns"
        raise ConfigError(config.fault(message, "model", "hidden_layers", hint=hint))
    rows = {name: int(part.rows.size) for name, part in dataset.parts.items()}
    n_rows = rows_per_epoch(rows["train"], dataset.folds)
    batch_size, steps_per_epoch = divide_epoch(
        n_rows, config.training.batch_size, equal_batches=config.training.equal_batches
    )
    # A multiplication and an addition per weight and row, forward and twice backward.
    is_small = 6 * batch_size * parameters < ONE_THREAD_OPERATIONS
    epochs = count_epochs(config.training.epochs, steps_per_epoch, config.training.auto_steps)
    refit = config.training.refit
    slots = OPTIMIZER_SLOTS[config.training.optimizer] + bool(config.training.momentum)
    network = parameters * (WEIGHT_COPIES + slots)
    activations = 2 * max(batch_size, min(rows["validation"], 4096)) * (sum(config.model.hidden_layers) + 1)
    activations *= len(members)
    encoded = sum(rows.values()) * features * FLOAT_BYTES
    cells = sum(rows.values()) * (len(dataset.columns) + ROW_CELLS) * CELL_BYTES
    return Plan(
        rows=rows,
        columns=dict(Counter(column.kind for column in dataset.columns)),
        features=features,
        parameters=parameters,
        steps_per_epoch=steps_per_epoch,
        epochs=epochs,
        refit_epochs=int(count_refit_epochs(refit.epochs_fraction, [epochs])[0]) if refit else 0,
        memory_bytes=LIBRARY_BYTES + FLOAT_BYTES * (network + activations) + encoded + cells,
        threads=config.run.threads or (1 if is_small else None),
    )


def count_features(
    columns: Sequence[Column], train: Part, categorical: str, *, missing_indicator: bool = False
) -> int:
    """The inputs of the network.

    One per number, ordinal level or flag of missing numbers, one per one-hot level, several per date.
    """
    widths = (_width(column, train, categorical) for column in columns)
    flags = (missing_indicator and _has_gaps(column, train) for column in columns)
    return sum(widths) + sum(flags)


def _has_gaps(column: Column, train: Part) -> bool:
    """Whether numbers or dates are missing in the training rows."""
    if column.kind == "number":
        return bool(np.isnan(train.cells[column.name]).any())
    return column.date_format is not None and bool((train.cells[column.name] == "").any())


def _width(column: Column, train: Part, categorical: str) -> int:
    if column.date_format:
        return len(calendar_feature_names(column.date_format))
    if column.kind != "number" and categorical != "ordinal":
        # A missing cell, "", is a level of its own.
        return len(set(train.cells[column.name][:, 0]))
    return 1


def _count_member(config: Config, dataset: Dataset, features: int, embedding: str) -> int:
    """The weights of one member, as Keras counts them: those of its first inputs, then its layers."""
    model, train = config.model, dataset.parts["train"]
    widths = {column: _width(column, train, "onehot") for column in dataset.columns}
    numbers = sum(width for column, width in widths.items() if column.kind == "number" or column.date_format)
    levels = [
        width
        for column, width in widths.items()
        if column.kind in ("category", "boolean")
        and config.preprocessing.categorical == "embedding"
        and width > MOST_ONEHOT_LEVELS
    ]
    width = features - sum(levels) + CATEGORY_WIDTH * len(levels)
    parameters = CATEGORY_WIDTH * sum(levels)
    if embedding == "periodic":
        parameters += numbers * (2 * FREQUENCIES + PERIODIC_WIDTH * (FREQUENCIES + 1))
        width += numbers * PERIODIC_WIDTH
    elif embedding == "piecewise_linear":
        parameters += numbers * 2 * BINS
        width += numbers * BINS
    parameters += width if model.feature_scale else 0
    parameters += sum(model.hidden_layers) if model.parametric_activation else 0
    return parameters + count_parameters(width, model.hidden_layers, batch_norm=model.batch_norm)


def count_parameters(n_features: int, hidden_layers: Sequence[int], *, batch_norm: bool) -> int:
    """The weights of the network, as Keras counts them.

    A dense layer of u units after n has (n + 1) · u. With batch normalisation it has no bias but a scale, a
    shift, a mean and a variance for each unit: (n + 4) · u.
    """
    widths = (n_features, *hidden_layers)
    hidden = sum((before + (4 if batch_norm else 1)) * units for before, units in pairwise(widths))
    return hidden + widths[-1] + 1


def _refuse_what_cannot_be_fitted(config: Config, dataset: Dataset) -> None:
    faults: list[Fault] = []
    name, missing = shown_path(config.data.path), config.preprocessing.missing
    train, validation = dataset.parts["train"], dataset.parts["validation"]
    with gathering(faults), located(name):
        fit_target(train.y_true, config.preprocessing.target).forward(validation.y_true)
    # Missing cells are refused in every part; otherwise the training rows alone need a value.
    cells = train.cells
    if missing == "error":
        parts = dataset.parts.values()
        cells = {key: np.concatenate([part.cells[key] for part in parts]) for key in cells}
    with gathering(faults), located(name):
        fit_features(cells, dataset.columns, missing)
    if faults:
        raise DataError(*faults)
