"""The charts of a report, small ones to stand side by side in a page, as SVG to hover over."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from dlreg.figures.inline_svg import FIRST, INK, QUIET, SECOND, chart_settings, inline_svg
from dlreg.figures.limits import Limits, robust_limits
from dlreg.wording import format_number

SIZE = (5.4, 3.5)
STEPS = [1, 2, 2.5, 5, 10]
MOST_BANDS, FEW_VALUES = 120, 6
LOG_SCALE_FROM = 20.0


class Points(NamedTuple):
    """Rows to be drawn as points, arrays of shape `(n_points,)` where no other is told.

    Attributes:
        rows: Their 0-based positions in the table; None where they are not known.
        y_true: What was observed.
        y_pred: What is predicted.
        margins: How far each interval reaches below and above, shape `(n_points, 2)`; None where there are
            none.
    """

    rows: np.ndarray | None
    y_true: np.ndarray
    y_pred: np.ndarray
    margins: np.ndarray | None

    def titles(self) -> list[str]:
        """What each point says."""
        texts = []
        for place, (y_true, y_pred) in enumerate(zip(self.y_true, self.y_pred, strict=True)):
            row = f"row {self.rows[place]:,}: " if self.rows is not None else ""
            text = f"{row}observed {_number(y_true)}, predicted {_number(y_pred)}"
            if self.margins is not None:
                text += _reach(*self.margins[place].tolist())
            texts.append(text)
        return texts


def _reach(below: float, above: float) -> str:
    return f" ± {_number(above)}" if below == above else f" − {_number(below)} + {_number(above)}"


def learning_curve(curves: Mapping[str, Sequence[float]], best_epoch: int, metric: str, prefix: str) -> str:
    """A metric by epoch, the best epoch marked.

    Args:
        curves: A number per epoch of `training`, and of `validation` where there are such rows.
        best_epoch: 1-based; 0 for none.
        metric: What it is called.
        prefix: Begins every id.
    """
    shown = {name: np.asarray(values) for name, values in curves.items()}
    n_epochs = len(shown["training"])
    epochs = np.arange(1, n_epochs + 1)
    with mpl.rc_context(chart_settings()):
        figure, axes = _new_chart()
        for (name, values), colour in zip(shown.items(), (FIRST, SECOND), strict=False):
            axes.plot(epochs, values, color=colour, marker="o" if n_epochs <= 12 else "", markersize=4)
            axes.plot([], [], color=colour, label=name)
        everything = np.concatenate(list(shown.values()))
        if everything.min() > 0 and everything.max() > LOG_SCALE_FROM * everything.min():
            _scale_by_decades(axes, float(everything.max() / everything.min()))
        if best_epoch:
            axes.axvline(
                best_epoch, color=QUIET, linewidth=1, linestyle=(0, (4, 3)), label=f"best: {best_epoch:,}"
            )
        edges = np.unique(np.linspace(0, n_epochs, min(MOST_BANDS, n_epochs) + 1).round().astype(int)) + 0.5
        # Not quite nothing, which no pointer can be over.
        axes.broken_barh(
            [(low, high - low) for low, high in pairwise(edges)],
            (0, 1),
            transform=axes.get_xaxis_transform(),
            color=INK,
            alpha=0.002,
            linewidth=0,
            gid="bands",
            in_layout=False,
        )
        titles = [_epoch_title(int(edge - 0.5), shown) for edge in edges[1:]]
        axes.set_xlim(0.5, n_epochs + 0.5)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6, steps=STEPS))
        axes.set_xlabel("epoch")
        axes.set_ylabel(metric)
        _legend(figure)
        return inline_svg(figure, f"{metric} by epoch", prefix, {"bands": titles})


def predictions(points: Points, prefix: str) -> tuple[str, int]:
    """Predictions against what was observed, with the intervals of each.

    Returns:
        The chart, and how many points lie beyond its axes and are drawn at their edge.
    """
    with mpl.rc_context(chart_settings()):
        figure, axes = _new_chart()
        ends = robust_limits(points.y_true).and_(robust_limits(points.y_pred))
        x, y = np.clip(points.y_true, *ends), np.clip(points.y_pred, *ends)
        if points.margins is not None:
            below, above = points.margins.T
            lower, upper = np.clip(points.y_pred + np.stack([-below, above]), *ends)
            gaps = np.full(len(x), np.nan)
            line = np.stack([lower, upper, gaps], axis=1).ravel()
            axes.plot(np.stack([x, x, gaps], axis=1).ravel(), line, color=FIRST, alpha=0.22, linewidth=0.9)
        axes.plot(ends, ends, color=QUIET, linewidth=1, linestyle=(0, (4, 3)))
        outside = (x != points.y_true) | (y != points.y_pred)
        _scatter(axes, x, y)
        axes.set(xlim=ends.around(), ylim=ends.around(), xlabel="observed", ylabel="predicted")
        chart = inline_svg(figure, "Predictions against observations", prefix, {"points": points.titles()})
    return chart, int(outside.sum())


def residuals(points: Points, prefix: str) -> tuple[str, int]:
    """Observed less predicted, by the prediction.

    Returns:
        The chart, and how many points lie beyond its axes and are drawn at their edge.
    """
    errors = points.y_true - points.y_pred
    with mpl.rc_context(chart_settings()):
        figure, axes = _new_chart()
        ends, reach = robust_limits(points.y_pred), max(map(abs, robust_limits(errors)))
        heights = Limits(-reach, reach)
        x, y = np.clip(points.y_pred, *ends), np.clip(errors, *heights)
        axes.axhline(0, color=QUIET, linewidth=1, linestyle=(0, (4, 3)))
        _scatter(axes, x, y)
        axes.set(xlim=ends.around(), ylim=heights.around())
        axes.set(xlabel="predicted", ylabel="observed − predicted")
        chart = inline_svg(figure, "Residuals by prediction", prefix, {"points": points.titles()})
    return chart, int(((x != points.y_pred) | (y != errors)).sum())


def dependence(
    values: np.ndarray,
    names: Sequence[str],
    means: np.ndarray,
    reach: tuple[float, float],
    column: str,
    prefix: str,
    *,
    is_date: bool,
) -> str:
    """The mean prediction by the value of a column of numbers or dates.

    Args:
        values: In order; dates as microseconds since 1970, shape `(n_values,)`.
        names: The same to read.
        means: The mean prediction of each.
        reach: What the axis of predictions shows: the same of all columns, so that they can be compared.
        column: The column's name.
        prefix: Begins every id.
        is_date: Whether the values are moments.
    """
    with mpl.rc_context(chart_settings()):
        figure, axes = _new_chart((5.4, 2.9))
        x = (
            date2num(  # type: ignore[no-untyped-call]
                values.astype("datetime64[us]").astype(datetime)
            )
            if is_date
            else values
        )
        axes.plot(x, means, color=FIRST)
        axes.scatter(x, means, s=22, color=FIRST, linewidths=0, gid="points")
        if is_date:
            locator = AutoDateLocator(minticks=3, maxticks=6)  # type: ignore[no-untyped-call]
            axes.xaxis.set_major_locator(locator)
            axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
        else:
            axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _tick(value, grouped_from=1e4)))
        if len(x) <= FEW_VALUES and not is_date:
            axes.xaxis.set_major_locator(FixedLocator(x.tolist()))
        axes.set(ylim=Limits(*reach).around(), ylabel="mean prediction")
        titles = [f"{name}: {_number(mean)}" for name, mean in zip(names, means, strict=True)]
        return inline_svg(figure, f"Mean prediction by {column}", prefix, {"points": titles})


def _new_chart(size: tuple[float, float] = SIZE) -> tuple[Figure, Axes]:
    figure = Figure(figsize=size, dpi=72, layout="constrained")
    axes = figure.subplots()
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(nbins=6, steps=STEPS))
        axis.set_major_formatter(FuncFormatter(lambda value, _: _tick(value)))
    return figure, axes


def _scale_by_decades(axes: Axes, ratio: float) -> None:
    axes.set_yscale("log")
    # Over less than three decades the powers of ten alone would leave one or two labels.
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0,) if ratio > 1000 else (1.0, 2.0, 5.0), numticks=8))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _tick(value)))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.tick_params(axis="y", which="minor", length=0)


def _scatter(axes: Axes, x: np.ndarray, y: np.ndarray) -> None:
    size = float(np.clip(3000 / max(len(x), 1), 9, 36))
    alpha = float(np.clip(16 / max(len(x), 1) ** 0.5, 0.35, 0.8))
    axes.scatter(x, y, s=size, color=FIRST, alpha=alpha, linewidths=0, gid="points", clip_on=False)


def _legend(figure: Figure) -> None:
    figure.legend(
        loc="outside upper left", ncols=3, frameon=False, fontsize=11, handlelength=1.6, borderpad=0
    )


def _epoch_title(epoch: int, curves: Mapping[str, np.ndarray]) -> str:
    losses = ", ".join(f"{name} {_number(values[epoch - 1])}" for name, values in curves.items())
    return f"epoch {epoch:,}: {losses}"


def _number(value: float) -> str:
    return format_number(float(value))


def _tick(value: float, grouped_from: float = 1e3) -> str:
    if abs(value) >= 1e4:
        return format_number(float(value)).replace("-", "−")
    return f"{value:{',' if abs(value) >= grouped_from else ''}.6g}".replace("-", "−")
