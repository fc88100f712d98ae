"""The figures of rows and columns: predictions, residuals, and the importance of columns."""

import math
from collections.abc import Mapping
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from dlreg.figures.limits import Limits, robust_limits
from dlreg.figures.style import (
    BEST,
    INK,
    NUMBERS,
    TRAIN,
    VALIDATION,
    add_legend,
    label_numbers,
    new_figure,
    short_name,
    styled,
)
from dlreg.wording import format_number, format_share

DENSE_FROM = 5000
MAX_BARS = 30
LEAST_REACH = 1e-300
_DASHES = (0, (4, 3))


def plot_predictions(
    y_true: np.ndarray,
    y_pred: np.ndarray,
    *,
    n_rows: int,
    target: str,
    rmse: float,
    r2: float | None,
    interval: tuple[float, float] | None = None,
    coverage: float | None = None,
    one_width: bool = True,
) -> Figure:
    """Predictions against observations; those of a perfect model lie on the diagonal.

    From `DENSE_FROM` rows on, the points give way to hexagons shaded by how many lie in each. Rows far out
    stand at the edge as triangles, and a line says how many they are.

    Args:
        y_true: What was observed, shape `(n_rows,)`.
        y_pred: What was predicted, shape `(n_rows,)`.
        n_rows: Told below the title; more than the points where these are a part of the rows.
        target: The target's name.
        rmse: Told below the title.
        r2: Told below the title; None where it is not defined.
        interval: How far a 90% interval reaches below and above the prediction, drawn as a band about the
            diagonal; None for none.
        coverage: The share of the rows that their intervals hold.
        one_width: Whether all intervals reach that far, or it is their mean.
    """
    numbers = f"n = {n_rows:,}, RMSE = {format_number(rmse)}" + ("" if r2 is None else f", R² = {r2:.3f}")
    has_band = interval is not None and coverage is not None
    with styled(target):
        subtitle = f"{short_name(target)} on the test rows\n{numbers}"
        figure, axes = new_figure("Predictions", subtitle, size=(7.5, 8.0), has_legend=has_band)
        ends = robust_limits(y_true).and_(robust_limits(y_pred)).around()
        if has_band:
            label = "90% interval" if one_width else "90% intervals at their mean width"
            # A wider one fills the axes all the same. What is above a prediction is below the diagonal.
            above, below = (min(reach, 2 * (ends.high - ends.low)) for reach in interval or (0.0, 0.0))
            axes.fill_between(
                ends,
                [end - below for end in ends],
                [end + above for end in ends],
                color=TRAIN,
                alpha=0.13,
                linewidth=0,
                label=f"{label}, which hold{'s' * one_width} {format_share(coverage or 0.0)}",
                zorder=0.5,
            )
        hexagons = _points(axes, y_true, y_pred, ends, ends)
        axes.plot(ends, ends, color=BEST, linewidth=1.2, linestyle=_DASHES, zorder=3)
        beyond = _mark_beyond(axes, {"observed": (y_true, ends), "predicted": (y_pred, ends)})
        axes.set(xlim=ends, ylim=ends, aspect="equal", xlabel=f"observed{beyond}", ylabel="predicted")
        label_numbers(axes.xaxis, ends, inches=5.4)
        label_numbers(axes.yaxis, ends)
        axes.yaxis.set_major_locator(axes.xaxis.get_major_locator())
        if hexagons:
            _add_colour_bar(figure, axes, hexagons, at=1.03)
        if has_band:
            add_legend(axes)
        return figure


