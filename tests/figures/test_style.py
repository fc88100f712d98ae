"""Fonts that have the characters of every name in a figure."""

import warnings

from dlreg.figures import style
from dlreg.figures.learning_curve import plot_loss
from dlreg.figures.writing import render_figure


def loss_figure(target):
    losses = {"loss": [3.0, 2.0, 1.0]}
    return plot_loss(losses, loss_name="mse", best_epoch=3, target=target, target_scaling="standard")


def test_a_font_with_the_glyphs_is_found_and_used(monkeypatch):
    monkeypatch.setattr(
        style, "find_font", lambda characters: "STIXGeneral" if set(characters) == set("소요시") else None
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = loss_figure("소요 시요")
    assert figure.axes[0].texts[0].get_fontfamily() == ["DejaVu Sans", "STIXGeneral"]


def test_where_no_font_has_the_glyphs_that_is_said_once(monkeypatch):
    monkeypatch.setattr(style, "find_font", lambda _: None)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        render_figure(loss_figure("소요 시간"), "png")
    assert len(caught) == 1
    assert "fonts-nanum" in str(caught[0].message)


def test_a_font_is_searched_among_all_installed_ones():
    assert style.find_font("ab") is not None
    assert style.find_font("\U0010fffd") is None
