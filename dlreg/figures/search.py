"""What a search found: its trials one after the other, which parameters mattered, and each by its values."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import FixedLocator, LogLocator, MaxNLocator, NullFormatter, StrMethodFormatter

from dlreg.figures.limits import Limits
from dlreg.figures.style import BEST, INK, NUMBERS, TRAIN, VALIDATION, short_name, styled
from dlreg.wording import format_number

MOST_SLICES, SLICES_PER_ROW = 20, 4
# Of more trials, so many evenly spread ones show the same beside a parameter.
MOST_POINTS = 3000
PRUNED, FAILED = "#9A9A9A", "#B00020"
# Of values that get worse and worse this part is drawn in full, and half as much above it.
SHOWN_SHARE, HEADROOM = 0.8, 0.5
_DASHES = (0, (4, 3))
_HISTORY_INCHES, _SLICE_INCHES = 5.2, 3.1
_LONGEST_LABEL = 12
# How far apart points of one choice stand at most, where the next choice is 1 away.
_SPREAD = 0.3


@dataclass(frozen=True, eq=False)
class SearchedParameter:
    """A parameter and what each trial had of it.

    Attributes:
        name: The dotted key.
        scale: How its axis is divided.
        values: Of each trial, or the place in `labels`; NaN where it is none of these, shape `(n_trials,)`.
        ends: The least and the largest that was searched, and the config's own value.
        labels: The choices in words; none on an axis of numbers.
        importance: Its share; None where it is not known. Where none has any, none is drawn.
    """

    name: str
    scale: Literal["linear", "log", "choices"]
    values: np.ndarray
    ends: tuple[float, float]
    labels: Sequence[str] = ()
    importance: float | None = None


def plot_search(
    numbers: np.ndarray,
    values: np.ndarray,
    states: np.ndarray,
    parameters: Sequence[SearchedParameter],
    *,
    metric: str,
    target: str,
    maximise: bool = False,
) -> Figure:
    """The history of a search, the importance of its parameters, and its values by each of these.

    Trials far worse than most stand at the edge as triangles. Of more than `MOST_SLICES` parameters the most
    important are drawn.

    Args:
        numbers: Of the trials that ended, ascending; 0 is the config's own values. Shape `(n_trials,)`.
        values: Of each; NaN where there is none. Shape `(n_trials,)`.
        states: `complete`, `pruned` or `failed` of each.
        parameters: What was searched.
        metric: What the values are of.
        target: The target's name.
        maximise: Whether more is better.
    """
    is_complete = (states == "complete") & np.isfinite(values)
    shown = sorted(parameters, key=lambda parameter: -(parameter.importance or 0.0))[:MOST_SLICES]
    # Without a value there is nothing to draw a parameter against.
    slices = shown if is_complete.any() else []
    n_columns = min(SLICES_PER_ROW, len(slices))
    n_rows = math.ceil(len(slices) / n_columns) if slices else 0
    heights = [_HISTORY_INCHES, *([_SLICE_INCHES * n_rows] if n_rows else [])]
    with styled(target, *(short_name(label) for parameter in slices for label in parameter.labels)):
        layout = ConstrainedLayoutEngine(w_pad=0.16, h_pad=0.16, wspace=0.02, hspace=0.02)
        figure = Figure(figsize=(15, sum(heights)), dpi=110, layout=layout)
        # Apart, so that long names in one row leave no gap in the others.
        parts = figure.subfigures(len(heights), height_ratios=heights, squeeze=False).ravel()
        above, below = parts[0], parts[1:]
        is_own = is_complete & (numbers == 0)
        plain = values[is_own][0] if is_own.any() else None
        limits = _value_limits(values[is_complete], values[np.isfinite(values)], plain, maximise)
        has_importance = any(parameter.importance for parameter in shown)
        widths = [2.7, 1][: 1 + has_importance]
        history, *side = above.subplots(1, len(widths), width_ratios=widths, squeeze=False).ravel()
        _draw_history(history, numbers, values, states, limits, maximise)
        _name(history, "Search", _summary(states, short_name(target), metric), metric)
        for axes in side:
            _draw_importance(axes, shown)
        if len(below):
            panels = below[0].subplots(n_rows, n_columns, squeeze=False).ravel()
            for place, axes in enumerate(panels):
                if place >= len(slices):
                    axes.set_axis_off()
                    continue
                _draw_slice(
                    axes, slices[place], numbers, values, np.flatnonzero(is_complete), limits, maximise
                )
                axes.tick_params(labelleft=place % n_columns == 0)
                if place % n_columns == 0:
                    axes.set_ylabel(metric, fontsize=12)
        return figure


def _summary(states: np.ndarray, target: str, metric: str) -> str:
    counts = {state: int((states == state).sum()) for state in ("complete", "pruned", "failed")}
    parts = ", ".join(f"{count:,} {state}" for state, count in counts.items() if count)
    return f"{metric} of {target}, {len(states):,} trial{'s' * (len(states) != 1)}: {parts}"


def _name(axes: Axes, title: str, subtitle: str, label: str) -> None:
    axes.set_title(title, pad=56 if subtitle else 10)
    if subtitle:
        axes.annotate(subtitle, (0, 1), (0, 32), "axes fraction", "offset points", fontsize=14, color=BEST)
    axes.set_ylabel(label)


def _value_limits(
    complete: np.ndarray, known: np.ndarray, plain: float | None, maximise: bool
) -> Limits | None:
    """What the axis of values shows: the better trials, and the config's own value unless it is far worse.

    Args:
        complete: The values of the complete trials.
        known: Those of all; one that was given up may have been the best until then.
        plain: The config's own; None where there is none.
        maximise: Whether more is better.
    """
    if not complete.size:
        return None
    sign = -1.0 if maximise else 1.0
    losses = sign * complete
    best, worst = float(losses.min()), float(losses.max())
    good = float(np.quantile(losses, SHOWN_SHARE))
    end = good + HEADROOM * (good - best)
    if plain is not None and sign * plain <= best + 4 * max(good - best, 1e-300):
        end = max(end, sign * plain)
    end = min(max(end, good), worst)
    ends = sorted((sign * float((sign * known).min()), sign * end))
    return Limits(*ends).around(0.06)


def _draw_history(
    axes: Axes,
    numbers: np.ndarray,
    values: np.ndarray,
    states: np.ndarray,
    limits: Limits | None,
    maximise: bool,
) -> None:
    size = float(np.clip(3000 / max(len(values), 1), 4, 42))
    has_value = np.isfinite(values)
    last = int(numbers[-1])
    margin = 0.5 if last == 0 else max(0.015 * last, 0.3)
    axes.set_xlim(-margin, last + margin)
    if limits is not None:
        axes.set_ylim(limits)
        within = has_value & ~limits.leave_out(np.where(has_value, values, limits.low))
        if within.any():
            alpha = float(np.clip(12 / max(len(values), 1) ** 0.5, 0.25, 0.8))
            axes.scatter(
                numbers[within], values[within], s=size, c=TRAIN, alpha=alpha, linewidths=0, label="complete"
            )
        _draw_beyond(axes, numbers, values, has_value & ~within, limits, maximise)
        complete = np.where((states == "complete") & has_value, values, -np.inf if maximise else np.inf)
        so_far = np.maximum.accumulate(complete) if maximise else np.minimum.accumulate(complete)
        known = np.isfinite(so_far)
        axes.step(
            numbers[known], so_far[known], where="post", color=VALIDATION, linewidth=2.2, label="best so far",
            zorder=4,
        )  # fmt: skip
        if known.any():
            best = int(np.argmax(complete) if maximise else np.argmin(complete))
            axes.plot(
                [numbers[best]], [values[best]], "*", color=VALIDATION, markersize=15, zorder=5, clip_on=False
            )
        if numbers[0] == 0 and states[0] == "complete" and has_value[0] and not limits.leave_out(values[0]):
            axes.axhline(
                values[0], color=INK, linewidth=1.3, linestyle=_DASHES, label="config's own values", zorder=3
            )
    else:
        axes.set_ylim(0, 1)
        axes.tick_params(labelleft=False)
        axes.text(0.5, 0.5, "no trial was trained to its end", ha="center", transform=axes.transAxes)
    for state, colour in (("pruned", PRUNED), ("failed", FAILED)):
        rows = ~has_value & (states == state)
        if rows.any():
            axes.plot(
                numbers[rows], np.zeros(rows.sum()), "|", color=colour, markersize=9, label=state,
                transform=axes.get_xaxis_transform(), clip_on=False, zorder=5,
            )  # fmt: skip
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=9, steps=[1, 2, 5, 10], min_n_ticks=1))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.yaxis.set_major_formatter(StrMethodFormatter(NUMBERS))
    axes.set_xlabel("trial")
    legend = axes.legend(
        loc="lower left", bbox_to_anchor=(0, 1), ncols=6, borderaxespad=0.1, borderpad=0.3, fontsize=12,
        handlelength=1.2, columnspacing=1.1,
    )  # fmt: skip
    for handle in legend.legend_handles:
        if isinstance(handle, PathCollection):
            handle.set_sizes([36])
            handle.set_alpha(0.9)


def _draw_beyond(
    axes: Axes, x: np.ndarray, values: np.ndarray, rows: np.ndarray, limits: Limits, maximise: bool
) -> None:
    """Marks trials that are far worse at the edge."""
    if not rows.any():
        return
    marker, end = ("v", limits.low) if maximise else ("^", limits.high)
    worst = float(values[rows].min() if maximise else values[rows].max())
    axes.plot(
        x[rows], np.full(int(rows.sum()), end), marker, color=PRUNED, markersize=5, clip_on=False, alpha=0.5,
        markeredgewidth=0, label=f"worse, to {format_number(worst)}",
    )  # fmt: skip


def _draw_importance(axes: Axes, parameters: Sequence[SearchedParameter]) -> None:
    names = [_short_key(parameter.name) for parameter in parameters]
    shares = [100 * (parameter.importance or 0.0) for parameter in parameters]
    positions = np.arange(len(names))
    axes.barh(positions, shares, color=TRAIN, height=0.66)
    size = float(np.clip(13 - 0.25 * len(names), 8, 13))
    axes.set_yticks(positions, names, fontsize=size)
    axes.set_ylim(max(len(names), 3) - 0.4, -0.6)
    axes.set_xlim(0, max(shares) * 1.2 or 1)
    for position, share in enumerate(shares):
        axes.text(share, position, f" {share:.0f}%", va="center", fontsize=size, color=INK)
    axes.grid(visible=False, axis="y")
    axes.xaxis.set_major_locator(MaxNLocator(nbins=4))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}%"))
    axes.set_title("What mattered", pad=10)


def _short_key(name: str) -> str:
    """A key without its section, which the wide names of a space would leave no room for."""
    return short_name(name.partition(".")[2] or name)


def _draw_slice(
    axes: Axes,
    parameter: SearchedParameter,
    numbers: np.ndarray,
    values: np.ndarray,
    complete: np.ndarray,
    limits: Limits | None,
    maximise: bool,
) -> None:
    """The values of the complete trials against what each had of a parameter."""
    x = parameter.values
    known = complete[np.isfinite(x[complete])]
    positions = x
    if parameter.scale == "choices":
        # Beside each other, as points of one choice would hide those under them.
        positions = x + _SPREAD * (np.modf(numbers * 0.6180339887)[0] - 0.5)
    if limits is not None:
        axes.set_ylim(limits)
        within = known[~limits.leave_out(values[known])]
        within = within[:: math.ceil(len(within) / MOST_POINTS) or 1]
        size = float(np.clip(2500 / max(len(values), 1), 5, 30))
        axes.scatter(
            positions[within], values[within], s=size, c=TRAIN, linewidths=0,
            alpha=float(np.clip(12 / max(len(values), 1) ** 0.5, 0.25, 0.8)),
        )  # fmt: skip
        worse = known[limits.leave_out(values[known])]
        if len(worse):
            marker, end = ("v", limits.low) if maximise else ("^", limits.high)
            axes.plot(
                positions[worse], np.full(len(worse), end), marker, color=PRUNED, markersize=4, alpha=0.4,
                markeredgewidth=0, clip_on=False,
            )  # fmt: skip
        if len(complete):
            best = complete[np.argmax(values[complete]) if maximise else np.argmin(values[complete])]
            if np.isfinite(x[best]):
                axes.plot([positions[best]], [values[best]], "*", color=VALIDATION, markersize=14, zorder=5)
            else:
                axes.annotate(
                    "the best has none of these values", (0.5, 1), (0, -4), "axes fraction", "offset points",
                    ha="center", va="top", fontsize=10, color=VALIDATION,
                )  # fmt: skip
            is_own = complete[0] == 0 and numbers[0] == 0 and np.isfinite(x[0])
            if is_own and not limits.leave_out(values[0]):
                axes.plot(
                    [positions[0]],
                    [values[0]],
                    "D",
                    markerfacecolor="none",
                    color=INK,
                    markersize=7,
                    zorder=4,
                )
    _scale(axes, parameter)
    axes.yaxis.set_major_formatter(StrMethodFormatter(NUMBERS))
    axes.yaxis.set_major_locator(MaxNLocator(nbins=6))
    axes.tick_params(labelsize=11)
    axes.set_xlabel(short_name(parameter.name), fontsize=12)


def _scale(axes: Axes, parameter: SearchedParameter) -> None:
    low, high = parameter.ends
    if parameter.scale == "choices":
        names = [
            name if len(name) <= _LONGEST_LABEL else f"{name[: _LONGEST_LABEL - 1]}…"
            for name in map(short_name, parameter.labels)
        ]
        axes.set_xlim(-0.6, len(names) - 0.4)
        crowded = sum(map(len, names)) > 24 or len(names) > 6
        axes.set_xticks(
            range(len(names)), names, rotation=35 if crowded else 0, ha="right" if crowded else "center"
        )
        axes.grid(visible=False, axis="x")
    elif parameter.scale == "log" and low > 0:
        axes.set_xscale("log")
        margin = (high / low) ** 0.05
        axes.set_xlim(low / margin, high * margin)
        decades = math.log10(high / low)
        subs = (1.0,) if decades > 2 else (1.0, 2.0, 5.0)
        axes.xaxis.set_major_locator(LogLocator(subs=subs, numticks=5))
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axes.xaxis.set_minor_formatter(NullFormatter())
    else:
        axes.set_xlim(Limits(low, high).around(0.05))
        axes.xaxis.set_major_locator(MaxNLocator(nbins=5) if high > low else FixedLocator([low]))
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.6g}"))
