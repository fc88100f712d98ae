"""Which columns a run relies on: permutation importance, through the pipeline as it predicts.

The importance of a column is how much worse the metric gets when its cells are dealt out to the rows at
random, so that it says nothing of them any more, while every other column stays (Breiman, Random Forests,
Machine Learning 45, 2001; Fisher, Rudin and Dominici, All Models are Wrong, but Many are Useful, JMLR 20,
2019). It is about this network on these rows, not about the world: columns that say the same share their
importance, since each can be lost while the other stays.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from dlreg.commands.evaluate import own_parts, say_what_is_read
from dlreg.commands.plot import format_of, write_figure
from dlreg.errors import Fault, RunDirError, UsageError
from dlreg.evaluation.metrics import regression_metrics
from dlreg.figures.plots import plot_importance
from dlreg.runs import directory as run_dir
from dlreg.runs.trained_run import open_run
from dlreg.table.dataset import Part

METRICS = ("rmse", "mse", "mae", "r2")
# Of more rows a sample is taken, of less if there are many columns: each costs `repeats` predictions of all.
MIN_ROWS, MAX_ROWS, MAX_CELLS = 1000, 5000, 50_000
SEED = 0

Cells = Mapping[str, np.ndarray]


def explain(path: Path, output: Path | None, *, metric: str = "rmse", repeats: int = 10) -> dict[str, Any]:
    """Measures the importance of every column of a run and draws it.

    The rows are those of validation, which chose nothing but when to stop; with cross-validation the training
    rows, each of which some members left out; without either the test rows; else the training rows.

    Args:
        path: The run directory.
        output: Where to draw; its suffix is the format. None for `importance.png` in the run directory.
        metric: One of `METRICS`; of `r2` the importance is how much it falls.
        repeats: How often each column is permuted.

    Returns:
        What `--json` prints: `run_dir`, `figure`, `part`, `n` (rows measured on, of `n_part` in all),
        `metric`, `value` (of the rows as they are), `repeats`, and `columns`, the most important first, each
        with `name`, `importance` and `std`.

    Raises:
        UsageError: The suffix of `output` is no format of a figure, or the metric has no value on these rows.
        RunDirError: There is no complete run, it is damaged, or its table is not what it was trained on.
    """
    output = output or path / run_dir.IMPORTANCE
    format_of(output)
    run = open_run(path)
    say_what_is_read(run)
    name, whole = _rows_to_measure(
        own_parts(run), cross_validated=run.config.training.cross_validation is not None
    )
    part = _sample(whole)
    if (regression_metrics(part.y_true, part.y_true) or {}).get(metric) is None:
        hint = "Choose --metric rmse"
        raise UsageError(
            Fault(f"{metric} has no value on the {name} rows: the target is always the same", hint=hint)
        )
    value, increases = permutation_importance(run.pipeline.predict, part.cells, part.y_true, metric, repeats)
    if not np.isfinite([value, *(each for column in increases.values() for each in column)]).all():
        raise RunDirError(Fault(f"the run's {metric} on its {name} rows is not finite", str(path)))
    means = {column: float(np.mean(values)) for column, values in increases.items()}
    columns = [
        {"name": column, "importance": means[column], "std": float(np.std(increases[column]))}
        for column in sorted(means, key=means.__getitem__, reverse=True)
    ]
    report = {
        "run_dir": str(path),
        "figure": str(output),
        "part": name,
        "n": len(part.y_true),
        "n_part": len(whole.y_true),
        "metric": metric,
        "value": value,
        "repeats": repeats,
        "columns": columns,
    }
    write_figure(plot_importance(report, target=run.config.data.target), output)
    return report


def permutation_importance(
    predict: Callable[[Cells], np.ndarray], cells: Cells, y_true: np.ndarray, metric: str, repeats: int
) -> tuple[float, dict[str, list[float]]]:
    """How much worse a metric gets when one column is permuted.

    Args:
        predict: Cells to predictions, shape `(n_rows,)`.
        cells: One array of shape `(n_rows, 1)` per column.
        y_true: What was observed, shape `(n_rows,)`.
        metric: One of `METRICS`.
        repeats: How many permutations; they are the same for every column.

    Returns:
        The metric of the rows as they are, and by column its increase (of `r2` its decrease) for each
        permutation.
    """

    def measure(cells: Cells) -> float:
        found = regression_metrics(y_true, predict(cells)) or {}
        return float(found[metric] or 0.0)

    value, sign = measure(cells), -1 if metric == "r2" else 1
    orders = [np.random.default_rng((SEED, number)).permutation(len(y_true)) for number in range(repeats)]
    increases = {
        name: [sign * (measure({**cells, name: column[order]}) - value) for order in orders]
        for name, column in cells.items()
    }
    return value, increases


def _rows_to_measure(parts: Mapping[str, Part], *, cross_validated: bool) -> tuple[str, Part]:
    names = ("train",) if cross_validated else ("validation", "test", "train")
    return next((name, parts[name]) for name in names if parts[name].y_true.size)


def _sample(part: Part) -> Part:
    most = int(np.clip(MAX_CELLS // len(part.cells), MIN_ROWS, MAX_ROWS))
    if len(part.y_true) <= most:
        return part
    chosen = np.sort(np.random.default_rng(SEED).choice(len(part.y_true), most, replace=False))
    cells = {name: column[chosen] for name, column in part.cells.items()}
    return Part(part.rows[chosen], cells, part.y_true[chosen])
