"""A training in memory: from a data frame to a model, without a file."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from dlreg.api.backend import borrowing, prepare_backend
from dlreg.commands.train_verdict import say_divergence, say_taken_back
from dlreg.config.reading import read_values
from dlreg.config.schema import Config
from dlreg.errors import ConfigError, DivergedError, abridged_notes
from dlreg.evaluation.calibration import describe_calibration
from dlreg.memory import reporting_lack_of_memory
from dlreg.pipeline.session import Pipeline
from dlreg.preview.left_out import describe_left_out
from dlreg.preview.memory import refuse_too_little_memory
from dlreg.preview.plan import plan_training
from dlreg.runs.json_text import to_json
from dlreg.runs.shapes import IntervalsRecord, PreprocessingRecord
from dlreg.runs.trained_run import TrainedModel, trained_model
from dlreg.table.csv_format import CsvFormat
from dlreg.table.dataset import load_dataset
from dlreg.table.frame_table import frame_block, frame_table
from dlreg.table.parts import Dataset
from dlreg.table.table import Table
from dlreg.training.listener import Listener

# What messages call the rows.
ROWS = "X"


@dataclass(frozen=True)
class Fitted:
    """A trained model in plain values, which any program can keep.

    Attributes:
        config: The resolved config.
        pipeline: The bytes of `pipeline.onnx`.
        preprocessing: As in `preprocessing.json`.
        intervals: As in `intervals.json`.
        metrics: By part, as in `metrics.json`, without baselines.
        history: As in `history.json`.
        notes: What a user should know of the rows.
    """

    config: dict[str, Any]
    pipeline: bytes
    preprocessing: dict[str, Any]
    intervals: dict[str, Any]
    metrics: dict[str, Any]
    history: dict[str, list[float]]
    notes: list[str]


def fit_frame(values: Mapping[str, Any], frame: pd.DataFrame, target: str, listener: Listener) -> Fitted:
    """Trains on the rows of a data frame, some of which validate and none of which test.

    Args:
        values: What a config says of preprocessing, model and training.
        frame: The rows, with their target.
        target: Its column.
        listener: Told of progress.

    Raises:
        ConfigError: A value is wrong.
        DataError: The rows cannot be used.
        StorageError: There is too little memory.
        DivergedError: The loss is not finite any more.
    """
    began = time.monotonic()
    # Categories of pandas are none by their texts alone, which may be numbers.
    types = {
        str(name): "category" for name, cells in frame.items() if isinstance(cells.dtype, pd.CategoricalDtype)
    }
    data = {"path": ROWS, "target": target, "types": types, "test_split": 0, "non_data_rows": "keep"}
    config, faults = read_values({**values, "data": {**data, "cache": "memory"}}, {})
    if faults or config is None:
        raise ConfigError(*faults)
    # The name of the rows stands where others have a file.
    config = config.model_copy(update={"data": config.data.model_copy(update={"path": ROWS})})

    def read(_: str, csv_format: CsvFormat, text_columns: Any) -> Table:
        return frame_table(frame_block(frame, csv_format, ROWS), text_columns)

    dataset = load_dataset(config, read)
    plan = plan_training(config, dataset)
    notes = abridged_notes([*dataset.notes, *describe_left_out(config, dataset)])
    refuse_too_little_memory(plan)
    with borrowing(), reporting_lack_of_memory():
        listener.on_stage("importing TensorFlow")
        prepare_backend(plan.threads)
        return _train(config, dataset, listener, notes, began)


def _train(config: Config, dataset: Dataset, listener: Listener, notes: list[str], began: float) -> Fitted:
    from dlreg.steps.combining import combine
    from dlreg.steps.measuring import measure_without_test
    from dlreg.steps.piping import build_pipeline
    from dlreg.steps.preparing import describe_prepared, prepare, preprocess
    from dlreg.steps.training import train_networks
    from dlreg.training.loop import Hooks

    if config.training.time_limit is not None:
        from dlreg.steps.sizing import settle_time_limit

        listener.on_stage("timing an epoch")
        config, sentence = settle_time_limit(config, dataset, began)
        notes = [*notes, sentence]
    prepared = prepare(config, preprocess(config, dataset))
    listener.on_stage("compiling the training loop")
    trained = train_networks(config, dataset, prepared, None, Hooks(on_epoch=listener.on_epoch))
    progress = trained.progress
    if progress.diverged:
        raise DivergedError(say_divergence(config, progress))
    if taken_back := say_taken_back(progress, trained.refit_epochs):
        notes = [*notes, taken_back]
    networks = combine(config, dataset, prepared, trained)
    built = build_pipeline(dataset, prepared, networks, config.data)
    description, _ = describe_prepared(dataset, prepared)
    return Fitted(
        config.model_dump(mode="json"),
        built.content,
        description,
        describe_calibration(built.calibration, built.calibrated_on),
        measure_without_test(dataset, prepared, networks, config.data),
        progress.history,
        notes,
    )


def open_fitted(
    config: Mapping[str, Any], pipeline: bytes, preprocessing: Mapping[str, Any], intervals: Mapping[str, Any]
) -> TrainedModel:
    """The model of the values of a `Fitted`, ready to predict."""
    resolved, _ = read_values(config, {})
    record = PreprocessingRecord.model_validate_json(to_json(preprocessing))
    if resolved is None:
        raise ConfigError("the config of a fitted model has been changed")
    opened = Pipeline(pipeline, n_columns=len(record.columns))
    return trained_model(resolved, record, opened, IntervalsRecord.model_validate(intervals).intervals())
