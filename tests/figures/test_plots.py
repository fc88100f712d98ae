"""What the figures hold: data, scales, labels – and that any name can stand in them."""

import numpy as np
import pytest
from matplotlib.image import imread

from dlreg.figures.plots import MAX_BARS, plot_importance, plot_loss, plot_predictions, plot_residuals
from dlreg.figures.writing import render_figure

EPOCHS = np.arange(1, 101)
HISTORY = {"loss": list(1 / EPOCHS), "val_loss": list(0.2 + 1 / EPOCHS), "mae": [1.0] * 100}


def loss_figure(history=HISTORY, best_epoch=100, target="y", target_scaling="standard"):
    return plot_loss(
        history, loss_name="mse", best_epoch=best_epoch, target=target, target_scaling=target_scaling
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
    picture = imread(__import__("io").BytesIO(render_figure(figure, "png")))
    assert picture.shape[:2] == (900, 1600)
    assert (lines_of(figure)["training"].get_marker() == "o") == (n_epochs < 13)


def test_predictions_share_one_scale_with_the_diagonal():
    y_true, y_pred = np.array([1.0, 5.0, 9.0]), np.array([2.0, 4.0, 12.0])
    figure = plot_predictions(y_true, y_pred, n_rows=len(y_true), target="y", rmse=1.914, r2=0.65)
    axes = figure.axes[0]
    assert axes.get_xlim() == axes.get_ylim()
    assert axes.get_xlim()[0] < 1 and axes.get_xlim()[1] > 12
    assert axes.collections[0].get_offsets().tolist() == [[1, 2], [5, 4], [9, 12]]
    assert "n = 3\nRMSE = 1.914\nR² = 0.650" in [text.get_text() for text in axes.texts]


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
