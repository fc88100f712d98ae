"""Prediction intervals of new rows, made from the scores of rows that the network was not fitted on."""

import math
from dataclasses import dataclass

import numpy as np

# The level at which intervals are measured and compared.
LEVEL = 0.9
# More scores than this are thinned out evenly.
MAX_SCORES = 10_000


@dataclass(frozen=True, eq=False)
class Intervals:
    """The scores that the intervals of new rows are made from.

    Attributes:
        n_rows: How many calibration rows there were.
        scores: Theirs, ascending; of more than `MAX_SCORES` the ⌈(j + 1) · n_rows / MAX_SCORES⌉-th smallest.
    """

    n_rows: int
    scores: np.ndarray

    def quantile(self, level: float) -> float | None:
        """The factor from a row's scale to half the width of its interval.

        Args:
            level: The share of new rows that the intervals shall hold, above 0 and below 1.

        Returns:
            The ⌈(n_rows + 1) · level⌉-th smallest score, or the next one that was kept; None if there are
            fewer calibration rows than that: no interval but the whole line holds so large a share.
        """
        # 100 · 0.55 is 55.00000000000001 to a computer.
        rank = math.ceil(round((self.n_rows + 1) * level, 9))
        if rank > self.n_rows:
            return None
        position = math.ceil(round(rank * len(self.scores) / self.n_rows, 9)) - 1
        return float(self.scores[position])

    def half_widths(self, level: float, n_rows: int, scale: np.ndarray | None) -> np.ndarray | None:
        """Half of the width of each row's interval.

        Args:
            level: The share of rows that they shall hold.
            n_rows: How many rows.
            scale: Of each row, shape `(n_rows,)`; None where all have one width.

        Returns:
            In the target's units, shape `(n_rows,)`; None where there are too few calibration rows.
        """
        factor = self.quantile(level)
        return None if factor is None else factor * (np.ones(n_rows) if scale is None else scale)

    @property
    def highest_level(self) -> float:
        """The largest level that has an interval."""
        return self.n_rows / (self.n_rows + 1)
