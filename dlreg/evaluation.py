"""The metrics of a trained run, on its own rows or on another CSV."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from dlreg import run_dir
from dlreg.csv_file import read_table
from dlreg.dataset import Part, csv_format_of, load_dataset, read_part
from dlreg.errors import Fault, RunDirError
from dlreg.metrics import regression_metrics
from dlreg.trained_run import TrainedRun


def evaluate(run: TrainedRun, data: str | None = None) -> dict[str, Any]:
    """Runs the pipeline and measures it.

    Args:
        run: The trained run.
        data: Another CSV with the target; None for the rows the run was split into.

    Returns:
        Metrics by part: `train`, `validation` and `test` for the run's own rows (None where there are no
        such rows), `data` for another CSV.

    Raises:
        RunDirError: The run's own CSV is no longer what it was trained on.
        DataError: The CSV lacks columns or has cells that are not what the column is.
    """
    parts = {"data": _other_part(run, data)} if data else _own_parts(run)
    return {
        name: regression_metrics(part.y_true, run.pipeline.predict(part.cells)) if part.rows.size else None
        for name, part in parts.items()
    }


def _other_part(run: TrainedRun, data: str) -> Part:
    table = read_table(data, csv_format_of(run.config.data), run.text_columns)
    return read_part(table, run.columns, run.config.data.target)


def _own_parts(run: TrainedRun) -> dict[str, Part]:
    for key, entry in run.record["data"].items():
        path = Path(entry["path"])
        if not path.exists():
            hint = "Put it back, or give another CSV with --data"
            raise RunDirError(Fault(f"the run's {key} is gone", str(path), hint=hint))
        if run_dir.file_sha256(path) != entry["sha256"]:
            hint = "Train again, or measure on this file with --data"
            raise RunDirError(Fault("the file has changed since the run was made", str(path), hint=hint))
    split = json.loads(run_dir.read_file(run.path, run.record, run_dir.SPLIT))
    parts = load_dataset(run.config).parts
    if any(not np.array_equal(parts[name].rows, split[name]) for name in parts):
        raise RunDirError(Fault("the split differs from the config's", str(run.path / run_dir.SPLIT)))
    return parts
