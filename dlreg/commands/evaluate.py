"""The metrics and gates of a trained run, on its own rows or on another CSV."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from dlreg.commands.other_format import (
    MEASURED_KEYS,
    naming_set_option,
    read_otherwise,
    with_dates_as_trained,
)
from dlreg.errors import DataError, Fault, RunDirError
from dlreg.evaluation.gates import (
    AllowedRegression,
    Gate,
    judge_limits,
    judge_regressions,
    limits_of_config,
)
from dlreg.evaluation.results import PartSums, Predictions, join_predictions, sum_blocks, sum_predictions
from dlreg.files.table_files import has_fingerprint
from dlreg.limits import Limit
from dlreg.runs.own_rows import OwnResults, knows_validation, measure_own_rows, unusable_faults
from dlreg.runs.strange_cells import (
    StrangeCells,
    count_strange_cells,
    refuse_strange,
    refuse_unseen,
    unknown_sentences,
)
from dlreg.runs.trained_run import TrainedRun, open_run, use_run
from dlreg.table.row_stream import Counts, Recognised, stream_rows


@dataclass(frozen=True)
class OtherTable:
    """A CSV to measure a run on, in place of the rows it was split into.

    Attributes:
        csv: The file, with the target.
        overrides: How it is written, where it is not as the run's own: `KEY=VALUE` texts.
        max_unseen: The share of a column's cells that may be a level which no training row has; None for any
            but all of them.
        strict: Refuse whatever the training rows did not have.
    """

    csv: str
    overrides: Sequence[str] = ()
    max_unseen: float | None = None
    strict: bool = False


class Evaluation(NamedTuple):
    """What a run is worth.

    Attributes:
        metrics: By part.
        gates: In the order of the limits and the allowed regressions.
        strange: What was strange in the other CSV, if one was measured.
        unusable: A fault of each part with predictions that are no numbers to use: its metrics are None.
    """

    metrics: dict[str, Any]
    gates: list[Gate]
    strange: StrangeCells | None
    unusable: list[Fault]


def evaluate(
    path: Path,
    other_table: OtherTable | None,
    limits: Sequence[Limit],
    baseline: Path | None,
    allowed: Sequence[AllowedRegression],
) -> Evaluation:
    """Measures a run and judges it by limits and against a baseline.

    Args:
        path: The run directory.
        other_table: Another CSV with the target; None for the rows the run was split into.
        limits: On the metrics, beside those that `gates` of the run's config set.
        baseline: The run directory to compare with, if there is one.
        allowed: How much worse the run may be than the baseline.
    """
    other = open_run(baseline) if baseline else None
    run, (own, strange) = use_run(path, lambda run: (run, measure_parts(run, other_table, keeps=bool(other))))
    metrics = {name: part.metrics(name) for name, part in own.sums.items()}
    own_limits, others = limits_of_config(run.config.gates, on_data=other_table is not None)
    if others:
        warnings.warn(
            f"gates on the run's own rows are not judged with --data: {', '.join(others)}", stacklevel=1
        )
    gates = judge_limits([*dict.fromkeys((*own_limits, *limits))], metrics)
    if other_table and _has_learnt_from(run, other_table.csv):
        note = (
            "this very file is what the run was trained on: most rows were learnt, others are worse predicted"
        )
        warnings.warn(f"{other_table.csv}: {note}", stacklevel=1)
    if not other_table and knows_validation(run):
        note = "validation rows are measured by what the network predicted before it learned them, too"
        warnings.warn(note, stacklevel=1)
    if other:
        gates += compare_with_baseline(run, own.kept, other, allowed, other_table)
    return Evaluation(metrics, gates, strange, _faults_of_predictions(run, own.sums, other_table))


def _has_learnt_from(run: TrainedRun, csv: str) -> bool:
    keys = ("data.path", "data.validation_path") if knows_validation(run) else ("data.path",)
    entries = [entry for key in keys if (entry := run.record.get("data", {}).get(key))]
    return any(has_fingerprint(csv, entry["size"], entry["sha256"]) for entry in entries)


def _faults_of_predictions(
    run: TrainedRun, parts: Mapping[str, PartSums], other_table: OtherTable | None
) -> list[Fault]:
    if other_table:
        return parts["data"].unusable.faults(other_table.csv)
    return unusable_faults({name: part.unusable for name, part in parts.items()}, run.config.data)


def measure_parts(
    run: TrainedRun, other_table: OtherTable | None = None, *, keeps: bool = False
) -> tuple[OwnResults, StrangeCells | None]:
    """Runs the pipeline, block by block, and warns of what a user should know of the rows.

    Args:
        run: The trained run.
        other_table: Another CSV with the target; None for the rows the run was split into.
        keeps: Whether the predictions are kept of the rows on which two runs are compared.

    Returns:
        The results by part: `data` for another CSV, else those of `measure_own_rows`; and what was strange in
        the other CSV.

    Raises:
        RunDirError: The run's own CSV is no longer what it was trained on.
        DataError: The CSV lacks columns, has cells that are not what the column is, levels of which too many
            are unknown, or anything strange that is to be refused.
    """
    if other_table is None:
        return measure_own_rows(run, ["test"] if keeps else []), None
    run = read_otherwise(run, other_table.overrides, MEASURED_KEYS)
    recognised = Recognised(run.columns, run.target_unit, ())
    csv, target, as_trained = other_table.csv, run.config.data.target, partial(with_dates_as_trained, run=run)
    counts, strange = Counts(), StrangeCells()

    def predictions() -> Iterator[Predictions]:
        nonlocal counts, strange
        for block in stream_rows(run.config, csv, recognised, is_divided=False, rewrite=as_trained):
            counts += block.counts
            strange += count_strange_cells(run, block.part.cells)
            yield run.predict(block.part)

    with naming_set_option():
        kept = {"data": join_predictions([*predictions()])} if keeps else {}
        sums = sum_blocks(("data", block) for block in kept.values() or predictions())
    refuse_unseen(strange, csv, other_table.max_unseen)
    if other_table.strict:
        refuse_strange(run, strange, csv)
    for note in (*counts.sentences(recognised, target), *unknown_sentences(run, strange)):
        warnings.warn(note, stacklevel=1)
    return OwnResults(sums, kept), strange


def compare_with_baseline(
    run: TrainedRun,
    parts: Mapping[str, Predictions],
    baseline: TrainedRun,
    allowed: Sequence[AllowedRegression],
    other_table: OtherTable | None,
) -> list[Gate]:
    """Judges a run against another on rows that neither was trained on.

    Args:
        run: The run to judge.
        parts: What it predicts.
        baseline: The other run.
        allowed: How much worse the run may be.
        other_table: The CSV that was measured; None for the run's own test rows.

    Raises:
        RunDirError: The baseline predicts something else, or may have been trained on the rows.
        DataError: The baseline predicts what is no number to use.
    """
    target, other_target = run.config.data.target, baseline.config.data.target
    if target != other_target:
        message = f"the baseline predicts {other_target!r}, the run {target!r}"
        raise RunDirError(Fault(message, str(baseline.path), hint="Compare runs with one target"))
    _refuse_seen_rows(run, baseline, other_table)
    name = "data" if other_table else "test"
    if not parts[name].y_true.size:
        hint = "Give a CSV that neither run was trained on with --data"
        raise RunDirError(Fault("the run has no test rows to compare on", str(run.path), hint=hint))
    # The run has warned of the same rows.
    with warnings.catch_warnings(action="ignore"):
        compared = baseline if other_table else _on_files_of(run, baseline)
        others = measure_parts(compared, other_table, keeps=True)[0].kept[name]
    if faults := _faults_of_predictions(compared, {name: sum_predictions(others)}, other_table):
        raise DataError(
            *(replace(fault, message=f"the baseline {baseline.path}: {fault.message}") for fault in faults)
        )
    rows, other_rows = parts[name].rows, others.rows
    if not other_table and (rows is None or other_rows is None or not np.array_equal(rows, other_rows)):
        raise RunDirError(_seen_rows_fault(baseline))
    if not np.array_equal(parts[name].y_true, others.y_true):
        message = "the two runs read different target values from the same CSV"
        raise RunDirError(Fault(message, str(baseline.path), hint="Compare data.* in their config.yaml"))
    return judge_regressions(allowed, name, parts[name].y_true, parts[name].y_pred, others.y_pred)


def _on_files_of(run: TrainedRun, baseline: TrainedRun) -> TrainedRun:
    """The baseline with the run's own CSVs, which are equal: those it names may be on another machine."""
    paths = {key: getattr(run.config.data, key) for key in ("path", "validation_path", "test_path")}
    config = baseline.config.model_copy(update={"data": baseline.config.data.model_copy(update=paths)})
    return replace(baseline, config=config, record=baseline.record | {"data": run.record.get("data", {})})


def _refuse_seen_rows(run: TrainedRun, baseline: TrainedRun, other_table: OtherTable | None) -> None:
    if other_table:
        for candidate in (run, baseline):
            if _has_learnt_from(candidate, other_table.csv):
                hint = "Leave --data out to compare on the test rows, or give rows that neither run has seen"
                message = "this very file is what the run was trained on, so nothing can be compared on it"
                raise RunDirError(Fault(message, str(candidate.path), hint=hint))
        return
    if _tables_of(run) != _tables_of(baseline):
        raise RunDirError(_seen_rows_fault(baseline))


def _seen_rows_fault(baseline: TrainedRun) -> Fault:
    message = (
        "the baseline has another table or other test rows, and may have been trained on those of the run"
    )
    hint = "Give a CSV that neither run was trained on with --data"
    return Fault(message, str(baseline.path), hint=hint)


def _tables_of(run: TrainedRun) -> dict[str, str]:
    """The hashes of a run's CSVs; a stranger's run may have none."""
    return {key: entry["sha256"] for key, entry in run.record.get("data", {}).items()}
