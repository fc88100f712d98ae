"""What the figures of rows and columns hold: data, scales, labels, and what lies far out."""

from itertools import pairwise

import numpy as np
import pytest

from dlreg.figures.plots import MAX_BARS, plot_importance, plot_predictions, plot_residuals
from dlreg.figures.writing import render_figure


def test_predictions_share_one_scale_with_the_diagonal():
    y_true, y_pred = np.array([1.0, 5.0, 9.0]), np.array([2.0, 4.0, 12.0])
    figure = plot_predictions(y_true, y_pred, n_rows=len(y_true), target="y", rmse=1.914, r2=0.65)
    axes = figure.axes[0]
    assert axes.get_xlim() == axes.get_ylim()
    assert axes.get_xlim()[0] < 1 and axes.get_xlim()[1] > 12
    assert axes.collections[0].get_offsets().tolist() == [[1, 2], [5, 4], [9, 12]]
    assert axes.texts[0].get_text() == "y on the test rows\nn = 3, RMSE = 1.914, R² = 0.650"
    assert axes.get_legend() is None


@pytest.mark.parametrize("residual", [5e-324, 1e-310, 1e-299, 1e150])
def test_residuals_of_any_size_are_drawn(residual):
    assert plot_residuals(np.full(100, residual), np.zeros(100), target="y").axes


def test_residuals_are_what_is_left_over():
    figure = plot_residuals(np.array([1.0, 5.0]), np.array([3.0, 4.5]), target="y")
    assert figure.axes[0].collections[0].get_offsets().tolist() == [[3, -2], [4.5, 0.5]]
    low, high = figure.axes[0].get_ylim()
    assert low == -high


@pytest.mark.parametrize("n_rows", [1, 5, 100_000])
def test_any_number_of_rows_gives_a_small_file(n_rows):
    y_true = np.random.default_rng(0).normal(size=n_rows)
    for figure in (
        plot_predictions(y_true, y_true * 0.9, n_rows=len(y_true), target="y", rmse=1.0, r2=None),
        plot_residuals(y_true, y_true * 0.9 + 0.1, target="y"),
    ):
        assert len(render_figure(figure, "svg")) < 3_000_000


def report_of(names, **changes):
    columns = [{"name": name, "importance": 5.0 / (k + 1), "std": 0.1} for k, name in enumerate(names)]
    facts = {"metric": "rmse", "value": 3.2, "part": "validation", "n": 1234, "columns": columns}
    return facts | changes


def test_every_column_has_a_bar_with_its_deviation():
    names = ["Wind speed (m/s)", "풍속 등급", "$x_1$"]
    axes = plot_importance(report_of(names), target="소요 시간").axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == names
    assert [bar.get_width() for bar in axes.patches] == [5.0, 2.5, 5.0 / 3]
    (errors,) = axes.collections
    assert np.diff([segment[:, 0] for segment in errors.get_segments()]).ravel() == pytest.approx([0.2] * 3)
    assert axes.get_xlabel() == "increase of the RMSE when permuted"
    low, high = axes.get_ylim()
    assert low > high  # the first is on top


def test_only_the_longest_of_many_bars_are_drawn():
    axes = plot_importance(report_of(map(str, range(MAX_BARS + 12)), metric="r2"), target="y").axes[0]
    assert len(axes.patches) == MAX_BARS
    assert "12 columns" in axes.get_xlabel()
    assert axes.get_xlabel().startswith("decrease of the R²")


def rows_with(*outliers, n_rows=200):
    """Observations from 0 to 1,000, with some predictions and observations put far out."""
    rng = np.random.default_rng(3)
    y_true = rng.uniform(0, 1000, n_rows)
    y_pred = y_true + rng.normal(0, 50, n_rows)
    for row, (observed, predicted) in enumerate(outliers):
        y_true[row], y_pred[row] = observed, predicted
    return y_true, y_pred


def triangles(figure):
    return {
        line.get_marker(): line.get_xydata()
        for line in figure.axes[0].lines
        if line.get_marker() in "<>^v" and len(line.get_xdata())
    }


def test_one_residual_far_out_leaves_the_axis_to_the_others():
    y_true, y_pred = rows_with((-8500.0, 500.0))
    axes = (figure := plot_residuals(y_true, y_pred, target="y")).axes[0]
    assert axes.get_ylim()[1] < 300
    assert axes.get_xlabel() == "predicted\n1 row beyond the axis:\nresidual to −9,000"
    assert triangles(figure)["v"].tolist() == [[500.0, axes.get_ylim()[0]]]
    side = axes.child_axes[0]
    assert sum(bar.get_width() for bar in side.patches) == len(y_true) - 1


