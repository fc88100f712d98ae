"""The metrics and gates of a trained run, on its own rows or on another CSV."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from dlreg.errors import Fault, RunDirError
from dlreg.evaluation.gates import (
    AllowedRegression,
    Gate,
    Limit,
    judge_limits,
    judge_regressions,
)
from dlreg.evaluation.results import Predictions, measure
from dlreg.files.hashing import sha256_of_file
from dlreg.runs.names import SPLIT
from dlreg.runs.own_rows import predict_own_rows
from dlreg.runs.trained_run import TrainedRun, open_run, warn_of_unseen
from dlreg.table.csv_file import read_table
from dlreg.table.dataset import csv_format_of, notes_on, read_part


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
    parts = predict_parts(run, data)
    metrics = measure(parts)
    gates = judge_limits(limits, metrics)
    if other:
        gates += compare_with_baseline(run, parts, other, allowed, data)
    return metrics, gates


def predict_parts(run: TrainedRun, data: str | None = None) -> dict[str, Predictions]:
    """Runs the pipeline, and warns of what a user should know of the rows.

    Args:
        run: The trained run.
        data: Another CSV with the target; None for the rows the run was split into.

    Returns:
        Predictions by part: `data` for another CSV, else those of `predict_own_rows`.

    Raises:
        RunDirError: The run's own CSV is no longer what it was trained on.
        DataError: The CSV lacks columns or has cells that are not what the column is.
    """
    if data is None:
        return predict_own_rows(run)
    table = read_table(data, csv_format_of(run.config.data), run.text_columns)
    part = read_part(table, run.columns, run.config.data.target, run.target_unit)
    for note in notes_on(table, run.columns, run.config.data.target, run.target_unit):
        warnings.warn(note, stacklevel=1)
    warn_of_unseen(run.count_unseen(part.cells))
    return {"data": run.predict(part)}


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
    target, other_target = run.config.data.target, baseline.config.data.target
    if target != other_target:
        message = f"the baseline predicts {other_target!r}, the run {target!r}"
        raise RunDirError(Fault(message, str(baseline.path), hint="Compare runs with one target"))
    _refuse_seen_rows(run, baseline, data)
    name = "data" if data else "test"
    if not parts[name].y_true.size:
        hint = "Give a CSV that neither run was trained on with --data"
        raise RunDirError(Fault("the run has no test rows to compare on", str(run.path), hint=hint))
    # The run has warned of the same rows.
    with warnings.catch_warnings(action="ignore"):
        others = predict_parts(baseline if data else _on_files_of(run, baseline), data)[name]
    if not np.array_equal(parts[name].y_true, others.y_true):
        message = "the two runs read different target values from the same CSV"
        raise RunDirError(Fault(message, str(baseline.path), hint="Compare data.* in their config.yaml"))
    return judge_regressions(allowed, name, parts[name].y_true, parts[name].y_pred, others.y_pred)


def _on_files_of(run: TrainedRun, baseline: TrainedRun) -> TrainedRun:
    """The baseline with the run's own CSVs, which are equal: those it names may be on another machine."""
    paths = {key: getattr(run.config.data, key) for key in ("path", "test_path")}
    config = baseline.config.model_copy(update={"data": baseline.config.data.model_copy(update=paths)})
    return replace(baseline, config=config, record=baseline.record | {"data": run.record.get("data", {})})


def _refuse_seen_rows(run: TrainedRun, baseline: TrainedRun, data: str | None) -> None:
    if data:
        digest = sha256_of_file(Path(data))
        for candidate in (run, baseline):
            if candidate.record.get("data", {}).get("data.path", {}).get("sha256") == digest:
                hint = "Leave --data out to compare on the test rows, or give rows that neither run has seen"
                message = "this very file is what the run was trained on, so nothing can be compared on it"
                raise RunDirError(Fault(message, str(candidate.path), hint=hint))
        return
    if _rows_seen(run) != _rows_seen(baseline):
        message = "the baseline has another table or split, and may have been trained on the run's test rows"
        hint = "Give a CSV that neither run was trained on with --data"
        raise RunDirError(Fault(message, str(baseline.path), hint=hint))


def _rows_seen(run: TrainedRun) -> list[Any]:
    """The hashes of a run's CSVs and of its split; a stranger's run may have none."""
    hashes = {key: entry["sha256"] for key, entry in run.record.get("data", {}).items()}
    return [hashes, run.record["files"].get(SPLIT)]
