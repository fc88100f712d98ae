"""What a search bought over the config's own values, and how much better its best trial looks than it is."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from dlreg.commands.compare import METRICS, value_of
from dlreg.evaluation.bootstrap import regression_interval
from dlreg.runs.overview import RunOverview, read_overview

# What is held against each other where the metric of the search is none that rows have.
DEFAULT_METRIC = "rmse"


@dataclass(frozen=True)
class Gain:
    """The best config beside the config's own values, on the test rows.

    Attributes:
        metric: What is compared.
        n: How many rows.
        best: The metric of the best config.
        plain: That of the config's own values.
        regression_percent: How much worse the best config is, in percent; of r2 in points of explained
            variance. Below 0 it is better.
        interval_percent: The ends of its 95% interval, by a paired bootstrap.
        verdict: What that tells: `unsure` where the interval holds 0.
    """

    metric: str
    n: int
    best: float
    plain: float
    regression_percent: float
    interval_percent: tuple[float, float]
    verdict: Literal["better", "unsure", "worse"]


@dataclass(frozen=True)
class Optimism:
    """How much better a trial looks on the rows that it was chosen by.

    Attributes:
        metric: What is compared.
        part: The rows that trials are chosen by.
        n: How many these are.
        best: The metric of the best config on these rows, and on the test rows.
        plain: The same of the config's own values, which nothing was chosen by.
        percent: How much more an error grows from the first rows to the others where the best config was
            chosen by them, in percent; of r2 how much more it falls, in points. Above 0 the best trial looks
            better than it is.
    """

    metric: str
    part: str
    n: int
    best: tuple[float, float]
    plain: tuple[float, float]
    percent: float


def measure_gain(best: Path, plain: Path, search_metric: str) -> tuple[Gain | None, Optimism | None]:
    """Compares two runs with the same rows.

    Args:
        best: The run of the best config.
        plain: The run of the config's own values.
        search_metric: What was searched by, such as `validation.rmse`.

    Returns:
        None in each place where there are no test rows, or others, as of another seed; or metrics without a
        value.
    """
    part, _, metric = search_metric.rpartition(".")
    metric = metric if metric in METRICS else DEFAULT_METRIC
    runs = read_overview(best), read_overview(plain)
    if not np.array_equal(runs[0].predicted.rows, runs[1].predicted.rows):
        return None, None
    return _gain(*runs, metric), _optimism(*runs, part, metric)


def _gain(best: RunOverview, plain: RunOverview, metric: str) -> Gain | None:
    if not best.record.metrics.test or not best.predicted.y_true.size:
        return None
    regression = regression_interval(
        metric, best.predicted.y_true, best.predicted.y_pred, plain.predicted.y_pred
    )
    if regression is None or not np.isfinite([regression.estimate, *regression.interval]).all():
        return None
    low, high = (100 * end for end in regression.interval)
    verdict: Literal["better", "unsure", "worse"] = "better" if high < 0 else "worse" if low > 0 else "unsure"
    return Gain(
        metric=metric,
        n=best.record.metrics.test.n,
        best=regression.value,
        plain=regression.baseline,
        regression_percent=100 * regression.estimate,
        interval_percent=(low, high),
        verdict=verdict,
    )


def _optimism(best: RunOverview, plain: RunOverview, part: str, metric: str) -> Optimism | None:
    chosen_by = getattr(best.record.metrics, part, None)
    best_values, plain_values = (_values(run, part, metric) for run in (best, plain))
    if chosen_by is None or best_values is None or plain_values is None:
        return None
    if metric == "r2":
        percent = 100 * ((best_values[0] - best_values[1]) - (plain_values[0] - plain_values[1]))
    elif min(best_values[0], *plain_values) <= 0:
        return None
    else:
        percent = 100 * ((best_values[1] / best_values[0]) / (plain_values[1] / plain_values[0]) - 1)
    return Optimism(metric, part, chosen_by.n, best_values, plain_values, percent)


def _values(run: RunOverview, part: str, metric: str) -> tuple[float, float] | None:
    """A metric on the rows that trials are chosen by, and on the test rows."""
    metrics = run.record.metrics
    first, second = value_of(getattr(metrics, part, None), metric), value_of(metrics.test, metric)
    return None if first is None or second is None else (first, second)
