"""The learning curves of compared runs in one figure."""

import warnings
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from dlreg.commands.compare import Comparison
from dlreg.figures.compared_curves import MOST_CURVES, plot_curves
from dlreg.figures.writing import format_of, write_figure
from dlreg.runs.contents import read_history
from dlreg.runs.reading import read_together


def draw_curves(comparison: Comparison, output: Path) -> Path:
    """Draws the learning curves of compared runs and writes them in one step.

    Args:
        comparison: Of many runs the first ones are drawn.
        output: Where to write; its suffix is the format.

    Returns:
        The file written.

    Raises:
        UsageError: The suffix is that of no format of a figure.
        RunDirError: A run is damaged.
    """
    format_of(output, "--figure")
    figure = plot_curves(curves_of(comparison), part="validation", target=comparison.target)
    write_figure(figure, output)
    return output


def curves_of(comparison: Comparison) -> dict[str, Sequence[float]]:
    """The MAE of each run by epoch: whatever the losses are, it is in the target's units."""
    curves: dict[str, Sequence[float]] = {}
    for compared in comparison.runs[:MOST_CURVES]:
        path = compared.run.path
        history = read_together(path, partial(read_history, path))
        if "val_mae" in history:
            curves[str(path)] = history["val_mae"]
        elif "mae" in history:
            curves[f"{path} (training rows)"] = history["mae"]
    if left_out := len(comparison.runs) - len(curves):
        warnings.warn(f"the learning curves of {left_out:,} runs are not drawn", stacklevel=1)
    return curves
