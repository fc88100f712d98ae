"""Predictions beside what was observed, and their metrics by part."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from dlreg.evaluation.metrics import interval_metrics, regression_metrics
from dlreg.evaluation.usable import Unusable, find_unusable

PARTS = ("train", "validation", "out_of_fold", "test", "data")
# Parts on which nothing was fitted, not even the intervals.
INTERVAL_PARTS = ("test", "data")


@dataclass(frozen=True, eq=False)
class Predictions:
    """What was observed and what is predicted for some rows.

    Attributes:
        y_true: In the target's units, shape `(n_rows,)`.
        y_pred: The same shape.
        half_width: Half the width of each row's interval at 90 %, the same shape; None where there are too
            few rows to calibrate on.
        rows: Their 0-based positions in the CSV, the same shape; None for what a file of the run says.
    """

    y_true: np.ndarray
    y_pred: np.ndarray
    half_width: np.ndarray | None = None
    rows: np.ndarray | None = None

    @property
    def unusable(self) -> Unusable:
        """The rows whose prediction or interval is no number to use; files of a run have none."""
        return Unusable() if self.rows is None else find_unusable(self.rows, self.y_pred, self.half_width)


def measure(parts: Mapping[str, Predictions]) -> dict[str, Any]:
    """Metrics by part, None where there are no rows; those of intervals on test rows and other CSVs.

    Args:
        parts: By a name of `PARTS`.
    """
    return {name: _measure_part(name, part) for name, part in parts.items()}


def _measure_part(name: str, part: Predictions) -> dict[str, Any] | None:
    metrics = regression_metrics(part.y_true, part.y_pred)
    if metrics and name in INTERVAL_PARTS:
        return metrics | interval_metrics(part.y_true, part.y_pred, part.half_width)
    return metrics
