"""What the files of a run directory say, each checked against its hash and its shape.

A stranger may have written the directory. Whatever is wrong with a file is the directory's fault, not
that of the config or the data of whoever opens it: a RunDirError that names the file.
"""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from dlreg import run_dir
from dlreg.config import Config
from dlreg.config_file import parse_config
from dlreg.errors import ConfigError, Fault, RunDirError
from dlreg.run_record import LARGEST, History, IntervalsRecord, PreprocessingRecord, read_json
from dlreg.yaml_source import MAX_BYTES as MAX_CONFIG_BYTES

# Some thousand scores, a line each.
MAX_INTERVALS_BYTES = 1 << 20


def read_config(path: Path, record: Mapping[str, Any]) -> Config:
    """The resolved config of a run."""
    content = run_dir.read_file(path, record, run_dir.CONFIG, MAX_CONFIG_BYTES)
    try:
        return parse_config(content, str(path / run_dir.CONFIG))
    except ConfigError as error:
        raise RunDirError(*error.faults) from None


def read_preprocessing(path: Path, record: Mapping[str, Any]) -> PreprocessingRecord:
    """What was fitted on the training rows."""
    content = run_dir.read_file(path, record, run_dir.PREPROCESSING)
    return read_json(content, PreprocessingRecord, path / run_dir.PREPROCESSING)


def read_intervals(path: Path, record: Mapping[str, Any]) -> IntervalsRecord | None:
    """What the intervals are made from; None for a run of before there were any."""
    if run_dir.INTERVALS not in record["files"]:
        return None
    content = run_dir.read_file(path, record, run_dir.INTERVALS, MAX_INTERVALS_BYTES)
    return read_json(content, IntervalsRecord, path / run_dir.INTERVALS)


def read_history(path: Path, record: Mapping[str, Any]) -> dict[str, list[float]]:
    """The losses by epoch: `loss`, and `val_loss` where there were validation rows."""
    file = path / run_dir.HISTORY
    history = read_json(run_dir.read_file(path, record, run_dir.HISTORY), History, file)
    losses = {name: values for name, values in vars(history).items() if values is not None}
    if record.get("best_epoch", 0) > len(history.loss):
        found = f"{len(history.loss):,} epochs, but the best is number {record['best_epoch']:,}"
        raise RunDirError(Fault(f"the file does not fit {run_dir.RUN}: {found}", str(file)))
    for values in losses.values():
        _check_sizes(np.array(values), file)
    return losses


def read_predictions(path: Path, record: Mapping[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """`y_true` and `y_pred` of the test rows, shape `(n_rows,)` each."""
    file = path / run_dir.PREDICTIONS
    header, _, rows = run_dir.read_file(path, record, run_dir.PREDICTIONS).partition(b"\n")
    try:
        if header != b"row,y_true,y_pred":
            raise ValueError
        table = np.empty((0, 2))
        if rows:
            table = np.loadtxt(io.BytesIO(rows), delimiter=",", comments=None, ndmin=2, usecols=(1, 2))
    except ValueError:
        raise RunDirError(
            Fault("expected rows of row, y_true and y_pred", str(file), hint="Train again")
        ) from None
    _check_sizes(table, file)
    return table[:, 0], table[:, 1]


def _check_sizes(values: np.ndarray, file: Path) -> None:
    if not (np.abs(values) <= LARGEST).all():
        raise RunDirError(Fault(f"found a number that is not finite or beyond {LARGEST:g}", str(file)))
