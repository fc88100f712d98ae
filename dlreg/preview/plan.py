"""The size of a training, counted beforehand without TensorFlow and scikit-learn."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dlreg.config.schema import Config
from dlreg.errors import ConfigError, DataError, Fault, gathering, located
from dlreg.features.date_parts import date_options, fit_date_parts
from dlreg.features.encoding import MOST_LEVELS, MOST_ONEHOT_LEVELS
from dlreg.features.numbers import Feature, columns_with_gaps, count_levels, count_numbers, fit_features
from dlreg.features.target import fit_target
from dlreg.model.architecture import Network, count_parameters
from dlreg.model.embeddings import BINS, Embedding, Periodic, PiecewiseLinear
from dlreg.model.optimizer_slots import count_slots
from dlreg.processor import usable_cores
from dlreg.table.column import Column
from dlreg.table.parts import Dataset, Part
from dlreg.table.splits import go_forward
from dlreg.table.stored_dataset import StoredDataset
from dlreg.table.table_names import name_of_table
from dlreg.training.members import count_refit_epochs, members_of, network_options, plan_epochs

# Measured at the end of a small run: TensorFlow, scikit-learn, ONNX Runtime and a compiled loop.
LIBRARY_BYTES = 930_000_000
# Measured on networks of millions of weights: gradients, the best epoch's and what is written at the end.
WEIGHT_COPIES = 14
# The engine validates more rows in several steps.
MOST_VALIDATION_ROWS = 4096
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
        threads: Threads that an operation uses: those of the config, or one where a step is small, or else as
            many as there are cores to use.
        time_limit: What epochs and members are chosen by when training begins; None where they stand.
        folds: Of cross-validation; None without.
    """

    rows: dict[str, int]
    columns: dict[str, int]
    features: int
    parameters: int
    steps_per_epoch: int
    epochs: int
    refit_epochs: int
    memory_bytes: int
    threads: int
    time_limit: str | float | None = None
    folds: int | None = None


def plan_training(config: Config, whole: Dataset | StoredDataset) -> Plan:
    """Counts the size of a training; what does not fit in memory is counted by a sample.

    Raises:
        DataError: The training rows cannot be preprocessed as the config asks, with every reason.
        ConfigError: The network is too large to be written, or a time limit is set for rows on disk.
    """
    if config.training.time_limit is not None and not isinstance(whole, Dataset):
        message = "training.time_limit is for tables that fit in memory, and this one is trained from disk"
        hint = "Set training.epochs in its place, or data.cache: memory"
        raise ConfigError(config.fault(message, "training", "time_limit", hint=hint))
    dataset, rows = whole.in_memory, whole.n_rows
    features = _fit_features(config, dataset)
    train = dataset.parts["train"]
    levels = _levels_told_apart(config, dataset.columns, train)
    networks = _member_networks(config, levels, features)
    n_features = networks[0].n_features
    parameters = sum(count_parameters(network) for network in networks)
    if parameters > MAX_PARAMETERS:
        message = (
            f"the network has {parameters:,} parameters for {n_features:,} features, more than "
            f"{MAX_PARAMETERS:,} cannot be trained"
        )
        hint = "Use smaller model.hidden_layers, fewer members in model.ensemble, or fewer columns"
        raise ConfigError(config.fault(message, "model", "hidden_layers", hint=hint))
    epoch_plan = plan_epochs(config, whole.rows_per_epoch)
    # A multiplication and an addition per weight and row, forward and twice backward.
    n_products = sum(network.shared_members * count_parameters(network) for network in networks)
    is_small = 6 * epoch_plan.batch_size * n_products < ONE_THREAD_OPERATIONS
    refit = config.refitting
    slots = count_slots(config.training.optimizer, config.training.momentum)
    slots += config.training.ema_momentum is not None
    # Forward, and backward.
    rows_at_once = max(epoch_plan.batch_size, min(rows["validation"], MOST_VALIDATION_ROWS))
    units = sum(network.shared_members * (sum(network.hidden_layers) + 1) for network in networks)
    activations = 2 * rows_at_once * units
    # Where folds go forward in time, each has training rows of its own, scaled by what it knows.
    copies = len(dataset.folds) + bool(refit) if go_forward(dataset.folds) else 0
    n_in_memory = sum(dataset.n_rows.values())
    # The rows to refit with stand side by side, unless they are read from disk.
    has_both = bool(refit) and not dataset.folds and isinstance(whole, Dataset)
    n_inputs = n_in_memory + copies * rows["train"] + has_both * (rows["train"] + rows["validation"])
    inputs = n_inputs * n_features
    floats = parameters * (WEIGHT_COPIES + slots) + activations + inputs
    cells = n_in_memory * (len(dataset.columns) + ROW_CELLS)
    return Plan(
        rows=rows,
        columns=dict(Counter(column.kind for column in dataset.columns)),
        features=n_features,
        parameters=parameters,
        steps_per_epoch=epoch_plan.steps_per_epoch,
        epochs=epoch_plan.epochs,
        refit_epochs=_most_refit_epochs(refit.epochs_fraction, epoch_plan.epochs, dataset) if refit else 0,
        memory_bytes=LIBRARY_BYTES + FLOAT_BYTES * floats + CELL_BYTES * cells,
        threads=config.run.threads or (1 if is_small else usable_cores()),
        time_limit=config.training.time_limit,
        folds=config.training.cross_validation,
    )


