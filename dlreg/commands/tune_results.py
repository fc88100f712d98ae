"""What a search found: to what end trials came, the best of them, and whether it stands at an edge."""

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from dlreg.config.keys import leaves_of, nodes_at
from dlreg.search.space import Choices, Range, Space
from dlreg.search.trials import Trial, TrialResult

# An optimum this near to an end of a range, as a share of its length, stands at an edge.
EDGE_SHARE = 0.05
# Of two values every one is an end.
LEAST_ORDERED = 3
MOST_FAILURES = 3


class Ended(NamedTuple):
    """A trial that ended, and what came of it."""

    trial: Trial
    result: TrialResult


@dataclass(frozen=True)
class Edge:
    """A parameter whose best value stands at an end of what was searched.

    Attributes:
        parameter: The dotted key.
        value: The best value.
        end: Which one.
        limit: The end.
    """

    parameter: str
    value: float
    end: Literal["lower", "upper"]
    limit: float


@dataclass(frozen=True)
class Failure:
    """Why trials failed.

    Attributes:
        message: Of each of them.
        count: How many they are.
        number: One of them.
    """

    message: str
    count: int
    number: int


def count_trials(ended: Sequence[Ended]) -> dict[str, int]:
    """How many trials there are, and how many of them are complete, pruned and failed."""
    states = Counter(result.state for _, result in ended)
    return {"finished": len(ended), **{state: states[state] for state in ("complete", "pruned", "failed")}}


def loss_of(result: TrialResult, *, maximise: bool) -> float:
    """How bad a trial is; infinite where it was not trained to its end, as then it cannot be chosen."""
    if result.state != "complete" or result.value is None or not math.isfinite(result.value):
        return math.inf
    return -result.value if maximise else result.value


def find_best(ended: Sequence[Ended], *, maximise: bool) -> Ended | None:
    """The best of the complete trials, of equal ones the first; None without one."""
    best = min(
        ended, key=lambda each: (loss_of(each.result, maximise=maximise), each.trial.number), default=None
    )
    return best if best and math.isfinite(loss_of(best.result, maximise=maximise)) else None


def find_failures(ended: Sequence[Ended]) -> list[Failure]:
    """Why trials failed, the most common reason first; at most `MOST_FAILURES`."""
    failed = [result for _, result in ended if result.state == "failed"]
    messages = Counter(result.message or "no reason is known" for result in failed)
    first = {result.message or "no reason is known": result.number for result in reversed(failed)}
    return [Failure(message, count, first[message]) for message, count in messages.most_common(MOST_FAILURES)]


def find_edges(space: Space, values: Mapping[str, Any]) -> list[Edge]:
    """The parameters whose value stands at an end of their range, where it might go on.

    At an end is what lies within `EDGE_SHARE` of the range from it, by logarithms where numbers are drawn by
    these, and the least and the largest of `LEAST_ORDERED` numbers or more. Ends that a config can have no
    value beyond, such as a dropout of 0, are none.

    Args:
        space: What was searched.
        values: The best of each parameter.
    """
    edges = [_edge(key, what, values.get(key)) for key, what in space.items()]
    return [edge for edge in edges if edge]


def _edge(key: str, what: Range | Choices, value: Any) -> Edge | None:
    if not _is_number(value):
        return None
    if isinstance(what, Choices):
        numbers = sorted({choice for choice in what.values if _is_number(choice)})
        if len(numbers) < max(LEAST_ORDERED, len(what.values)):
            return None
        low, high = numbers[0], numbers[-1]
        is_lower, is_upper = value == low, value == high
    else:
        low, high = what.minimum, what.maximum
        if not low < high or not low <= value <= high:
            return None
        scaled = [math.log(number) if what.is_log else number for number in (low, value, high)]
        share = (scaled[1] - scaled[0]) / (scaled[2] - scaled[0])
        is_lower, is_upper = share <= EDGE_SHARE, share >= 1 - EDGE_SHARE
    least, most = _bounds_of(key)
    if is_lower and not low <= least:
        return Edge(key, value, "lower", low)
    if is_upper and not high >= most:
        return Edge(key, value, "upper", high)
    return None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _bounds_of(key: str) -> tuple[float, float]:
    """What a config may have under a key at least and at most."""
    nodes = leaves_of(nodes_at(tuple(key.split("."))))
    least = [node[name] for node in nodes for name in ("minimum", "exclusiveMinimum") if name in node]
    most = [node[name] for node in nodes for name in ("maximum", "exclusiveMaximum") if name in node]
    return max(least, default=-math.inf), min(most, default=math.inf)


def value_text(value: Any) -> str:
    """A value of a parameter to read: a number with four digits, all else as JSON, a plain word as it is."""
    if isinstance(value, float):
        return f"{value:.4g}"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
