"""A complete run directory, opened to predict with – without TensorFlow."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from dlreg.config.schema import Config
from dlreg.errors import Fault, RunDirError
from dlreg.evaluation.intervals import LEVEL, Intervals
from dlreg.evaluation.results import Predictions
from dlreg.model.architecture import Network, parameter_specs
from dlreg.model.embeddings import BINS, Periodic
from dlreg.pipeline.graph import PREDICTION, RESIDUAL_SCALE
from dlreg.pipeline.limits import limits_of
from dlreg.pipeline.session import Pipeline
from dlreg.runs.contents import read_config, read_intervals, read_preprocessing
from dlreg.runs.names import INTERVALS, PIPELINE, PREPROCESSING
from dlreg.runs.reading import Result, read_file, read_together
from dlreg.runs.shapes import PreprocessingRecord
from dlreg.table.column import Column
from dlreg.table.columns import is_text
from dlreg.table.parts import Part
from dlreg.training.members import members_of

# The limit of ONNX's own format.
MAX_PIPELINE_BYTES = (1 << 31) - 1
# A date has at most fourteen, and flags may stand beside them.
FEATURES_PER_COLUMN = 20
# Room for the quantiles of a feature.
QUANTILE_BYTES_PER_FEATURE = 65536
# No method tells more apart, see `dlreg.features.encoding.MOST_LEVELS`.
MOST_LEVELS_OF_A_COLUMN = 100_000
# A value is far outside of the training range where it lies beyond it by more than this share of its width.
FAR = 0.5
# Four of single precision, and a quarter more for all else.
BYTES_PER_PARAMETER = 5


@dataclass(frozen=True)
class TrainedModel:
    """A model that is ready to predict, whatever it was read from.

    Attributes:
        config: The resolved config.
        columns: What the pipeline reads.
        target_unit: The unit of the target, as `dlreg.table.column.Column.unit`.
        levels: The levels seen in training, by the name of each category.
        ranges: The least and the greatest training value of each column of numbers; of dates in days since
            1970.
        pipeline: Ready to run.
        intervals: What prediction intervals are made from; without scores in a run of before there were any.
    """

    config: Config
    columns: tuple[Column, ...]
    target_unit: str | None
    levels: dict[str, set[str]]
    ranges: dict[str, tuple[float, float]]
    pipeline: Pipeline
    intervals: Intervals

    @property
    def text_columns(self) -> list[str]:
        """The columns whose cells are text to the pipeline."""
        return [column.name for column in self.columns if is_text(column)]

    @cached_property
    def dates(self) -> dict[str, Column]:
        """The columns of dates whose range is known, by name."""
        return {
            column.name: column
            for column in self.columns
            if column.kind == "date" and column.name in self.ranges
        }

    @cached_property
    def usual_ranges(self) -> dict[str, tuple[float, float]]:
        """The numbers or days of each column beyond which others are far outside of those of training."""
        ranges = {column.name: (-math.inf, math.inf) for column in self.columns if not is_text(column)}
        for name, (low, high) in self.ranges.items():
            margin = FAR * (high - low)
            ranges[name] = low - margin, high + margin
        return ranges

    def predict(self, part: Part) -> Predictions:
        """What the model predicts for rows whose target is known, with intervals at `LEVEL`."""
        return predict_part(self.pipeline, part, self.intervals)


@dataclass(frozen=True)
class TrainedRun(TrainedModel):
    """A run that is ready to predict.

    Attributes:
        path: The run directory.
        record: What its `run.json` says.
    """

    path: Path
    record: dict[str, Any]


def predict_part(pipeline: Pipeline, part: Part, intervals: Intervals) -> Predictions:
    """What a pipeline predicts for rows whose target is known, with intervals at `LEVEL`."""
    outputs = pipeline.run(part.cells)
    margins = intervals.margins(LEVEL, len(part.y_true), outputs.get(RESIDUAL_SCALE))
    return Predictions(part.y_true, outputs[PREDICTION], margins, part.rows)


def open_run(path: Path) -> TrainedRun:
    """Reads a run directory and checks each file it reads.

    Raises:
        RunDirError: There is no complete run, it is damaged, or not one that dlreg could have written.
        StorageError: A file may not be read.
    """
    return read_together(path, lambda record: _open(path, record))


def use_run(path: Path, use: Callable[[TrainedRun], Result]) -> Result:
    """Opens a run and returns what `use` makes of it and of further files; see `reading.read_together`.

    Raises:
        RunDirError: As `open_run` and `use` do.
    """
    return read_together(path, lambda record: use(_open(path, record)))


def _open(path: Path, record: dict[str, Any]) -> TrainedRun:
    config = read_config(path, record)
    preprocessing = read_preprocessing(path, record)
    n_columns, n_features = len(preprocessing.columns), len(preprocessing.features)
    n_levels = sum(min(entry.n_levels, MOST_LEVELS_OF_A_COLUMN) for entry in preprocessing.columns.values())
    if n_features > FEATURES_PER_COLUMN * n_columns + n_levels:
        message = (
            f"{n_features:,} features are more than {n_columns:,} columns of {n_levels:,} levels can give"
        )
        raise RunDirError(Fault(message, str(path / PREPROCESSING), hint="Train again"))
    max_bytes = _max_pipeline_bytes(config, n_columns, n_features, n_levels)
    file = path / PIPELINE
    pipeline = Pipeline(read_file(path, record, PIPELINE, max_bytes), str(file), n_columns)
    model = trained_model(config, preprocessing, pipeline, _intervals(path, record, pipeline))
    if list(pipeline.inputs.items()) != [(column.name, not is_text(column)) for column in model.columns]:
        raise RunDirError(Fault(f"its inputs are not the columns of {PREPROCESSING}", str(file)))
    return TrainedRun(**vars(model), path=path, record=record)


def trained_model(
    config: Config, preprocessing: PreprocessingRecord, pipeline: Pipeline, intervals: Intervals
) -> TrainedModel:
    """The model of a pipeline, and of what is known of the rows that it was fitted on."""
    columns = tuple(
        Column(
            name,
            entry.kind,
            entry.date_format,
            entry.latest_year,
            entry.time_zone,
            fold_case=entry.fold_case,
            unit=entry.unit,
        )
        for name, entry in preprocessing.columns.items()
    )
    levels = {
        name: {*entry.levels, *entry.rare_levels}
        for name, entry in preprocessing.columns.items()
        if entry.levels is not None
    }
    ranges = {name: entry.range for name, entry in preprocessing.columns.items() if entry.range is not None}
    return TrainedModel(config, columns, preprocessing.target.unit, levels, ranges, pipeline, intervals)


def _intervals(path: Path, record: dict[str, Any], pipeline: Pipeline) -> Intervals:
    intervals = read_intervals(path, record)
    if intervals is None:
        return Intervals(0, np.empty(0))
    if (intervals.scale == "learned") != pipeline.has_residual_scale:
        message = f"the file does not fit {PIPELINE}: only one of them has a scale by row"
        raise RunDirError(Fault(message, str(path / INTERVALS), hint="Train again"))
    return intervals.intervals()


def _max_pipeline_bytes(config: Config, n_columns: int, n_features: int, n_levels: int) -> int:
    """The most bytes of a pipeline of this config, however its features are encoded and embedded."""
    hidden_layers = config.model.hidden_layers
    # All bins of a number beside it: of many numbers they are mixed to fewer.
    largest = Network(
        n_features * (1 + BINS),
        hidden_layers,
        batch_norm=True,
        parametric_activation=True,
        feature_scale=True,
        shared_members=config.model.shared_members,
    )
    embeddings = (
        Network(n_features, (), embedding=Periodic(n_features)),
        Network(n_features, (), categories=[n_levels + n_columns]),
    )
    n_numbers = sum(
        math.prod(spec.shape) for network in (largest, *embeddings) for spec in parameter_specs(network)
    )
    # Batch normalisation also keeps a mean and a variance of each unit.
    n_numbers += 2 * sum(hidden_layers)
    n_bytes = limits_of(n_columns).n_bytes + QUANTILE_BYTES_PER_FEATURE * n_features
    n_bytes += BYTES_PER_PARAMETER * n_numbers * len(members_of(config))
    return min(n_bytes, MAX_PIPELINE_BYTES)
