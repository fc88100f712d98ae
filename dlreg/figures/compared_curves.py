"""The learning curves of several runs in one figure."""

from collections.abc import Mapping, Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from dlreg.errors import printable
from dlreg.figures.inline_svg import chart_settings, inline_svg
from dlreg.figures.limits import Limits, robust_limits
from dlreg.figures.style import NUMBERS, new_figure, short_name, styled
from dlreg.wording import format_number

# Told apart with any kind of colour vision: Okabe and Ito, Color Universal Design, 2008.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#333333")
_DASHES = ("-", (0, (5, 2)), (0, (1, 1.5)))
MOST_CURVES = len(_COLOURS) * len(_DASHES)


def plot_curves(curves: Mapping[str, Sequence[float]], *, part: str, target: str) -> Figure:
    """The MAE by epoch of several runs, in the target's units whatever their losses are.

    Args:
        curves: For each run, by its name, a number per epoch; at most `MOST_CURVES`.
        part: Which rows the error is of.
        target: The target's name.
    """
    names = [short_name(name) for name in curves]
    with styled(target, *names):
        width = 10 + 0.1 * max(map(len, names))
        figure, axes = new_figure(
            "Learning curves", f"MAE of {short_name(target)}, {part} rows", size=(width, 5.625)
        )
        _draw(axes, dict(zip(names, curves.values(), strict=True)))
        # Beside the axes it is over no curve; the best run, which comes first, stands on top.
        axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1), borderaxespad=0)
        return figure


def chart_curves(curves: Mapping[str, Sequence[float]], prefix: str) -> str:
    """The same as an element of a page.

    Args:
        curves: For each run, by its name, a number per epoch.
        prefix: Begins every id in it.
    """
    with mpl.rc_context(chart_settings()):
        figure = Figure(figsize=(10, 4), layout="constrained")
        axes = figure.subplots()
        _draw(axes, {short_name(name): values for name, values in curves.items()})
        axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1), borderaxespad=0, fontsize=11)
        titles = [
            f"{printable(name)}: the least is {format_number(min(values))}, "
            f"in epoch {int(np.argmin(values)) + 1:,}"
            for name, values in curves.items()
        ]
        return inline_svg(figure, "Error of the runs by epoch", prefix, {"curves": titles})


def _draw(axes: Axes, curves: Mapping[str, Sequence[float]]) -> None:
    for number, (name, values) in enumerate(curves.items()):
        axes.plot(
            np.arange(1, len(values) + 1),
            values,
            color=_COLOURS[number % len(_COLOURS)],
            # Of one epoch there is no line, and each curve is one mark.
            linestyle=_DASHES[number // len(_COLOURS)] if len(values) > 1 else "",
            marker="" if len(values) > 1 else "o",
            label=name,
            gid="curves",
        )
    errors = np.concatenate([np.asarray(values, dtype=np.float64) for values in curves.values()])
    limits = robust_limits(errors).around()
    axes.set(ylim=Limits(max(limits.low, 0.0), limits.high), xlabel="epoch", ylabel="MAE")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=9, steps=[1, 2, 5, 10], min_n_ticks=1))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.yaxis.set_major_formatter(StrMethodFormatter(NUMBERS))
