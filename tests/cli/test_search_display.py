"""What is shown of a search: lines elsewhere than on a terminal, and the best trials on one."""

import io
import json

import pytest
from rich.console import Console

from dlreg.cli import search_display
from dlreg.cli.console import PipeConsole
from dlreg.cli.search_display import SearchDisplay
from dlreg.commands.tune_progress import SearchCounter
from dlreg.commands.tune_results import Ended
from dlreg.search.space import Search
from dlreg.search.trials import Trial, TrialResult

VALUES = {
    "training.learning_rate": 0.0123456,
    "model.hidden_layers": [64, 64],
    "preprocessing.numeric": "robust",
}


def search_of(**changes):
    settled = {
        "metric": "validation.rmse", "trials": 40, "time_limit": None, "method": "tpe", "space": {}, "storage": None,
        "prune": True, "is_default": False,
    }  # fmt: skip
    return Search(**{**settled, **changes})


def ended(number, value, state="complete"):
    return Ended(Trial(number, VALUES), TrialResult(number, state, value))


def shown_of(values, capfd, search=None):
    counter = SearchCounter(search or search_of())
    with SearchDisplay() as display:
        for number, value in enumerate(values):
            display.on_search(counter.add(ended(number, value, "failed" if value is None else "complete")))
    return capfd.readouterr().err.splitlines()


def test_each_new_best_and_every_tenth_is_a_line(capfd):
    lines = shown_of([5.0, 7.0, 4.0, *[6.0] * 37], capfd)
    assert lines[0] == (
        "1 of 40 trials done  best validation.rmse 5 (trial 0): training.learning_rate=0.01235, "
        "model.hidden_layers=[64, 64], preprocessing.numeric=robust"
    )
    assert lines[1].startswith("3 of 40 trials done  best validation.rmse 4 (trial 2): ")
    assert lines[2:] == [f"{n} of 40 trials done  best validation.rmse 4 (trial 2)" for n in range(4, 41, 4)]


def test_failures_are_counted_and_no_best_is_claimed(capfd):
    assert shown_of([None] * 4, capfd) == ["4 of 40 trials done, 4 failed"]


def test_a_search_that_a_time_ends_has_no_number_to_reach(capfd, monkeypatch):
    monkeypatch.setattr(search_display, "SECONDS_BETWEEN_LINES", 0.0)
    lines = shown_of([5.0, 6.0], capfd, search_of(trials=None, time_limit=100.0))
    assert [line.partition("  ")[0] for line in lines] == ["1 trial done", "2 trials done"]


def test_nothing_is_shown_where_nothing_shall_be(capfd):
    counter = SearchCounter(search_of())
    with SearchDisplay(quiet=True) as display:
        display.on_search(counter.add(ended(0, 1.0)))
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("columns", [120, 80, 60, 40, 20])
def test_the_best_trials_fit_a_terminal_of_any_width(columns, monkeypatch):
    monkeypatch.setattr(PipeConsole, "is_terminal", True)
    monkeypatch.setattr(PipeConsole, "width", columns)
    counter = SearchCounter(search_of())
    display = SearchDisplay()
    for number in range(40):
        progress = counter.add(ended(number, 100.0 - number))
    display.on_search(progress)
    stream = io.StringIO()
    Console(file=stream, width=columns, color_system=None).print(display._bar.below)
    head, *rows = stream.getvalue().splitlines()
    assert head.split()[:2] == ["trial", "rmse"]
    assert [row.split()[:2] for row in rows] == [[str(n), str(100 - n)] for n in range(39, 34, -1)]
    assert max(map(len, (head, *rows))) <= columns
    assert ("learning_rate" in head) == (columns >= 40)
    assert "…" not in stream.getvalue()
    display.on_stage("training the best config")
    assert display._bar.below is None
    display.__exit__()


def test_a_search_that_goes_on_counts_what_was_there():
    counter = SearchCounter(search_of(), [ended(0, 2.0), ended(1, 1.0)])
    progress = counter.add(ended(2, 3.0))
    assert (progress.finished, progress.is_best, progress.share) == (3, False, 3 / 40)
    assert [each.trial.number for each in progress.best] == [1, 0, 2]
    assert counter.add(ended(3, 0.5)).is_best


def test_elsewhere_than_on_a_terminal_no_value_is_cut(capfd):
    values = {"model.hidden_layers": list(range(200)), "training.schedule": {"name": "x" * 300}}
    counter = SearchCounter(search_of())
    with SearchDisplay() as display:
        display.on_search(counter.add(Ended(Trial(0, values), TrialResult(0, "complete", 1.0))))
    (line,) = capfd.readouterr().err.splitlines()
    assert "…" not in line and line.endswith(
        f"model.hidden_layers={values['model.hidden_layers']}, training.schedule={json.dumps(values['training.schedule'])}"
    )


def test_a_line_says_whose_epochs_follow(capfd):
    with SearchDisplay() as display:
        for stage in (
            "reading x",
            "training the best config",
            "compiling",
            "training the config's own values",
        ):
            display.on_stage(stage)
    with SearchDisplay(quiet=True) as display:
        display.on_stage("training the best config")
    lines = capfd.readouterr().err.splitlines()
    assert lines == ["reading x", "training the best config", "training the config's own values"]
