"""The learning curve: losses by epoch, and what they are in the target's units."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, LogLocator, MaxNLocator, NullFormatter, StrMethodFormatter

from dlreg.figures.limits import Limits, robust_limits
from dlreg.figures.style import (
    BEST,
    NUMBERS,
    TRAIN,
    VALIDATION,
    add_legend,
    new_figure,
    short_name,
    styled,
)
from dlreg.wording import format_number

LOG_SCALE_FROM = 20.0
# Of labels on the axis of errors, as a share of its height.
LEAST_DISTANCE = 0.08
_SCALED = {
    "standard": "of the standardised {}",
    "minmax": "of the min-max scaled {}",
    "log": "of the logarithm of {}, standardised",
    "log1p": "of the logarithm of 1 + {}, standardised",
    "none": "of {}, in its own units",
}


class _Error(NamedTuple):
    """What a loss is in the target's units: a name, and functions there and back."""

    name: str
    of_loss: Callable[[Any], Any]
    loss_of: Callable[[Any], Any]


def plot_loss(
    history: Mapping[str, Sequence[float]],
    *,
    loss_name: str,
    best_epoch: int,
    target: str,
    target_scaling: str,
    target_scale: float | None = None,
    n_members: int = 1,
) -> Figure:
    """Training and validation loss by epoch, the best epoch marked.

    The loss axis is logarithmic where every loss is above 0 and the highest is at least `LOG_SCALE_FROM`
    times the lowest: otherwise the first epochs would press the rest flat. Losses far above the others
    stand at its upper end as triangles, and a line says how many they are. Where the loss tells an error in
    the target's units, as mse and mae of a scaled target do, an axis on the right has it.

    Args:
        history: Keras's history: `loss`, and `val_loss` if there are validation rows.
        loss_name: What the config calls the loss.
        best_epoch: 1-based; 0 for none.
        target: The target's name.
        target_scaling: What the config calls the target's scaling: the loss is in these units.
        target_scale: How many of the target's units are one of the loss's; None where losses hold more than
            the error, as a penalty.
        n_members: How many networks the losses are a mean of.
    """
    curves = {"training": history["loss"], "validation": history.get("val_loss")}
    shown = {
        name: np.asarray(values, dtype=np.float64) for name, values in curves.items() if values is not None
    }
    watched = shown.get("validation", shown["training"])
    epochs = np.arange(1, len(watched) + 1)
    error = _error_of(loss_name, target_scaling, target_scale)
    name = short_name(target)
    members = f", mean of {n_members:,} networks" if n_members > 1 else ""
    with styled(target):
        subtitle = f"{loss_name} {_SCALED[target_scaling].format(name)}{members}"
        figure, axes = new_figure("Learning curve", subtitle, has_legend=True)
        for (label, values), colour in zip(shown.items(), (TRAIN, VALIDATION), strict=False):
            marker = "o" if len(values) <= 12 else ""
            axes.plot(epochs, values, color=colour, marker=marker, label=label)
        if best_epoch:
            value = watched[best_epoch - 1]
            axes.axvline(best_epoch, color=BEST, linewidth=1.2, linestyle=(0, (4, 3)), zorder=1)
            label = f"best epoch {best_epoch:,}: {value:.4g}"
            if error:
                label += f" ({error.name} {format_number(float(error.of_loss(value)))})"
            axes.plot(
                [best_epoch], [value], "o", color=BEST, markersize=9, label=label, zorder=5, clip_on=False
            )
        beyond = _scale_losses(axes, shown)
        margin = 0.5 if len(epochs) == 1 else 0.015 * len(epochs)
        axes.set(xlim=(1 - margin, len(epochs) + margin), xlabel=f"epoch{beyond}", ylabel="loss")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=9, steps=[1, 2, 5, 10], min_n_ticks=1))
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        if error:
            _add_error_axis(axes, error, name)
        add_legend(axes)
        return figure


