"""The figures of a run, drawn from what its directory holds."""

from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from dlreg.commands.loss_curve import describe_loss_curve
from dlreg.errors import RunDirError
from dlreg.evaluation.intervals import LEVEL
from dlreg.figures.learning_curve import plot_loss
from dlreg.figures.plots import plot_predictions, plot_residuals
from dlreg.figures.writing import format_of, write_figure
from dlreg.runs.contents import (
    read_config,
    read_history,
    read_intervals,
    read_preprocessing,
    read_test_metrics,
)
from dlreg.runs.names import LOSS_CURVE, PREDICTIONS_PLOT, RESIDUALS_PLOT
from dlreg.runs.reading import read_record, read_together
from dlreg.runs.shapes import IntervalsRecord
from dlreg.runs.tables import read_predictions

FILES = {"loss": LOSS_CURVE, "predictions": PREDICTIONS_PLOT, "residuals": RESIDUALS_PLOT}


def plot(path: Path, kind: str, output: Path | None) -> Path:
    """Draws a figure of a run and writes it in one step.

    Args:
        path: The run directory.
        kind: `loss`, `predictions` or `residuals` (both of the test rows).
        output: Where to write; its suffix is the format. None for a PNG in the run directory.

    Returns:
        The file written.

    Raises:
        UsageError: The suffix is that of no format of a figure.
        RunDirError: There is no complete run, it is damaged, or it has no test rows to draw.
    """
    output = output or path / FILES[kind]
    format_of(output)
    write_figure(draw(path, kind), output)
    return output


def draw(path: Path, kind: str) -> Figure:
    """Draws a figure of a run, and writes nothing.

    Args:
        path: The run directory.
        kind: As `plot` takes it.

    Raises:
        RunDirError: There is no complete run, it is damaged, or it has no test rows to draw.
    """
    return read_together(path, lambda record: _draw(path, record, kind))


def draw_all(path: Path, folder: Path) -> None:
    """Draws every figure that a run has, in PNG, into a folder."""
    record = read_record(path)
    for kind, name in FILES.items():
        if kind == "loss" or read_test_metrics(path, record):
            write_figure(_draw(path, record, kind), folder / name)


def _draw(path: Path, record: dict[str, Any], kind: str) -> Figure:
    config = read_config(path, record)
    if kind != "loss":
        return _plot_test_rows(path, record, kind, config.data.target)
    scale = read_preprocessing(path, record).target.scale
    history = read_history(path, record)
    return plot_loss(**describe_loss_curve(config, history, record.get("best_epoch", 0), scale))


def _mean_reach(intervals: IntervalsRecord | None, width: float | None) -> tuple[float, float] | None:
    """How far intervals of this mean width reach below and above: by row they differ in their scale alone."""
    if width is None:
        return None
    factors = intervals.intervals().factors(LEVEL) if intervals else None
    share = factors.below / sum(factors) if factors and sum(factors) else 0.5
    return share * width, (1 - share) * width


def _plot_test_rows(path: Path, record: dict[str, Any], kind: str, target: str) -> Figure:
    _, y_true, y_pred = read_predictions(path, record)
    metrics = read_test_metrics(path, record)
    if not y_true.size or not metrics:
        raise RunDirError(f"{path} has no test rows to draw. Train with data.test_split above 0")
    if kind == "residuals":
        return plot_residuals(y_true, y_pred, target=target)
    intervals = read_intervals(path, record)
    return plot_predictions(
        y_true,
        y_pred,
        n_rows=metrics.n,
        target=target,
        rmse=metrics.rmse,
        r2=metrics.r2,
        interval=_mean_reach(intervals, metrics.width_90),
        coverage=metrics.coverage_90,
        one_width=intervals is None or intervals.scale == "constant",
    )
