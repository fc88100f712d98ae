"""How much each parameter of a search mattered, by PED-ANOVA."""

import math
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.importance import PedAnovaImportanceEvaluator
from optuna.trial import FrozenTrial, TrialState, create_trial

from dlreg.search.space import Choices, Range, Space

# Of fewer the best ones are alike by chance.
LEAST_TRIALS = 20
# Of more, so many evenly spread ones have the same distribution.
MOST_TRIALS = 2000
BEST_SHARE, LEAST_BEST = 0.1, 5


def importance_of(
    space: Space, values: Sequence[Mapping[str, Any]], losses: Sequence[float]
) -> dict[str, float] | None:
    """The share that each parameter has in telling the best trials from all of them.

    The values of a parameter among the best tenth of the trials (at least `LEAST_BEST`) are held against
    those among all trials: where both are alike the parameter did not matter. What is compared are two
    densities, by the Pearson divergence of the first from the second: Watanabe, Bansal and Hutter, PED-ANOVA:
    Efficiently Quantifying Hyperparameter Importance in Arbitrary Subspaces, IJCAI 2023. It tells of each
    parameter alone, not of what two do together; and of the values that were tried, so that one on which
    all trials soon agreed counts for less than it did.

    Args:
        space: What was searched.
        values: What each trial had of each parameter.
        losses: How bad each trial was, infinite where it failed or was given up; only their order counts.

    Returns:
        By parameter, the most important first; together 1. None where that cannot be told: too few trials,
        or none better than the others.
    """
    every = math.ceil(len(losses) / MOST_TRIALS) if losses else 1
    values, losses = values[::every], losses[::every]
    n_best = max(LEAST_BEST, math.ceil(BEST_SHARE * len(losses)))
    finite = [loss for loss in losses if math.isfinite(loss)]
    if len(finite) < LEAST_TRIALS or min(finite) == max(losses):
        return None
    distributions = {key: _distribution(what) for key, what in space.items()}
    # The order alone, as an infinite value is none to Optuna.
    rank = {loss: float(place) for place, loss in enumerate(sorted(set(losses)))}
    trials = [
        _trial(space, distributions, chosen, rank[loss]) for chosen, loss in zip(values, losses, strict=True)
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        verbosity = optuna.logging.get_verbosity()
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        try:
            study = optuna.create_study()
            study.add_trials(trials)
            evaluator = PedAnovaImportanceEvaluator(target_quantile=min(n_best / len(losses), 0.5))
            raw = evaluator.evaluate(study)
        finally:
            optuna.logging.set_verbosity(verbosity)
    total = sum(raw.values())
    if not total > 0:
        return None
    return {key: raw.get(key, 0.0) / total for key in sorted(space, key=lambda key: -raw.get(key, 0.0))}


def _distribution(what: Range | Choices) -> BaseDistribution:
    if isinstance(what, Choices):
        return CategoricalDistribution(range(len(what.values)))
    if what.is_integer:
        return IntDistribution(int(what.minimum), int(what.maximum), log=what.is_log)
    return FloatDistribution(what.minimum, what.maximum, log=what.is_log)


def _trial(
    space: Space, distributions: Mapping[str, BaseDistribution], chosen: Mapping[str, Any], rank: float
) -> FrozenTrial:
    """A trial for Optuna, without a value of the config's own that lies outside of what is searched."""
    places = {key: _place(what, chosen[key]) for key, what in space.items() if key in chosen}
    known = {key: place for key, place in places.items() if place is not None}
    return create_trial(
        state=TrialState.COMPLETE,
        value=rank,
        params=known,
        distributions={key: distributions[key] for key in known},
    )


def _place(what: Range | Choices, value: Any) -> float | int | None:
    if isinstance(what, Choices):
        return next((place for place, choice in enumerate(what.values) if choice == value), None)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not what.minimum <= value <= what.maximum:
        return None
    return int(value) if what.is_integer else float(value)
