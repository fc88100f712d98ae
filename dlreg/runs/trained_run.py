"""A complete run directory, opened to predict with – without TensorFlow."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from dlreg.config.schema import Config
from dlreg.errors import Fault, RunDirError
from dlreg.evaluation.intervals import Intervals
from dlreg.model.embeddings import BINS, CATEGORY_WIDTH, FREQUENCIES, PERIODIC_WIDTH
from dlreg.pipeline.session import Pipeline
from dlreg.runs import directory as run_dir
from dlreg.runs.contents import read_config, read_intervals, read_preprocessing
from dlreg.table.column import Column
from dlreg.table.columns import is_text
from dlreg.training.members import members_of

# What a message of ONNX's format can have.
MAX_PIPELINE_BYTES = (1 << 31) - 1
# Parameters of a number's periodic embedding, and its learnt factors.
MOST_PER_NUMBER = FREQUENCIES * (2 + PERIODIC_WIDTH) + PERIODIC_WIDTH + 1 + BINS


@dataclass(frozen=True)
class TrainedRun:
    """What a run directory holds that is needed to predict.

    Attributes:
        path: The run directory.
        record: What its `run.json` says.
        config: The resolved config.
        columns: What the pipeline reads.
        levels: The levels seen in training, by the name of each category.
        pipeline: Ready to run.
        intervals: What prediction intervals are made from; none in a run of before there were any.
    """

    path: Path
    record: dict[str, Any]
    config: Config
    columns: tuple[Column, ...]
    levels: dict[str, set[str]]
    pipeline: Pipeline
    intervals: Intervals

    @property
    def text_columns(self) -> list[str]:
        """The columns whose cells are text to the pipeline."""
        return [column.name for column in self.columns if is_text(column)]

    def count_unseen(self, cells: Mapping[str, np.ndarray]) -> dict[str, int]:
        """How many cells of each category hold a level that the training rows did not have."""
        return {name: _count_others(cells[name][:, 0], levels) for name, levels in self.levels.items()}


def open_run(path: Path) -> TrainedRun:
    """Reads a run directory and checks each file it reads.

    Raises:
        RunDirError: There is no complete run, it is damaged, or not one that dlreg could have written.
        StorageError: A file may not be read.
    """
    record = run_dir.read_record(path)
    try:
        return _open(path, record)
    except RunDirError:
        # What does not fit may be a run that took this one's place meanwhile.
        newer = run_dir.read_record(path)
        if newer == record:
            raise
        return _open(path, newer)


def _open(path: Path, record: dict[str, Any]) -> TrainedRun:
    config = read_config(path, record)
    preprocessing = read_preprocessing(path, record)
    columns = tuple(
        Column(name, entry.kind, entry.date_format) for name, entry in preprocessing.columns.items()
    )
    levels = {
        name: set(entry.levels) for name, entry in preprocessing.columns.items() if entry.levels is not None
    }
    max_bytes = _max_pipeline_bytes(config, len(preprocessing.features))
    file = path / run_dir.PIPELINE
    pipeline = Pipeline(run_dir.read_file(path, record, run_dir.PIPELINE, max_bytes), str(file))
    if list(pipeline.inputs.items()) != [(column.name, not is_text(column)) for column in columns]:
        raise RunDirError(Fault(f"its inputs are not the columns of {run_dir.PREPROCESSING}", str(file)))
    return TrainedRun(path, record, config, columns, levels, pipeline, _intervals(path, record, pipeline))


def _intervals(path: Path, record: dict[str, Any], pipeline: Pipeline) -> Intervals:
    found = read_intervals(path, record)
    if found is None:
        return Intervals(0, np.empty(0))
    if (found.scale == "learned") != pipeline.has_residual_scale:
        message = f"the file does not fit {run_dir.PIPELINE}: only one of them has a scale by row"
        raise RunDirError(Fault(message, str(path / run_dir.INTERVALS), hint="Train again"))
    return Intervals(found.rows, np.array(found.scores, dtype=np.float64))


def _max_pipeline_bytes(config: Config, n_features: int) -> int:
    """What a network of this shape takes at most in a file, with its tables of levels and quantiles."""
    # An embedded number is at most so many inputs of the first layer.
    widths = [n_features * (1 + BINS), *config.model.hidden_layers, 1]
    n_parameters = sum(before * after + 5 * after for before, after in pairwise(widths))
    n_parameters += n_features * (MOST_PER_NUMBER + CATEGORY_WIDTH)
    n_members = len(members_of(config))
    return min((32 << 20) + 65536 * n_features + 5 * n_parameters * n_members, MAX_PIPELINE_BYTES)


def _count_others(texts: Sequence[str] | np.ndarray, levels: set[str]) -> int:
    return sum(text not in levels and text != "" for text in texts)
