"""No figure has an empty margin: a slide has no room to spare."""

import io

import numpy as np
import pytest
from matplotlib.image import imread

from dlreg.figures.compared_curves import plot_curves
from dlreg.figures.learning_curve import plot_loss
from dlreg.figures.plots import plot_predictions, plot_residuals
from dlreg.figures.writing import render_figure

LOSSES = [1 / epoch for epoch in range(1, 40)]
Y = np.random.default_rng(5).normal(size=(2, 200))
FIGURES = {
    "loss": lambda: plot_loss(
        {"loss": LOSSES, "val_loss": LOSSES},
        loss_name="mse",
        best_epoch=39,
        target="y",
        target_scaling="none",
    ),
    "predictions": lambda: plot_predictions(*Y, n_rows=200, target="y", rmse=1.4, r2=-1.0),
    "residuals": lambda: plot_residuals(*Y, target="y"),
    "curves": lambda: plot_curves({"a": LOSSES, "b": LOSSES}, part="validation", target="y"),
}


@pytest.mark.parametrize("name", FIGURES)
def test_the_drawing_reaches_to_a_small_margin_on_all_sides(name):
    pixels = imread(io.BytesIO(render_figure(FIGURES[name](), "png")))[..., :3].mean(axis=2)
    drawn = [np.flatnonzero((pixels < 0.95).any(axis=axis)) for axis in (0, 1)]
    margins = [
        (places[0], len(line) - 1 - places[-1])
        for places, line in zip(drawn, (pixels[0], pixels[:, 0]), strict=True)
    ]
    assert np.max(margins) <= 60, margins