def test_rows_far_out_are_told_in_each_direction():
    y_true, y_pred = rows_with((1e5, 500.0), (500.0, -2e5), (-3e5, 100.0), (4e5, 4e5))
    figure = plot_predictions(y_true, y_pred, n_rows=200, target="y", rmse=1.0, r2=None)
    axes = figure.axes[0]
    low, high = axes.get_xlim()
    assert -100 < low < high < 1300
    assert axes.get_xlabel() == (
        "observed\n4 rows beyond the axis:\nobserved to −300,000 and 400,000\npredicted to −200,000 and 400,000"
    )
    assert {marker: len(places) for marker, places in triangles(figure).items()} == {
        "<": 1, ">": 2, "v": 1, "^": 1,
    }  # fmt: skip
    for places in triangles(figure).values():
        assert places.min() >= low and places.max() <= high


@pytest.mark.parametrize("n_rows", [10, 200, 100_000])
def test_where_nothing_is_far_out_everything_is_within(n_rows):
    y_true, y_pred = rows_with(n_rows=n_rows)
    for figure in (
        plot_predictions(y_true, y_pred, n_rows=n_rows, target="y", rmse=1.0, r2=None),
        plot_residuals(y_true, y_pred, target="y"),
    ):
        assert triangles(figure) == {}
        assert "beyond" not in figure.axes[0].get_xlabel()


@pytest.mark.parametrize(
    ("one_width", "words"),
    [
        (True, "90% interval, which holds 88.0%"),
        (False, "90% intervals at their mean width, which hold 88.0%"),
    ],
)
def test_the_band_holds_the_rows_that_are_within_half_a_width(one_width, words):
    y_true, y_pred = rows_with()
    figure = plot_predictions(
        y_true,
        y_pred,
        n_rows=200,
        target="y",
        rmse=1.0,
        r2=None,
        interval=(80.0, 80.0),
        coverage=0.88,
        one_width=one_width,
    )
    axes = figure.axes[0]
    band = next(patch for patch in axes.collections if patch.get_label() == words)
    (path,) = band.get_paths()
    inside = path.contains_points(np.column_stack([y_true, y_pred]))
    assert (inside == (np.abs(y_true - y_pred) <= 80)).all()
    assert 0 < inside.sum() < 200
    render_figure(figure, "png")
    assert axes.get_legend().get_window_extent().y0 >= axes.get_window_extent().y1


def test_hexagons_have_a_bar_that_says_how_many_rows_are_in_each():
    y_true, y_pred = rows_with(n_rows=50_000)
    for figure in (
        plot_predictions(y_true, y_pred, n_rows=50_000, target="y", rmse=1.0, r2=None),
        plot_residuals(y_true, y_pred, target="y"),
    ):
        render_figure(figure, "png")
        (bar,) = [axes for axes in figure.axes[0].child_axes if axes.get_ylabel() == "rows in a hexagon"]
        assert "10" in [label.get_text() for label in bar.get_yticklabels()]


@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e6, 1e12])
def test_numbers_on_axes_have_thousands_marks_and_do_not_touch(unit):
    y_true, y_pred = (values * unit for values in rows_with())
    for figure in (
        plot_predictions(y_true, y_pred, n_rows=200, target="y", rmse=1.0, r2=None),
        plot_residuals(y_true, y_pred, target="y"),
    ):
        render_figure(figure, "png")
        axes = figure.axes[0]
        low, high = axes.get_xlim()
        labels = [
            label
            for label, at in zip(axes.get_xticklabels(), axes.get_xticks(), strict=True)
            if low <= at <= high
        ]
        assert len(labels) >= 2
        boxes = [label.get_window_extent() for label in labels]
        assert all(left.x1 < right.x0 for left, right in pairwise(boxes))
        assert all(
            float(label.get_text().replace(",", "")) == pytest.approx(at, rel=1e-9, abs=1e-20)
            for label, at in zip(labels, [at for at in axes.get_xticks() if low <= at <= high], strict=True)
        )
        if unit == 1e6:
            assert "500,000,000" in [label.get_text() for label in labels]
