"""What a search is said to have found, and that nothing is claimed which was not measured."""

from dataclasses import replace

import pytest

from dlreg.commands.tune_gain import Gain, Optimism
from dlreg.commands.tune_results import Edge, Failure
from dlreg.commands.tune_sentences import sentences
from dlreg.commands.tune_summary import Chosen, StudySummary
from dlreg.search.space import Range

SUMMARY = StudySummary(
    study_dir="studies/a-1",
    target="y",
    metric="validation.rmse",
    method="tpe",
    space={"training.learning_rate": Range(1e-4, 0.1, is_log=True), "model.dropout": Range(0.0, 0.5)},
    is_default_space=False,
    counts={"finished": 100, "complete": 80, "pruned": 15, "failed": 5},
    failures=[Failure("the loss is not finite", 3, 7), Failure("another", 2, 9)],
    best=Chosen(17, 40.0, {}, "best", {"validation": {"n": 71, "rmse": 40.0}, "test": {"n": 89}}),
    plain=Chosen(0, 50.0, {}, "plain", {}),
    importance={"training.learning_rate": 0.97, "model.dropout": 0.03},
    edges=[Edge("training.learning_rate", 0.0991, "upper", 0.1)],
    gain=Gain("rmse", 89, 49.0, 52.0, -5.77, (-9.0, -1.0), "better"),
    optimism=Optimism("rmse", "validation", 71, (40.0, 49.0), (50.0, 52.0), 17.8),
    best_config="studies/a-1/best.yaml",
    seconds=75.0,
    notes=[],
)


def text_of(**changes):
    return "\n".join(sentences(replace(SUMMARY, **changes)))


def test_a_search_that_found_something_is_told():
    text = text_of()
    assert "100 trials of 2 parameters in 75 s: 80 trained to the end, 15 given up early, 5 failed." in text
    assert "Why 3 of 5 failed: the loss is not finite." in text
    assert "What mattered: training.learning_rate 97%; 1 other below 5%." in text
    assert "training.learning_rate is best at 0.0991, about the largest that was tried (0.1)" in text
    assert "On the 89 test rows the best config is surely better" in text
    assert "its RMSE is 5.8% lower (95% interval 9.0% lower to 1.0% lower)" in text
    assert "chosen by 71 validation rows: its RMSE is 40 there and 49 on the test rows" in text
    assert "look about 17.8% better than it is" in text
    assert "training.cross_validation=5" in text


@pytest.mark.parametrize(
    ("verdict", "interval", "words"),
    [
        ("unsure", (-9.0, 2.0), "not surely better than the config's own values: its RMSE is 5.8% lower"),
        ("worse", (1.0, 2.0), "surely worse than the config's own values"),
    ],
)
def test_what_the_test_rows_do_not_show_is_not_claimed(verdict, interval, words):
    text = text_of(gain=replace(SUMMARY.gain, verdict=verdict, interval_percent=interval))
    assert words in text
    assert "surely better than" not in text.replace("not surely better than", "")


def test_more_of_r2_is_better():
    gain = Gain("r2", 89, 0.62, 0.57, -5.0, (-8.0, -1.0), "better")
    assert "its R² is 0.050 higher (95% interval 0.010 higher to 0.080 higher)" in text_of(gain=gain)


def test_without_test_rows_it_says_that_nothing_was_measured():
    text = text_of(gain=None, optimism=None)
    assert "Nothing was measured of what the search bought: there are no test rows" in text
    assert "test rows the best config" not in text


def test_where_no_trial_was_better_there_is_nothing_to_compare():
    text = text_of(best=replace(SUMMARY.best, number=0), gain=None, optimism=None)
    assert "No trial was better than the config's own values." in text
    assert "Nothing was measured" not in text and "Next" not in text


def test_plain_values_that_do_not_train_are_no_baseline():
    text = text_of(plain=replace(SUMMARY.plain, run_dir=None, value=None), gain=None, optimism=None)
    assert "The config's own values did not train to the end" in text


def test_a_choice_that_did_not_flatter_is_said_to_be_one():
    assert "so the choice did not flatter it" in text_of(optimism=replace(SUMMARY.optimism, percent=-1.0))


@pytest.mark.parametrize(
    ("complete", "reason"),
    [(12, "that takes 20 trials at least"), (30, "no trial was better than the others")],
)
def test_it_says_why_it_cannot_tell_what_mattered(complete, reason):
    counts = {"finished": complete, "complete": complete, "pruned": 0, "failed": 0}
    text = text_of(counts=counts, importance=None, failures=[])
    assert f"What mattered cannot be told: {reason}." in text
    assert "given up" not in text and "failed" not in text


@pytest.mark.parametrize(
    ("metric", "n", "is_offered"),
    [("validation.rmse", 71, True), ("validation.rmse", 5000, False), ("out_of_fold.rmse", 71, False)],
)
def test_cross_validation_is_offered_where_few_rows_choose(metric, n, is_offered):
    best = replace(SUMMARY.best, metrics={metric.partition(".")[0]: {"n": n}})
    assert ("cross_validation" in text_of(metric=metric, best=best)) == is_offered


def test_with_other_test_rows_it_does_not_say_that_there_are_none():
    text = text_of(gain=None, optimism=None, space={"training.seed": Range(0, 9, is_integer=True)})
    assert "training.seed draws the test rows too" in text
    assert "there are no test rows" not in text
