"""What a search is said to have found, and that nothing is claimed which was not measured."""

from dataclasses import replace

import pytest

from dlreg.commands.tune_choice import PassedOver
from dlreg.commands.tune_gain import Gain, Optimism
from dlreg.commands.tune_results import Edge, Failure
from dlreg.commands.tune_sentences import sentences
from dlreg.commands.tune_summary import Chosen, StudySummary
from dlreg.search.space import Range


def metrics_of(n_validation, n_test, n_train=300):
    return {"train": {"n": n_train}, "validation": {"n": n_validation, "rmse": 40.0}, "test": {"n": n_test}}


SUMMARY = StudySummary(
    study_dir="studies/a-1",
    target="y",
    metric="validation.rmse",
    method="tpe",
    space={"training.learning_rate": Range(1e-4, 0.1, is_log=True), "model.dropout": Range(0.0, 0.5)},
    is_default_space=False,
    counts={"finished": 100, "complete": 80, "pruned": 15, "failed": 5},
    failures=[Failure("the loss is not finite", 3, 7), Failure("another", 2, 9)],
    best=Chosen(17, 40.0, {}, "best", metrics_of(71, 89)),
    plain=Chosen(0, 50.0, {}, "plain", {}),
    passed_over=None,
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
    assert (
        "chosen by 71 validation rows, and may look better on these than it is; 71 validation rows and 89 test rows are too few"
        in text
    )
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
    for n_test, why in (
        (0, "there are no test rows"),
        (1, "1 test row is too few"),
        (7, "7 test rows are too few"),
    ):
        best = replace(SUMMARY.best, metrics=metrics_of(71, n_test))
        text = text_of(best=best, gain=None, optimism=None)
        assert f"Nothing was measured of what the search bought: {why}, and on the rows" in text
        assert "test rows the best config" not in text


def test_where_no_trial_was_better_there_is_nothing_to_compare():
    text = text_of(best=replace(SUMMARY.best, number=0), gain=None, optimism=None)
    assert "No trial was better than the config's own values." in text
    assert "Nothing was measured" not in text and "Next" not in text


def test_plain_values_that_do_not_train_are_no_baseline():
    text = text_of(plain=replace(SUMMARY.plain, run_dir=None, value=None), gain=None, optimism=None)
    assert "The config's own values did not train to the end" in text


@pytest.mark.parametrize(
    ("metric", "best", "plain", "words"),
    [
        ("rmse", (40.0, 48.9), (50.0, 52.1), "its RMSE grew by about 22%, that of the config's own values grew by about 4%."),
        ("rmse", (50.0, 40.0), (50.0, 50.1), "its RMSE fell by about 20%, that of the config's own values stayed about the same."),
        ("r2", (0.9, 0.801), (0.8, 0.82), "its R² fell by about 0.10, that of the config's own values grew by about 0.02."),
    ],
)  # fmt: skip
def test_how_the_choice_flatters_is_told_by_two_changes_alone(metric, best, plain, words):
    optimism = Optimism(metric, "validation", 100, best, plain, 17.8)
    text = text_of(optimism=optimism, best=replace(SUMMARY.best, metrics=metrics_of(100, 100)))
    assert f"from these to the 100 test rows {words}" in text
    assert "17.8" not in text


@pytest.mark.parametrize(
    ("rows", "few"), [((99, 1000), "99 validation rows are"), ((1000, 99), "99 test rows are")]
)
def test_of_few_rows_no_number_is_claimed(rows, few):
    optimism = replace(SUMMARY.optimism, n=rows[0])
    text = text_of(optimism=optimism, best=replace(SUMMARY.best, metrics=metrics_of(*rows)))
    assert f"; {few} too few to tell by how much." in text and "grew by" not in text


@pytest.mark.parametrize(
    ("complete", "reason"),
    [(12, "that takes 20 trials that are trained to the end"), (30, "no trial was better than the others")],
)
def test_it_says_why_it_cannot_tell_what_mattered(complete, reason):
    counts = {"finished": complete, "complete": complete, "pruned": 0, "failed": 0}
    text = text_of(counts=counts, importance=None, failures=[])
    assert f"What mattered cannot be told: {reason}." in text
    assert "given up" not in text and "failed" not in text


ONE = {"finished": 1, "complete": 1, "pruned": 0, "failed": 0}


@pytest.mark.parametrize(
    "changes",
    [
        {"space": {"model.dropout": Range(0.0, 0.5)}},
        {"counts": ONE},
        {"method": "grid", "counts": {**ONE, "finished": 4, "complete": 4}},
    ],
    ids=["one parameter", "one trial", "a small grid"],
)
def test_where_nothing_could_be_told_of_what_mattered_nothing_is_said(changes):
    assert "What mattered" not in text_of(importance=None, failures=[], **changes)


def test_where_nothing_else_was_tried_no_trial_is_said_to_be_worse():
    best = replace(SUMMARY.best, number=0)
    text = text_of(counts=ONE, failures=[], best=best, gain=None, optimism=None, importance=None)
    assert "Nothing else was tried than the config's own values." in text
    assert "No trial was better" not in text


def test_edges_are_told_of_ranges_that_somebody_named():
    assert "is best at" in text_of()
    assert "is best at" not in text_of(is_default_space=True)


@pytest.mark.parametrize(
    ("n_validation", "n_train", "words"),
    [(1, 30, "Next: 1 row is few"), (5, 19, None), (5, 20, "5 rows are few")],
)
def test_no_folds_are_advised_where_there_are_too_few_rows_for_them(n_validation, n_train, words):
    best = replace(SUMMARY.best, metrics=metrics_of(n_validation, 9, n_train))
    text = text_of(best=best)
    assert words in text if words else "Next" not in text


@pytest.mark.parametrize(
    ("metric", "n", "is_offered"),
    [("validation.rmse", 71, True), ("validation.rmse", 5000, False), ("out_of_fold.rmse", 71, False)],
)
def test_cross_validation_is_offered_where_few_rows_choose(metric, n, is_offered):
    best = replace(SUMMARY.best, metrics={metric.partition(".")[0]: {"n": n}, "train": {"n": 300}})
    assert ("cross_validation" in text_of(metric=metric, best=best)) == is_offered


def test_with_other_test_rows_it_does_not_say_that_there_are_none():
    text = text_of(gain=None, optimism=None, space={"training.seed": Range(0, 9, is_integer=True)})
    assert "training.seed draws the test rows too" in text
    assert "there are no test rows" not in text


def test_where_nothing_stands_out_from_chance_no_share_is_told():
    text = text_of(importance={"training.learning_rate": 0.0, "model.dropout": 0.0})
    assert "What mattered cannot be told: no parameter stands out from chance." in text


def test_a_larger_ensemble_that_dlreg_chose_is_told_with_what_it_costs():
    larger = replace(SUMMARY.best, values={"model.ensemble": 2})
    plain = replace(SUMMARY.plain, values={"model.ensemble": 1})
    words = "a larger ensemble, 2 networks in place of 1 for each embedding and fold: it takes about 2 times"
    assert words in text_of(is_default_space=True, best=larger, plain=plain)
    # Who asked for it knows.
    assert words not in text_of(best=larger, plain=plain)
    assert "ensemble" not in text_of(is_default_space=True, best=plain, plain=plain)
    assert "ensemble" not in text_of(is_default_space=True)


def test_where_few_rows_decide_it_says_what_was_passed_over_and_why():
    own, passed_over = replace(SUMMARY.best, number=0), PassedOver(17, 0.9, "rmse", 24.54, 28.2)
    text = text_of(metric="out_of_fold.mse", best=own, passed_over=passed_over)
    assert (
        "The config's own values stay. Trial 17 has 24.5% less out of fold RMSE, but few rows decide" in text
    )
    assert "reaches 28% to either side, and a trial has to lie below it." in text
    assert "No trial was better" not in text
    larger = text_of(metric="out_of_fold.mse", best=replace(own, number=1), passed_over=passed_over)
    assert "The config's own values stay, in a larger ensemble. Trial 17 has" in larger
    assert "to lie below it. On the 89 test rows the best config is surely better" in larger
