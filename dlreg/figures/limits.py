"""How far an axis reaches: over all values, unless a few far out would press the rest flat."""

from typing import Any, NamedTuple

import numpy as np

# At each end this share of the values counts as the outermost, and at least one of them.
OUTERMOST = 0.03
# What is farther from the others than so many times their reach from end to end is left out.
FAR_OUT = 3.0
LEAST_VALUES = 6


class Limits(NamedTuple):
    """The ends of what an axis shows, without a margin."""

    low: float
    high: float

    def around(self, share: float = 0.04) -> "Limits":
        """The same with a margin, a share of the length, at both ends."""
        margin = share * (self.high - self.low) or abs(self.low) * 0.1 or 1.0
        return Limits(self.low - margin, self.high + margin)

    def and_(self, other: "Limits") -> "Limits":
        """What holds both."""
        return Limits(min(self.low, other.low), max(self.high, other.high))

    def leave_out(self, values: Any) -> Any:
        """Which of some values lie beyond, in the same shape."""
        return (values < self.low) | (values > self.high)


def robust_limits(values: np.ndarray) -> Limits:
    """The least and the greatest value of those that do not lie far out.

    Far out lies what is farther from the values without the outermost ones (`OUTERMOST` at each end) than
    `FAR_OUT` times as far as these reach: none of a hundred normal values, but a residual of -9,000 beside
    ±500. With it the others would share less than a quarter of the axis.

    Args:
        values: Finite, shape `(n,)`, at least one.
    """
    values = np.sort(values)
    n_outermost = max(1, int(OUTERMOST * len(values)))
    if len(values) < LEAST_VALUES or values[n_outermost] == values[-n_outermost - 1]:
        return Limits(float(values[0]), float(values[-1]))
    inner = Limits(float(values[n_outermost]), float(values[-n_outermost - 1]))
    near = values[~inner.around(FAR_OUT).leave_out(values)]
    return Limits(float(near[0]), float(near[-1]))
