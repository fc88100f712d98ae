"""The look of all figures: sizes, colours, and fonts that have the characters of every name in them.

Only `matplotlib.figure.Figure` is used, never pyplot: nothing is global, and the import is half as long.
"""

import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any

import matplotlib as mpl
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from dlreg.errors import printable, warn

TRAIN, VALIDATION, BEST, INK = "#0072B2", "#D55E00", "#555555", "#333333"
MAX_NAME = 48
# As in a text: 1,234,567.
NUMBERS = "{x:,.10g}"
# Of a digit and of a comma, and of what stands between two labels, as shares of the size of the font.
_DIGIT, _COMMA, _BETWEEN = 0.64, 0.32, 0.8
_LEGEND_LINE = 22
_NOTEBOOK_DPI = 72
_STYLE: Any = {
    "font.size": 15,
    "axes.titlesize": 18,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#999999",
    "axes.labelcolor": INK,
    "axes.grid": True,
    "grid.color": "#E4E4E4",
    "axes.axisbelow": True,
    "text.color": INK,
    "text.parse_math": False,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "legend.fontsize": 13,
    "legend.handlelength": 1.4,
    "legend.columnspacing": 1.4,
    "lines.linewidth": 2.4,
    "svg.hashsalt": "dlreg",
    "svg.fonttype": "path",
    "pdf.fonttype": 42,
    "agg.path.chunksize": 10000,
}
# Families that hold Hangul, and mostly Kana and Han too, as common systems install them.
_FAMILIES = (
    "Noto Sans CJK KR", "Noto Sans KR", "NanumGothic", "NanumBarunGothic", "Malgun Gothic", "AppleGothic",
    "Apple SD Gothic Neo", "UnDotum", "Baekmuk Gulim", "Noto Sans CJK JP", "Noto Sans CJK SC", "Unifont",
)  # fmt: skip


def short_name(text: str) -> str:
    """A name as it stands in a figure: printable, and of at most `MAX_NAME` characters."""
    text = printable(text)
    return text if len(text) <= MAX_NAME else f"{text[: MAX_NAME - 1]}…"


@contextmanager
def styled(*names: str) -> Iterator[None]:
    """The look of a figure, with fonts that have the glyphs of each name in it."""
    strange = {
        "".join(sorted({c for c in short_name(name) if ord(c) not in _glyphs("DejaVu Sans")}))
        for name in names
    }
    fonts = {characters: find_font(characters) for characters in sorted(strange - {""})}
    lacking = "".join(sorted({c for characters, family in fonts.items() if not family for c in characters}))
    if lacking:
        warn(
            f"no installed font has the characters {lacking!r}: the figure shows boxes instead. "
            "Install one, such as the package fonts-nanum or fonts-noto-cjk"
        )
    families = list(dict.fromkeys(["DejaVu Sans", *(family for family in fonts.values() if family)]))
    with mpl.rc_context({**settings(), "font.family": families}):
        yield


class ShownFigure(Figure):
    """A figure that a notebook shows, which of others knows only those of pyplot."""

    def _repr_png_(self) -> bytes:
        """The bytes of a PNG; of fewer dots than a file, as a notebook does not scale it."""
        content = io.BytesIO()
        with mpl.rc_context(settings()):
            self.savefig(content, format="png", dpi=_NOTEBOOK_DPI)
        return content.getvalue()


def new_figure(
    title: str, subtitle: str, *, size: tuple[float, float] = (10, 5.625), has_legend: bool = False
) -> tuple[Figure, Axes]:
    """An empty figure with a title, and below it some lines that say of what.

    Args:
        title: What is drawn.
        subtitle: Of which column, on which rows; further lines tell results.
        size: Width and height in inches.
        has_legend: Whether to leave room for `add_legend`.
    """
    figure = ShownFigure(figsize=size, dpi=160, layout=ConstrainedLayoutEngine(w_pad=0.16, h_pad=0.16))
    axes = figure.subplots()
    # At one distance, whatever the height.
    above = 9 + _LEGEND_LINE * has_legend
    axes.set_title(title, pad=above + 9 + 20 * len(subtitle.splitlines()))
    axes.annotate(subtitle, (0, 1), (0, above), "axes fraction", "offset points", fontsize=14, color=BEST)
    return figure, axes


def add_legend(axes: Axes) -> None:
    """A line between the subtitle and the axes: outside of them it is over no curve, whatever its course."""
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, borderaxespad=0.1, borderpad=0.3)


def label_numbers(axis: Axis, limits: tuple[float, float], inches: float | None = None) -> None:
    """Labels an axis by numbers with thousands marks, so many as have room beside each other.

    Args:
        axis: Of figures.
        limits: Its ends.
        inches: Its length, where labels stand beside each other; None where they stand above each other.
    """
    axis.set_major_formatter(StrMethodFormatter(NUMBERS))
    if inches is None:
        return
    for n_bins in range(8, 0, -1):
        locator = MaxNLocator(nbins=n_bins, steps=[1, 2, 2.5, 5, 10])
        ticks = locator.tick_values(*limits)
        room = (ticks[1] - ticks[0]) / (limits[1] - limits[0]) * inches * 72 / _STYLE["font.size"]
        labels = [NUMBERS.format(x=tick) for tick in ticks if limits[0] <= tick <= limits[1]]
        widths = [_DIGIT * len(label) - (_DIGIT - _COMMA) * label.count(",") for label in labels]
        if max(widths, default=0.0) + _BETWEEN <= room:
            break
    axis.set_major_locator(locator)


def settings() -> Any:
    """Every setting, whatever a matplotlibrc says: one in the working directory may be a stranger's."""
    return {key: value for key, value in mpl.rcParamsDefault.items() if key != "backend"} | _STYLE


@cache
def find_font(characters: str) -> str | None:
    """An installed font family that has all these characters, the well-known ones first."""
    return _search(characters) or (_search(characters) if _add_new_fonts() else None)


def _search(characters: str) -> str | None:
    installed = {entry.name for entry in font_manager.fontManager.ttflist}
    families = [family for family in _FAMILIES if family in installed]
    families += sorted(installed - set(families))
    needed = set(map(ord, characters))
    return next((family for family in families if needed <= _glyphs(family)), None)


def _add_new_fonts() -> bool:
    """Adds fonts that were installed after matplotlib made its list; whether there were any."""
    known = {entry.fname for entry in font_manager.fontManager.ttflist}
    added = False
    # With the folders named, matplotlib starts no fc-list to ask for them.
    folders = [*font_manager.X11FontDirectories, *font_manager.OSXFontDirectories]
    for path in set(font_manager.findSystemFonts(folders)) - known:
        with suppress(OSError, RuntimeError, ValueError):
            font_manager.fontManager.addfont(path)
            added = True
    return added


@cache
def _glyphs(family: str) -> frozenset[int]:
    """The code points that a font family has glyphs for."""
    try:
        with _log_held_back():
            font = font_manager.get_font(font_manager.findfont(family, fallback_to_default=False))
    except (ValueError, OSError, RuntimeError):
        return frozenset()
    return frozenset(font.get_charmap())


@contextmanager
def _log_held_back() -> Iterator[None]:
    """A block that tries fonts, of which matplotlib would tell that some have no regular weight."""
    log = logging.getLogger("matplotlib.font_manager")
    before, log.disabled = log.disabled, True
    try:
        yield
    finally:
        log.disabled = before
