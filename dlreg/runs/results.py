"""Writes the files of a run, each as soon as its content is known.

A run that is broken off or diverges keeps what was written before: how its rows were divided and what was
fitted to them, and of a diverged training its history, curve and best weights.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np

from dlreg.config.schema import Config
from dlreg.config.sections.data import DataConfig
from dlreg.evaluation.calibration import Calibration
from dlreg.runs import names
from dlreg.runs.contents import (
    config_yaml,
    history_csv,
    history_json,
    intervals_json,
    metrics_json,
    preprocessing_json,
    split_json,
    split_rule_json,
)
from dlreg.runs.directory import RunDir
from dlreg.runs.tables import PredictedRows, predictions_csv
from dlreg.table.parts import Dataset
from dlreg.table.stored_dataset import StoredDataset
from dlreg.training.members import Member


@dataclass(frozen=True)
class TrainedNetwork:
    """The trained network and its history, also of a training that diverged.

    Attributes:
        history: One list for each name, one number for each epoch.
        members: The same of each member.
        refit: The same of the epochs in which the members were refitted; None if they were not.
        summary: The Keras model in words.
        model: The bytes of the Keras file.
    """

    history: Mapping[str, Sequence[float]]
    members: Sequence[Mapping[str, Sequence[float]]]
    refit: Mapping[str, Sequence[float]] | None
    summary: str
    model: bytes


@dataclass(frozen=True, eq=False)
class Results:
    """The pipeline of a run, and its intervals.

    Attributes:
        pipeline: The bytes of the ONNX file.
        calibration: What prediction intervals are made from.
        calibrated_on: Which rows it was fitted on: `validation` or `out_of_fold`.
        out_of_fold: With cross-validation the training rows, each predicted by members that left it out.
        keeps_validation: Whether the validation rows were learnt in the end, so that only a file can tell how
            they were predicted before.
    """

    pipeline: bytes
    calibration: Calibration
    calibrated_on: str
    out_of_fold: PredictedRows | None
    keeps_validation: bool = False


def write_config(run: RunDir, config: Config) -> None:
    """Writes the config with every default spelled out, first of all."""
    run.write(names.CONFIG, config_yaml(config))


def write_split(
    run: RunDir, dataset: Dataset | StoredDataset, data: DataConfig, members: Sequence[Member]
) -> None:
    """Writes which row went where, before anything is fitted."""
    if isinstance(dataset, Dataset):
        run.write(names.SPLIT, split_json(dataset, data, members))
    else:
        run.write(
            names.SPLIT, split_rule_json(dataset.division, dataset.n_rows, dataset.digest, data, members)
        )


def write_preprocessing(
    run: RunDir, description: Mapping[str, Any], embeddings: Sequence[Mapping[str, Any]]
) -> None:
    """Writes what was fitted on the training rows, before the training."""
    run.write(names.PREPROCESSING, preprocessing_json(description, embeddings))


def write_network(run: RunDir, trained: TrainedNetwork) -> None:
    """Writes the trained network and its history, also of a training that diverged."""
    run.write(names.HISTORY, history_json(trained.history, trained.members, trained.refit))
    run.write(names.HISTORY_TABLE, history_csv(trained.history))
    run.write(names.SUMMARY, trained.summary.encode())
    run.write(names.MODEL, trained.model)


def write_loss_curve(run: RunDir, content: bytes) -> None:
    """Writes the learning curve, the bytes of a PNG, also of a training that diverged."""
    run.write(names.LOSS_CURVE, content, hashed=False)


def write_results(
    run: RunDir,
    results: Results,
    measure: Callable[[Callable[[str, PredictedRows], None]], Mapping[str, Any]],
) -> Mapping[str, Any]:
    """Writes the rest of a finished run, but for its status.

    Args:
        run: The run that is being written.
        results: The pipeline, its intervals and what comes with them.
        measure: Measures the run; calls what it is given with each part's name and predicted rows, block by
            block.

    Returns:
        The metrics.
    """
    if results.out_of_fold is not None:
        run.write(names.OUT_OF_FOLD, predictions_csv(results.out_of_fold))
    run.write(names.PIPELINE, results.pipeline)
    run.write(names.INTERVALS, intervals_json(results.calibration, results.calibrated_on))
    kept = {"test": names.PREDICTIONS}
    if results.keeps_validation:
        kept["validation"] = names.VALIDATION
    with ExitStack() as stack:
        writers = {part: stack.enter_context(run.open_file(name)) for part, name in kept.items()}
        for write in writers.values():
            write(predictions_csv(PredictedRows(*np.empty((3, 0)))))

        def on_rows(name: str, rows: PredictedRows) -> None:
            if name in writers:
                writers[name](predictions_csv(rows, header=False))

        metrics = measure(on_rows)
    run.write(names.METRICS, metrics_json(metrics))
    return metrics
