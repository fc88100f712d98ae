"""The metrics of a trained run, on its own rows or on another CSV."""

from pathlib import Path
from typing import Any

from dlreg import run_dir
from dlreg.csv_file import read_table
from dlreg.dataset import Part, csv_format_of, load_dataset, read_part, split_record
from dlreg.errors import Fault, RunDirError
from dlreg.metrics import regression_metrics
from dlreg.plain_file import hash_plain_file
from dlreg.trained_run import TrainedRun

# Beside its rows, split.json holds a path.
MAX_SPLIT_BYTES = 65536


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
    paths = {"data.path": run.config.data.path, "data.test_path": run.config.data.test_path}
    for key, path in paths.items():
        if path is not None:
            _check_unchanged(run, key, path)
    dataset = load_dataset(run.config)
    n_rows = sum(part.rows.size for part in dataset.parts.values())
    content = run_dir.read_file(run.path, run.record, run_dir.SPLIT, MAX_SPLIT_BYTES + 32 * n_rows)
    if content != run_dir.to_json(split_record(dataset, run.config.data.test_path)):
        raise RunDirError(Fault("the split differs from the config's", str(run.path / run_dir.SPLIT)))
    return dataset.parts


def _check_unchanged(run: TrainedRun, key: str, path: Path) -> None:
    entry = run.record.get("data", {}).get(key)
    if entry is None:
        raise RunDirError(Fault(f"the file says nothing of {key}", str(run.path / run_dir.RUN)))
    if not path.exists():
        hint = "Put it back, or give another CSV with --data"
        raise RunDirError(Fault(f"the run's {key} is gone", str(path), hint=hint))
    if hash_plain_file(path, entry["size"], follow_link=True) != entry["sha256"]:
        hint = "Train again, or measure on this file with --data"
        raise RunDirError(Fault("the file has changed since the run was made", str(path), hint=hint))
