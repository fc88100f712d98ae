"""The JSON files and the config of a run directory: how each is written and, beside it, how it is read.

Each is checked against its hash and its shape when it is read, for a stranger may have written the
directory. Whatever is wrong with a file is the directory's fault, not that of the config or the data of
whoever opens it: a RunDirError that names the file.
"""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dlreg.config.reading import parse_config
from dlreg.config.schema import Config
from dlreg.config.sections.data import DataConfig
from dlreg.config.writing import dump_config
from dlreg.config.yaml_source import MAX_BYTES as MAX_CONFIG_BYTES
from dlreg.errors import ConfigError, Fault, RunDirError
from dlreg.evaluation.calibration import Calibration, describe_calibration
from dlreg.evaluation.usable import LARGEST, is_usable
from dlreg.files.plain_file import read_plain_file
from dlreg.runs.json_text import read_json, to_json
from dlreg.runs.names import CONFIG, HISTORY, INTERVALS, METRICS, PIPELINE, PREPROCESSING, RUN, SPLIT
from dlreg.runs.number_texts import listed_numbers
from dlreg.runs.reading import MAX_FILE_BYTES, read_file
from dlreg.runs.shapes import (
    AllMetrics,
    History,
    IntervalsRecord,
    PreprocessingRecord,
    SplitRecord,
    TestMetrics,
)
from dlreg.training.members import Member

# pandas is slow to import, and not all who read a run read tables.
if TYPE_CHECKING:
    from dlreg.table.division import Division
    from dlreg.table.parts import Dataset

# Some thousand scores, a line each.
MAX_INTERVALS_BYTES = 1 << 20
# What is read whole takes up to ten times its size.
MAX_JSON_BYTES = 1 << 24
MAX_HISTORY_BYTES = 3 << 23
JSON_PER_ONNX = 6
# Beside its rows, split.json holds a path.
MAX_SPLIT_BYTES, BYTES_PER_ROW = 65536, 32
# Turned into text at once: as Python numbers all rows would take more memory than the table.
ROWS_PER_BLOCK = 4096


# ---------------------------------------------------------------- config.yaml


def config_yaml(config: Config) -> bytes:
    """`config.yaml`: the config with every default spelled out."""
    return dump_config(config).encode()


def read_config(path: Path, record: Mapping[str, Any]) -> Config:
    """The resolved config of a complete run."""
    return _parse_config(read_file(path, record, CONFIG, MAX_CONFIG_BYTES), path / CONFIG)


def read_unfinished_config(path: Path) -> Config:
    """The resolved config of a run of which no hashes are known yet."""
    return _parse_config(read_plain_file(path / CONFIG, MAX_CONFIG_BYTES), path / CONFIG)


def _parse_config(content: bytes, file: Path) -> Config:
    try:
        return parse_config(content, str(file))
    except ConfigError as error:
        raise RunDirError(*error.faults) from None


# ---------------------------------------------------------------- split.json


def split_json(dataset: "Dataset", data: DataConfig, members: Sequence[Member] = ()) -> bytes:
    """`split.json`: which row went where; rows of a file of their own are positions in that file.

    With cross-validation each member validates on the rows of one of `folds`. It learns from all others, or
    where folds go forward in time from those before.

    Args:
        dataset: The rows, divided.
        data: Names the files of test and validation rows, if they have their own.
        members: What is trained; told only with cross-validation.
    """
    content = bytearray(b"{\n")
    for name, part in dataset.parts.items():
        content += f'  "{name}": '.encode()
        _append_rows(content, part.rows)
        content += b",\n"
    paths = {"test_path": data.test_path} | (
        {"validation_path": data.validation_path} if data.validation_path else {}
    )
    content += b",\n".join(
        f'  "{key}": {json.dumps(path and str(path), ensure_ascii=False)}'.encode()
        for key, path in paths.items()
    )
    if dataset.folds:
        for number, fold in enumerate(dataset.folds):
            content += b", " if number else b',\n  "folds": ['
            _append_rows(content, dataset.parts["train"].rows[fold.validation])
        content += f'],\n  "members": {json.dumps(_choices(members), allow_nan=False)}'.encode()
    content += b"\n}\n"
    return bytes(content)


