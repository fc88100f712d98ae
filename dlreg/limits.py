"""Limits on metrics, as `--fail-if` and `gates` of a config write them: `rmse>3.2`, `validation.r2<0.3`."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from dlreg.wording import nearest_word

METRIC_NAMES = ("n", "sse", "mse", "rmse", "mae", "mape", "r2")
INTERVAL_METRIC_NAMES = ("coverage_90", "width_90")
ERRORS = ("sse", "mse", "rmse", "mae", "mape", "width_90")
MORE_IS_BETTER = ("r2", "coverage_90")
# The parts of a run's own rows; a limit that names none is on the last one.
RUN_PARTS = ("train", "validation", "out_of_fold", "test")
# What `evaluate --data` measures has one part.
DATA_PARTS = ("data",)
# What may be chosen by: all but the rows that tell in the end what was chosen.
CHOOSING_PARTS = ("train", "validation", "out_of_fold")
# Parts on which nothing was fitted, not even the intervals.
INTERVAL_PARTS = ("test", "data")

NUMBER = r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?"
_METRIC = re.compile(r"(?:(\w+)\.)?(\w+)")
_LIMIT = re.compile(rf"\s*(?:(\w+)\s*\.)?\s*(\w+)\s*(>=|<=|>|<)\s*({NUMBER})\s*")


@dataclass(frozen=True)
class Limit:
    """A run fails if the comparison of the metric with the bound holds."""

    expression: str
    part: str
    metric: str
    operator: str
    bound: float


class LimitError(ValueError):
    """A text is no limit; the message is put together where it is known who wrote it.

    Args:
        expected: What it must be, to stand behind the name of what holds it.
        hint: A way out, a sentence of its own.
    """

    def __init__(self, expected: str, hint: str) -> None:
        super().__init__(expected, hint)
        self.expected = expected
        self.hint = hint


def read_limit(text: str, parts: Sequence[str] = RUN_PARTS) -> Limit:
    """Reads a limit such as `rmse>3.2` or `validation.mae>=2`.

    Args:
        text: As it is written.
        parts: Those that are measured; the last one is meant where none is named.

    Raises:
        LimitError: The text is malformed, or names an unknown metric or part.
    """
    match = _LIMIT.fullmatch(text)
    if not match or not math.isfinite(float(match[4])):
        hint = "For example rmse>3.2 or validation.mae>=2"
        raise LimitError("takes METRIC, > >= < or <=, and a number", hint)
    part, metric, sign, bound = match[1] or parts[-1], match[2], match[3], float(match[4])
    if part not in parts:
        hint = "With --data there is the part data alone. " if part in RUN_PARTS else _guess(part, parts)
        hint = "Only evaluate --data has it. " if part in DATA_PARTS else hint
        raise LimitError(f"names an unknown part {part}", f"{hint}The parts are {', '.join(parts)}")
    metrics = (*METRIC_NAMES, *(INTERVAL_METRIC_NAMES if part in INTERVAL_PARTS else ()))
    if metric not in metrics:
        hint = _guess(metric, metrics)
        if metric in INTERVAL_METRIC_NAMES:
            hint = f"Only the parts {' and '.join(INTERVAL_PARTS)} have it. "
        raise LimitError(f"names an unknown metric {metric}", f"{hint}The metrics are {', '.join(metrics)}")
    return Limit(text.strip(), part, metric, sign, bound)


def read_metric(text: str) -> tuple[str | None, str]:
    """Reads a metric to choose by, such as `validation.rmse`, or `rmse` of whatever rows validate.

    Returns:
        Its part, None where none is named, and its name.

    Raises:
        LimitError: The text is malformed, names an unknown metric or part, or the part test.
    """
    match = _METRIC.fullmatch(text)
    if not match:
        raise LimitError("must be METRIC or PART.METRIC", "For example rmse or validation.mae")
    part, metric = match[1], match[2]
    if part == "test":
        hint = "They tell in the end what the chosen config is worth: choose by validation or out_of_fold"
        raise LimitError("must not be of test rows", hint)
    if part is not None and part not in CHOOSING_PARTS:
        hint = f"{_guess(part, CHOOSING_PARTS)}The parts are {', '.join(CHOOSING_PARTS)}"
        raise LimitError(f"names an unknown part {part}", hint)
    # A count of rows is the same for all.
    names = METRIC_NAMES[1:]
    if metric not in names:
        raise LimitError(
            f"names an unknown metric {metric}",
            f"{_guess(metric, names)}The metrics are {', '.join(names)}",
        )
    return part, metric


def _guess(word: str, words: Sequence[str]) -> str:
    near = nearest_word(word, words)
    return f"Did you mean {near}? " if near else ""
