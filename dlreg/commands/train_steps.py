"""The steps of a training, each of which takes values and returns one: from rows to a measured pipeline.

prepare → open_rows → train_networks → combine → build_pipeline → hold_out → measure. `dlreg.commands.train`
calls them in this order, after TensorFlow has been imported as it is meant to be, and writes what they
return.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from dlreg.config.schema import Config, DataConfig
from dlreg.errors import DataError, StorageError, located
from dlreg.evaluation.baselines import LinearModel, fit_linear
from dlreg.evaluation.calibration import Calibration, calibrate, describe_calibration
from dlreg.evaluation.results import PartSums, Predictions, sum_blocks
from dlreg.features.preprocessing import (
    Preprocessing,
    describe,
    fit_preprocessing,
    fit_preprocessing_on_blocks,
)
from dlreg.features.target import TargetScaling
from dlreg.files.whole_file import reporting_storage_errors
from dlreg.model.architecture import Variant
from dlreg.model.embeddings import describe_embedding
from dlreg.model.keras_model import combined_model, trained_model
from dlreg.model.mixture import Mixture
from dlreg.model.weights import TrainedVariant, trained_variants
from dlreg.pipeline.agreement import compared_rows, refuse_disagreement
from dlreg.pipeline.export import export_pipeline, refuse_large
from dlreg.pipeline.metadata import with_metadata
from dlreg.pipeline.residual_scale import add_residual_scale
from dlreg.pipeline.session import Pipeline
from dlreg.runs.own_rows import unusable_faults
from dlreg.runs.tables import PredictedRows
from dlreg.runs.trained_run import predict_part
from dlreg.table.cell_store import damaged_fault
from dlreg.table.dataset import Dataset, Part, file_of_part
from dlreg.table.division import PARTS
from dlreg.table.splits import go_forward, validated_rows
from dlreg.table.stored_dataset import StoredDataset
from dlreg.table.table_cache import folder_of, training_folder
from dlreg.training.loop import Hooks, Trained
from dlreg.training.members import members_of, predicting_members
from dlreg.training.train import (
    TrainingFiles,
    build_variants,
    mix_trained,
    train_from_files,
    train_members,
    training_files,
    write_training_rows,
)

BASELINES = ("mean", "linear")


@dataclass(frozen=True)
class Prepared:
    """The networks to train, and their preprocessed rows.

    Attributes:
        preprocessing: Fitted on the training rows.
        variants: The networks to train.
        x: The preprocessed training and validation rows that are in memory, `(n_rows, n_features)` each.
        fold_x: Where folds go forward in time, the training rows as each fold preprocesses them.
    """

    preprocessing: Preprocessing
    variants: list[Variant]
    x: dict[str, np.ndarray]
    fold_x: list[np.ndarray]


@dataclass(frozen=True)
class Networks:
    """Trained members, and how they make one prediction.

    Attributes:
        variants: Each kind of network with its members' final weights.
        mixture: How much of each there is in a prediction.
        model: The same as one stock Keras model, from preprocessed rows to the scaled target.
        n_parameters: Of all members, as Keras counts them.
        target: How the target was scaled.
        y_unseen: With cross-validation what is predicted for the training rows by members that left them out,
            in the target's units, `(n_train,)`, NaN where no fold validates.
    """

    variants: list[TrainedVariant]
    mixture: Mixture
    model: Any
    n_parameters: int
    target: TargetScaling
    y_unseen: np.ndarray | None


@dataclass(frozen=True)
class BuiltPipeline:
    """`pipeline.onnx`, and the intervals of its predictions.

    Attributes:
        content: The bytes of the file.
        calibration: The intervals.
        calibrated_on: The rows they are calibrated on: `validation` or `out_of_fold`.
    """

    content: bytes
    calibration: Calibration
    calibrated_on: str


@dataclass(frozen=True)
class HeldOut:
    """What the network's predictions are compared with: the baselines', and Keras's own.

    Attributes:
        name: The part that the baselines predict: test, or else validation, or else train.
        y_mean: The mean of the training rows, in the target's units.
        linear: A linear regression, from preprocessed rows.
        compared: Some rows on which Keras and the pipeline are compared.
        x_compared: The same, preprocessed.
    """

    name: str
    y_mean: float
    linear: LinearModel
    compared: Part
    x_compared: np.ndarray


def prepare(config: Config, dataset: Dataset) -> Prepared:
    """Fits the preprocessing on the training rows, and the networks' embeddings on what it makes of them.

    Where folds go forward in time each has a preprocessing of its own, which knows the rows it learns from
    and no others; they share the target's scale, that of the first window. New rows are preprocessed by what
    is fitted on all training rows if members are refitted with them, else as the last fold does.

    Raises:
        DataError: The rows cannot be preprocessed as the config asks, or their pipeline would be too large.
    """
    train = dataset.parts["train"]
    first, options = dataset.first_window, config.preprocessing.model_dump(exclude={"embedding"})
    fit_on = partial(fit_preprocessing, train, dataset.columns, target_rows=first, **options)
    folds = dataset.folds if go_forward(dataset.folds) else ()
    with located(str(config.data.path)):
        of_folds = [fit_on(fitted_rows=fold.train) for fold in folds]
        ends_with_folds = bool(of_folds) and config.training.refit is None
        preprocessing = of_folds[-1] if ends_with_folds else fit_on()
        refuse_large(preprocessing)
        x = {name: preprocessing.transform(dataset.parts[name].cells) for name in ("train", "validation")}
        fold_x = [of_fold.transform(train.cells) for of_fold in of_folds]
    known = fold_x[0][first] if fold_x else x["train"]
    return Prepared(
        preprocessing, build_variants(config, preprocessing, known, len(members_of(config))), x, fold_x
    )


def prepare_on_disk(config: Config, dataset: StoredDataset) -> Prepared:
    """Fits the preprocessing on training rows that do not fit in memory, and the networks on a sample.

    Args:
        config: Of the run.
        dataset: The rows.

    Returns:
        The same as `prepare`, with the preprocessed rows of the sample.

    Raises:
        DataError: The rows cannot be preprocessed as the config asks, or their pipeline would be too large.
    """
    options = config.preprocessing.model_dump(exclude={"embedding"})
    sample = dataset.in_memory.parts
    with located(str(config.data.path)):
        preprocessing = fit_preprocessing_on_blocks(
            sample["train"],
            dataset.columns,
            dataset.facts,
            lambda: (part for _, part in dataset.blocks("train")),
            **options,
        )
        refuse_large(preprocessing)
        x = {name: preprocessing.transform(sample[name].cells) for name in ("train", "validation")}
    variants = build_variants(config, preprocessing, x["train"], len(members_of(config)))
    return Prepared(preprocessing, variants, x, [])


@contextmanager
def open_rows(
    config: Config,
    dataset: Dataset | StoredDataset,
    preprocessing: Preprocessing,
    on_rows: Callable[[int], None],
) -> Iterator[TrainingFiles | None]:
    """The files of preprocessed rows of a table on disk, new or kept from before, while the block lasts.

    Args:
        config: Of the run.
        dataset: Its rows; of those in memory there are no files.
        preprocessing: Fitted on the training rows.
        on_rows: Told of the rows written so far, where files are new.

    Raises:
        DataError: A number too large for single precision.
        StorageError: The disk is full, or the system refuses; or the files are damaged, as by a crash.
    """
    if isinstance(dataset, Dataset):
        yield None
        return
    depends_on = {
        "preprocessing": describe(preprocessing),
        "division": dataset.division.describe(),
        "seed": config.training.seed,
    }

    def make(folder: Path) -> None:
        with located(str(config.data.path)):
            write_training_rows(folder, config, dataset, preprocessing, on_rows)

    with ExitStack() as stack:
        # What fails in the block has a place of its own.
        with reporting_storage_errors(folder_of(config)):
            folder = stack.enter_context(training_folder(config, depends_on, make))
        files = training_files(folder, dataset, preprocessing)
        if not files.are_whole:
            raise StorageError(damaged_fault(folder))
        yield files


def train_networks(
    config: Config, dataset: Dataset, prepared: Prepared, files: TrainingFiles | None, hooks: Hooks
) -> Trained:
    """Trains all members on the rows in memory, or on those in files.

    Args:
        config: Of the run.
        dataset: The rows in memory.
        prepared: The networks, and the preprocessed rows in memory.
        files: Those on disk, if there are any.
        hooks: The callbacks.
    """
    preprocessing, variants = prepared.preprocessing, prepared.variants
    if files:
        return train_from_files(config, preprocessing, variants, files, hooks)
    return train_members(config, dataset, preprocessing, variants, prepared.x, hooks, prepared.fold_x)


def combine(config: Config, dataset: Dataset, prepared: Prepared, trained: Trained) -> Networks:
    """Combines all members into one mixture, and into one Keras model."""
    validated = trained_variants(prepared.variants, trained.validated)
    refitted = config.training.refit is not None
    predicting = predicting_members(members_of(config), dataset.folds, refitted=refitted)
    mixture, y_unseen = mix_trained(
        config,
        dataset,
        prepared.preprocessing,
        validated,
        prepared.x["train"],
        predicting,
        prepared.fold_x,
    )
    variants = trained_variants(prepared.variants, trained.weights, predicting)
    models = [trained_model(network, members) for network, members in variants]
    n_parameters = sum(model.count_params() for model in models)
    target, levels = prepared.preprocessing.target, prepared.preprocessing.embedded_levels
    model = combined_model(models, mixture, levels)
    return Networks(variants, mixture, model, n_parameters, target, y_unseen)


def build_pipeline(
    dataset: Dataset, prepared: Prepared, networks: Networks, data: DataConfig
) -> BuiltPipeline:
    """Writes the graph, and calibrates its intervals on rows that the networks were not fitted on.

    These are the out-of-fold rows of cross-validation, else the validation rows as the graph itself predicts
    them. Where some rows are harder to predict than others the graph has their scale as a further output.

    Args:
        dataset: The rows.
        prepared: How they are preprocessed.
        networks: What was trained on them.
        data: Names the column that is predicted, for who has nothing but the graph.

    Raises:
        DataError: A row's prediction is no number to use.
    """
    graph = export_pipeline(prepared.preprocessing, networks.variants, networks.mixture)
    if networks.y_unseen is None:
        name, rows = "validation", np.arange(len(dataset.parts["validation"].rows))
        y_pred = Pipeline(graph.SerializeToString()).predict(dataset.parts[name].cells)
    else:
        name, rows = "train", validated_rows(dataset.folds)
        y_pred = networks.y_unseen[rows]
    part = dataset.parts[name]
    y_true = part.y_true[rows]
    unusable = Predictions(y_true, y_pred, rows=part.rows[rows]).unusable
    if faults := unusable_faults({name: unusable}, data):
        raise DataError(*faults)
    levels = prepared.preprocessing.embedded_levels
    calibration = calibrate(prepared.x[name][rows], y_true, y_pred, levels)
    if calibration.scale:
        graph = add_residual_scale(graph, calibration.scale, levels)
    calibrated_on = "validation" if networks.y_unseen is None else "out_of_fold"
    intervals = describe_calibration(calibration, calibrated_on)
    graph = with_metadata(graph, data.target, dataset.target_unit, intervals)
    return BuiltPipeline(graph.SerializeToString(), calibration, calibrated_on)


def hold_out(dataset: Dataset, prepared: Prepared, data: DataConfig) -> HeldOut:
    """Fits the baselines, and takes the few rows that Keras and the pipeline are compared on.

    Raises:
        DataError: One of these rows has a number too large for single precision.
    """
    y_train, parts = dataset.parts["train"].y_true, dataset.parts
    name = next(name for name in ("test", "validation", "train") if len(parts[name].rows))
    part = parts["test"] if name == "test" else parts["train"]
    compared = part.take(compared_rows(len(part.rows)))
    with located(file_of_part(data, "test")):
        x_compared = prepared.preprocessing.transform(compared.cells)
    linear = fit_linear(prepared.x["train"], y_train, prepared.preprocessing.embedded_levels)
    return HeldOut(name, float(y_train.mean()), linear, compared, x_compared)


def measure(
    dataset: Dataset | StoredDataset,
    preprocessing: Preprocessing,
    networks: Networks,
    built: BuiltPipeline,
    held_out: HeldOut,
    data: DataConfig,
    on_test: Callable[[PredictedRows], None],
) -> dict[str, Any]:
    """Predicts every part from its cells, by the pipeline as it is written, and measures the predictions.

    Args:
        dataset: The rows.
        preprocessing: Of the rows that the baselines read.
        networks: With the out-of-fold predictions of cross-validation.
        built: The pipeline.
        held_out: The baselines.
        data: Names the files.
        on_test: Given the test rows with their predictions, block by block.

    Returns:
        The metrics by part, and of the baselines.

    Raises:
        DataError: A row's prediction is no number to use, or a number is too large for single precision.
        RuntimeError: Keras predicts otherwise.
    """
    pipeline, intervals = Pipeline(built.content), built.calibration.intervals
    y_train = dataset.in_memory.parts["train"].y_true

    def predicted() -> Iterator[tuple[str, Predictions]]:
        for name, part in dataset.blocks(*PARTS):
            predictions = predict_part(pipeline, part, intervals)
            yield name, predictions
            if name == held_out.name:
                yield from _baselines(preprocessing, held_out, part, data).items()
            if name == "test":
                on_test(PredictedRows(part.rows, part.y_true, predictions.y_pred))
        if networks.y_unseen is not None:
            rows = validated_rows(dataset.in_memory.folds)
            yield "out_of_fold", Predictions(y_train[rows], networks.y_unseen[rows])

    sums = dict.fromkeys((*PARTS, *BASELINES), PartSums()) | sum_blocks(predicted())
    if faults := unusable_faults({name: part.unusable for name, part in sums.items()}, data):
        raise DataError(*faults)
    _refuse_disagreeing_pipeline(networks, pipeline, held_out, y_train)
    metrics = {name: part.metrics(name) for name, part in sums.items()}
    baselines = {name: metrics.pop(name) for name in BASELINES}
    return {name: metrics.pop(name) for name in PARTS} | {"baselines": baselines} | metrics


def _baselines(
    preprocessing: Preprocessing, held_out: HeldOut, part: Part, data: DataConfig
) -> dict[str, Predictions]:
    with located(file_of_part(data, held_out.name)):
        x = preprocessing.transform(part.cells)
    y_pred = np.full(len(x), held_out.y_mean), held_out.linear.predict(x)
    return {name: Predictions(part.y_true, each) for name, each in zip(BASELINES, y_pred, strict=True)}


def _refuse_disagreeing_pipeline(
    networks: Networks, pipeline: Pipeline, held_out: HeldOut, y_train: np.ndarray
) -> None:
    x = held_out.x_compared
    refuse_disagreement(
        _keras_predictions(networks, x),
        pipeline.predict(held_out.compared.cells),
        # That of tiny numbers is 0 in double precision.
        spread=float(y_train.std()) or networks.target.scale,
        y_nudged=_keras_predictions(networks, np.nextafter(x, np.float32(np.inf))),
    )


def _keras_predictions(networks: Networks, x: np.ndarray) -> np.ndarray:
    # The model is called directly, because `Model.predict` would compile it first.
    scaled = np.asarray(networks.model(x, training=False))[:, 0].astype(np.float64)
    return np.asarray(networks.target.inverse(scaled))


def describe_prepared(dataset: Dataset, prepared: Prepared) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Every fitted number in plain values: those of the preprocessing, and those of each embedding."""
    description = describe(prepared.preprocessing)
    if dataset.target_unit is not None:
        description["target"]["unit"] = dataset.target_unit
    embeddings = [describe_embedding(variant.network.embedding) for variant in prepared.variants]
    return description, embeddings
