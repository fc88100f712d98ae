"""Figures as SVG inside of a page: text in the page's fonts, colours by its style, and titles to hover over.

Without what belongs to a file of its own. Colours are named by custom properties, so that the page decides
what they are in light and in dark.
"""

import io
import re
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from dlreg.figures.style import settings

# What a chart draws with, and what the page calls it.
FIRST, SECOND, INK, QUIET, GRID = "#0072b2", "#d55e00", "#333333", "#777777", "#e4e4e4"
_PROPERTIES = {FIRST: "--first", SECOND: "--second", INK: "--ink", QUIET: "--quiet", GRID: "--grid"}
_SVG, _XLINK = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}"
_MARKS = ("path", "use")
CHART_STYLE: Any = {
    "svg.fonttype": "none",
    "font.size": 12,
    "axes.labelsize": 12,
    "xtick.labelsize": 11,
    "ytick.labelsize": 11,
    "axes.edgecolor": QUIET,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "grid.color": GRID,
    "lines.linewidth": 1.8,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "path.simplify_threshold": 0.3,
}


def chart_settings() -> Any:
    """Every setting of a chart in a page."""
    return settings() | CHART_STYLE


def inline_svg(figure: Figure, label: str, prefix: str, titles: Mapping[str, Sequence[str]]) -> str:
    """A figure as an element of a page.

    Args:
        figure: Drawn with the colours of this module.
        label: What it shows, for those who do not see it.
        prefix: Begins every id in it: no two elements of a page may have the same.
        titles: What each mark says when one hovers over it, in the order of the marks, by the gid of what
            draws them. Groups of these gids become classes of the same name.
    """
    # Imported here, because the loss curve of a training needs none.
    from xml.etree import ElementTree

    content = io.BytesIO()
    with mpl.rc_context(chart_settings()):
        figure.savefig(content, format="svg", metadata={"Date": None})
    root = ElementTree.fromstring(content.getvalue())  # noqa: S314
    for unneeded in ("metadata", "defs"):
        if (child := root.find(f"{_SVG}{unneeded}")) is not None:
            root.remove(child)
    for gid, texts in titles.items():
        groups = [group for group in root.iter(f"{_SVG}g") if group.get("id") == gid]
        for mark, text in zip((m for group in groups for m in _marks(group)), texts, strict=True):
            ElementTree.SubElement(mark, "title").text = text
        for group in groups:
            group.set("class", gid)
    for element in root.iter():
        element.tag = element.tag.removeprefix(_SVG)
        _tidy(element, prefix)
    for name in ("width", "height", "version"):
        root.attrib.pop(name, None)
    root.attrib |= {"class": "chart", "role": "img", "aria-label": label}
    text = ElementTree.tostring(root, encoding="unicode")
    return re.sub(r"\s*\n\s*", " ", text)


def _marks(group: Any) -> list[Any]:
    """What is drawn in a group, without what is defined to be drawn."""
    marks = []
    for child in group:
        name = child.tag.removeprefix(_SVG)
        if name in _MARKS:
            marks.append(child)
        elif name != "defs":
            marks += _marks(child)
    return marks


def _tidy(element: Any, prefix: str) -> None:
    element.text, element.tail = (text and text.strip() for text in (element.text, element.tail))
    for name, value in list(element.attrib.items()):
        if name == f"{_XLINK}href":
            del element.attrib[name]
            element.set("href", f"#{prefix}{value[1:]}")
        elif name == "id":
            # Of a group nothing refers to it.
            if element.tag == "g":
                del element.attrib[name]
            else:
                element.set("id", prefix + value)
        elif name == "clip-path":
            element.set(name, value.replace("url(#", f"url(#{prefix}"))
        elif name == "style":
            element.set(name, _themed(value))
        elif name in ("d", "x", "y", "transform"):
            element.set(name, re.sub(r"-?\d+\.\d+(e-?\d+)?", _rounded, value))


def _rounded(match: re.Match[str]) -> str:
    return f"{float(match[0]):.1f}".removesuffix(".0")


def _themed(style: str) -> str:
    style = re.sub(r"font: ([\d.]+px)[^;]*", r"font-size: \1", style)
    style = re.sub(r"font-family: [^;]*;? ?", "", style)
    return re.sub(
        r"#[0-9a-f]{6}",
        lambda match: f"var({_PROPERTIES[match[0]]})" if match[0] in _PROPERTIES else match[0],
        style,
    )
