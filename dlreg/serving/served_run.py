"""The run that is served, and the new one in its place."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dlreg.errors import DlregError
from dlreg.runs.names import RUN
from dlreg.runs.reading import read_any_record
from dlreg.runs.row_reader import Row, row_reader
from dlreg.runs.trained_run import TrainedRun, open_run
from dlreg.serving.faults import REQUEST


@dataclass(frozen=True)
class ServedRun:
    """A run that answers requests.

    Attributes:
        run: Ready to predict.
        names: Of the columns that it reads.
        read_rows: Reads rows of JSON for it.
        state: What changes when another run takes its place.
    """

    run: TrainedRun
    names: frozenset[str]
    read_rows: Callable[[Sequence[Row]], dict[str, np.ndarray]]
    state: tuple[int, ...] | None

    def is_replaced(self) -> bool:
        """Whether another run stands where this one was read from; one that is under way is none."""
        state = _state(self.run.path)
        return state is not None and state != self.state and not _is_under_way(self.run.path)


def open_served(path: Path) -> ServedRun:
    """Opens a run to be served.

    Raises:
        RunDirError: There is no complete run, or it is damaged.
        StorageError: A file may not be read.
    """
    # Before the run is read: one that replaces it meanwhile is noticed.
    state = _state(path)
    run = open_run(path)
    names = frozenset(column.name for column in run.columns)
    return ServedRun(run, names, row_reader(run, REQUEST), state)


def describe_run(run: TrainedRun) -> dict[str, Any]:
    """What a client may want to know of a run: `target`, `unit`, `finished`, `columns` and `interval`.

    `interval` is the highest level of an interval, None where there are none.
    """
    return {
        "target": run.config.data.target,
        "unit": run.target_unit or None,
        "finished": run.record.get("finished"),
        "columns": [column.name for column in run.columns],
        "interval": run.intervals.highest_level if run.intervals.n_rows else None,
    }


def _is_under_way(path: Path) -> bool:
    try:
        return bool(read_any_record(path)["status"] != "complete")
    except DlregError:
        # Whoever opens it says what is wrong with it.
        return False


def _state(path: Path) -> tuple[int, ...] | None:
    try:
        # `os.stat` follows a link to another run.
        status = os.stat(path / RUN)  # noqa: PTH116
    except OSError:
        return None
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
