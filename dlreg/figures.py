"""The figures of a run, drawn from what its directory holds."""

import csv
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dlreg import run_dir
from dlreg.config_file import load_config
from dlreg.errors import RunDirError, UsageError
from dlreg.metrics import regression_metrics
from dlreg.plotting import plot_loss, plot_predictions, plot_residuals, render_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMATS = ("png", "svg", "pdf")


def draw(path: Path, kind: str, output: Path | None) -> Path:
    """Draws a figure of a run and writes it in one step.

    Args:
        path: The run directory.
        kind: `loss`, `predictions` or `residuals` (both of the test rows).
        output: Where to write; its suffix is the format. None for a PNG in the run directory.

    Returns:
        The file written.

    Raises:
        UsageError: The suffix is not one of `FORMATS`.
        RunDirError: There is no complete run, it is damaged, or it has no test rows to draw.
    """
    output = output or path / (run_dir.LOSS_CURVE if kind == "loss" else f"{kind}.png")
    suffix = output.suffix.lower().removeprefix(".")
    if suffix not in FORMATS:
        raise UsageError(f"--output: expected a name ending in .png, .svg or .pdf, found {output.name!r}")
    record = run_dir.read_record(path)
    run_dir.read_file(path, record, run_dir.CONFIG)
    config = load_config(path / run_dir.CONFIG)
    if kind == "loss":
        history = json.loads(run_dir.read_file(path, record, run_dir.HISTORY))
        figure = plot_loss(
            {
                name: [np.nan if value is None else value for value in values]
                for name, values in history.items()
            },
            loss_name=config.training.loss,
            best_epoch=record["best_epoch"],
            target=config.data.target,
            target_scaling=config.preprocessing.target,
        )
    else:
        figure = _of_predictions(path, record, kind, config.data.target)
    with run_dir.reporting_storage_errors(output):
        run_dir.write_atomically(output, render_figure(figure, suffix))
    return output


def _of_predictions(path: Path, record: dict[str, object], kind: str, target: str) -> "Figure":
    text = run_dir.read_file(path, record, run_dir.PREDICTIONS).decode()
    rows = [(float(row["y_true"]), float(row["y_pred"])) for row in csv.DictReader(io.StringIO(text))]
    if not rows:
        raise RunDirError(f"{path} has no test rows to draw. Train with data.test_split above 0")
    y_true, y_pred = np.array(rows).T
    if kind == "residuals":
        return plot_residuals(y_true, y_pred, target=target)
    metrics = regression_metrics(y_true, y_pred) or {}
    return plot_predictions(y_true, y_pred, target=target, rmse=float(metrics["rmse"] or 0), r2=metrics["r2"])
