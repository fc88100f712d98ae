"""What the figure of a search is drawn from: each trial where its own values are."""

import math

import pytest

from dlreg.commands import tune_figure
from dlreg.commands.tune_figure import search_png
from dlreg.commands.tune_results import Ended
from dlreg.figures.search import plot_search
from dlreg.search.space import Choices, Range
from dlreg.search.trials import Trial, TrialResult


@pytest.fixture
def draw(monkeypatch):
    """The panels of a figure by the label below them, as they are drawn."""

    def drawn(space, own, trials):
        figures = []

        def keep(*arguments, **options):
            figures.append(plot_search(*arguments, **options))
            return figures[-1]

        monkeypatch.setattr(tune_figure, "plot_search", keep)
        ended = [
            Ended(Trial(number, values), TrialResult(number, "complete", value))
            for number, values, value in trials
        ]
        search_png(ended, space, own, None, metric="validation.rmse", target="y", maximise=False)
        return {axes.get_xlabel(): axes for axes in figures[0].get_axes()}

    return drawn


def marked(axes, marker):
    return [(line.get_xdata()[0], line.get_ydata()[0]) for line in axes.lines if line.get_marker() == marker]


@pytest.mark.parametrize(
    ("tried", "own", "place"),
    [
        (Choices((0.1,)), 0.0, 0),
        (Choices((0.2, 0.1)), 0.3, 2),
        (Range(0.1, 0.3), 0.0, 0.0),
        (Range(0.01, 0.1, is_log=True), 0.5, 0.5),
        (Range(1, 4, is_integer=True), 9, 9),
    ],
)
def test_the_own_value_stands_in_its_place_where_the_space_does_not_hold_it(draw, tried, own, place):
    low = tried.values[0] if isinstance(tried, Choices) else tried.minimum
    trials = [(0, {"model.dropout": own}, 1.0), (1, {"model.dropout": low}, 2.0)]
    panel = draw({"model.dropout": tried}, {"model.dropout": own}, trials)["model.dropout"]
    ((x, y),) = marked(panel, "*")
    assert (x, y) == (pytest.approx(place, abs=0.2), 1.0)
    assert marked(panel, "D") == [(x, y)]
    left, right = panel.get_xlim()
    assert left <= x <= right


def test_a_best_without_a_place_is_said_and_no_other_is_marked_as_it(draw):
    space, own = {"model.l2": Range(1e-6, 1e-2, is_log=True)}, {"model.l2": 0.0}
    panel = draw(space, own, [(0, own, 1.0), (1, {"model.l2": 1e-3}, 2.0)])["model.l2"]
    assert marked(panel, "*") == marked(panel, "D") == []
    assert "the best has none of these values" in [text.get_text() for text in panel.texts]


def test_trials_stand_at_their_numbers_and_only_trial_0_is_the_config_itself(draw):
    space, own = {"model.dropout": Range(0.0, 0.5)}, {"model.dropout": 0.1}
    panels = draw(space, own, [(2, {"model.dropout": 0.2}, 3.0), (5, {"model.dropout": 0.3}, 2.0)])
    assert marked(panels["trial"], "*") == [(5, 2.0)]
    assert "config's own values" not in panels["trial"].get_legend_handles_labels()[1]
    assert marked(panels["model.dropout"], "D") == []


def test_numbers_to_choose_from_stand_in_their_order(draw):
    space = {"training.batch_size": Choices((256, 32, 64))}
    trials = [(n, {"training.batch_size": size}, 1.0 + n) for n, size in enumerate((64, 256, 32))]
    panel = draw(space, {"training.batch_size": 64}, trials)["training.batch_size"]
    assert [label.get_text() for label in panel.get_xticklabels()] == ["32", "64", "256"]
    assert math.isclose(marked(panel, "*")[0][0], 1, abs_tol=0.2)
