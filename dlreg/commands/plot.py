"""The figures of a run, drawn from what its directory holds."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlreg.errors import RunDirError, UsageError
from dlreg.figures.plots import plot_loss, plot_predictions, plot_residuals, render_figure
from dlreg.files.whole_file import reporting_storage_errors, sweep_temporaries, write_atomically
from dlreg.runs import directory as run_dir
from dlreg.runs.contents import read_config, read_history, read_predictions, read_test_metrics

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
    format_of(output)
    record = run_dir.read_record(path)
    config = read_config(path, record)
    if kind == "loss":
        figure = plot_loss(
            read_history(path, record),
            loss_name=config.training.loss,
            best_epoch=record.get("best_epoch", 0),
            target=config.data.target,
            target_scaling=config.preprocessing.target,
        )
    else:
        figure = _of_predictions(path, record, kind, config.data.target)
    write_figure(figure, output)
    return output


def format_of(output: Path) -> str:
    """What kind of file a figure is to be.

    Raises:
        UsageError: The suffix is not one of `FORMATS`.
    """
    suffix = output.suffix.lower().removeprefix(".")
    if suffix not in FORMATS:
        raise UsageError(f"--output: expected a name ending in .png, .svg or .pdf, found {output.name!r}")
    return suffix


def write_figure(figure: "Figure", output: Path) -> None:
    """Writes a figure in one step, in the format of the file's suffix."""
    drawn = render_figure(figure, format_of(output))
    with reporting_storage_errors(output):
        sweep_temporaries(output.parent)
        write_atomically(output, drawn)


def _of_predictions(path: Path, record: dict[str, Any], kind: str, target: str) -> "Figure":
    y_true, y_pred = read_predictions(path, record)
    metrics = read_test_metrics(path, record)
    if not y_true.size or not metrics:
        raise RunDirError(f"{path} has no test rows to draw. Train with data.test_split above 0")
    if kind == "residuals":
        return plot_residuals(y_true, y_pred, target=target)
    return plot_predictions(y_true, y_pred, n_rows=metrics.n, target=target, rmse=metrics.rmse, r2=metrics.r2)
