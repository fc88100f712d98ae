"""Which rows train, which validate, which test."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from dlreg.config.sections.data import FORWARD_METHODS, SplitMethod
from dlreg.errors import DataError, Fault


@dataclass(frozen=True)
class Splits:
    """Row positions, 0-based and ascending, shape `(n_part,)` each; no row is in two parts."""

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray


class Fold(NamedTuple):
    """Rows of one round of cross-validation: 0-based positions, ascending, shape `(n_part,)` each."""

    train: np.ndarray
    validation: np.ndarray


def split_rows(
    rows: np.ndarray,
    method: SplitMethod,
    *,
    test_split: float,
    validation_split: float,
    seed: int,
    by: np.ndarray | None = None,
) -> Splits:
    """Draws the test rows, then the validation rows from what is left.

    - `random`: rows drawn without replacement.
    - `ordered`: the last rows. Of n rows the last n - ⌊n · (1 - fraction)⌋ are held out, as by Keras's
      `validation_split`; the other methods hold out as many.
    - `group`: whole groups, drawn in random order until the fraction is reached or passed.
    - `time`: the latest rows; rows of the same moment stay on one side.

    Args:
        rows: The positions to split, ascending, shape `(n_rows,)`.
        method: How rows are drawn.
        test_split: The fraction held out for testing; 0 for none.
        validation_split: The fraction of the remaining rows held out for validation; 0 for none.
        seed: Of the random methods.
        by: The group or the moment of each row, shape `(n_rows,)`.

    Raises:
        DataError: A part that was asked for, or the training part, would be empty.
    """
    generator = np.random.default_rng(seed)
    order = _order(method, len(rows), generator, by)
    rest, test = _hold_out(order, test_split, method, by)
    train, validation = _hold_out(rest, validation_split, method, by)
    parts = {"training": train, "validation": validation, "test": test}
    asked = {"training": True, "validation": validation_split > 0, "test": test_split > 0}
    if any(asked[name] and not len(part) for name, part in parts.items()):
        counts = ", ".join(f"{len(part):,} {name}" for name, part in parts.items())
        hint = "Use more rows, or other values of data.test_split and training.validation_split"
        raise DataError(Fault(f"split {method!r} of {len(rows):,} rows leaves {counts} rows", hint=hint))
    return Splits(*(rows[_are_in(part, len(rows))] for part in (train, validation, test)))


def _are_in(places: np.ndarray, n_rows: int) -> np.ndarray:
    """Whether each of some rows is at one of these places; a sort of the places takes ten times as long."""
    are_in = np.zeros(n_rows, dtype=bool)
    are_in[places] = True
    return are_in


def split_folds(
    n_rows: int, method: SplitMethod, n_folds: int, *, seed: int, by: np.ndarray | None = None
) -> tuple[Fold, ...]:
    """Cuts rows into folds of about one size for cross-validation, drawn as `split_rows` draws them.

    With `random` and `group` every row is validated in one fold, and learnt from in all others; `group` keeps
    groups whole. With `ordered` and `time` folds go forward: each learns from all rows before those it
    validates, and the first rows, about as many as a fold has, are validated in none. These are the folds of
    scikit-learn's `TimeSeriesSplit(n_folds)`, but that `time` keeps rows of one moment on one side.

    Args:
        n_rows: How many rows there are.
        method: How they are drawn.
        n_folds: How many folds.
        seed: Of the random methods.
        by: The group or the moment of each row, shape `(n_rows,)`.

    Raises:
        DataError: There are too few rows, groups or moments for so many folds.
    """
    order = _order(method, n_rows, np.random.default_rng((seed, n_folds)), by)
    if method in FORWARD_METHODS:
        size = n_rows // (n_folds + 1)
        cuts = [n_rows - size * fold for fold in range(n_folds, 0, -1)]
    else:
        cuts = [round(n_rows * fold / n_folds) for fold in range(1, n_folds)]
    if by is not None and method in ("group", "time"):
        starts = np.flatnonzero(by[order[1:]] != by[order[:-1]]) + 1
        cuts = [int(starts[np.argmin(np.abs(starts - cut))]) if starts.size else 0 for cut in cuts]
    parts = [np.sort(part).astype(np.int32) for part in np.split(order, cuts)]
    if min(map(len, parts)) == 0 or n_rows < 2 * n_folds:
        message = f"split {method!r} of {n_rows:,} rows leaves no {n_folds} folds"
        raise DataError(Fault(message, hint="Use more rows, or a smaller training.cross_validation"))
    if method in FORWARD_METHODS:
        return tuple(
            Fold(np.sort(np.concatenate(parts[:fold])), parts[fold]) for fold in range(1, len(parts))
        )
    return leaving_out(parts)


def leaving_out(parts: Sequence[np.ndarray]) -> tuple[Fold, ...]:
    """A fold for each part of some rows: it validates the part, and learns from all others."""
    n_rows = sum(map(len, parts))
    return tuple(Fold(np.flatnonzero(~_are_in(part, n_rows)).astype(part.dtype), part) for part in parts)


def go_forward(folds: Sequence[Fold]) -> bool:
    """Whether each fold learns from the rows before it alone: the last then knows more than the first."""
    sizes = [len(fold.train) + len(fold.validation) for fold in folds]
    return len(folds) > 1 and sizes[0] < sizes[-1]


def rows_per_epoch(n_rows: int, folds: Sequence[Fold]) -> int:
    """Training rows of an epoch: those of the fold that learns from most, or all."""
    return max((len(fold.train) for fold in folds), default=n_rows)


def validated_rows(folds: Sequence[Fold]) -> np.ndarray:
    """The positions of all rows that some fold validates, ascending; with folds that go forward not all."""
    return np.sort(np.concatenate([fold.validation for fold in folds]))


def _order(
    method: SplitMethod, n_rows: int, generator: np.random.Generator, by: np.ndarray | None
) -> np.ndarray:
    """All positions, those to be held out first at the end."""
    if method == "random":
        return generator.permutation(n_rows)
    if method == "ordered" or by is None:
        return np.arange(n_rows)
    if method == "time":
        return np.argsort(by, kind="stable")
    groups, group_of_row = np.unique(by, return_inverse=True)
    return np.argsort(generator.permutation(len(groups))[group_of_row], kind="stable")


def _hold_out(
    order: np.ndarray, fraction: float, method: SplitMethod, by: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    cut = int(np.floor(len(order) * (1.0 - fraction)))
    if by is not None and method in ("group", "time"):
        # Rows of one group, or of one moment, must not stand on both sides.
        while 0 < cut < len(order) and by[order[cut - 1]] == by[order[cut]]:
            cut -= 1
    return order[:cut], order[cut:]
