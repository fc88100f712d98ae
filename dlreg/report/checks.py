"""What makes a good error look better than it is, or a model not worth its trouble: looked at, one by one."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from dlreg.config.sections.data import DataConfig
from dlreg.evaluation.bootstrap import Regression
from dlreg.evaluation.intervals import LEVEL
from dlreg.report.facts import Boosted, Check
from dlreg.runs.shapes import AllMetrics, Metrics, VerdictEntry
from dlreg.wording import format_number, format_share, shorten

# Times the training error; a network that learnt part of its rows by heart still predicts new ones.
OVERFITTED = 1.5
# A column that explains more of the target's variance alone is the target in other words.
GIVES_AWAY = 0.99
REPEATED = 0.01
FEW_ROWS = 30
MOST_NAMED = 3


def check_overfitting(metrics: AllMetrics, held_out: str, verdict: VerdictEntry) -> Check:
    """Whether the error of held-out rows is far above that of training rows."""
    name = "Overfitting"
    held_out, measured = _not_learned(metrics, held_out)
    if held_out == "train":
        return Check("open", name, "There are no rows but those that were learned from.")
    if metrics.train.rmse == 0:
        return Check("warn", name, "The training rows are predicted without any error: learnt by heart.")
    ratio = measured.rmse / metrics.train.rmse
    sentence = f"The RMSE of the {held_out} rows is {ratio:.2f} times that of the training rows"
    sentence += f" ({format_number(measured.rmse)} and {format_number(metrics.train.rmse)})."
    if ratio > OVERFITTED:
        sentence += " Part of the training rows is learnt by heart."
    elif verdict.kind == "overfitting":
        sentence += " The validation loss rose in training, while the training loss fell on."
    return Check("warn" if ratio > OVERFITTED else "pass", name, sentence)


def check_size(metrics: AllMetrics, held_out: str, *, is_steered: bool) -> Check:
    """Whether there are held-out rows enough to know the error by.

    Args:
        metrics: Of the run.
        held_out: The name of the rows.
        is_steered: Whether validation rows ended the training, or chose its weights.
    """
    name = "Rows to measure on"
    held_out, measured = _not_learned(metrics, held_out)
    n_rows = measured.n
    if held_out == "train":
        sentence = "There are none but those that were learned from, so that nothing is known of other rows."
        return Check("warn", name, sentence)
    sentence = f"{n_rows:,} {held_out} rows"
    if n_rows < FEW_ROWS:
        return Check("warn", name, f"{sentence} are few: the error of others may be quite another.")
    if held_out == "validation" and is_steered:
        return Check(
            "pass", name, f"{sentence}, which chose when to stop, so that others are a little worse."
        )
    if held_out == "out-of-fold":
        return Check("pass", name, f"{sentence}, each predicted by networks that had not learned it.")
    return Check("pass", name, f"{sentence}, of which training knew nothing.")


def _not_learned(metrics: AllMetrics, held_out: str) -> tuple[str, Metrics]:
    """The rows that tell of others: of training rows those out of fold, if there are any."""
    if held_out == "train" and metrics.out_of_fold:
        return "out-of-fold", metrics.out_of_fold
    return held_out, getattr(metrics, held_out)


def check_linear(metrics: AllMetrics, held_out: str) -> Check:
    """Whether the network beats both baselines on held-out rows."""
    name, rmse = "Simple models", getattr(metrics, held_out).rmse
    if held_out == "train":
        return Check("open", name, "No rows are held out to compare a linear regression on.")
    baselines = {
        "a linear regression": metrics.baselines.linear.rmse,
        "the mean": metrics.baselines.mean.rmse,
    }
    sentences = [
        f"{'below' if rmse < other else 'not below'} that of {words} ({format_number(other)})"
        for words, other in baselines.items()
    ]
    sentence = f"The {held_out} RMSE of {format_number(rmse)} is {' and '.join(sentences)}."
    if all(rmse < other for other in baselines.values()):
        return Check("pass", name, sentence)
    return Check("warn", name, f"{sentence} A network is not worth its trouble here, as it is.")


def check_boosted(boosted: Boosted | None, held_out: str) -> Check:
    """Whether gradient-boosted trees on the same rows are better."""
    name = "Gradient-boosted trees"
    if boosted is None:
        return Check("open", name, "There are no rows to compare on that were not learned from.")
    if boosted.regression is None:
        return Check("open", name, "There are too few rows to compare on that were not learned from.")
    rmse, regression = boosted.metrics["rmse"], boosted.regression
    low, high = regression.interval
    side = "lower" if regression.estimate < 0 else "higher"
    sentence = (
        f"The network's {held_out} RMSE is {abs(regression.estimate):.1%} {side} than that of scikit-learn's "
        f"HistGradientBoosting ({format_number(rmse)}) {_trained_on(boosted)}"
    )
    sentence += f"; the difference is {_span(regression)} with 95% confidence"
    if low > 0:
        return Check("warn", name, f"{sentence}: the trees are better.")
    return Check(
        "pass", name, f"{sentence}{': the network is better' if high < 0 else ', which may be chance'}."
    )


def _trained_on(boosted: Boosted) -> str:
    text = "at its defaults, trained on the same rows"
    if boosted.n_trained < boosted.n_train:
        text = f"at its defaults, trained on {boosted.n_trained:,} of the {boosted.n_train:,} training rows"
    if boosted.n_columns < boosted.n_all_columns:
        text += f" and the {boosted.n_columns:,} columns that say most by themselves"
    return text


def _span(regression: Regression) -> str:
    return " to ".join(f"{100 * end:+.1f}%" for end in regression.interval)


def check_giveaways(explained: Mapping[str, float], target: str) -> Check:
    """Whether one column says the target nearly exactly."""
    name = "Columns that give the target away"
    found = [column for column, share in explained.items() if share > GIVES_AWAY]
    if not found:
        best = max(explained, key=explained.__getitem__)
        share = format_share(explained[best])
        return Check(
            "pass",
            name,
            f"None: {_named(best)} says most by itself, {share} of the variance of {_named(target)}.",
        )
    named = ", ".join(map(_named, found[:MOST_NAMED])) + (" …" if len(found) > MOST_NAMED else "")
    sentence = (
        f"By itself {named} predicts {_named(target)} nearly exactly. Is it known before the target is?"
    )
    return Check("warn", name, sentence)


def check_time(shares: Mapping[str, float], data: DataConfig, held_out: str) -> Check | None:
    """Whether held-out rows are earlier than training rows; None for a table without dates.

    Args:
        shares: By the name of each column of dates the share of held-out rows that are earlier than the
            latest training row.
        data: Says how the rows were split.
        held_out: The name of the rows.
    """
    name = "Order of time"
    has_file = data.validation_path if held_out == "validation" else data.test_path
    if data.split == "time" and not has_file:
        return Check(
            "pass", name, f"The rows were split by {_named(str(data.split_by))}, the latest held out."
        )
    if not shares:
        return None
    column = max(shares, key=shares.__getitem__)
    share = shares[column]
    if share == 0:
        return Check(
            "pass",
            name,
            f"None of the {held_out} rows is earlier than the latest training row, by {_named(column)}.",
        )
    sentence = (
        f"By {_named(column)} {format_share(share)} of the {held_out} rows are earlier than the latest "
        "training row: this is the error between known rows. "
        "If later rows are to be predicted, set data.split: time and data.split_by."
    )
    return Check("warn", name, sentence)


def check_repeated(n_repeated: int, n_rows: int, held_out: str, *, is_sample: bool) -> Check:
    """Whether held-out rows were among the training rows."""
    name = "Repeated rows"
    if held_out == "train":
        return Check("open", name, "There are no rows but those that were learned from.")
    of_sample = " of a sample" if is_sample else ""
    if not n_repeated:
        return Check("pass", name, f"No {held_out} row{of_sample} is also among the training rows.")
    share = n_repeated / n_rows
    sentence = (
        f"{n_repeated:,} of {n_rows:,} {held_out} rows{of_sample} ({format_share(share)}) are equal, cell "
    )
    sentence += "by cell, to a training row."
    if share < REPEATED:
        return Check("pass", name, sentence)
    return Check("warn", name, f"{sentence} They were known before, which lowers the error.")


def check_coverage(metrics: AllMetrics) -> Check | None:
    """Whether intervals hold what they promise; None where there are none."""
    test = metrics.test
    if test is None or test.coverage_90 is None or test.width_90 is None:
        return None
    sentence = (
        f"Intervals made to hold 90% hold {format_share(test.coverage_90)} of the {test.n:,} test rows; "
    )
    sentence += f"their mean width is {format_number(test.width_90)}."
    # Below what chance leaves, in nearly all of a hundred such tests.
    least = LEVEL - 2.33 * math.sqrt(LEVEL * (1 - LEVEL) / test.n)
    mark = Check("pass", "Prediction intervals", sentence)
    if test.coverage_90 >= least:
        return mark
    more = " That is fewer than chance explains: the test rows are unlike those they were calibrated on."
    return Check("warn", "Prediction intervals", sentence + more)


def check_predictions(unusable: Mapping[str, int]) -> Check:
    """Whether every row has a prediction that is a number to use."""
    name = "Missing predictions"
    found = {part: n for part, n in unusable.items() if n}
    if not found:
        return Check("pass", name, f"Every row looked at has one ({' and '.join(unusable)} rows).")
    counts = " and ".join(f"{n:,} of the {part} rows" for part, n in found.items())
    return Check("warn", name, f"{counts} have none that is a number to use. dlreg evaluate names them.")


def _named(name: str) -> str:
    return repr(shorten(name))


def count_marks(checks: Sequence[Check]) -> dict[str, Any]:
    """How many checks have each mark."""
    return {mark: sum(check.mark == mark for check in checks) for mark in ("pass", "warn", "open")}
