"""The predictions, metrics and gates of a trained run, on its own rows or on another CSV."""

import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from dlreg.errors import Fault, RunDirError
from dlreg.evaluation.gates import (
    INTERVAL_PARTS,
    AllowedRegression,
    Gate,
    Limit,
    judge_limits,
    judge_regressions,
)
from dlreg.evaluation.intervals import LEVEL
from dlreg.evaluation.metrics import interval_metrics, regression_metrics
from dlreg.files.plain_file import hash_plain_file
from dlreg.pipeline.graph import PREDICTION, RESIDUAL_SCALE
from dlreg.runs import directory as run_dir
from dlreg.runs.contents import read_predictions
from dlreg.runs.trained_run import TrainedRun, open_run
from dlreg.table.csv_file import read_table
from dlreg.table.dataset import Part, csv_format_of, load_dataset, notes_on, read_part, split_record
from dlreg.training.members import members_of

# Beside its rows, split.json holds a path.
MAX_SPLIT_BYTES = 65536


@dataclass(frozen=True)
class Predictions:
    """What was observed and what is predicted for some rows.

    Attributes:
        y_true: In the target's units, shape `(n_rows,)`.
        y_pred: The same shape.
        half_width: Half the width of each row's interval at 90 %, the same shape; None where there are too
            few rows to calibrate on.
    """

    y_true: np.ndarray
    y_pred: np.ndarray
    half_width: np.ndarray | None = None


def evaluate(
    path: Path,
    data: str | None,
    limits: Sequence[Limit],
    baseline: Path | None,
    allowed: Sequence[AllowedRegression],
) -> tuple[dict[str, Any], list[Gate]]:
    """Measures a run and judges it by limits and against a baseline.

    Args:
        path: The run directory.
        data: Another CSV with the target; None for the rows the run was split into.
        limits: On the metrics.
        baseline: The run directory to compare with, if there is one.
        allowed: How much worse the run may be than the baseline.

    Returns:
        Metrics by part, and the gates in the order of `limits` and `allowed`.
    """
    run, other = open_run(path), open_run(baseline) if baseline else None
    if data is None:
        say_what_is_read(run)
    parts = predict_parts(run, data)
    metrics = measure(parts)
    gates = judge_limits(limits, metrics)
    if other:
        gates += compare_with_baseline(run, parts, other, allowed, data)
    return metrics, gates


def predict_parts(run: TrainedRun, data: str | None = None) -> dict[str, Predictions]:
    """Runs the pipeline.

    Args:
        run: The trained run.
        data: Another CSV with the target; None for the rows the run was split into.

    Returns:
        Predictions by part: `train`, `validation` and `test` for the run's own rows, and with
        cross-validation `out_of_fold` as the run recorded them; `data` for another CSV.

    Raises:
        RunDirError: The run's own CSV is no longer what it was trained on.
        DataError: The CSV lacks columns or has cells that are not what the column is.
    """
    parts = {"data": _other_part(run, data)} if data is not None else own_parts(run)
    found = {name: _predict(run, part) for name, part in parts.items()}
    if data is None and run.config.training.cross_validation:
        n_rows = len(found["train"].y_true)
        unseen = read_predictions(run.path, run.record, run_dir.OUT_OF_FOLD, most_rows=n_rows)
        if not np.array_equal(unseen[0], found["train"].y_true):
            file = run.path / run_dir.OUT_OF_FOLD
            raise RunDirError(
                Fault("its y_true are not those of the training rows", str(file), hint="Train again")
            )
        found["out_of_fold"] = Predictions(*unseen)
    return found


def _predict(run: TrainedRun, part: Part) -> Predictions:
    found = run.pipeline.run(part.cells)
    half_width = run.intervals.half_widths(LEVEL, len(part.y_true), found.get(RESIDUAL_SCALE))
    return Predictions(part.y_true, found[PREDICTION], half_width)


def measure(parts: Mapping[str, Predictions]) -> dict[str, Any]:
    """Metrics by part, None where there are no rows; those of intervals on test rows and other CSVs."""
    metrics = {name: regression_metrics(part.y_true, part.y_pred) for name, part in parts.items()}
    for name in INTERVAL_PARTS:
        if found := metrics.get(name):
            part = parts[name]
            found |= interval_metrics(part.y_true, part.y_pred, part.half_width)
    return metrics


