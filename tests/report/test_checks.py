"""What is looked at: each check warns where it should, and passes where it should."""

import pytest

from dlreg.config.sections.data import DataConfig
from dlreg.evaluation.bootstrap import Regression
from dlreg.report import checks
from dlreg.report.facts import Boosted
from dlreg.runs.shapes import AllMetrics, Metrics, VerdictEntry


def of(rmse, n=100, **more):
    return {
        "n": n,
        "sse": rmse**2 * n,
        "mse": rmse**2,
        "rmse": rmse,
        "mae": rmse,
        "mape": None,
        "r2": 0.5,
        **more,
    }


def metrics(train=1.0, test=1.1, linear=2.0, mean=4.0, **more):
    parts = {"train": of(train), "validation": None, "test": test and of(test, **more)}
    return AllMetrics(**parts, baselines={"mean": of(mean), "linear": of(linear)})


def verdict(kind="converged"):
    return VerdictEntry(kind=kind, since_epoch=None, sentence="…", advice="")


def boosted(low, high, **more):
    regression = Regression(1.0, 1.1, (low + high) / 2, (low, high))
    sizes = {"n_trained": 50, "n_train": 50, "n_columns": 3, "n_all_columns": 3, **more}
    return Boosted(metrics={"rmse": 1.1}, regression=regression, **sizes)


@pytest.mark.parametrize(("test", "mark"), [(1.1, "pass"), (1.49, "pass"), (1.6, "warn"), (0.5, "pass")])
def test_overfitting_is_an_error_far_above_that_of_training(test, mark):
    check = checks.check_overfitting(metrics(1.0, test), "test", verdict())
    assert check.mark == mark and f"{test:.2f} times" in check.sentence
    assert ("by heart" in check.sentence) == (mark == "warn")


def test_overfitting_needs_rows_that_were_not_learned_from():
    assert checks.check_overfitting(metrics(), "train", verdict()).mark == "open"
    assert checks.check_overfitting(metrics(train=0.0), "test", verdict()).mark == "warn"


@pytest.mark.parametrize(
    ("linear", "mean", "mark"),
    [(2.0, 4.0, "pass"), (1.0, 4.0, "warn"), (2.0, 1.0, "warn"), (1.1, 4.0, "warn")],
)
def test_both_simple_models_have_to_be_beaten(linear, mean, mark):
    assert checks.check_linear(metrics(test=1.1, linear=linear, mean=mean), "test").mark == mark


@pytest.mark.parametrize(
    ("low", "high", "mark", "fragment"),
    [
        (-0.3, -0.1, "pass", "20.0% lower than that of scikit-learn's HistGradientBoosting"),
        (-0.1, 0.3, "pass", "which may be chance"),
        (0.1, 0.3, "warn", "20.0% higher than"),
    ],
)
def test_trees_are_better_only_if_surely_so(low, high, mark, fragment):
    check = checks.check_boosted(boosted(low, high), "test")
    assert check.mark == mark and fragment in check.sentence
    assert f"{100 * low:+.1f}% to {100 * high:+.1f}% with 95%" in check.sentence


def test_it_is_said_what_trees_were_trained_on():
    check = checks.check_boosted(boosted(0.1, 0.2, n_train=90, n_all_columns=7), "test")
    assert "on 50 of the 90 training rows and the 3 columns that say most by themselves" in check.sentence
    assert checks.check_boosted(None, "train").mark == "open"


def test_a_column_that_says_the_target_is_named():
    check = checks.check_giveaways({"a": 0.2, "price_eur": 0.999}, "price")
    assert check.mark == "warn" and "'price_eur'" in check.sentence
    check = checks.check_giveaways({"a": 0.2, "b": 0.5}, "price")
    assert check.mark == "pass" and "'b' says most by itself, 50.0%" in check.sentence


def test_rows_earlier_than_training_rows_are_pointed_out():
    data = DataConfig(path="t.csv", target="y")
    check = checks.check_time({"day": 0.9, "at": 0.2}, data, "test")
    assert check.mark == "warn" and "'day' 90.0% of the test rows" in check.sentence
    assert checks.check_time({"day": 0.0}, data, "test").mark == "pass"
    assert checks.check_time({}, data, "test") is None
    by_time = DataConfig(path="t.csv", target="y", split="time", split_by="day")
    assert checks.check_time({"day": 0.01}, by_time, "test").mark == "pass"


def test_rows_of_a_file_of_their_own_are_not_taken_for_the_latest_of_the_table():
    data = DataConfig(path="t.csv", target="y", split="time", split_by="day", test_path="u.csv")
    check = checks.check_time({"day": 0.4}, data, "test")
    assert check.mark == "warn" and "40.0% of the test rows are earlier" in check.sentence
    assert checks.check_time({"day": 0.4}, data, "validation").mark == "pass"


@pytest.mark.parametrize(("n", "mark"), [(0, "pass"), (4, "pass"), (5, "warn"), (500, "warn")])
def test_repeated_rows_are_a_fault_from_a_hundredth_on(n, mark):
    check = checks.check_repeated(n, 500, "test", is_sample=False)
    assert check.mark == mark and (f"{n:,} of 500" in check.sentence or not n)


@pytest.mark.parametrize(
    ("coverage", "n", "mark"),
    [(0.9, 1000, "pass"), (0.88, 1000, "pass"), (0.86, 1000, "warn"), (0.8, 20, "pass")],
)
def test_intervals_that_hold_too_little_by_more_than_chance(coverage, n, mark):
    check = checks.check_coverage(metrics(n=n, coverage_90=coverage, width_90=3.0))
    assert check.mark == mark and f"{n:,} test rows" in check.sentence


def test_without_intervals_there_is_nothing_to_check():
    assert checks.check_coverage(metrics()) is None
    assert checks.check_coverage(metrics(test=None)) is None


@pytest.mark.parametrize(
    ("n", "held_out", "mark"), [(29, "test", "warn"), (30, "test", "pass"), (30, "train", "warn")]
)
def test_few_rows_say_little(n, held_out, mark):
    assert checks.check_size(metrics(n=n), held_out, is_steered=True).mark == mark


def test_without_test_rows_those_out_of_fold_tell_of_others():
    of_folds = metrics(1.0, None).model_copy(update={"out_of_fold": Metrics(**of(1.7, n=40))})
    size, overfitting = (
        checks.check_size(of_folds, "train", is_steered=True),
        checks.check_overfitting(of_folds, "train", verdict()),
    )
    assert size.mark == "pass" and size.sentence.startswith("40 out-of-fold rows")
    assert overfitting.mark == "warn" and "out-of-fold rows is 1.70 times" in overfitting.sentence


def test_missing_predictions_are_counted():
    assert checks.check_predictions({"test": 3}).sentence.startswith("3 of the test rows")
    assert checks.check_predictions({"test": 0}).mark == "pass"
