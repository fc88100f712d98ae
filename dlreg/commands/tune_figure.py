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
            None if importance is None else importance.get(key, 0.0),
        )
        for key, what in space.items()
    ]
    values = np.array([math.nan if result.value is None else result.value for _, result in ended])
    states = np.array([result.state for _, result in ended])
    figure = plot_search(values, states, parameters, metric=metric, target=target, maximise=maximise)
    return render_figure(figure, "png")


def _parameter(
    key: str, what: Range | Choices, values: Sequence[Any], importance: float | None
) -> SearchedParameter:
    if isinstance(what, Choices):
        places = {value_text(choice): place for place, choice in enumerate(what.values)}
        at = np.array([float(places.get(value_text(value), math.nan)) for value in values])
        labels = [value_text(choice) for choice in what.values]
        return SearchedParameter(key, "choices", at, (0.0, len(labels) - 1.0), labels, importance)
    numbers = np.array([float(value) if isinstance(value, int | float) else math.nan for value in values])
    # The config's own value may lie beyond what is searched, and below 0 have no logarithm.
    if what.is_log:
        numbers = np.where(numbers > 0, numbers, math.nan)
    scale: Literal["linear", "log"] = "log" if what.is_log else "linear"
    return SearchedParameter(key, scale, numbers, (what.minimum, what.maximum), (), importance)
