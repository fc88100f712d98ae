"""What the learning curve holds: both losses, scales, labels – and that any name can stand in it."""

import io
import re
from itertools import pairwise

import numpy as np
import pytest
from matplotlib.image import imread

from dlreg.figures.learning_curve import plot_loss
from dlreg.figures.writing import render_figure

EPOCHS = np.arange(1, 101)
HISTORY = {"loss": list(1 / EPOCHS), "val_loss": list(0.2 + 1 / EPOCHS), "mae": [1.0] * 100}


def loss_figure(
    history=HISTORY, best_epoch=100, target="y", target_scaling="standard", loss_name="mse", **options
):
    return plot_loss(
        history,
        loss_name=loss_name,
        best_epoch=best_epoch,
        target=target,
        target_scaling=target_scaling,
        **options,
    )


def lines_of(figure):
    return {line.get_label(): line for line in figure.axes[0].lines}


def subtitle_of(figure):
    return figure.axes[0].texts[0].get_text()


def test_both_losses_and_the_best_epoch_are_drawn():
    figure = loss_figure(best_epoch=40)
    lines = lines_of(figure)
    assert list(lines["training"].get_ydata()) == HISTORY["loss"]
    assert list(lines["validation"].get_ydata()) == HISTORY["val_loss"]
    assert list(lines["training"].get_xdata()) == list(EPOCHS)
    assert list(lines["best epoch 40: 0.225"].get_xydata()[0]) == [40, 0.225]
    assert {text.get_text() for text in figure.axes[0].get_legend().get_texts()} == {
        "training", "validation", "best epoch 40: 0.225",
    }  # fmt: skip


def test_without_validation_rows_the_training_loss_stands_alone():
    lines = lines_of(loss_figure({"loss": [3.0, 2.0, 1.0]}, best_epoch=3))
    assert "validation" not in lines
    assert "best epoch 3: 1" in lines


@pytest.mark.parametrize(
    ("losses", "scale"),
    [
        ([100.0, 10.0, 1.0], "log"),
        ([2.0, 1.5, 1.0], "linear"),
        ([100.0, 1.0, 0.0], "linear"),
        ([5.0, np.nan, np.inf], "linear"),
    ],
)
def test_the_scale_is_logarithmic_where_it_helps(losses, scale):
    figure = loss_figure({"loss": losses}, best_epoch=0)
    assert figure.axes[0].get_yscale() == scale
    render_figure(figure, "png")


def test_a_log_scale_has_more_than_one_readable_label():
    figure = loss_figure({"loss": list(np.geomspace(0.9, 0.03, 50))}, best_epoch=50)
    render_figure(figure, "png")
    axes = figure.axes[0]
    low, high = axes.get_ylim()
    labels = [
        tick.get_text()
        for tick, at in zip(axes.get_yticklabels(), axes.get_yticks(), strict=True)
        if low <= at <= high
    ]
    assert len(labels) >= 3
    assert "0.1" in labels


@pytest.mark.parametrize(
    ("scaling", "words"),
    [
        ("standard", "standardised"),
        ("minmax", "min-max"),
        ("log", "logarithm"),
        ("log1p", "1 + "),
        ("none", "own units"),
    ],
)
def test_the_axis_says_in_what_units_the_loss_is(scaling, words):
    label = subtitle_of(loss_figure(target="price", target_scaling=scaling))
    assert "mse" in label
    assert "price" in label
    assert words in label


@pytest.mark.parametrize("n_epochs", [1, 2, 10_000])
def test_any_number_of_epochs_is_drawn(n_epochs):
    figure = loss_figure({"loss": list(1 / np.arange(1, n_epochs + 1))}, best_epoch=n_epochs)
    picture = imread(io.BytesIO(render_figure(figure, "png")))
    assert picture.shape[:2] == (900, 1600)
    assert (lines_of(figure)["training"].get_marker() == "o") == (n_epochs < 13)


@pytest.mark.parametrize(
    "target", ["$x$", "$\\frac{1", "a\nb", "\x1b[31m", "x" * 500, "_", "{}", "50 %", "--help"]
)
def test_any_name_is_drawn_as_it_is(target):
    figure = loss_figure(target=target)
    render_figure(figure, "png")
    label = subtitle_of(figure)
    assert label.isprintable()
    assert len(label) < 120


