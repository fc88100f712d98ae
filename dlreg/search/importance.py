"""How much each parameter of a search mattered, by PED-ANOVA."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.importance import PedAnovaImportanceEvaluator
from optuna.trial import FrozenTrial, TrialState, create_trial

from dlreg.search.asking import without_notes
from dlreg.search.space import Choices, Range, Space

# Of fewer the best ones are alike by chance.
LEAST_TRIALS = 20
# Of more, so many evenly spread ones have the same distribution.
MOST_TRIALS = 300
BEST_SHARE, LEAST_BEST = 0.1, 5
# Chance makes a parameter that does nothing look like half of all: what counts is above what it is in any of
# so many shuffles of the losses.
SHUFFLES = 40


def importance_of(
    space: Space, values: Sequence[Mapping[str, Any]], losses: Sequence[float]
) -> dict[str, float] | None:
    """The share that each parameter has in telling the best trials from all of them.

    The values of a parameter among the best tenth of the trials (at least `LEAST_BEST`) are held against
    those among all trials: where both are alike the parameter did not matter. What is compared are two
    densities, by the Pearson divergence of the first from the second: Watanabe, Bansal and Hutter, PED-ANOVA:
    Efficiently Quantifying Hyperparameter Importance in Arbitrary Subspaces, IJCAI 2023. It tells of each
    parameter alone, not of what two do together; and of the values that were tried, so that one on which
    all trials soon agreed counts for less than it did. A parameter counts for nothing whose divergence is no
    larger than it is in any of `SHUFFLES` shuffles of the losses among the trials.

    Args:
        space: What was searched.
        values: What each trial had of each parameter.
        losses: How bad each trial was, infinite where it failed or was given up; only their order counts.

    Returns:
        By parameter, the most important first; together 1, or all 0 where none stands out from chance. None
        where that cannot be told: too few trials, or none better than the others.
    """
    every = math.ceil(len(losses) / MOST_TRIALS) if losses else 1
    values, losses = values[::every], losses[::every]
    n_best = max(LEAST_BEST, math.ceil(BEST_SHARE * len(losses)))
    finite = [loss for loss in losses if math.isfinite(loss)]
    if len(finite) < LEAST_TRIALS or min(finite) == max(losses):
        return None
    distributions = {key: _distribution(what) for key, what in space.items()}
    # The order alone, as an infinite value is none to Optuna.
    places = {loss: float(place) for place, loss in enumerate(sorted(set(losses)))}
    ranks = np.array([places[loss] for loss in losses])
    trials = [_trial(space, distributions, chosen) for chosen in values]
    evaluator = PedAnovaImportanceEvaluator(target_quantile=min(n_best / len(losses), 0.5))
    generator = np.random.default_rng(0)
    with without_notes():
        raw = _divergences(evaluator, trials, ranks)
        shuffled = [_divergences(evaluator, trials, generator.permutation(ranks)) for _ in range(SHUFFLES)]
    chance = {key: max(each.get(key, 0.0) for each in shuffled) for key in space}
    shares = {key: raw.get(key, 0.0) if raw.get(key, 0.0) > chance[key] else 0.0 for key in space}
    total = sum(shares.values()) or 1.0
    return {key: shares[key] / total for key in sorted(space, key=lambda key: -shares[key])}


def _divergences(
    evaluator: PedAnovaImportanceEvaluator, trials: Sequence[FrozenTrial], ranks: np.ndarray
) -> dict[str, float]:
    """How far the values of each parameter among the best trials are from those among all."""
    study = optuna.create_study()
    for trial, rank in zip(trials, ranks.tolist(), strict=True):
        trial.value = rank
        study.add_trial(trial)
    return evaluator.evaluate(study)


def _distribution(what: Range | Choices) -> BaseDistribution:
    if isinstance(what, Choices):
        return CategoricalDistribution(range(len(what.values)))
    if what.is_integer:
        return IntDistribution(int(what.minimum), int(what.maximum), log=what.is_log)
    return FloatDistribution(what.minimum, what.maximum, log=what.is_log)


def _trial(
    space: Space, distributions: Mapping[str, BaseDistribution], chosen: Mapping[str, Any]
) -> FrozenTrial:
    """A trial for Optuna, without a value of the config's own that lies outside of what is searched."""
    places = {key: _place(what, chosen[key]) for key, what in space.items() if key in chosen}
    known = {key: place for key, place in places.items() if place is not None}
    return create_trial(
        state=TrialState.COMPLETE,
        value=0.0,
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