def _most_refit_epochs(epochs_fraction: float, epochs: int, dataset: Dataset) -> int:
    # The first member may be at its best at once, and the last at the very end.
    best_epochs = [1, epochs]
    forward = go_forward(dataset.folds)
    return int(count_refit_epochs(epochs_fraction, best_epochs, catches_up=forward).max())


def count_features(config: Config, columns: Sequence[Column], train: Part) -> int:
    """The inputs of the network, but for flags of missing numbers.

    One per number, embedded category or ordinal one, one per one-hot level, several per date.
    """
    levels = _levels_told_apart(config, columns, train)
    return count_numbers(columns) + _count_encoded(levels, config.preprocessing.categorical)


def _levels_told_apart(config: Config, columns: Sequence[Column], train: Part) -> list[int]:
    """How many levels of each category, or part of dates, are told apart."""
    parts, _ = fit_date_parts(columns, train.cells, date_options(config))
    most = MOST_LEVELS[config.preprocessing.categorical]
    return [min(n_levels, most) for n_levels in count_levels(columns, train.cells, parts)]


def _count_encoded(levels: Sequence[int], categorical: str) -> int:
    if categorical == "ordinal":
        return len(levels)
    if categorical == "embedding":
        return sum(n if n <= MOST_ONEHOT_LEVELS else 1 for n in levels)
    return sum(levels)


def _member_networks(config: Config, levels: Sequence[int], features: Sequence[Feature]) -> list[Network]:
    """The network of each member, as it would be built for these features."""
    categorical = config.preprocessing.categorical
    n_numbers = sum(feature.kind == "number" for feature in features)
    n_flags = sum(feature.kind == "flag" for feature in features)
    n_features = n_numbers + n_flags + _count_encoded(levels, categorical)
    embedded = [n for n in levels if categorical == "embedding" and n > MOST_ONEHOT_LEVELS]
    options = network_options(config)
    networks: dict[str, Network] = {
        name: Network(
            n_features,
            embedding=_embedding(name, n_numbers),
            categories=embedded,
            **options,
        )
        for name in config.preprocessing.embeddings
    }
    return [networks[member.embedding] for member in members_of(config)]


def _embedding(name: str, n_numbers: int) -> Embedding | None:
    """An embedding of the right size, for counting alone: its values are zeros."""
    if name == "periodic" and n_numbers:
        return Periodic(n_numbers)
    if name == "piecewise_linear" and n_numbers:
        return PiecewiseLinear(*np.zeros((2, n_numbers, BINS)))
    return None


def _fit_features(config: Config, dataset: Dataset) -> tuple[Feature, ...]:
    """The features before they are encoded; refuses what cannot be fitted or must not be missing."""
    faults: list[Fault] = []
    name, missing = name_of_table(config.data.path), config.preprocessing.missing
    train, validation = dataset.parts["train"], dataset.parts["validation"]
    fitted = train.take(dataset.first_window)
    features: tuple[tuple[Feature, ...], ...] = ()
    with gathering(faults), located(name):
        target = fit_target(fitted.y_true, config.preprocessing.target)
        for part in (train, validation):
            target.forward(part.y_true)
    # Missing cells are refused in every part; otherwise the training rows alone need a value.
    cells = fitted.cells
    if missing == "error":
        parts = dataset.parts.values()
        cells = {key: np.concatenate([part.cells[key] for part in parts]) for key in cells}
    with gathering(faults), located(name):
        has_flags = config.preprocessing.missing_indicator
        flagged = columns_with_gaps(train.cells, dataset.columns) if has_flags else frozenset[str]()
        # What stands in for missing numbers is not asked for, and a mean is found sooner than a median.
        ways = "error" if missing == "error" else "mean"
        features = fit_features(cells, dataset.columns, ways, flagged=flagged)
    if faults:
        raise DataError(*faults)
    return tuple(feature for column_features in features for feature in column_features)
