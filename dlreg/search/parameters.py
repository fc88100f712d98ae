"""A space in Optuna's terms: a distribution for each key, and the points of a grid.

Values of `Choices` are lists, texts, numbers or null; Optuna knows them by their JSON text.
"""

import json
from collections.abc import Iterator, Mapping
from math import prod
from random import Random
from typing import Any

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import Trial

from dlreg.search.space import Choices, Range, Space, is_same, levels_of


def distributions_of(space: Space) -> dict[str, BaseDistribution]:
    """A distribution by key, in the order of the keys' names, so that a config's order decides nothing."""
    return {key: _distribution(space[key]) for key in sorted(space)}


def params_of(values: Mapping[str, Any], space: Space) -> dict[str, Any]:
    """Plain values as Optuna has them."""
    return {key: _param(value, space[key]) for key, value in values.items()}


def values_of(params: Mapping[str, Any], space: Space) -> dict[str, Any]:
    """Optuna's values as plain ones, in the order of the space."""
    return {
        key: json.loads(params[key]) if isinstance(space[key], Choices) else params[key]
        for key in space
        if key in params
    }


def suggest(trial: Trial, distributions: Mapping[str, BaseDistribution]) -> dict[str, Any]:
    """Has the sampler of a study choose the values of a trial that was asked for without."""
    for key, among in distributions.items():
        if isinstance(among, CategoricalDistribution):
            trial.suggest_categorical(key, among.choices)
        elif isinstance(among, IntDistribution):
            trial.suggest_int(key, among.low, among.high, log=among.log)
        elif isinstance(among, FloatDistribution):
            trial.suggest_float(key, among.low, among.high, log=among.log)
    return trial.params


def grid_points(space: Space, seed: int, left_out: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Every point of a grid once, in an order drawn by the seed: who ends early has seen some of each.

    Args:
        space: Of choices and ranges of whole numbers.
        seed: Of the order.
        left_out: A point that has been tried already.

    The order is that of Fisher and Yates, which is drawn point by point: a grid may have more points than
    memory.
    """
    levels = {key: levels_of(space[key]) for key in sorted(space)}
    generator, moved = Random(seed), dict[int, int]()  # noqa: S311 - nothing is secret
    total = prod(map(len, levels.values()))
    for place in range(total):
        drawn = generator.randrange(place, total)
        index = moved.get(drawn, drawn)
        moved[drawn] = moved.get(place, place)
        point = {}
        for key, tried in levels.items():
            index, level = divmod(index, len(tried))
            point[key] = tried[level]
        if point != left_out:
            yield {key: point[key] for key in space}


def _distribution(tried: Range | Choices) -> BaseDistribution:
    if isinstance(tried, Choices):
        return CategoricalDistribution([json.dumps(value) for value in tried.values])
    if tried.is_integer:
        return IntDistribution(int(tried.minimum), int(tried.maximum), log=tried.is_log)
    return FloatDistribution(tried.minimum, tried.maximum, log=tried.is_log)


def _param(value: Any, tried: Range | Choices) -> Any:
    if isinstance(tried, Choices):
        return json.dumps(next(choice for choice in tried.values if is_same(value, choice)))
    return int(value) if tried.is_integer else float(value)