def _error_of(loss_name: str, target_scaling: str, scale: float | None) -> _Error | None:
    """What a loss says in the target's units, if that is an error people know by name.

    The error of a logarithm is a ratio, and Huber's loss and log-cosh are between two errors.
    """
    if scale is None or target_scaling in ("log", "log1p"):
        return None
    if loss_name == "mse":
        return _Error("RMSE", lambda x: np.sqrt(np.maximum(x, 0)) * scale, lambda x: (x / scale) ** 2)
    if loss_name == "mae" and target_scaling != "none":
        return _Error("MAE", lambda x: x * scale, lambda x: x / scale)
    return None


def _add_error_axis(axes: Axes, error: _Error, name: str) -> None:
    side = axes.secondary_yaxis("right", functions=(error.of_loss, error.loss_of))
    side.set_ylabel(f"{error.name} of {name}")
    low, high = error.of_loss(np.array(axes.get_ylim()))
    if axes.get_yscale() == "log":
        _label_powers(side.yaxis, low, high)
    else:
        _label_apart(side.yaxis, error, (low, high))


def _label_apart(axis: Axis, error: _Error, ends: tuple[float, float]) -> None:
    """Labels errors by round numbers, but for those too close beside another."""
    apart = LEAST_DISTANCE * (error.loss_of(ends[1]) - error.loss_of(ends[0]))
    ticks = [tick for tick in MaxNLocator(7).tick_values(*ends) if ends[0] <= tick <= ends[1]]
    kept = ticks[-1:]
    for tick in reversed(ticks):
        if error.loss_of(kept[-1]) - error.loss_of(tick) >= apart:
            kept.append(tick)
    axis.set_major_locator(FixedLocator(kept))
    axis.set_major_formatter(StrMethodFormatter(NUMBERS))


def _scale_losses(axes: Axes, shown: Mapping[str, np.ndarray]) -> str:
    """Scales the axis of the losses; returns a line that tells of those beyond it."""
    values = np.concatenate(list(shown.values()))
    finite = values[np.isfinite(values)]
    axes.yaxis.set_major_formatter(StrMethodFormatter(NUMBERS))
    if not finite.size:
        return ""
    least = float(finite.min())
    # Over decades the first epochs are not far out.
    highest = 10 ** robust_limits(np.log10(finite)).high if least > 0 else robust_limits(finite).high
    if least > 0 and highest >= LOG_SCALE_FROM * least:
        exponents = Limits(math.log10(least), math.log10(highest)).around()
        ends = Limits(10**exponents.low, 10**exponents.high)
        axes.set_yscale("log")
        _label_powers(axes.yaxis, *ends)
    else:
        ends = Limits(least, highest).around()
        # No loss is below 0.
        ends = Limits(max(ends.low, 0.0) if least >= 0 else ends.low, ends.high)
    axes.set_ylim(ends)
    return _mark_beyond(axes, shown, ends.high)


def _mark_beyond(axes: Axes, shown: Mapping[str, np.ndarray], end: float) -> str:
    n_beyond, highest = 0, end
    for values, colour in zip(shown.values(), (TRAIN, VALIDATION), strict=False):
        beyond = np.flatnonzero(np.isfinite(values) & (values > end))
        # To the layout, marks that are none would stand in the figure's corner.
        if not len(beyond):
            continue
        axes.plot(
            beyond + 1, np.full(len(beyond), end), "^", color=colour, markersize=9, clip_on=False, zorder=4
        )
        n_beyond += len(beyond)
        highest = max(highest, values[beyond].max(initial=end))
    if not n_beyond:
        return ""
    return f"\n{n_beyond:,} loss{'es' * (n_beyond > 1)} beyond the axis, to {format_number(float(highest))}"


def _label_powers(axis: Axis, low: float, high: float) -> None:
    # Over less than three decades the powers of ten alone would leave one or two labels.
    steps = (1.0,) if math.log10(high / low) > 3 else (1.0, 2.0, 5.0)
    axis.set_major_locator(LogLocator(subs=steps, numticks=12))
    axis.set_major_formatter(StrMethodFormatter(NUMBERS))
    axis.set_minor_formatter(NullFormatter())
