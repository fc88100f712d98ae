"""Which trial of a search is kept: the best, or the config's own values where few rows decide.

Every other trial of a recipe has twice the ensemble (`dlreg.search.default_space`), which gains a little
whatever else is tried: so one of them has the own values, and is kept in their place.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from dlreg.commands.tune_results import Ended, find_best
from dlreg.search.space import Search, brought_inside
from dlreg.search.trials import TrialResult, error_of

# That of the RMSE of 114 rows with normal errors, whose half width is 1.96 / √(2n).
MOST_UNSURE = 0.13


@dataclass(frozen=True)
class PassedOver:
    """The best trial where it was not kept.

    Attributes:
        number: Of the trial.
        value: Of the metric that was searched by.
        error: The error that decided, such as `rmse`.
        percent: How much less of it the trial has than the config's own values, in percent.
        unsure_percent: Half the width of the 95% interval of that of the config's own values, in percent.
    """

    number: int
    value: float | None
    error: str
    percent: float
    unsure_percent: float


class Choice(NamedTuple):
    """What is kept of a search.

    Attributes:
        kept: The trial whose config becomes `best.yaml`; None where none was trained to its end.
        passed_over: The best trial, where that is another.
    """

    kept: Ended | None
    passed_over: PassedOver | None = None


def choose(ended: Sequence[Ended], search: Search) -> Choice:
    """The best of the trials; in a space of dlreg's own the config's own values where few rows decide.

    A mean of squares may rest on a handful of rows, however many there are. The more trials there are, the
    more surely one has luck with these. Where the 95% interval of the error of the config's own values
    reaches further than `MOST_UNSURE` of it to either side, in the mean, another trial has to lie below that
    interval; else the own values stay, in the ensemble of the other trials if that has no more error.

    Args:
        ended: Every trial that ended.
        search: What was searched. Who names its keys is given the best trial.
    """
    best = find_best(ended, maximise=search.maximise)
    own = next((each for each in ended if each.trial.number == 0), None)
    if best is None or best is own or own is None or own.result.interval is None or not search.is_default:
        return Choice(best)
    near = _brought_inside(ended, search, own)
    if best is near:
        return Choice(best)
    error, (low, high) = error_of(search.metric.rpartition(".")[2]), own.result.interval
    own_error, best_error = (_error(each.result, search.metric, error) for each in (own, best))
    if own_error is None or best_error is None or not own_error > 0:
        return Choice(best)
    unsure = (high - low) / 2 / own_error
    if unsure <= MOST_UNSURE or best_error < low:
        return Choice(best)
    percent = 100 * (1 - best_error / own_error)
    near_error = _error(near.result, search.metric, error) if near else None
    kept = near if near_error is not None and near_error <= own_error else own
    return Choice(kept, PassedOver(best.trial.number, best.result.value, error, percent, 100 * unsure))


def _brought_inside(ended: Sequence[Ended], search: Search, own: Ended) -> Ended | None:
    """The trial with the config's own values in the ensemble of all others, if there is one."""
    nearest = brought_inside(own.trial.values, search.space)
    return next((each for each in ended if nearest and each.trial.values == nearest), None)


def _error(result: TrialResult, metric: str, error: str) -> float | None:
    part = metric.rpartition(".")[0]
    return (result.metrics.get(part) or {}).get(error)