def _choices(members: Sequence[Member]) -> list[dict[str, Any]]:
    return [{"embedding": member.embedding, "validation_fold": member.fold} for member in members]


def split_rule_json(
    division: "Division",
    n_rows: Mapping[str, int],
    digest: str,
    data: DataConfig,
    members: Sequence[Member],
) -> bytes:
    """`split.json` of a table on disk: the rule that divides its rows, and the hash of what it makes of them.

    Args:
        division: The rule.
        n_rows: How many rows each part has.
        digest: The SHA-256 of what the rule makes of each row with a target, see
            `dlreg.table.stored_dataset.StoredDataset`.
        data: Names the files of test and validation rows, if they have their own.
        members: What is trained; told only with cross-validation.
    """
    paths = {key: getattr(data, key) for key in ("test_path", "validation_path")}
    return to_json(
        {
            "rule": division.describe(),
            "rows": dict(n_rows),
            "sha256": digest,
            **{key: path and str(path) for key, path in paths.items()},
            **({"members": _choices(members)} if division.n_folds else {}),
        }
    )


def _append_rows(content: bytearray, rows: np.ndarray) -> None:
    content += b"["
    for start in range(0, len(rows), ROWS_PER_BLOCK):
        content += (b", " if start else b"") + listed_numbers(rows[start : start + ROWS_PER_BLOCK])
    content += b"]"


def read_split_rule(path: Path, record: Mapping[str, Any]) -> SplitRecord:
    """The rule that divided the rows of a table on disk, and what it made, as `split_rule_json` wrote it."""
    return read_json(read_file(path, record, SPLIT, MAX_SPLIT_BYTES), SplitRecord, path / SPLIT)


def check_split(path: Path, record: Mapping[str, Any], expected: bytes, n_rows: int) -> None:
    """Makes sure that the rows were divided as the config divides them now.

    Args:
        path: The run directory.
        record: What its `run.json` says.
        expected: What `split_json` makes of the config.
        n_rows: How many rows there are in all.

    Raises:
        RunDirError: The file says otherwise, or is damaged.
    """
    if read_file(path, record, SPLIT, MAX_SPLIT_BYTES + BYTES_PER_ROW * n_rows) != expected:
        raise RunDirError(Fault("the split differs from the config's", str(path / SPLIT)))


# ---------------------------------------------------------------- preprocessing.json


def preprocessing_json(description: Mapping[str, Any], embeddings: Sequence[Mapping[str, Any]]) -> bytes:
    """`preprocessing.json`: what was fitted on the training rows, and each kind of network's embedding."""
    return to_json({**description, "embeddings": embeddings})


def read_preprocessing(path: Path, record: Mapping[str, Any]) -> PreprocessingRecord:
    """What was fitted on the training rows, as far as predicting needs it."""
    # The pipeline holds the same numbers and levels, in at most so much less room.
    pipeline = record["files"].get(PIPELINE, {}).get("size", 0)
    max_bytes = min(MAX_JSON_BYTES + JSON_PER_ONNX * pipeline, MAX_FILE_BYTES)
    content = read_file(path, record, PREPROCESSING, max_bytes)
    return read_json(content, PreprocessingRecord, path / PREPROCESSING)


# ---------------------------------------------------------------- history.json, history.csv


def history_json(
    history: Mapping[str, Sequence[float]],
    members: Sequence[Mapping[str, Sequence[float]]] = (),
    refit: Mapping[str, Sequence[float]] | None = None,
) -> bytes:
    """`history.json`: Keras's `History.history`; what is not finite is null.

    Args:
        history: One list for each name, one number for each epoch.
        members: The same of each member, told where there are several.
        refit: The same of the epochs in which the members were refitted, if they were.
    """
    content: dict[str, Any] = _finite(history)
    if len(members) > 1:
        content["members"] = [_finite(member) for member in members]
    if refit is not None:
        content["refit"] = _finite(refit)
    return to_json(content)


