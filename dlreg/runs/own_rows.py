"""The rows that a run was split into, read from its CSV again, and what it predicts for them."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from dlreg.config.schema import DataConfig
from dlreg.errors import Fault, RunDirError
from dlreg.evaluation.results import Predictions
from dlreg.evaluation.usable import Unusable
from dlreg.runs.contents import check_split, split_json
from dlreg.runs.names import OUT_OF_FOLD
from dlreg.runs.own_table import files_of_data, find_change, reading_once, recorded_file, warn_of_reading
from dlreg.runs.tables import read_predictions
from dlreg.runs.trained_run import TrainedRun
from dlreg.table.dataset import Dataset, Part, file_of_part, load_dataset
from dlreg.table.splits import validated_rows
from dlreg.training.members import members_of


def read_own_rows(run: TrainedRun) -> dict[str, Part]:
    """The rows that a run was split into: `train`, `validation` and `test`. It warns of the file it reads.

    Raises:
        RunDirError: Its table is gone or has changed since, or the split is not the config's.
    """
    return _read_own_dataset(run).parts


def _read_own_dataset(run: TrainedRun) -> Dataset:
    with reading_once(run.config):
        for key, file in files_of_data(run.config).items():
            warn_of_reading(file)
            _refuse_change(run, key, file)
        dataset = load_dataset(run.config)
    expected = split_json(dataset, run.config.data, members_of(run.config))
    check_split(run.path, run.record, expected, sum(part.rows.size for part in dataset.parts.values()))
    return dataset


def predict_own_rows(run: TrainedRun) -> dict[str, Predictions]:
    """What a run predicts for the rows it was split into.

    Returns:
        Predictions of `train`, `validation` and `test`, and with cross-validation those of `out_of_fold` as
        the run recorded them.

    Raises:
        RunDirError: Its table is no longer what it was trained on, or a file of it is damaged.
    """
    dataset = _read_own_dataset(run)
    parts = {name: run.predict(part) for name, part in dataset.parts.items()}
    if dataset.folds:
        y_validated = parts["train"].y_true[validated_rows(dataset.folds)]
        parts["out_of_fold"] = _read_out_of_fold(run, y_validated)
    return parts


def unusable_faults(parts: Mapping[str, Unusable], data: DataConfig) -> list[Fault]:
    """A fault of each part of a run's own rows with predictions that are no numbers to use."""
    return [fault for name, part in parts.items() for fault in part.faults(file_of_part(data, name), name)]


def _read_out_of_fold(run: TrainedRun, y_validated: np.ndarray) -> Predictions:
    y_true, y_pred = read_predictions(run.path, run.record, OUT_OF_FOLD, most_rows=len(y_validated))
    if not np.array_equal(y_true, y_validated):
        message = "its y_true are not those of the training rows"
        raise RunDirError(Fault(message, str(run.path / OUT_OF_FOLD), hint="Train again"))
    return Predictions(y_true, y_pred)


def _refuse_change(run: TrainedRun, key: str, file: Path) -> None:
    change = find_change(file, recorded_file(run.path, run.record, key))
    if change == "gone":
        hint = "Put it back, or give another CSV with --data"
        raise RunDirError(Fault(f"the run's {key} is gone", str(file), hint=hint))
    if change == "changed":
        hint = "Train again, or measure on this file with --data"
        raise RunDirError(Fault("the file has changed since the run was made", str(file), hint=hint))
