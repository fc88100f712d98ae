"""The figures: losses by epoch, predictions, residuals, and the importance of columns."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, StrMethodFormatter

from dlreg.figures.style import BEST, INK, TRAIN, VALIDATION, new_figure, short_name, styled

LOG_SCALE_FROM = 20.0
DENSE_FROM = 5000
MAX_BARS = 30
_SCALED = {
    "standard": "of the standardised {}",
    "minmax": "of the min-max scaled {}",
    "log": "of the logarithm of {}, standardised",
    "log1p": "of the logarithm of 1 + {}, standardised",
    "none": "of {}, in its own units",
}


def plot_loss(
    history: Mapping[str, Sequence[float]],
    *,
    loss_name: str,
    best_epoch: int,
    target: str,
    target_scaling: str,
) -> Figure:
    """Training and validation loss by epoch, the best epoch marked.

    The loss axis is logarithmic where every loss is above 0 and the highest is at least `LOG_SCALE_FROM`
    times the lowest: otherwise the first epochs would press the rest flat.

    Args:
        history: Keras's history: `loss`, and `val_loss` if there are validation rows.
        loss_name: What the config calls the loss.
        best_epoch: 1-based; 0 for none.
        target: The target's name.
        target_scaling: What the config calls the target's scaling: the loss is in these units.
    """
    curves = {"training": history["loss"], "validation": history.get("val_loss")}
    shown = {
        name: np.asarray(values, dtype=np.float64) for name, values in curves.items() if values is not None
    }
    watched = shown.get("validation", shown["training"])
    epochs = np.arange(1, len(watched) + 1)
    with styled(target):
        figure, axes = new_figure(
            "Learning curve", f"{loss_name} {_SCALED[target_scaling].format(short_name(target))}"
        )
        for (name, values), colour in zip(shown.items(), (TRAIN, VALIDATION), strict=False):
            marker = "o" if len(values) <= 12 else ""
            axes.plot(epochs, values, color=colour, marker=marker, label=name)
        if best_epoch:
            value = watched[best_epoch - 1]
            axes.axvline(best_epoch, color=BEST, linewidth=1.2, linestyle=(0, (4, 3)), zorder=1)
            label = f"best epoch {best_epoch:,}: {value:.4g}"
            axes.plot(
                [best_epoch], [value], "o", color=BEST, markersize=9, label=label, zorder=5, clip_on=False
            )
        _scale_losses(axes, np.concatenate(list(shown.values())))
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=9, steps=[1, 2, 5, 10]))
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        margin = 0.5 if len(epochs) == 1 else 0.015 * len(epochs)
        axes.set_xlim(1 - margin, len(epochs) + margin)
        axes.set_ylabel("loss")
        axes.legend(loc="upper right")
        return figure


def plot_predictions(
    y_true: np.ndarray, y_pred: np.ndarray, *, n_rows: int, target: str, rmse: float, r2: float | None
) -> Figure:
    """Predictions against observations; those of a perfect model lie on the diagonal.

    From `DENSE_FROM` rows on, the points give way to hexagons shaded by how many lie in each.

    Args:
        y_true: What was observed, shape `(n_rows,)`.
        y_pred: What was predicted, shape `(n_rows,)`.
        n_rows: Shown in the corner; more than the points where these are a part of the rows.
        target: The target's name.
        rmse: Shown in the corner.
        r2: Shown in the corner; None where it is not defined.
    """
    with styled(target):
        figure, axes = new_figure("Predictions", f"{short_name(target)} on the test rows", size=(7.5, 7.5))
        low, high = _limits(np.concatenate([y_true, y_pred]))
        _points(axes, y_true, y_pred, (low, high, low, high))
        axes.plot([low, high], [low, high], color=BEST, linewidth=1.2, linestyle=(0, (4, 3)), zorder=3)
        axes.set_xlim(low, high)
        axes.set_ylim(low, high)
        axes.set_aspect("equal")
        axes.set_xlabel("observed")
        axes.set_ylabel("predicted")
        numbers = f"n = {n_rows:,}\nRMSE = {rmse:,.4g}" + ("" if r2 is None else f"\nR² = {r2:.3f}")
        paper = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8}
        axes.text(0.03, 0.97, numbers, transform=axes.transAxes, va="top", linespacing=1.5, bbox=paper)
        return figure


def plot_residuals(y_true: np.ndarray, y_pred: np.ndarray, *, target: str) -> Figure:
    """Residuals, y_true - y_pred, against the prediction, and their distribution.

    Args:
        y_true: What was observed, shape `(n_rows,)`.
        y_pred: What was predicted, shape `(n_rows,)`.
        target: The target's name.
    """
    residuals = y_true - y_pred
    with styled(target):
        figure, axes = new_figure("Residuals", f"{short_name(target)} on the test rows")
        side = axes.inset_axes((1.02, 0, 0.16, 1), sharey=axes)
        reach = float(np.max(np.abs(residuals))) * 1.08 or 1.0
        low, high = _limits(y_pred)
        _points(axes, y_pred, residuals, (low, high, -reach, reach))
        axes.axhline(0, color=BEST, linewidth=1.2, linestyle=(0, (4, 3)), zorder=3)
        axes.set_ylim(-reach, reach)
        axes.set_xlabel("predicted")
        axes.set_ylabel("observed − predicted")
        side.hist(
            residuals, bins=min(40, max(5, math.isqrt(len(residuals)))), orientation="horizontal", color=TRAIN
        )
        side.grid(visible=False)
        side.tick_params(labelleft=False)
        side.set_xlabel("rows")
        side.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=2))
        return figure


def plot_importance(report: Mapping[str, Any], *, target: str) -> Figure:
    """A bar for each column, with the standard deviation over repeats; at most `MAX_BARS`, the longest.

    Args:
        report: What `dlreg.commands.explain.explain` gives: `columns`, `metric`, `value`, `part` and `n`.
        target: The target's name.
    """
    columns = report["columns"][:MAX_BARS]
    names = [short_name(column["name"]) for column in columns]
    change = "decrease" if report["metric"] == "r2" else "increase"
    metric = {"r2": "R²"}.get(report["metric"], report["metric"].upper())
    left_out = len(report["columns"]) - len(columns)
    with styled(target, *names):
        rows = f"{report['n']:,} {report['part']} rows"
        subtitle = f"for {short_name(target)}, whose {metric} on {rows} is {report['value']:,.4g}"
        figure, axes = new_figure(
            "Importance of columns",
            subtitle,
            size=(9 + 0.1 * max(map(len, names)), 2.4 + 0.42 * len(columns)),
        )
        positions = range(len(columns))
        axes.barh(
            positions,
            [column["importance"] for column in columns],
            xerr=[column["std"] for column in columns],
            color=TRAIN,
            height=0.66,
            error_kw={"ecolor": INK, "elinewidth": 1.4, "capsize": 3},
        )
        axes.set_yticks(positions, names)
        axes.set_ylim(len(columns) - 0.4, -0.6)
        axes.grid(visible=False, axis="y")
        axes.axvline(0, color=INK, linewidth=0.8)
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
        more = f"\n{left_out:,} columns of less importance are not shown" if left_out else ""
        axes.set_xlabel(f"{change} of the {metric} when permuted{more}")
        return figure


def _points(axes: Axes, x: np.ndarray, y: np.ndarray, extent: tuple[float, float, float, float]) -> None:
    if len(x) < DENSE_FROM:
        size = float(np.clip(4000 / max(len(x), 1), 8, 60))
        axes.scatter(
            x,
            y,
            s=size,
            color=TRAIN,
            alpha=float(np.clip(60 / max(len(x), 1) ** 0.5, 0.25, 0.8)),
            linewidths=0,
        )
        return
    # The palest of a colour map's shades would not show on white.
    shades = ListedColormap(mpl.colormaps["Blues"](np.linspace(0.25, 1, 256)))
    axes.hexbin(x, y, gridsize=70, bins="log", mincnt=1, cmap=shades, extent=extent, linewidths=0)


def _limits(values: np.ndarray) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    margin = 0.04 * (high - low) or abs(low) * 0.1 or 1.0
    return low - margin, high + margin


def _scale_losses(axes: Axes, values: np.ndarray) -> None:
    finite = values[np.isfinite(values)]
    if not finite.size or finite.min() <= 0 or finite.max() < LOG_SCALE_FROM * finite.min():
        return
    axes.set_yscale("log")
    decades = math.log10(finite.max() / finite.min())
    # Over less than three decades the powers of ten alone would leave one or two labels.
    steps = (1.0,) if decades > 3 else (1.0, 2.0, 5.0)
    axes.yaxis.set_major_locator(LogLocator(subs=steps, numticks=12))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())
