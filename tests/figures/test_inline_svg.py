"""A figure as an element of a page: its texts, colours, ids and titles."""

from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure

from dlreg.figures.inline_svg import FIRST, INK, chart_settings, inline_svg


def drawn(n_points=3, label="y", prefix="a-", titles=None):
    with mpl.rc_context(chart_settings()):
        figure = Figure(figsize=(4, 3))
        axes = figure.subplots()
        axes.scatter(np.arange(n_points), np.arange(n_points), color=FIRST, gid="points")
        axes.plot([0, 1], [0, 1], color=INK)
        axes.set_ylabel(label)
    texts = [f"point {place}" for place in range(n_points)] if titles is None else titles
    return inline_svg(figure, "A chart", prefix, {"points": texts})


@pytest.mark.parametrize("n_points", [1, 2, 7, 300])
def test_each_mark_has_its_title_in_order(n_points):
    root = ElementTree.fromstring(drawn(n_points))
    (group,) = [group for group in root.iter("g") if group.get("class") == "points"]
    marks = [mark for mark in group.iter() if mark.find("title") is not None]
    assert [mark.find("title").text for mark in marks] == [f"point {place}" for place in range(n_points)]
    assert {mark.tag for mark in marks} <= {"use", "path"}


@pytest.mark.parametrize("titles", [["one"], ["one"] * 4])
def test_as_many_titles_as_marks_are_asked_for(titles):
    with pytest.raises(ValueError, match="zip"):
        drawn(3, titles=titles)


def test_colours_are_the_pages_and_texts_its_fonts():
    text = drawn()
    assert "var(--first)" in text and "var(--ink)" in text
    assert FIRST not in text and "DejaVu" not in text and "<text" in text
    for unneeded in ("<style", "<metadata", "xlink", "<?xml", "DOCTYPE", "font:"):
        assert unneeded not in text


def test_every_id_begins_with_the_prefix_and_is_referred_to():
    root = ElementTree.fromstring(drawn(prefix="z9-"))
    ids = {element.get("id") for element in root.iter()} - {None}
    assert ids and all(name.startswith("z9-") for name in ids)
    text = ElementTree.tostring(root, encoding="unicode")
    assert all(f"#{name}" in text for name in ids if name.startswith(("z9-p", "z9-m")))
    for element in root.iter("use"):
        assert element.get("href").removeprefix("#") in ids


@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>", "</svg>", 'a" onload="x', "&amp;", "$x_1$", "#0072b2"]
)
def test_no_name_becomes_markup(name):
    root = ElementTree.fromstring(drawn(label=name, titles=[name] * 3))
    assert name in [element.text for element in root.iter("text")]
    assert [element.text for element in root.iter("title")] == [name] * 3
    assert not list(root.iter("script"))


def test_equal_figures_are_equal_text():
    assert drawn() == drawn()
