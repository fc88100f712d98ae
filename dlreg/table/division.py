"""Which rows train, validate and test where a table does not fit in memory: by a rule, not by a list.

The rule looks at one row at a time, so that a block of rows is divided without the others. Its parts have the
sizes asked for on average, while `splits` draws exactly as many.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np

from dlreg.config.sections.data import SplitMethod
from dlreg.errors import DataError, Fault
from dlreg.table.row_draws import draw

PARTS = ("train", "validation", "test")
TRAIN, VALIDATION, TEST = range(3)


class Divided(NamedTuple):
    """Where some rows are.

    Attributes:
        parts: The part of each row, as a position in `PARTS`, uint8 of shape `(n_rows,)`.
        folds: With cross-validation the 0-based fold that a row is in if it trains, of the same kind.
    """

    parts: np.ndarray
    folds: np.ndarray | None

    def __bytes__(self) -> bytes:
        """All of it, for a hash."""
        return b"".join(values.tobytes() for values in self if values is not None)


@dataclass(frozen=True)
class Division:
    """A rule that says which part a row is in.

    - `random`: a row is held out for testing if the number that `row_draws.draw` gives it is below
      `test_split`, and of the others for validation if a second one is below `validation_split`.
    - `group`: the same with the number of its group.
    - `ordered`: rows from the `validation_from`-th on with a target validate, from `test_from` on they test.
    - `time`: rows from the moment `validation_from` on validate, from `test_from` on they test.

    With cross-validation a third number says which fold a row of the first two methods is in.

    Attributes:
        method: How rows are drawn.
        seed: Of the random methods.
        test_split: The fraction held out for testing.
        validation_split: The fraction of the others held out for validation.
        validation_from: See above; None for no validation rows, and for random methods.
        test_from: See above.
        n_folds: Of cross-validation; None without.
    """

    method: SplitMethod
    seed: int
    test_split: float
    validation_split: float
    validation_from: float | None = None
    test_from: float | None = None
    n_folds: int | None = None

    def divide(self, rows: np.ndarray, keys: np.ndarray | None) -> Divided:
        """Tells where some rows are.

        Args:
            rows: The rows' 0-based positions in the file, shape `(n_rows,)`.
            keys: What they are divided by, the same shape: the hash of a row's group, its moment, or how many
                rows with a target there are before it; None for `random`.
        """
        if self.method in ("random", "group"):
            keys = rows if keys is None else keys
            is_validation = draw(self.seed, "validation", keys) < self.validation_split
            is_test = draw(self.seed, "test", keys) < self.test_split
        else:
            order = np.asarray(keys)
            is_validation, is_test = (
                np.zeros(len(rows), dtype=bool) if start is None else order >= start
                for start in (self.validation_from, self.test_from)
            )
        parts = np.where(is_test, TEST, np.where(is_validation, VALIDATION, TRAIN)).astype(np.uint8)
        if self.n_folds is None:
            return Divided(parts, None)
        drawn_by = rows if keys is None else keys
        return Divided(parts, (draw(self.seed, "fold", drawn_by) * self.n_folds).astype(np.uint8))

    def describe(self) -> dict[str, Any]:
        """The rule in plain values, without what does not count for its method."""
        return {name: value for name, value in asdict(self).items() if value is not None}


def forward_division(
    method: SplitMethod,
    order: np.ndarray,
    *,
    seed: int,
    test_split: float,
    validation_split: float,
) -> Division:
    """The rule of a method that holds out what comes last, from the order of all rows or of a sample.

    Args:
        method: `ordered` or `time`.
        order: What says which of two rows comes later, of rows drawn at random or of all, shape `(n,)`.
        seed: Of the run.
        test_split: The fraction held out for testing.
        validation_split: The fraction of the others held out for validation.
    """
    ordered = np.sort(order)

    def start_of(end: int, fraction: float) -> tuple[int, float | None]:
        cut = int(np.floor(end * (1.0 - fraction)))
        if not fraction or cut >= end:
            return end, None
        # Rows of one moment stay on one side.
        cut = int(np.searchsorted(ordered, ordered[cut]))
        return cut, float(ordered[cut])

    end, test_from = start_of(len(ordered), test_split)
    _, validation_from = start_of(end, validation_split)
    return Division(method, seed, test_split, validation_split, validation_from, test_from)


def refuse_empty_parts(division: Division, counts: dict[str, int], fold_sizes: Sequence[int]) -> None:
    """Refuses a division in which a part that was asked for, the training part, or a fold is empty.

    Args:
        division: The rule.
        counts: The size of each part.
        fold_sizes: Of each fold of the training rows; empty without cross-validation.

    Raises:
        DataError: With these sizes.
    """
    asked = {
        "train": True,
        "validation": division.validation_split > 0,
        "test": division.test_split > 0,
    }
    if any(asked[name] and not counts.get(name) for name in PARTS):
        shown = ", ".join(f"{counts.get(name, 0):,} {name}" for name in PARTS)
        hint = "Use more rows, or other values of data.test_split and training.validation_split"
        message = f"split {division.method!r} of {sum(counts.values()):,} rows leaves {shown} rows"
        raise DataError(Fault(message, hint=hint))
    if 0 in fold_sizes:
        shown = ", ".join(f"{size:,}" for size in fold_sizes)
        message = f"split {division.method!r} leaves folds of {shown} rows"
        hint = "Use more rows or groups, a smaller training.cross_validation, or data.cache: memory"
        raise DataError(Fault(message, hint=hint))
