"""Predictions that are numbers to use, and those that are not: NaN, infinite, or too large to be squared.

A network extrapolates to such numbers where a cell lies far beyond those of training, and a stranger's
pipeline gives whatever it likes. They are neither written nor measured: where one would stand there is
nothing, and a fault tells of it.
"""

from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Any

from dlreg.errors import Fault

# Whoever reads a bound needs no NumPy.
if TYPE_CHECKING:
    import numpy as np

# The squares of larger numbers overflow double precision, and figures of them cannot be drawn.
LARGEST = 1e150
MOST_SHOWN = 3
FEW = 32


def is_usable(values: "np.ndarray") -> Any:
    """Whether each value is a number to use, in the shape of the values."""
    return abs(values) <= LARGEST


def are_usable(values: "np.ndarray") -> bool:
    """Whether all values are, shape `(n_rows,)`."""
    # A function of NumPy takes longer than Python with some numbers.
    return (
        all(abs(value) <= LARGEST for value in values.tolist())
        if len(values) <= FEW
        else bool(is_usable(values).all())
    )


@dataclass(frozen=True)
class Unusable:
    """Rows with a prediction, or what comes with it, that is no number to use.

    Attributes:
        count: How many there are.
        first: The 0-based positions of the first of them in their CSV, and what was predicted.
    """

    count: int = 0
    first: tuple[tuple[int, float], ...] = ()

    def __add__(self, other: "Unusable") -> "Unusable":
        """Those of more rows."""
        return Unusable(self.count + other.count, (*self.first, *other.first)[:MOST_SHOWN])

    def faults(self, path: str, part: str = "") -> list[Fault]:
        """One fault of them all; none without any.

        Args:
            path: The CSV of the rows.
            part: What the rows are called, if they are not all of the CSV.
        """
        if not self.count:
            return []
        shown = ", ".join(f"{value:.6g} in row {row:,}" for row, value in self.first)
        more = f" and {self.count - len(self.first):,} more" if self.count > len(self.first) else ""
        of_part = f" of the {part} rows" if part else ""
        expected = f"expected finite predictions{of_part}, none beyond {LARGEST:g}"
        hint = (
            "Mend cells far outside of the training range, or set preprocessing.clip_predictions and train. "
        )
        hint += "Where all cells are ordinary, do not trust the run"
        return [Fault(f"{expected}; found {shown}{more} (the first row is 0)", path, hint=hint)]


def find_unusable(rows: "np.ndarray", *values: "np.ndarray | None") -> Unusable:
    """The rows of which any value is no number to use.

    Args:
        rows: Their 0-based positions in the CSV, shape `(n_rows,)`.
        values: What belongs to each row, the same shape, such as its prediction and the width of its
            interval; None where there is no such thing.
    """
    judged = reduce(_first_unusable, (each for each in values if each is not None))
    places = (~is_usable(judged)).nonzero()[0]
    first = zip(rows[places[:MOST_SHOWN]].tolist(), judged[places[:MOST_SHOWN]].tolist(), strict=True)
    return Unusable(len(places), tuple(first))


def _first_unusable(values: "np.ndarray", others: "np.ndarray") -> "np.ndarray":
    judged, is_used = values.copy(), is_usable(values)
    judged[is_used] = others[is_used]
    return judged
