"""The look of all figures: sizes, colours, and fonts that have the characters of every name in them.

Only `matplotlib.figure.Figure` is used, never pyplot: nothing is global, and the import is half as long.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any

import matplotlib as mpl
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from dlreg.errors import printable

TRAIN, VALIDATION, BEST, INK = "#0072B2", "#D55E00", "#555555", "#333333"
MAX_NAME = 48
_STYLE: Any = {
    "font.size": 15,
    "axes.titlesize": 18,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 38,
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
    "legend.frameon": True,
    "legend.edgecolor": "none",
    "legend.framealpha": 0.9,
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
        warnings.warn(
            f"no installed font has the characters {lacking!r}: the figure shows boxes instead. "
            "Install one, such as the package fonts-nanum or fonts-noto-cjk",
            stacklevel=3,
        )
    families = list(dict.fromkeys(["DejaVu Sans", *(family for family in fonts.values() if family)]))
    with mpl.rc_context({**settings(), "font.family": families}):
        yield


def new_figure(title: str, subtitle: str, size: tuple[float, float] = (10, 5.625)) -> tuple[Figure, Axes]:
    """An empty figure with a title, and below it a line that says of what.

    Args:
        title: What is drawn.
        subtitle: Of which column, on which rows.
        size: Width and height in inches.
    """
    figure = Figure(figsize=size, dpi=160, layout=ConstrainedLayoutEngine(w_pad=0.16, h_pad=0.16))
    axes = figure.subplots()
    axes.set_title(title)
    # At one distance, whatever the height.
    axes.annotate(subtitle, (0, 1), (0, 9), "axes fraction", "offset points", fontsize=14, color=BEST)
    return figure, axes


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
        font = font_manager.get_font(font_manager.findfont(family, fallback_to_default=False))
    except (ValueError, OSError, RuntimeError):
        return frozenset()
    return frozenset(font.get_charmap())
