"""Prediction intervals of new rows, made from the scores of rows that the network was not fitted on."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

# The level at which intervals are measured and compared.
LEVEL = 0.9
# More scores than this are thinned out evenly.
MAX_SCORES = 10_000


class Factors(NamedTuple):
    """How far an interval reaches below and above the prediction, in units of the row's scale; at least 0."""

    below: float
    above: float


@dataclass(frozen=True, eq=False)
class Intervals:
    """The scores that the intervals of new rows are made from.

    Attributes:
        n_rows: How many calibration rows there were.
        scores: Theirs, ascending; of more than `MAX_SCORES` the ⌈(j + 1) · n_rows / MAX_SCORES⌉-th smallest,
            of signed ones below the middle as many from above.
        are_signed: Whether they are negative where a prediction was too high, so that intervals reach
            further to one side; or the same to both.
    """

    n_rows: int
    scores: np.ndarray
    are_signed: bool = False

    def factors(self, level: float) -> Factors | None:
        """How far the intervals of a level reach, the further the higher it is.

        Of scores without a sign it is the ⌈(n_rows + 1) · level⌉-th smallest, to both sides. Of signed ones
        it is to each side the ⌈(n_rows + 1) · (1 + level) / 2⌉-th smallest of those that count to this side,
        and for a level that is too high for that, as a half of what is outside shall lie on each side, the
        largest to both.

        Args:
            level: The share of new rows that the intervals shall hold, above 0 and below 1.

        Returns:
            None if there are fewer calibration rows than that: no interval but the whole line holds so large
            a share.
        """
        if self._rank(level) > self.n_rows:
            return None
        if not self.are_signed:
            score = float(self.scores[self._position(self._rank(level))])
            return Factors(score, score)
        rank = self._rank((1 + level) / 2)
        if rank > self.n_rows:
            largest = float(max(-self.scores[0], self.scores[-1]))
            return Factors(largest, largest)
        above = self._position(rank)
        below = len(self.scores) - 1 - above
        return Factors(max(0.0, -float(self.scores[below])), max(0.0, float(self.scores[above])))

    def margins(self, level: float, n_rows: int, scale: np.ndarray | None) -> np.ndarray | None:
        """How far each row's interval reaches below and above its prediction.

        Args:
            level: The share of rows that they shall hold.
            n_rows: How many rows.
            scale: Of each row, shape `(n_rows,)`; None where all have one width.

        Returns:
            In the target's units, shape `(n_rows, 2)`; None where there are too few calibration rows.
        """
        factors = self.factors(level)
        return None if factors is None else np.outer(np.ones(n_rows) if scale is None else scale, factors)

    @property
    def highest_level(self) -> float:
        """The largest level that has an interval."""
        return self.n_rows / (self.n_rows + 1)

    def _rank(self, level: float) -> int:
        # 100 · 0.55 is 55.00000000000001 to a computer.
        return math.ceil(round((self.n_rows + 1) * level, 9))

    def _position(self, rank: int) -> int:
        """Where the score of a rank stands, or the next one that was kept."""
        return math.ceil(round(rank * len(self.scores) / self.n_rows, 9)) - 1


def calibrated_intervals(scores: np.ndarray, *, signed: bool = False) -> Intervals:
    """Intervals of the scores of calibration rows.

    Args:
        scores: Of each row, shape `(n_rows,)`.
        signed: Whether a half of what is outside shall lie on each side; else the sign does not count.
    """
    ordered = np.sort(scores if signed else np.abs(scores))
    n_rows = len(ordered)
    n_kept = min(n_rows, MAX_SCORES)
    positions = -(-np.arange(1, n_kept + 1) * n_rows // max(n_kept, 1)) - 1
    if signed:
        mirrored = n_rows - 1 - positions[::-1]
        positions = np.where(np.arange(n_kept) < n_kept // 2, mirrored, positions)
    return Intervals(n_rows, ordered[positions], signed)
