"""Which columns a run relies on: permutation importance, through the pipeline as it predicts."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from dlreg.errors import DataError, Fault, UsageError
from dlreg.evaluation.metrics import regression_metrics
from dlreg.evaluation.permutation import permutation_importance
from dlreg.figures.plots import plot_importance
from dlreg.figures.writing import format_of, write_figure
from dlreg.runs.names import IMPORTANCE
from dlreg.runs.own_rows import knows_validation, read_own_rows
from dlreg.runs.trained_run import TrainedRun, use_run
from dlreg.table.parts import Part

# More rows are sampled, the fewer the more columns: each column costs `repeats` predictions of all rows.
MIN_ROWS, MAX_ROWS, MAX_CELLS = 1000, 5000, 50_000
SEED = 0


def explain(path: Path, output: Path | None, *, metric: str = "rmse", repeats: int = 10) -> dict[str, Any]:
    """Measures the importance of every column of a run and draws it.

    The rows are those of validation, which chose nothing but when to stop; where these were learnt in the end
    the test rows; with cross-validation, or where all rows were learnt, those of training.

    Args:
        path: The run directory.
        output: Where to draw; its suffix is the format. None for `importance.png` in the run directory.
        metric: One of `evaluation.permutation.METRICS`; of `r2` the importance is how much it falls.
        repeats: How often each column is permuted.

    Returns:
        What `--json` prints: `run_dir`, `figure`, `part`, `n` (rows measured on, of `n_part` in all),
        `metric`, `value` (of the rows as they are), `repeats`, and `columns`, the most important first, each
        with `name`, `importance` and `std`.

    Raises:
        UsageError: The suffix of `output` is no format of a figure, or the metric has no value on these rows.
        RunDirError: There is no complete run, it is damaged, or its table is not what it was trained on.
        DataError: The metric is not finite, with the cells as they are or with those of a column permuted.
    """
    output = output or path / IMPORTANCE
    format_of(output)
    run, importance = measure_importance(path, metric=metric, repeats=repeats)
    report = {"run_dir": str(path), "figure": str(output), **importance}
    write_figure(plot_importance(report, target=run.config.data.target), output)
    return report


def measure_importance(
    path: Path, *, metric: str = "rmse", repeats: int = 10
) -> tuple[TrainedRun, dict[str, Any]]:
    """The same without a figure: the run, and what is said of its columns.

    Raises:
        UsageError: The metric has no value on these rows.
        RunDirError: There is no complete run, it is damaged, or its table is not what it was trained on.
        DataError: The metric is not finite, with the cells as they are or with those of a column permuted.
    """
    run, own_rows = use_run(path, lambda run: (run, read_own_rows(run)))
    parts, n_rows = own_rows
    name, whole = rows_to_measure(run, parts)
    part = sample_rows(whole)
    if (regression_metrics(part.y_true, part.y_true) or {}).get(metric) is None:
        hint = "Choose --metric rmse"
        raise UsageError(
            Fault(f"{metric} has no value on the {name} rows: the target is always the same", hint=hint)
        )
    value, increases = permutation_importance(run.pipeline.predict, part.cells, part.y_true, metric, repeats)
    if not np.isfinite([value, *(increase for column in increases.values() for increase in column)]).all():
        hint = "dlreg evaluate says which rows have predictions that are not finite, if any has by itself"
        raise DataError(Fault(f"the run's {metric} on its {name} rows is not finite", str(path), hint=hint))
    return run, {
        "part": name,
        "n": len(part.y_true),
        "n_part": n_rows[name],
        "metric": metric,
        "value": value,
        "repeats": repeats,
        "columns": _ranked(increases),
    }


def _ranked(increases: Mapping[str, Sequence[float]]) -> list[dict[str, Any]]:
    """The mean and the standard deviation over repeats of each column, the most important first."""
    means = {column: float(np.mean(values)) for column, values in increases.items()}
    return [
        {"name": column, "importance": means[column], "std": float(np.std(increases[column]))}
        for column in sorted(means, key=means.__getitem__, reverse=True)
    ]


def rows_to_measure(run: TrainedRun, parts: Mapping[str, Part]) -> tuple[str, Part]:
    """Of the rows that a run was split into those that its network was fitted on least, and their name."""
    names: tuple[str, ...] = ("validation", "test", "train")
    if run.config.training.cross_validation is not None:
        names = ("train",)
    elif knows_validation(run):
        # All others are training rows by then.
        names = ("test", "train")
    return next((name, parts[name]) for name in names if parts[name].y_true.size)


def sample_rows(part: Part) -> Part:
    """The rows to measure on; of many a sample, always the same."""
    most = int(np.clip(MAX_CELLS // len(part.cells), MIN_ROWS, MAX_ROWS))
    if len(part.y_true) <= most:
        return part
    chosen = np.sort(np.random.default_rng(SEED).choice(len(part.y_true), most, replace=False))
    return part.take(chosen)
