"""The figure of a search: of one trial and of thousands, with whatever came of them."""

import numpy as np
import pytest

from dlreg.figures.search import MOST_SLICES, SearchedParameter, plot_search
from dlreg.figures.writing import render_figure


def parameters(n_trials, n_parameters, importance=0.1):
    draw = np.random.default_rng(1)
    every = [
        SearchedParameter("training.learning_rate", "log", 10 ** draw.uniform(-4, -1, n_trials), (1e-4, 0.1)),
        SearchedParameter("model.dropout", "linear", draw.uniform(0, 0.5, n_trials), (0.0, 0.5)),
        SearchedParameter(
            "model.hidden_layers",
            "choices",
            draw.integers(0, 2, n_trials) * 1.0,
            (0, 1),
            ["[64]", "[32, 32, 32, 32]"],
        ),
    ]
    every += [
        SearchedParameter(
            f"training.other_{place}", "linear", draw.random(n_trials), (0.0, 0.0 if place == 3 else 1.0)
        )
        for place in range(3, n_parameters)
    ]
    return [
        SearchedParameter(each.name, each.scale, each.values, each.ends, each.labels, importance)
        for each in every[:n_parameters]
    ]


def draw(values, states, n_parameters=3, importance=0.1, *, maximise=False):
    values, states = np.asarray(values, dtype=float), np.asarray(states)
    searched = parameters(len(values), n_parameters, importance)
    numbers = np.arange(len(values))
    figure = plot_search(
        numbers, values, states, searched, metric="validation.rmse", target="y", maximise=maximise
    )
    content = render_figure(figure, "png")
    assert content.startswith(b"\x89PNG")
    return figure, content


def labels_of(axes):
    legend = axes.get_legend()
    return {text.get_text() for text in legend.get_texts()} if legend else set()


@pytest.mark.filterwarnings("error::UserWarning", "error::RuntimeWarning")
@pytest.mark.parametrize("n_trials", [1, 2, 60])
@pytest.mark.parametrize("n_parameters", [1, 3, MOST_SLICES])
def test_any_number_of_trials_and_parameters_is_drawn(n_trials, n_parameters):
    values = 3 + np.random.default_rng(0).random(n_trials)
    figure, content = draw(values, ["complete"] * n_trials, n_parameters)
    shown = {axes.get_xlabel() for axes in figure.get_axes()}
    assert {"trial", "training.learning_rate"} <= shown
    assert len(shown & {each.name for each in parameters(1, n_parameters)}) == n_parameters
    assert content == draw(values, ["complete"] * n_trials, n_parameters)[1]


@pytest.mark.filterwarnings("error::UserWarning", "error::RuntimeWarning")
@pytest.mark.parametrize(
    ("values", "states", "shown"),
    [
        ([np.nan] * 5, ["failed"] * 5, {"failed"}),
        ([3.0] * 5, ["complete"] * 5, {"complete", "best so far", "config's own values"}),
        ([np.nan, 3.0, 9.0, 2.0, 1e300], ["failed", *["complete"] * 4], {"failed", "complete"}),
        ([4.0, np.nan, np.nan, 2.0], ["complete", "pruned", "failed", "complete"], {"pruned", "failed"}),
        ([np.nan, np.nan], ["failed", "pruned"], {"pruned", "failed"}),
    ],
    ids=["failed", "equal", "far", "pruned", "none complete"],
)
def test_whatever_came_of_the_trials_is_marked(values, states, shown):
    figure, _ = draw(values, states)
    assert shown <= labels_of(figure.get_axes()[0])


def test_trials_far_worse_than_most_stand_at_the_edge_and_press_nothing_flat():
    values = np.r_[np.linspace(3, 4, 50), 5000.0]
    figure, _ = draw(values, ["complete"] * 51)
    history = figure.get_axes()[0]
    assert history.get_ylim()[1] < 6
    assert "worse, to 5,000" in labels_of(history)


@pytest.mark.parametrize(("maximise", "course"), [(False, [5, 3, 3, 1]), (True, [5, 5, 7, 7])])
def test_the_best_so_far_only_gets_better(maximise, course):
    figure, _ = draw([5.0, 3.0, 7.0, 1.0], ["complete"] * 4, maximise=maximise)
    (line,) = [line for line in figure.get_axes()[0].lines if line.get_label() == "best so far"]
    assert list(line.get_ydata()) == course


def test_where_importance_is_not_known_none_is_drawn():
    for importance in (None, 0.0):
        figure, _ = draw([3.0, 4.0], ["complete"] * 2, importance=importance)
        assert "What mattered" not in [axes.get_title("left") for axes in figure.get_axes()]