def plot_residuals(y_true: np.ndarray, y_pred: np.ndarray, *, target: str) -> Figure:
    """Residuals, y_true - y_pred, against the prediction, and their distribution.

    Rows far out stand at the edge as triangles, and a line says how many they are.

    Args:
        y_true: What was observed, shape `(n_rows,)`.
        y_pred: What was predicted, shape `(n_rows,)`.
        target: The target's name.
    """
    residuals = y_true - y_pred
    with styled(target):
        figure, axes = new_figure("Residuals", f"{short_name(target)} on the test rows")
        side = axes.inset_axes((1.02, 0, 0.16, 1), sharey=axes)
        ends = robust_limits(y_pred).around()
        reach = max(map(abs, robust_limits(residuals))) * 1.08
        # Less cannot be divided into bins.
        reach = reach if reach > LEAST_REACH else 1.0
        reaches = Limits(-reach, reach)
        hexagons = _points(axes, y_pred, residuals, ends, reaches)
        axes.axhline(0, color=BEST, linewidth=1.2, linestyle=_DASHES, zorder=3)
        beyond = _mark_beyond(axes, {"predicted": (y_pred, ends), "residual": (residuals, reaches)})
        axes.set(xlim=ends, ylim=reaches, xlabel=f"predicted{beyond}", ylabel="observed − predicted")
        label_numbers(axes.xaxis, ends, inches=6.0)
        label_numbers(axes.yaxis, reaches)
        counts, _, _ = side.hist(
            residuals,
            bins=min(40, max(5, math.isqrt(len(residuals)))),
            range=reaches,
            orientation="horizontal",
            color=TRAIN,
        )
        side.grid(visible=False)
        side.tick_params(labelleft=False)
        side.set_xlabel("rows")
        # Its 0 would stand beside the last number of the other axis.
        n_bins = 2 if np.max(counts) < 1000 else 1
        side.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=n_bins, prune="lower"))
        side.xaxis.set_major_formatter(StrMethodFormatter(NUMBERS))
        if hexagons:
            _add_colour_bar(figure, axes, hexagons, at=1.22)
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
        axes.xaxis.set_major_formatter(StrMethodFormatter(NUMBERS))
        more = f"\n{left_out:,} columns of less importance are not shown" if left_out else ""
        axes.set_xlabel(f"{change} of the {metric} when permuted{more}")
        return figure


def _points(
    axes: Axes, x: np.ndarray, y: np.ndarray, x_ends: Limits, y_ends: Limits
) -> PolyCollection | None:
    """Draws the rows: hexagons, which are returned, where they are many; else a point for each."""
    within = ~(x_ends.leave_out(x) | y_ends.leave_out(y))
    x, y = x[within], y[within]
    if len(x) < DENSE_FROM:
        size = float(np.clip(4000 / max(len(x), 1), 8, 60))
        alpha = float(np.clip(60 / max(len(x), 1) ** 0.5, 0.25, 0.8))
        axes.scatter(x, y, s=size, color=TRAIN, alpha=alpha, linewidths=0)
        return None
    # The palest of a colour map's shades would not show on white.
    shades = ListedColormap(mpl.colormaps["Blues"](np.linspace(0.25, 1, 256)))
    extent = (*x_ends, *y_ends)
    return axes.hexbin(x, y, gridsize=70, bins="log", mincnt=1, cmap=shades, extent=extent, linewidths=0)


def _add_colour_bar(figure: Figure, axes: Axes, hexagons: PolyCollection, *, at: float) -> None:
    bar = figure.colorbar(hexagons, cax=axes.inset_axes((at, 0, 0.03, 1)), label="rows in a hexagon")
    bar.ax.yaxis.set_major_formatter(StrMethodFormatter(NUMBERS))
    bar.ax.minorticks_off()
    bar.outline.set_visible(False)


def _mark_beyond(axes: Axes, values: Mapping[str, tuple[np.ndarray, Limits]]) -> str:
    """Marks rows that lie beyond an axis by triangles at its end; returns a line that tells of them.

    Args:
        axes: The axes, from left to right and from bottom to top.
        values: What is drawn in each direction, by its name, and the ends of the axis.
    """
    (x, x_ends), (y, y_ends) = values.values()
    is_beyond = {"<": x < x_ends.low, ">": x > x_ends.high, "v": y < y_ends.low, "^": y > y_ends.high}
    for marker, rows in is_beyond.items():
        # To the layout, marks that are none would stand in the figure's corner.
        if not rows.any():
            continue
        axes.plot(
            np.clip(x[rows], *x_ends),
            np.clip(y[rows], *y_ends),
            marker,
            color=VALIDATION,
            markersize=9,
            clip_on=False,
            zorder=4,
        )
    n_beyond = int(np.logical_or.reduce(list(is_beyond.values())).sum())
    if not n_beyond:
        return ""
    lines = [f"\n{n_beyond:,} row{'s' * (n_beyond > 1)} beyond the axis:"]
    for name, (each, ends) in values.items():
        far = [format_number(float(end)) for end in (each.min(), each.max()) if ends.leave_out(end)]
        lines += [f"{name} to {' and '.join(far)}".replace("-", "−")] if far else []
    return "\n".join(lines)
