"""The rows of a training, in memory or read from disk, and the order in which each member visits them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from dlreg.engine.program import NO_ROW, Program
from dlreg.engine.trainer import (
    Pool,
    Trainer,
    ValidationRows,
    build_disk_trainer,
    build_trainer,
)

# For a member and an epoch, both 0-based, the positions of its training rows in the order it meets them.
# Those that share weights are members each.
OrderOfRows = Callable[[int, int], np.ndarray]


class TrainingRows(NamedTuple):
    """Preprocessed rows: x, float32 of shape `(n_rows, n_features)`, and scaled targets y, `(n_rows, 1)`."""

    x: np.ndarray
    y: np.ndarray


@dataclass(frozen=True)
class TrainingData:
    """The rows of a training, and the order in which each member visits them.

    Attributes:
        train: The rows to train on.
        validation: Rows to choose the best epoch by; there may be none.
        order_of_rows: The rows of each member's epochs, positions in `train`.
        n_rows: How many these are, the same for every member; None for all of `train`.
        validation_rows: Each member's positions in `validation`, `(n_members, n_validation)`, padded as by
            `padded_rows`; None for all of them.
        refit_rows: The positions in `train` of the rows to refit with; None for all of them.
    """

    train: TrainingRows
    validation: TrainingRows
    order_of_rows: OrderOfRows
    n_rows: int | None = None
    validation_rows: np.ndarray | None = None
    refit_rows: np.ndarray | None = None

    @property
    def rows_per_epoch(self) -> int:
        """Training rows of an epoch, the same for every member."""
        return self.n_rows or len(self.train.x)

    @property
    def has_validation(self) -> bool:
        """Whether there are rows to choose the best epoch by."""
        return len(self.validation.x) > 0

    @property
    def validation_share(self) -> float:
        """How many of the rows that a member trains on or is validated by are of the latter."""
        rows = self.validation_rows
        n_validation = len(self.validation.x) if rows is None else (rows != NO_ROW).sum() / len(rows)
        return float(n_validation / (n_validation + self.rows_per_epoch))

    def visits(self, n_orders: int, epoch: int) -> Iterator[np.ndarray]:
        """Each member's training rows in the order of an epoch."""
        return (self.order_of_rows(member, epoch) for member in range(n_orders))

    def refit_visits(self, n_orders: int, seed: int, n_rows: int, epoch: int) -> Iterator[np.ndarray]:
        """The same of an epoch of refitting, of as many rows as the others had."""
        rows = np.arange(len(self.train.x)) if self.refit_rows is None else self.refit_rows
        order_of_rows = shuffled_rows([rows] * n_orders, seed, n_rows)
        return (order_of_rows(member, epoch) for member in range(n_orders))

    def build_trainer(self, program: Program) -> Trainer:
        """A trainer of these rows."""
        return build_trainer(program, self.train, self.validation, self.validation_rows)


@dataclass(frozen=True)
class StreamedData:
    """The rows of a training that are read from disk, pool by pool.

    Attributes:
        rows_per_epoch: Training rows of an epoch, the same for every member.
        n_pool_rows: Those of a full pool, whole batches; all pools of an epoch are full but the last.
        read_pools: Reads the pools of an epoch.
        read_refit_pools: Reads those of an epoch of refitting, in which every member meets all rows.
        read_validation: Reads the rows to choose the best epoch by.
        validation_share: How many of the rows that a member trains on or is validated by are of the latter.
    """

    rows_per_epoch: int
    n_pool_rows: int
    read_pools: Callable[[int], Iterator[Pool]]
    read_refit_pools: Callable[[int], Iterator[Pool]]
    read_validation: Callable[[], Iterator[ValidationRows]]
    validation_share: float

    @property
    def has_validation(self) -> bool:
        """Whether there are rows to choose the best epoch by."""
        return self.validation_share > 0

    def visits(self, n_orders: int, epoch: int) -> Iterator[Pool]:
        """The pools of an epoch."""
        del n_orders
        return self.read_pools(epoch)

    def refit_visits(self, n_orders: int, seed: int, n_rows: int, epoch: int) -> Iterator[Pool]:
        """The pools of an epoch of refitting."""
        del n_orders, seed, n_rows
        return self.read_refit_pools(epoch)

    def build_trainer(self, program: Program) -> Trainer:
        """A trainer of these rows."""
        return build_disk_trainer(program, self.n_pool_rows, self.read_validation)


def shuffled_rows(rows: Sequence[np.ndarray], seed: int, n_rows: int | None = None) -> OrderOfRows:
    """The order of rows of each member's epochs, drawn from `(seed, epoch, member)`: no state to keep.

    Args:
        rows: The positions each member trains on.
        seed: Of all orders.
        n_rows: The length of an epoch; None for the rows of the member that has most. One with fewer meets
            some of them twice, one with more leaves some out.
    """
    length = n_rows or max(map(len, rows))

    def order_of_rows(member: int, epoch: int) -> np.ndarray:
        # Long integers, and so positions in the rows, are shuffled twice as fast as short ones.
        places = np.random.default_rng((seed, epoch, member)).permutation(len(rows[member]))
        order = rows[member][places]
        return order if len(order) == length else np.resize(order, length)

    return order_of_rows


def padded_rows(rows: Sequence[np.ndarray]) -> np.ndarray:
    """Positions `(n_positions,)` of each member as one array, `(n_members, n)`, padded with `NO_ROW`."""
    padded = np.full((len(rows), max(map(len, rows))), NO_ROW)
    for line, positions in zip(padded, rows, strict=True):
        line[: len(positions)] = positions
    return padded
