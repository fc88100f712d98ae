"""Predictions beside what was observed, and their metrics by part."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from dlreg.evaluation.metrics import ErrorSums, IntervalSums, sum_errors, sum_intervals
from dlreg.evaluation.usable import Unusable, find_unusable
from dlreg.limits import INTERVAL_PARTS

# What is summed at once.
ROWS_AT_ONCE = 1 << 16


@dataclass(frozen=True, eq=False)
class Predictions:
    """What was observed and what is predicted for some rows.

    Attributes:
        y_true: In the target's units, shape `(n_rows,)`.
        y_pred: The same shape.
        margins: How far each row's interval at 90% reaches below and above its prediction, shape
            `(n_rows, 2)`; None where there are too few rows to calibrate on.
        rows: Their 0-based positions in the CSV, shape `(n_rows,)`; None for what a file of the run says.
    """

    y_true: np.ndarray
    y_pred: np.ndarray
    margins: np.ndarray | None = None
    rows: np.ndarray | None = None

    def take(self, places: slice) -> "Predictions":
        """Those of some of the rows, by their positions."""
        return Predictions(
            self.y_true[places],
            self.y_pred[places],
            None if self.margins is None else self.margins[places],
            None if self.rows is None else self.rows[places],
        )

    @property
    def unusable(self) -> Unusable:
        """The rows whose prediction or interval is no number to use; files of a run have none."""
        if self.rows is None:
            return Unusable()
        return find_unusable(self.rows, self.y_pred, *(() if self.margins is None else self.margins.T))


@dataclass(frozen=True)
class PartSums:
    """What the metrics of a part are made of; those of more of its rows are made of the sum.

    Attributes:
        errors: Of its predictions.
        intervals: Of its intervals.
        unusable: The rows whose prediction or interval is no number to use.
    """

    errors: ErrorSums = field(default_factory=ErrorSums)
    intervals: IntervalSums = field(default_factory=IntervalSums)
    unusable: Unusable = field(default_factory=Unusable)

    def __add__(self, other: "PartSums") -> "PartSums":
        """Those of more rows."""
        return PartSums(
            self.errors + other.errors, self.intervals + other.intervals, self.unusable + other.unusable
        )

    def metrics(self, name: str) -> dict[str, Any] | None:
        """The metrics of the part of this name."""
        metrics = self.errors.metrics()
        return metrics | self.intervals.metrics() if metrics and name in INTERVAL_PARTS else metrics


def join_predictions(parts: Sequence[Predictions]) -> Predictions:
    """The predictions of all blocks of rows, one after the other; there may be none."""
    if len(parts) == 1:
        return parts[0]
    if not parts:
        return Predictions(np.empty(0), np.empty(0), rows=np.empty(0, dtype=np.int64))

    def joined(blocks: Sequence[np.ndarray | None]) -> np.ndarray | None:
        known = [block for block in blocks if block is not None]
        return np.concatenate(known) if len(known) == len(blocks) else None

    return Predictions(
        np.concatenate([part.y_true for part in parts]),
        np.concatenate([part.y_pred for part in parts]),
        joined([part.margins for part in parts]),
        joined([part.rows for part in parts]),
    )


def sum_predictions(part: Predictions) -> PartSums:
    """What the metrics of some rows are made of."""
    return PartSums(
        sum_errors(part.y_true, part.y_pred),
        sum_intervals(part.y_true, part.y_pred, part.margins),
        part.unusable,
    )


def sum_blocks(blocks: Iterable[tuple[str, Predictions]]) -> dict[str, PartSums]:
    """What the metrics of each part are made of, to the bit whatever the blocks are.

    Args:
        blocks: Rows of parts, each with the part's name, in their order; `ROWS_AT_ONCE` of a part are summed.

    Returns:
        The sums of the parts that were met.
    """
    sums, waiting = defaultdict[str, PartSums](PartSums), defaultdict[str, list[Predictions]](list)
    for name, block in blocks:
        waiting[name].append(block)
        n_rows = sum(len(part.y_true) for part in waiting[name])
        if n_rows < ROWS_AT_ONCE:
            continue
        joined = join_predictions(waiting[name])
        *starts, end = range(0, n_rows + 1, ROWS_AT_ONCE)
        for start in starts:
            sums[name] += sum_predictions(joined.take(slice(start, start + ROWS_AT_ONCE)))
        waiting[name] = [joined.take(slice(end, None))]
    for name, parts in waiting.items():
        sums[name] += sum_predictions(join_predictions(parts))
    return dict(sums)
