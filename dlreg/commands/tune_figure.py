"""`search.png`: what the figure of a search is drawn from."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from dlreg.commands.tune_results import Ended, value_text
from dlreg.figures.search import SearchedParameter, plot_search
from dlreg.figures.writing import render_figure
from dlreg.search.space import Choices, Range, Space


def search_png(
    ended: Sequence[Ended],
    space: Space,
    own_values: Mapping[str, Any],
    importance: Mapping[str, float] | None,
    *,
    metric: str,
    target: str,
    maximise: bool,
) -> bytes:
    """The bytes of a PNG that shows a search.

    Args:
        ended: The trials, at least one, in the order of their numbers.
        space: What was searched.
        own_values: What the config has of each parameter.
        importance: The share of each; None where that is not known.
        metric: What was searched by.
        target: The target's name.
        maximise: Whether more is better.
    """
    parameters = [
        _parameter(
            key,
            what,
            [trial.values.get(key, own_values.get(key)) for trial, _ in ended],
            own_values.get(key) if ended[0].trial.number == 0 else None,
            None if importance is None else importance.get(key, 0.0),
        )
        for key, what in space.items()
    ]
    numbers = np.array([trial.number for trial, _ in ended])
    values = np.array([math.nan if result.value is None else result.value for _, result in ended])
    states = np.array([result.state for _, result in ended])
    figure = plot_search(numbers, values, states, parameters, metric=metric, target=target, maximise=maximise)
    return render_figure(figure, "png")


def _parameter(
    key: str, what: Range | Choices, values: Sequence[Any], own: Any, importance: float | None
) -> SearchedParameter:
    if isinstance(what, Choices):
        places = {label: place for place, label in enumerate(_labels(what, own))}
        at = np.array([float(places.get(value_text(value), math.nan)) for value in values])
        return SearchedParameter(key, "choices", at, (0.0, len(places) - 1.0), list(places), importance)
    numbers = np.array([_number(value) for value in values])
    # The config's own value may lie beyond what is searched, and below 0 have no logarithm.
    ends = [what.minimum, what.maximum, _number(own)]
    if what.is_log:
        numbers, ends = np.where(numbers > 0, numbers, math.nan), [end for end in ends if end > 0]
    scale: Literal["linear", "log"] = "log" if what.is_log else "linear"
    known = [end for end in ends if math.isfinite(end)]
    return SearchedParameter(key, scale, numbers, (min(known), max(known)), (), importance)


def _labels(what: Choices, own: Any) -> list[str]:
    """The choices and the config's own value, in words; numbers alone stand in their order."""
    choices = [*what.values] if own is None and None not in what.values else [*what.values, own]
    if all(math.isfinite(_number(choice)) for choice in choices):
        choices.sort()
    return list(dict.fromkeys(map(value_text, choices)))


def _number(value: Any) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number else math.nan
