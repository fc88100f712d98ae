"""What of a run an export is made of."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dlreg.evaluation.intervals import Intervals
from dlreg.exports.tensors import PipelineGraph, read_graph
from dlreg.runs.names import PIPELINE
from dlreg.runs.reading import read_file
from dlreg.runs.trained_run import TrainedRun, use_run
from dlreg.table.column import Column


@dataclass(frozen=True, eq=False)
class ExportedRun:
    """A run to be handed to another runtime.

    Attributes:
        target: The column that it predicts.
        target_unit: Its unit, if it has one.
        columns: What it reads, in the order of the graph's inputs.
        graph: Its pipeline.
        intervals: What prediction intervals are made from; without scores where there are none.
    """

    target: str
    target_unit: str | None
    columns: tuple[Column, ...]
    graph: PipelineGraph
    intervals: Intervals


def read_exported(path: Path) -> ExportedRun:
    """Reads a run as `predict` does, which a stranger may have written.

    Raises:
        RunDirError: There is no complete run, it is damaged, or not one that dlreg could have written.
        StorageError: A file may not be read.
    """
    return use_run(path, _read)


def _read(run: TrainedRun) -> ExportedRun:
    # Of the size that was allowed when the run was opened.
    content = read_file(run.path, run.record, PIPELINE, run.record["files"][PIPELINE]["size"])
    scores = run.intervals if run.intervals.n_rows else Intervals(0, np.empty(0))
    (target,) = (
        [run.config.data.target] if isinstance(run.config.data.target, str) else run.config.data.target
    )
    return ExportedRun(target, run.target_unit, run.columns, read_graph(content), scores)
