"""The runs in a folder: when, how good, and what each was trained with that most were not."""

import warnings
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dlreg.config.differences import differing_keys
from dlreg.config.schema import Config
from dlreg.errors import RunDirError, StorageError
from dlreg.evaluation.bootstrap import told_interval
from dlreg.runs.overview import RunOverview, find_runs, read_overview
from dlreg.runs.reading import read_any_record


def runs(folder: Path) -> dict[str, Any]:
    """Lists the runs in a folder and in the folders of it, the one that began last first.

    Args:
        folder: Where to look.

    Returns:
        What `--json` prints: `folder`, and `runs`, each with `run_dir`, `started`, `status` (`damaged` where
        it cannot be read) and, null where it is not complete, `target`, `rows` (of all parts), `chosen_by`
        (the part by whose error runs are chosen), `choosing_rmse`, `test_rmse`, `test_rmse_interval` (at
        95%, by a bootstrap) and `differs`: the keys of the config whose value is not that of most runs.

    Raises:
        RunDirError: There is no such folder, or it is a run itself.
    """
    entries: list[dict[str, Any]] = []
    configs: list[Config | None] = []
    for path in find_runs(folder):
        entry, config = _describe(path)
        entries.append(entry)
        configs.append(config)
    complete = [entry for entry, config in zip(entries, configs, strict=True) if config]
    for entry, differs in zip(complete, _unlike_most([config for config in configs if config]), strict=True):
        entry["differs"] = differs
    return {"folder": str(folder), "runs": sorted(entries, key=lambda entry: entry["started"], reverse=True)}


def _describe(path: Path) -> tuple[dict[str, Any], Config | None]:
    """What is told of a run, but for what it differs in, and its config if it is complete."""
    entry: dict[str, Any] = {"run_dir": str(path), "started": "", "status": "damaged"}
    try:
        record = read_any_record(path)
        entry["started"] = str(record.get("started", ""))
        # Of each run its numbers alone are kept: a folder may hold hundreds, and each a million predictions.
        run = read_overview(path) if record["status"] == "complete" else None
        return {**entry, "status": record["status"], **_results(run)}, run.config if run else None
    except (RunDirError, StorageError) as error:
        # One run that cannot be read hides no other.
        for fault in error.faults:
            warnings.warn(str(fault), stacklevel=1)
        return {**entry, **_results(None)}, None


def _results(run: RunOverview | None) -> dict[str, Any]:
    names = ("target", "rows", "chosen_by", "choosing_rmse", "test_rmse", "test_rmse_interval", "differs")
    if run is None:
        return dict.fromkeys(names)
    metrics, chosen = run.record.metrics, run.choosing_metrics
    parts = (metrics.train, metrics.validation, metrics.test)
    values = (
        run.config.data.target,
        sum(part.n for part in parts if part),
        run.chosen_by,
        chosen and chosen.rmse,
        metrics.test and metrics.test.rmse,
        told_interval("rmse", run.predicted.y_true, run.predicted.y_pred),
        None,
    )
    return dict(zip(names, values, strict=True))


def _unlike_most(configs: Sequence[Config]) -> list[dict[str, Any]]:
    """Of each config the keys whose value is not the most frequent one, with it."""
    unlike: list[dict[str, Any]] = [{} for _ in configs]
    for key, values in differing_keys(configs).items():
        ((usual, _),) = Counter(map(repr, values)).most_common(1)
        for differs, value in zip(unlike, values, strict=True):
            if repr(value) != usual:
                differs[key] = value
    return unlike
