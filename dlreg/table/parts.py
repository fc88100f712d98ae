"""The rows that train, validate and test, as a model reads them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from dlreg.table.column import Column
from dlreg.table.columns import KINDS
from dlreg.table.splits import Fold, go_forward, rows_per_epoch


@dataclass(frozen=True)
class Part:
    """Some rows, as a model reads them.

    Attributes:
        rows: Their 0-based positions in the CSV, shape `(n_rows,)`.
        cells: One array of shape `(n_rows, 1)` per column.
        y_true: The target in its own units, shape `(n_rows,)`.
    """

    rows: np.ndarray
    cells: dict[str, np.ndarray]
    y_true: np.ndarray

    def take(self, places: np.ndarray | slice) -> "Part":
        """Some of the rows, by their positions in the part; a slice copies nothing."""
        cells = {name: column[places] for name, column in self.cells.items()}
        return Part(self.rows[places], cells, self.y_true[places])


@dataclass(frozen=True)
class Dataset:
    """The three parts of a table.

    Attributes:
        columns: What the model reads, in the order of the CSV.
        parts: `train`, `validation` and `test`.
        notes: What a user should know of the rows: cells missing, rows left out.
        folds: Of the training part, whose positions they hold, if there is cross-validation.
        target_unit: The unit of the target, as `Column.unit`.
    """

    columns: tuple[Column, ...]
    parts: dict[str, Part]
    notes: tuple[str, ...]
    folds: tuple[Fold, ...] = ()
    target_unit: str | None = None

    @property
    def n_rows(self) -> dict[str, int]:
        """How many rows each part has."""
        return {name: len(part.y_true) for name, part in self.parts.items()}

    @property
    def rows_per_epoch(self) -> int:
        """Training rows of an epoch: those of the fold that learns from most, or all."""
        return rows_per_epoch(self.n_rows["train"], self.folds)

    @property
    def in_memory(self) -> "Dataset":
        """The rows that are in memory: all of them."""
        return self

    def blocks(self, *names: str) -> Iterator[tuple[str, Part]]:
        """The rows of these parts, block by block: each part is one."""
        return ((name, self.parts[name]) for name in names)

    @property
    def first_window(self) -> np.ndarray | slice:
        """The positions in the training part of the rows before all that a fold validates.

        All rows where folds do not go forward in time.
        """
        return self.folds[0].train if go_forward(self.folds) else slice(None)


def join_parts(blocks: Sequence[Part], columns: Sequence[Column]) -> Part:
    """The rows of all blocks, one after the other; there may be none."""
    if not blocks:
        cells = {
            column.name: np.empty((0, 1), dtype=object if KINDS[column.kind].is_text else np.float64)
            for column in columns
        }
        return Part(np.empty(0, dtype=np.int64), cells, np.empty(0))
    if len(blocks) == 1:
        return blocks[0]
    cells = {
        column.name: np.concatenate([block.cells[column.name] for block in blocks]) for column in columns
    }
    return Part(
        np.concatenate([block.rows for block in blocks]),
        cells,
        np.concatenate([block.y_true for block in blocks]),
    )
