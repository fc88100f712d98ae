"""A complete run directory, opened to predict with – without TensorFlow."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dlreg import run_dir
from dlreg.columns import Column
from dlreg.config import Config
from dlreg.config_file import load_config
from dlreg.errors import RunDirError
from dlreg.pipeline import Pipeline


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
    """

    path: Path
    record: dict[str, Any]
    config: Config
    columns: tuple[Column, ...]
    levels: dict[str, set[str]]
    pipeline: Pipeline

    @property
    def text_columns(self) -> list[str]:
        """The columns whose cells are text to the pipeline."""
        return [column.name for column in self.columns if column.kind != "number"]

    def count_unseen(self, cells: Mapping[str, np.ndarray]) -> dict[str, int]:
        """How many cells of each category hold a level that the training rows did not have."""
        return {name: _count_others(cells[name][:, 0], levels) for name, levels in self.levels.items()}


def open_run(path: Path) -> TrainedRun:
    """Reads a run directory and checks each file it reads.

    Raises:
        RunDirError: There is no complete run, or it is damaged.
    """
    record = run_dir.read_record(path)
    run_dir.read_file(path, record, run_dir.CONFIG)
    config = load_config(path / run_dir.CONFIG)
    described = json.loads(run_dir.read_file(path, record, run_dir.PREPROCESSING))["columns"]
    columns = tuple(
        Column(name, entry["kind"], entry.get("date_format")) for name, entry in described.items()
    )
    levels = {name: set(entry["levels"]) for name, entry in described.items() if "levels" in entry}
    try:
        pipeline = Pipeline(run_dir.read_file(path, record, run_dir.PIPELINE))
    except RuntimeError as error:
        raise RunDirError(f"{path / run_dir.PIPELINE} cannot be run: {error}") from None
    return TrainedRun(path, record, config, columns, levels, pipeline)


def _count_others(texts: Sequence[str] | np.ndarray, levels: set[str]) -> int:
    return sum(text not in levels and text != "" for text in texts)
