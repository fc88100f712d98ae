"""What the files of a run directory say, each checked against its hash and its shape.

A stranger may have written the directory. Whatever is wrong with a file is the directory's fault, not
that of the config or the data of whoever opens it: a RunDirError that names the file.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from dlreg.config.reading import parse_config
from dlreg.config.schema import Config
from dlreg.config.yaml_source import MAX_BYTES as MAX_CONFIG_BYTES
from dlreg.errors import ConfigError, Fault, RunDirError
from dlreg.runs import directory as run_dir
from dlreg.runs.shapes import (
    LARGEST,
    AllMetrics,
    History,
    IntervalsRecord,
    PreprocessingRecord,
    TestMetrics,
    read_json,
)

# Some thousand scores, a line each.
MAX_INTERVALS_BYTES = 1 << 20
# What is read whole takes up to ten times its size.
MAX_JSON_BYTES = 1 << 24
MAX_HISTORY_BYTES = 3 << 23
JSON_PER_ONNX = 6
# A figure of more points looks the same.
MOST_ROWS = 500_000
MAX_LINE_BYTES = 200
_HEADER = b"row,y_true,y_pred\n"


def read_config(path: Path, record: Mapping[str, Any]) -> Config:
    """The resolved config of a run."""
    content = run_dir.read_file(path, record, run_dir.CONFIG, MAX_CONFIG_BYTES)
    try:
        return parse_config(content, str(path / run_dir.CONFIG))
    except ConfigError as error:
        raise RunDirError(*error.faults) from None


def read_preprocessing(path: Path, record: Mapping[str, Any]) -> PreprocessingRecord:
    """What was fitted on the training rows."""
    # The pipeline holds the same numbers and levels, in at most so much less room.
    pipeline = record["files"].get(run_dir.PIPELINE, {}).get("size", 0)
    max_bytes = min(MAX_JSON_BYTES + JSON_PER_ONNX * pipeline, run_dir.MAX_FILE_BYTES)
    content = run_dir.read_file(path, record, run_dir.PREPROCESSING, max_bytes)
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
    history = read_json(run_dir.read_file(path, record, run_dir.HISTORY, MAX_HISTORY_BYTES), History, file)
    losses = {name: values for name, values in vars(history).items() if values is not None}
    if record.get("best_epoch", 0) > len(history.loss):
        found = f"{len(history.loss):,} epochs, but the best is number {record['best_epoch']:,}"
        raise RunDirError(Fault(f"the file does not fit {run_dir.RUN}: {found}", str(file)))
    for values in losses.values():
        _check_sizes(np.array(values), file)
    return losses


def read_test_metrics(path: Path, record: Mapping[str, Any]) -> TestMetrics | None:
    """The metrics of the test rows, if there are any."""
    content = run_dir.read_file(path, record, run_dir.METRICS, MAX_JSON_BYTES)
    return read_json(content, AllMetrics, path / run_dir.METRICS).test


def read_predictions(
    path: Path, record: Mapping[str, Any], name: str = run_dir.PREDICTIONS, most_rows: int = MOST_ROWS
) -> tuple[np.ndarray, np.ndarray]:
    """`y_true` and `y_pred` of a file of predictions; of more than `most_rows` every second, third … row."""
    file = path / name
    with run_dir.open_file(path, record, name) as opened:
        n_rows = sum(block.count(b"\n") for block in iter(partial(opened.read, 1 << 20), b""))
        opened.seek(0)
        try:
            if opened.readline(len(_HEADER) + 1) != _HEADER:
                raise ValueError
            lines = islice(_rows(opened), 0, None, -(-(n_rows - 1) // most_rows) or 1)
            table = (
                np.loadtxt(lines, delimiter=",", comments=None, ndmin=2) if n_rows > 1 else np.empty((0, 3))
            )
        except ValueError:
            raise RunDirError(
                Fault("expected rows of row, y_true and y_pred", str(file), hint="Train again")
            ) from None
    _check_sizes(table, file)
    return table[:, 1], table[:, 2]


def _rows(file: BinaryIO) -> Iterator[bytes]:
    for line in iter(partial(file.readline, MAX_LINE_BYTES), b""):
        if line.count(b",") != 2:
            raise ValueError
        yield line


def _check_sizes(values: np.ndarray, file: Path) -> None:
    if not (np.abs(values) <= LARGEST).all():
        raise RunDirError(Fault(f"found a number that is not finite or beyond {LARGEST:g}", str(file)))
