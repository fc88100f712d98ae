"""The steps of a training, each of which takes values and returns one: from rows to a measured pipeline.

prepare → train_members → combine → build_pipeline → hold_out → measure. `dlreg.commands.train` calls them in
this order, after TensorFlow has been imported as it is meant to be, and writes what they return.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from dlreg.config.schema import Config, DataConfig
from dlreg.errors import DataError, located
from dlreg.evaluation import results
from dlreg.evaluation.baselines import linear_baseline, mean_baseline
from dlreg.evaluation.calibration import Calibration, calibrate, describe_calibration
from dlreg.evaluation.metrics import regression_metrics
from dlreg.evaluation.results import Predictions
from dlreg.features.preprocessing import Preprocessing, describe, fit_preprocessing
from dlreg.features.target import TargetScaling
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
from dlreg.runs.trained_run import predict_part
from dlreg.table.dataset import Dataset, file_of_part
from dlreg.table.splits import go_forward, validated_rows
from dlreg.training.loop import Trained
from dlreg.training.members import members_of, predicting_members
from dlreg.training.train import build_variants, mix_trained


@dataclass(frozen=True)
class Prepared:
    """The networks to train, and their preprocessed rows.

    Attributes:
        preprocessing: Fitted on the training rows.
        variants: The networks to train.
        x: The preprocessed training and validation rows, `(n_rows, n_features)` each.
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
        baselines: What each of them predicts, in the target's units.
        compared: The part on which Keras and the pipeline are compared.
        rows_compared: The positions of some of its rows.
        x_compared: The same, preprocessed.
    """

    name: str
    baselines: dict[str, np.ndarray]
    compared: str
    rows_compared: np.ndarray
    x_compared: np.ndarray


@dataclass(frozen=True)
class Measured:
    """The metrics of a run, and its predictions of the test rows.

    Attributes:
        metrics: By part, and of the baselines.
        y_pred_test: What is predicted for the test rows, in the target's units, `(n_test,)`.
    """

    metrics: dict[str, Any]
    y_pred_test: np.ndarray


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
    target = prepared.preprocessing.target
    return Networks(variants, mixture, combined_model(models, mixture), n_parameters, target, y_unseen)


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
    _refuse_unusable({name: Predictions(y_true, y_pred, rows=part.rows[rows])}, data)
    calibration = calibrate(prepared.x[name][rows], y_true, y_pred)
    if calibration.scale:
        graph = add_residual_scale(graph, calibration.scale)
    calibrated_on = "validation" if networks.y_unseen is None else "out_of_fold"
    intervals = describe_calibration(calibration, calibrated_on)
    graph = with_metadata(graph, data.target, dataset.target_unit, intervals)
    return BuiltPipeline(graph.SerializeToString(), calibration, calibrated_on)


def hold_out(dataset: Dataset, prepared: Prepared, data: DataConfig) -> HeldOut:
    """Predicts the baselines' rows, and takes the few that Keras and the pipeline are compared on.

    Raises:
        DataError: A test row has a number too large for single precision.
    """
    y_train, x_train = dataset.parts["train"].y_true, prepared.x["train"]
    with located(file_of_part(data, "test")):
        x = {**prepared.x, "test": prepared.preprocessing.transform(dataset.parts["test"].cells)}
    name = next(name for name in ("test", "validation", "train") if len(x[name]))
    baselines = {
        "mean": mean_baseline(y_train, len(x[name])),
        "linear": linear_baseline(x_train, y_train, x[name]),
    }
    compared = "test" if len(x["test"]) else "train"
    rows = compared_rows(len(x[compared]))
    return HeldOut(name, baselines, compared, rows, x[compared][rows])


def measure(
    dataset: Dataset, networks: Networks, built: BuiltPipeline, held_out: HeldOut, data: DataConfig
) -> Measured:
    """Predicts every part from its cells, by the pipeline as it is written, and measures the predictions.

    Raises:
        DataError: A row's prediction is no number to use.
        RuntimeError: Keras predicts otherwise.
    """
    pipeline, intervals = Pipeline(built.content), built.calibration.intervals
    parts = {name: predict_part(pipeline, part, intervals) for name, part in dataset.parts.items()}
    _refuse_unusable(parts, data)
    x, y_train = held_out.x_compared, dataset.parts["train"].y_true
    refuse_disagreement(
        _keras_predictions(networks, x),
        parts[held_out.compared].y_pred[held_out.rows_compared],
        # That of tiny numbers is 0 in double precision.
        spread=float(y_train.std()) or networks.target.scale,
        y_nudged=_keras_predictions(networks, np.nextafter(x, np.float32(np.inf))),
    )
    metrics = results.measure(parts)
    metrics["baselines"] = {
        name: regression_metrics(parts[held_out.name].y_true, predicted)
        for name, predicted in held_out.baselines.items()
    }
    if networks.y_unseen is not None:
        rows = validated_rows(dataset.folds)
        metrics["out_of_fold"] = regression_metrics(y_train[rows], networks.y_unseen[rows])
    return Measured(metrics, parts["test"].y_pred)


def _refuse_unusable(parts: Mapping[str, Predictions], data: DataConfig) -> None:
    if faults := unusable_faults(parts, data):
        raise DataError(*faults)


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