def compare_with_baseline(
    run: TrainedRun,
    parts: Mapping[str, Predictions],
    baseline: TrainedRun,
    allowed: Sequence[AllowedRegression],
    data: str | None,
) -> list[Gate]:
    """Judges a run against another on rows that neither was trained on.

    Args:
        run: The run to judge.
        parts: What it predicts.
        baseline: The other run.
        allowed: How much worse the run may be.
        data: The CSV that was measured; None for the run's own test rows.

    Raises:
        RunDirError: The baseline predicts something else, or may have been trained on the rows.
    """
    targets = [each.config.data.target for each in (run, baseline)]
    if targets[0] != targets[1]:
        message = f"the baseline predicts {targets[1]!r}, the run {targets[0]!r}"
        raise RunDirError(Fault(message, str(baseline.path), hint="Compare runs with one target"))
    _refuse_seen_rows(run, baseline, data)
    name = "data" if data else "test"
    if not parts[name].y_true.size:
        hint = "Give a CSV that neither run was trained on with --data"
        raise RunDirError(Fault("the run has no test rows to compare on", str(run.path), hint=hint))
    with warnings.catch_warnings(action="ignore"):  # the run has said it of the same rows
        others = predict_parts(baseline if data else _on_files_of(run, baseline), data)[name]
    if not np.array_equal(parts[name].y_true, others.y_true):
        message = "the two runs read different target values from the same CSV"
        raise RunDirError(Fault(message, str(baseline.path), hint="Compare data.* in their config.yaml"))
    return judge_regressions(allowed, name, parts[name].y_true, parts[name].y_pred, others.y_pred)


def _on_files_of(run: TrainedRun, baseline: TrainedRun) -> TrainedRun:
    """The baseline, reading its own table where the run's equal one is: it may come from another machine."""
    paths = {key: getattr(run.config.data, key) for key in ("path", "test_path")}
    config = baseline.config.model_copy(update={"data": baseline.config.data.model_copy(update=paths)})
    return replace(baseline, config=config, record=baseline.record | {"data": run.record.get("data", {})})


def _refuse_seen_rows(run: TrainedRun, baseline: TrainedRun, data: str | None) -> None:
    if data:
        digest = run_dir.file_sha256(Path(data))
        for each in (run, baseline):
            if each.record.get("data", {}).get("data.path", {}).get("sha256") == digest:
                hint = "Leave --data out to compare on the test rows, or give rows that neither run has seen"
                message = "this very file is what the run was trained on, so nothing can be compared on it"
                raise RunDirError(Fault(message, str(each.path), hint=hint))
        return

    def seen(each: TrainedRun) -> list[Any]:
        # A stranger's run may say nothing of them.
        hashes = {key: entry["sha256"] for key, entry in each.record.get("data", {}).items()}
        return [hashes, each.record["files"].get(run_dir.SPLIT)]

    if seen(run) != seen(baseline):
        message = "the baseline has another table or split, and may have been trained on the run's test rows"
        hint = "Give a CSV that neither run was trained on with --data"
        raise RunDirError(Fault(message, str(baseline.path), hint=hint))


def _other_part(run: TrainedRun, data: str) -> Part:
    table = read_table(data, csv_format_of(run.config.data), run.text_columns)
    part = read_part(table, run.columns, run.config.data.target)
    for note in [*notes_on(table, run.columns, run.config.data.target), *notes_on_unseen(run, part)]:
        warnings.warn(note, stacklevel=1)
    return part


def notes_on_unseen(run: TrainedRun, part: Part) -> list[str]:
    """What a user should know of levels that no training row has."""
    counts = {name: count for name, count in run.count_unseen(part.cells).items() if count}
    return [
        f"{count:,} cells unseen in {name}: a level that no training row has"
        for name, count in counts.items()
    ]


def say_what_is_read(run: TrainedRun) -> None:
    """Warns that the run's own table is read: it may be a stranger's config that names the file."""
    warnings.warn(f"reading {run.config.data.path}, as the run's config says", stacklevel=1)


def own_parts(run: TrainedRun) -> dict[str, Part]:
    """The rows that a run was split into: `train`, `validation` and `test`.

    Raises:
        RunDirError: Its table is gone or has changed since, or the split is not the config's.
    """
    paths = {"data.path": run.config.data.path, "data.test_path": run.config.data.test_path}
    for key, path in paths.items():
        if path is not None:
            _check_unchanged(run, key, path)
    dataset = load_dataset(run.config)
    n_rows = sum(part.rows.size for part in dataset.parts.values())
    content = run_dir.read_file(run.path, run.record, run_dir.SPLIT, MAX_SPLIT_BYTES + 32 * n_rows)
    if content != split_record(dataset, run.config.data.test_path, members_of(run.config)):
        raise RunDirError(Fault("the split differs from the config's", str(run.path / run_dir.SPLIT)))
    return dataset.parts


def _check_unchanged(run: TrainedRun, key: str, path: Path) -> None:
    entry = run.record.get("data", {}).get(key)
    if entry is None:
        raise RunDirError(Fault(f"the file says nothing of {key}", str(run.path / run_dir.RUN)))
    if not os.path.exists(path):  # noqa: PTH110 - unlike Path's, it takes any name
        hint = "Put it back, or give another CSV with --data"
        raise RunDirError(Fault(f"the run's {key} is gone", str(path), hint=hint))
    if hash_plain_file(path, entry["size"], follow_link=True) != entry["sha256"]:
        hint = "Train again, or measure on this file with --data"
        raise RunDirError(Fault("the file has changed since the run was made", str(path), hint=hint))
