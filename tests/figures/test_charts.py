"""The charts of a page: what they show of values of any size, and what a mark says."""

import re

import numpy as np
import pytest

from dlreg.figures import charts

NUMBERS = re.compile(r"<title>(.*?)</title>")


def points(y_true, y_pred, margins=None):
    y_true, y_pred = np.asarray(y_true, dtype=float), np.asarray(y_pred, dtype=float)
    return charts.Points(np.arange(len(y_true)), y_true, y_pred, margins)


def test_a_point_tells_its_row():
    chart, n_beyond = charts.predictions(
        points([1.0, 2.5], [1.5, 2.0], np.array([[0.5, 0.5], [0.25, 0.75]])), "p-"
    )
    assert NUMBERS.findall(chart) == [
        "row 0: observed 1, predicted 1.5 ± 0.5",
        "row 1: observed 2.5, predicted 2 − 0.25 + 0.75",
    ]
    assert n_beyond == 0


def test_one_far_value_is_drawn_at_the_edge_and_counted():
    y = np.random.default_rng(1).normal(100, 10, 200)
    spoilt = y.copy()
    spoilt[7] = 1e6
    predicted = y + np.random.default_rng(2).normal(size=200)
    chart, n_beyond = charts.predictions(points(spoilt, predicted), "p-")
    assert n_beyond == 1 and "1,000,000" in NUMBERS.findall(chart)[7]
    assert charts.residuals(points(spoilt, predicted), "p-")[1] == 1


@pytest.mark.parametrize("scale", [1e-150, 1e-9, 1.0, 1e9, 1e150])
def test_values_of_any_size_are_drawn(scale):
    y = scale * np.random.default_rng(3).normal(size=20)
    some = points(y, y[::-1], np.full((20, 2), scale))
    for chart in (charts.predictions(some, "p-")[0], charts.residuals(some, "e-")[0]):
        assert len(NUMBERS.findall(chart)) == 20
    curve = charts.learning_curve(
        {"training": [scale, 0.5 * scale], "validation": [2 * scale, scale]}, 2, "loss", "l-"
    )
    assert len(NUMBERS.findall(curve)) == 2


@pytest.mark.parametrize("n_epochs", [1, 2, 119, 120, 121, 1000])
def test_every_epoch_or_so_can_be_hovered_over(n_epochs):
    loss = np.linspace(1, 0.5, n_epochs)
    titles = NUMBERS.findall(charts.learning_curve({"training": loss}, n_epochs, "MAE", "l-"))
    assert len(titles) == min(n_epochs, charts.MOST_BANDS)
    assert titles[-1] == f"epoch {n_epochs:,}: training {loss[-1]:.4g}"


def test_losses_of_several_decades_have_an_axis_of_decades():
    chart = charts.learning_curve({"training": [100.0, 1.0, 0.01]}, 3, "loss", "l-")
    assert ">100</text>" in chart and ">0.01</text>" in chart
    assert "mathdefault" not in chart


def test_dependence_tells_each_value_and_keeps_the_scale_it_is_given():
    means = np.array([1.0, 2.0, 1.5])
    chart = charts.dependence(
        np.array([0.0, 1, 2]), ["0", "1", "2"], means, (0.0, 40.0), "x", "d-", is_date=False
    )
    assert NUMBERS.findall(chart) == ["0: 1", "1: 2", "2: 1.5"]
    assert ">40</text>" in chart
    days = np.array(["2024-01-01", "2024-06-01"], dtype="datetime64[us]").astype(np.int64)
    dated = charts.dependence(days, ["a", "b"], means[:2], (1.0, 2.0), "x", "d-", is_date=True)
    assert "2024" in dated
