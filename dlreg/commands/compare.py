"""Runs side by side: how good each is, on which rows that is sure, and what they differ in."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from dlreg.config.differences import differing_keys, differing_values
from dlreg.errors import Fault, RunDirError, UsageError
from dlreg.evaluation.bootstrap import Regression, regression_interval, told_interval
from dlreg.runs.names import SPLIT
from dlreg.runs.overview import RunOverview, read_overview
from dlreg.runs.shapes import Metrics
from dlreg.runs.tables import MOST_ROWS

METRICS = ("rmse", "mse", "mae", "mape", "r2")
# What a run's table is called and where it lies is told by its hash.
_NOT_CONFIG = ("data.path", "data.test_path", "data.validation_path")


class Difference(NamedTuple):
    """How much worse a run is than the first on the test rows that both have.

    Attributes:
        n: How many rows; 0 for none in common.
        regression: None where there are no such rows, or the metric has no finite value on them.
    """

    n: int
    regression: Regression | None


class ComparedRun(NamedTuple):
    """A run beside others.

    Attributes:
        run: The run.
        test_interval: The metric on its test rows, its 95% interval by a bootstrap.
        difference: From the first run; None for the first itself.
    """

    run: RunOverview
    test_interval: tuple[float, float] | None
    difference: Difference | None


class Comparison(NamedTuple):
    """Runs side by side.

    Attributes:
        metric: What they are sorted by, on the rows that runs are chosen by.
        runs: The best first; those without such rows last.
        cautions: What a reader of the numbers has to know.
        differences: By what differs – `config`, `data` or `versions` – and its name one value per run.
    """

    metric: str
    runs: list[ComparedRun]
    cautions: list[str]
    differences: dict[str, dict[str, list[Any]]]

    @property
    def target(self) -> str:
        """What all of them predict."""
        return self.runs[0].run.config.data.target


def compare(paths: Sequence[Path], metric: str = "rmse") -> Comparison:
    """Compares runs by what they made of their own rows; neither tables nor pipelines are read.

    They are sorted by the error on the validation rows (out of fold with cross-validation): whoever chooses
    by test rows has none left that tell how good the chosen one is.

    Args:
        paths: Two or more run directories.
        metric: One of `METRICS`.

    Raises:
        UsageError: There is only one run.
        RunDirError: One is not complete or damaged, or they predict different columns.
    """
    # A run may be named in two ways.
    paths = list({path.resolve(): path for path in paths}.values())
    if len(paths) < 2:
        raise UsageError(
            Fault("compare takes two different run directories or more", hint="Name another one")
        )
    overviews = [read_overview(path) for path in paths]
    _refuse_other_targets(overviews)
    overviews.sort(key=lambda run: _order(run, metric))
    first, *others = overviews
    runs = [ComparedRun(first, _test_interval(first, metric), None)]
    runs += [ComparedRun(run, _test_interval(run, metric), _difference(run, first, metric)) for run in others]
    cautions = _cautions(overviews)
    for sentence in cautions:
        warnings.warn(sentence, stacklevel=1)
    return Comparison(metric, runs, cautions, _differences(overviews))


def as_json(comparison: Comparison) -> dict[str, Any]:
    """What `--json` prints."""
    return {
        "metric": comparison.metric,
        "target": comparison.target,
        "runs": [
            {
                "run_dir": str(run.path),
                "chosen_by": run.chosen_by,
                "metrics": run.record.metrics.model_dump(),
                "test_interval": interval,
                "common_rows": difference and difference.n,
                **_percent(difference),
            }
            for run, interval, difference in comparison.runs
        ],
        "cautions": comparison.cautions,
        "differences": comparison.differences,
    }


def _percent(difference: Difference | None) -> dict[str, Any]:
    regression = difference and difference.regression
    if not regression:
        return {"regression_percent": None, "interval_percent": None}
    return {
        "regression_percent": 100 * regression.estimate,
        "interval_percent": [100 * end for end in regression.interval],
    }


def _refuse_other_targets(runs: Sequence[RunOverview]) -> None:
    first = runs[0]
    faults = [
        Fault(
            f"the run predicts {run.config.data.target!r}, {first.path} {first.config.data.target!r}",
            str(run.path),
            hint="Compare runs with one target",
        )
        for run in runs
        if run.config.data.target != first.config.data.target
    ]
    if faults:
        raise RunDirError(*faults)


def choosing_value(run: RunOverview, metric: str) -> float | None:
    """The metric on the rows that runs are chosen by; None without such rows, or where it is not defined."""
    return value_of(run.choosing_metrics, metric)


def value_of(metrics: Metrics | None, metric: str) -> float | None:
    """A metric of a part, by its name; None for a part without rows, or where it is not defined."""
    return None if metrics is None else getattr(metrics, metric)


def _order(run: RunOverview, metric: str) -> tuple[bool, float]:
    value = choosing_value(run, metric)
    return value is None, 0.0 if value is None else -value if metric == "r2" else value


def _test_interval(run: RunOverview, metric: str) -> tuple[float, float] | None:
    return told_interval(metric, run.predicted.y_true, run.predicted.y_pred)


def _difference(run: RunOverview, first: RunOverview, metric: str) -> Difference:
    """Only rows that were test rows to both: on others one of them may have been trained."""
    if run.test_table is None or run.test_table != first.test_table:
        return Difference(0, None)
    _, own, other = np.intersect1d(run.predicted.rows, first.predicted.rows, return_indices=True)
    y_true = run.predicted.y_true[own]
    if not np.array_equal(y_true, first.predicted.y_true[other]):
        message = f"its test rows have other target values than those of {first.path}"
        raise RunDirError(Fault(message, str(run.path), hint="Compare data.* in their config.yaml"))
    y_pred, y_first = run.predicted.y_pred[own], first.predicted.y_pred[other]
    return Difference(len(own), regression_interval(metric, y_true, y_pred, y_first))


def _cautions(runs: Sequence[RunOverview]) -> list[str]:
    """What a reader of the numbers has to know."""
    sentences = []
    if len({run.chosen_by for run in runs}) > 1:
        sentences.append(
            "not all runs were validated alike: some out of fold, on validation rows, or not at all"
        )
    elif not _validate_alike(runs):
        sentences.append("the runs were validated on different rows, so their order is in part chance")
    if any(run.record.metrics.test and run.record.metrics.test.n > MOST_ROWS for run in runs):
        sentences.append(
            f"of more than {MOST_ROWS:,} test rows some are read, evenly spread: intervals are wider than "
            "those of all, and more rows may be in common"
        )
    return sentences


def _validate_alike(runs: Sequence[RunOverview]) -> bool:
    """Whether all runs were validated on the same rows."""
    tables, splits, divisions = (
        {of_run(run) for run in runs} for of_run in (_table, lambda run: run.files.get(SPLIT), _division)
    )
    # The files tell which members were trained as well.
    return len(tables) == 1 and 1 in (len(splits), len(divisions))


def _table(run: RunOverview) -> tuple[str, ...]:
    return tuple(entry.sha256 for entry in run.record.data.values())


def _division(run: RunOverview) -> tuple[Any, ...]:
    """The keys that say which rows validate."""
    training, data = run.config.training, run.config.data
    of_columns = {"path", "test_path", "validation_path", "features", "exclude"}
    return (
        training.seed,
        training.validation_split,
        training.cross_validation,
        data.model_dump_json(exclude=of_columns),
    )


def _differences(runs: Sequence[RunOverview]) -> dict[str, dict[str, list[Any]]]:
    config = differing_keys([run.config for run in runs])
    return {
        "config": {key: values for key, values in config.items() if key not in _NOT_CONFIG},
        "data": differing_values(
            [{key: entry.sha256 for key, entry in run.record.data.items()} for run in runs]
        ),
        "versions": differing_values([run.record.versions for run in runs]),
    }
