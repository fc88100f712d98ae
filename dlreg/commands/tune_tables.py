"""`trials.csv`: a line for each trial that ended."""

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

from dlreg.commands.tune_results import Ended
from dlreg.search.space import Space

_BEFORE, _AFTER = ("number", "state", "value"), (
    "epochs", "best_epoch", "seconds", "training_seconds", "message",
)  # fmt: skip


def trials_csv(ended: Sequence[Ended], space: Space) -> bytes:
    """The trials in the order of their numbers, with what each had of every parameter and every metric.

    A value that is neither a number nor a plain word stands there as JSON; what does not exist is empty.

    Args:
        ended: The trials.
        space: What was searched.
    """
    keys = list(space)
    metrics = list(
        dict.fromkeys(
            (part, name)
            for _, result in ended
            for part, values in result.metrics.items()
            if values
            for name in values
        )
    )
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow([*_BEFORE, *keys, *(f"{part}.{name}" for part, name in metrics), *_AFTER])
    for trial, result in sorted(ended, key=lambda each: each.trial.number):
        measured = [(result.metrics.get(part) or {}).get(name) for part, name in metrics]
        cells = [
            *(trial.number, result.state, result.value),
            *(trial.values.get(key) for key in keys),
            *measured,
            *(result.epochs, result.best_epoch, round(result.seconds, 3), round(result.training_seconds, 3)),
            result.message,
        ]
        lines.writerow([_cell(cell) for cell in cells])
    return text.getvalue().encode()


def _cell(value: Any) -> Any:
    if value is None or (isinstance(value, str | int | float) and not isinstance(value, bool)):
        return value
    return json.dumps(value, ensure_ascii=False)
