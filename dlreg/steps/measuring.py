"""The pipeline predicts every part from its cells, and its predictions are measured."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dlreg.config.schema import Config
from dlreg.config.sections.data import DataConfig
from dlreg.errors import DataError, located
from dlreg.evaluation.baselines import LinearModel, fit_linear
from dlreg.evaluation.results import PartSums, Predictions, join_predictions, sum_blocks
from dlreg.features.date_parts import date_options
from dlreg.features.preprocessing import Preprocessing, fit_preprocessing
from dlreg.pipeline.agreement import compared_rows, refuse_disagreement
from dlreg.pipeline.export import export_pipeline
from dlreg.pipeline.session import Pipeline
from dlreg.runs.own_rows import unusable_faults
from dlreg.runs.tables import PredictedRows
from dlreg.runs.trained_run import predict_part
from dlreg.steps.combining import KerasModel, Networks
from dlreg.steps.piping import BuiltPipeline, pipeline_before_refit
from dlreg.steps.preparing import Prepared
from dlreg.table.division import PARTS
from dlreg.table.parts import Dataset, Part
from dlreg.table.splits import validated_rows
from dlreg.table.stored_dataset import StoredDataset
from dlreg.table.table_names import file_of_part

BASELINES = ("mean", "linear")
# Scalings that are lines: a linear regression is the same after any of them.
_LINES = ("standard", "minmax", "robust", "none")


@dataclass(frozen=True)
class HeldOut:
    """What the network's predictions are compared with: the baselines', and Keras's own.

    Attributes:
        name: The part that the baselines predict: test, or else validation, or else train.
        y_mean: The mean of the rows that the network has learnt by then, in the target's units.
        preprocessing: Of the rows that the linear regression reads.
        linear: A linear regression, from preprocessed rows.
        compared: Some rows on which Keras and the pipeline are compared.
        y_keras: What Keras predicts for these, shape `(n_compared,)`.
        y_nudged: The same of the next larger inputs, which tells how much rounding may change.
        spread: Of the training targets.
    """

    name: str
    y_mean: float
    preprocessing: Preprocessing
    linear: LinearModel
    compared: Part
    y_keras: np.ndarray
    y_nudged: np.ndarray
    spread: float


def hold_out(
    dataset: Dataset, prepared: Prepared, networks: Networks, keras_model: KerasModel, config: Config
) -> HeldOut:
    """Fits the baselines, and has Keras predict the few rows that it and the pipeline are compared on.

    Args:
        dataset: The rows in memory.
        prepared: How the network reads them.
        networks: The trained members.
        keras_model: The same as one model.
        config: Of the run.

    Raises:
        DataError: One of these rows has a number too large for single precision.
    """
    parts = dataset.parts
    name = next(name for name in ("test", "validation", "train") if len(parts[name].rows))
    # The rows that the network has learnt when it predicts these.
    knows_both = name == "test" and networks.validated
    learnt = ("train", "validation") if knows_both else ("train",)
    y_train = _stacked([parts[part].y_true for part in learnt])
    part = parts["test"] if name == "test" else parts["train"]
    compared = part.take(compared_rows(len(part.rows)))
    with located(file_of_part(config.data, "test")):
        x = prepared.preprocessing.transform(compared.cells)
    preprocessing, x_train = read_plainly(dataset, prepared, config, learnt)
    return HeldOut(
        name,
        float(y_train.mean()),
        preprocessing,
        fit_linear(x_train, y_train, preprocessing.embedded_levels),
        compared,
        y_keras=keras_model.predict(x),
        y_nudged=keras_model.predict(np.nextafter(x, np.float32(np.inf))),
        # That of tiny numbers is 0 in double precision.
        spread=float(y_train.std()) or keras_model.target.scale,
    )


def read_plainly(
    dataset: Dataset, prepared: Prepared, config: Config, learnt: Sequence[str] = ("train",)
) -> tuple[Preprocessing, np.ndarray]:
    """How the linear regression reads rows, and the rows it learns so read: the same whatever the preset.

    What a preset makes of dates and numbers for a network would be learnt by heart by a line, or bend it.

    Args:
        dataset: The rows in memory.
        prepared: How the network reads them.
        config: Of the run.
        learnt: The parts that it learns.

    Returns:
        A preprocessing, and preprocessed rows of shape `(n_learnt, n_features)`.

    Raises:
        DataError: A number too large for single precision.
    """
    asked, dates = config.preprocessing, date_options(config)
    are_lines = asked.numeric in _LINES and asked.categorical != "ordinal" and not asked.missing_indicator
    if are_lines and dates.method == "cycles" and not dates.holidays:
        return prepared.preprocessing, _stacked([prepared.x[name] for name in learnt])
    train = dataset.parts["train"]
    with located(str(config.data.path)):
        preprocessing = fit_preprocessing(
            train,
            dataset.columns,
            numeric="standard",
            missing=asked.missing,
            categorical="embedding",
            target="none",
        )
        x = [preprocessing.transform(dataset.parts[name].cells) for name in learnt]
        return preprocessing, _stacked(x)


def _stacked(parts: Sequence[np.ndarray]) -> np.ndarray:
    # A table may be as large as memory allows: a single part is not copied.
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def measure(
    dataset: Dataset | StoredDataset,
    networks: Networks,
    built: BuiltPipeline,
    held_out: HeldOut,
    data: DataConfig,
    on_rows: Callable[[str, PredictedRows], None],
) -> dict[str, Any]:
    """Predicts every part from its cells, by the pipeline as it is written, and measures the predictions.

    Validation rows are predicted by the networks that did not know them yet.

    Args:
        dataset: The rows.
        networks: With the out-of-fold predictions of cross-validation.
        built: The pipeline.
        held_out: The baselines.
        data: Names the files.
        on_rows: Given the rows of each part with their predictions, block by block.

    Returns:
        The metrics by part, and of the baselines.

    Raises:
        DataError: A row's prediction is no number to use, or a number is too large for single precision.
        RuntimeError: Keras predicts otherwise.
    """
    pipeline, before, intervals = Pipeline(built.content), built.before_refit, built.calibration.intervals

    def predicted() -> Iterator[tuple[str, Predictions]]:
        for name, part in dataset.blocks(*PARTS):
            if name == "validation" and before:
                predictions = _predict_part(before, part)
            else:
                predictions = predict_part(pipeline, part, intervals)
            yield name, predictions
            if name == held_out.name:
                yield from _baselines(held_out, part, data).items()
            on_rows(name, PredictedRows(part.rows, part.y_true, predictions.y_pred))
        yield from _out_of_fold(dataset.in_memory, networks).items()

    metrics = _metrics(predicted(), (*PARTS, *BASELINES), data)
    refuse_disagreement(
        held_out.y_keras,
        pipeline.predict(held_out.compared.cells),
        spread=held_out.spread,
        y_nudged=held_out.y_nudged,
    )
    baselines = {name: metrics.pop(name) for name in BASELINES}
    return {name: metrics.pop(name) for name in PARTS} | {"baselines": baselines} | metrics


def measure_without_test(
    dataset: Dataset, prepared: Prepared, networks: Networks, data: DataConfig
) -> dict[str, Any]:
    """The metrics of all parts but test, of which no row is predicted; the same numbers as of `measure`.

    Args:
        dataset: The rows.
        prepared: How they are preprocessed.
        networks: With the out-of-fold predictions of cross-validation.
        data: Names the files.

    Raises:
        DataError: A row's prediction is no number to use.
    """
    seen = [name for name in PARTS if name != "test"]

    def predicted() -> Iterator[tuple[str, Predictions]]:
        yield from _predicted(dataset, prepared, networks, seen)
        yield from _out_of_fold(dataset, networks).items()

    return _metrics(predicted(), seen, data)


def predict_without_test(dataset: Dataset, prepared: Prepared, networks: Networks, name: str) -> Predictions:
    """The predictions of one part but test, or of `out_of_fold`, of which `measure_without_test` tells."""
    if name == "out_of_fold":
        return _out_of_fold(dataset, networks)[name]
    return join_predictions([block for _, block in _predicted(dataset, prepared, networks, [name])])


def _predicted(
    dataset: Dataset, prepared: Prepared, networks: Networks, names: Sequence[str]
) -> Iterator[tuple[str, Predictions]]:
    graph = export_pipeline(prepared.preprocessing, networks.variants, networks.mixture)
    pipeline, before = Pipeline(graph.SerializeToString()), pipeline_before_refit(prepared, networks)
    for name, part in dataset.blocks(*names):
        yield name, _predict_part(before if name == "validation" and before else pipeline, part)


def _predict_part(pipeline: Pipeline, part: Part) -> Predictions:
    return Predictions(part.y_true, pipeline.predict(part.cells), rows=part.rows)


def _metrics(
    predicted: Iterator[tuple[str, Predictions]], names: Sequence[str], data: DataConfig
) -> dict[str, Any]:
    """The metrics by part, empty ones for names of which nothing is predicted."""
    sums = dict.fromkeys(names, PartSums()) | sum_blocks(predicted)
    if faults := unusable_faults({name: part.unusable for name, part in sums.items()}, data):
        raise DataError(*faults)
    return {name: part.metrics(name) for name, part in sums.items()}


def _out_of_fold(dataset: Dataset, networks: Networks) -> dict[str, Predictions]:
    if networks.y_unseen is None:
        return {}
    rows = validated_rows(dataset.folds)
    return {"out_of_fold": Predictions(dataset.parts["train"].y_true[rows], networks.y_unseen[rows])}


def _baselines(held_out: HeldOut, part: Part, data: DataConfig) -> dict[str, Predictions]:
    with located(file_of_part(data, held_out.name)):
        x = held_out.preprocessing.transform(part.cells)
    y_pred = np.full(len(x), held_out.y_mean), held_out.linear.predict(x)
    return {name: Predictions(part.y_true, each) for name, each in zip(BASELINES, y_pred, strict=True)}