@pytest.mark.parametrize(("file_format", "start"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")])
def test_equal_figures_give_equal_bytes(file_format, start):
    first, second = (render_figure(loss_figure(), file_format) for _ in range(2))
    assert first == second
    assert first.startswith(start)


def boxes_of(figure):
    """Where the legend and the axes stand, in pixels, once the figure is laid out."""
    render_figure(figure, "png")
    axes = figure.axes[0]
    return axes.get_legend().get_window_extent(), axes.get_window_extent()


@pytest.mark.parametrize(
    "losses",
    [
        [0.5],
        list(np.geomspace(1e6, 1e-6, 50)),
        list(1 - np.geomspace(1e-3, 0.9, 50)),
        [1.0, 5.0] * 50,
        [0.0, 0.0, 9.0],
        [*np.linspace(1, 2, 99), 1e30],
    ],
)
def test_the_legend_lies_over_no_curve(losses):
    best_epoch = int(np.argmin(losses[::-1])) + 1
    figure = loss_figure({"loss": losses, "val_loss": losses[::-1]}, best_epoch, target_scale=1e7)
    legend, plot = boxes_of(figure)
    axes = figure.axes[0]
    assert legend.y0 >= plot.y1
    assert legend.x1 <= figure.bbox.x1
    # Nor over the words above it.
    for words in (axes.title, axes._left_title, axes.texts[0]):
        assert not legend.overlaps(words.get_window_extent()), words


def test_a_loss_far_above_the_others_stands_at_the_edge_and_is_told():
    losses = [*np.linspace(1.5, 1.0, 99), 3e5]
    figure = loss_figure({"loss": losses, "val_loss": losses}, best_epoch=99)
    axes = figure.axes[0]
    assert axes.get_ylim()[1] < 2
    assert axes.get_xlabel() == "epoch\n2 losses beyond the axis, to 300,000"
    markers = [line for line in axes.lines if line.get_marker() == "^"]
    assert [line.get_xydata().tolist() for line in markers] == [[[100, axes.get_ylim()[1]]]] * 2


def test_the_first_epochs_of_a_steep_fall_are_not_beyond_the_axis():
    figure = loss_figure({"loss": [*np.geomspace(1e4, 2.0, 10), *np.linspace(1.5, 1.0, 90)]})
    assert figure.axes[0].get_yscale() == "log"
    assert figure.axes[0].get_xlabel() == "epoch"


def error_labels(figure):
    """The axis on the right: its name, and its labels with the losses at whose height they stand."""
    render_figure(figure, "png")
    (side,) = figure.axes[0].child_axes
    low, high = side.get_ylim()
    ticks = [tick for tick in side.yaxis.get_major_ticks() if low <= tick.get_loc() <= high]
    return side.get_ylabel(), [tick.label2.get_text() for tick in ticks]


@pytest.mark.parametrize(
    ("loss_name", "scaling", "scale", "name", "best"),
    [
        ("mse", "standard", 5000.0, "RMSE", 5000 * 0.21**0.5),
        ("mse", "minmax", 5000.0, "RMSE", 5000 * 0.21**0.5),
        ("mse", "none", 1.0, "RMSE", 0.21**0.5),
        ("mae", "standard", 5000.0, "MAE", 5000 * 0.21),
    ],
)
def test_the_loss_is_told_in_the_units_of_the_target(loss_name, scaling, scale, name, best):
    figure = loss_figure(loss_name=loss_name, target_scaling=scaling, target_scale=scale, target="price")
    label, ticks = error_labels(figure)
    assert label == f"{name} of price"
    assert len(ticks) >= 3
    if scale > 1:
        assert "1,000" in ticks
    (legend,) = [text for text in lines_of(figure) if text.startswith("best")]
    said = float(re.search(rf"\({name} (.*)\)", legend)[1].replace(",", ""))
    assert said == pytest.approx(best, rel=1e-3)


@pytest.mark.parametrize(
    ("loss_name", "scaling", "scale"),
    [
        ("mse", "log", 2.0),
        ("mae", "log1p", 2.0),
        ("huber", "standard", 2.0),
        ("log_cosh", "none", 1.0),
        ("mae", "none", 1.0),
        ("mse", "standard", None),
    ],
)
def test_a_loss_that_is_no_error_in_these_units_has_no_such_axis(loss_name, scaling, scale):
    figure = loss_figure(loss_name=loss_name, target_scaling=scaling, target_scale=scale)
    assert figure.axes[0].child_axes == []
    assert "best epoch 100: 0.21" in lines_of(figure)


def test_labels_of_errors_are_apart_where_losses_go_down_to_nothing():
    figure = loss_figure({"loss": [0.0, *np.linspace(2, 1, 50)]}, best_epoch=1, target_scale=1234567.0)
    (side,) = (error_labels(figure), figure.axes[0].child_axes)[1]
    boxes = [tick.label2.get_window_extent() for tick in side.yaxis.get_major_ticks()]
    boxes = sorted((box for box in boxes if box.height), key=lambda box: box.y0)
    assert len(boxes) >= 4
    assert all(lower.y1 <= upper.y0 for lower, upper in pairwise(boxes))


def test_several_members_are_said():
    assert subtitle_of(loss_figure(n_members=5)) == "mse of the standardised y, mean of 5 networks"


def test_one_epoch_has_one_label():
    figure = loss_figure({"loss": [3.0]}, best_epoch=1)
    render_figure(figure, "png")
    low, high = figure.axes[0].get_xlim()
    assert [tick for tick in figure.axes[0].get_xticks() if low <= tick <= high] == [1]