def history_csv(history: Mapping[str, Sequence[float]]) -> bytes:
    """`history.csv`: the same, a line for each epoch, for tools that read tables; empty where not finite."""
    columns = [range(1, len(history["loss"]) + 1), *_finite(history).values()]
    lines = [["epoch", *history], *zip(*columns, strict=True)]
    return "".join(
        ",".join("" if cell is None else str(cell) for cell in line) + "\n" for line in lines
    ).encode()


def _finite(history: Mapping[str, Sequence[float]]) -> dict[str, list[float | None]]:
    return {
        name: [value if math.isfinite(value) else None for value in values]
        for name, values in history.items()
    }


def read_history(path: Path, record: Mapping[str, Any]) -> dict[str, list[float]]:
    """What is drawn by epoch: `loss` and `mae`, with validation rows also `val_loss` and `val_mae`.

    Raises:
        RunDirError: The file is damaged, or does not fit `run.json`.
    """
    file = path / HISTORY
    history = read_json(read_file(path, record, HISTORY, MAX_HISTORY_BYTES), History, file)
    losses = {name: values for name, values in vars(history).items() if values is not None}
    if record.get("best_epoch", 0) > len(history.loss):
        reason = f"{len(history.loss):,} epochs, but the best is number {record['best_epoch']:,}"
        raise RunDirError(Fault(f"the file does not fit {RUN}: {reason}", str(file)))
    for values in losses.values():
        refuse_large(np.array(values), file)
    return losses


def read_whole_history(path: Path, record: Mapping[str, Any]) -> dict[str, list[float]]:
    """All that `history.json` has by epoch; that of single members, and of refitting, is left out."""
    n_epochs = len(read_history(path, record)["loss"])
    values = json.loads(read_file(path, record, HISTORY, MAX_HISTORY_BYTES))
    return {
        name: numbers
        for name, numbers in values.items()
        if isinstance(numbers, list)
        and len(numbers) == n_epochs
        and all(isinstance(number, float) for number in numbers)
    }


# ---------------------------------------------------------------- metrics.json, intervals.json


def metrics_json(metrics: Mapping[str, Any]) -> bytes:
    """`metrics.json`: the metrics of each part, None where it has no rows, and of the baselines."""
    return to_json(metrics)


def read_test_metrics(path: Path, record: Mapping[str, Any]) -> TestMetrics | None:
    """The metrics of the test rows, if there are any."""
    content = read_file(path, record, METRICS, MAX_JSON_BYTES)
    return read_json(content, AllMetrics, path / METRICS).test


def read_metrics(path: Path, record: Mapping[str, Any]) -> dict[str, Any]:
    """All of `metrics.json`, as it stands there."""
    content = read_file(path, record, METRICS, MAX_JSON_BYTES)
    read_json(content, AllMetrics, path / METRICS)
    return dict(json.loads(content))


def intervals_json(calibration: Calibration, calibrated_on: str) -> bytes:
    """`intervals.json`: what the intervals of new rows are made from.

    Args:
        calibration: What was fitted.
        calibrated_on: Which rows it was fitted on: `validation` or `out_of_fold`.
    """
    return to_json(describe_calibration(calibration, calibrated_on))


def read_intervals(path: Path, record: Mapping[str, Any]) -> IntervalsRecord | None:
    """What the intervals are made from; None for a run of before there were any."""
    if INTERVALS not in record["files"]:
        return None
    content = read_file(path, record, INTERVALS, MAX_INTERVALS_BYTES)
    return read_json(content, IntervalsRecord, path / INTERVALS)


def refuse_large(values: np.ndarray, file: Path) -> None:
    """Refuses numbers of a file that are not finite, or too large to be squared or drawn.

    Raises:
        RunDirError: There is such a number.
    """
    if not is_usable(values).all():
        raise RunDirError(Fault(f"found a number that is not finite or beyond {LARGEST:g}", str(file)))
