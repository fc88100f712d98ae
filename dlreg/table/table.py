"""Rows of a table, and where each of them stands in the file that it was read from."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
import pandas as pd

from dlreg.errors import DataError, Fault
from dlreg.table.csv_format import CsvFormat


class Place(NamedTuple):
    """Where a row stands.

    Attributes:
        path: The file, as messages name it.
        line: The 1-based line at which the row starts, if the file is text.
        row: The 1-based row of the sheet or the table, if it is not.
    """

    path: str
    line: int | None = None
    row: int | None = None


class RowBlock(Protocol):
    """Consecutive rows of a file whose cells are not read yet."""

    @property
    def header(self) -> tuple[str, ...]:
        """The names of the columns."""

    @property
    def number_columns(self) -> frozenset[str]:
        """The columns whose cells have the type of numbers; none where all cells are text in the file."""

    @property
    def n_rows(self) -> int:
        """How many rows there are; blank lines are none."""

    def read(self, text_columns: Collection[str]) -> pd.DataFrame:
        """The cells, as `Table.frame` has them.

        Args:
            text_columns: Columns to keep as text even if every cell is a number.
        """

    def texts(self, names: Collection[str]) -> pd.DataFrame:
        """These columns, all cells as text; missing ones NaN."""

    def sample(self, rows: np.ndarray) -> pd.DataFrame:
        """Some of the rows, all cells as text; missing ones NaN."""

    def place(self, row: int) -> Place:
        """Where a row (0-based) stands."""

    def cell(self, row: int, name: str) -> str:
        """A cell as it is written in the file."""


@dataclass(frozen=True)
class Table:
    """Rows of a source, and where in it they are.

    Attributes:
        frame: One row per row of data: columns of numbers as integers or floats, all others as the
            text that is in the file; missing cells are NaN in both.
        name: What the user calls the source.
        csv_format: How its text is written.
        blocks: The rows again, as they stand in the source.
    """

    frame: pd.DataFrame
    name: str
    csv_format: CsvFormat
    blocks: Callable[[], Iterable[RowBlock]] = tuple

    def place(self, row: int) -> Place:
        """Where a row (0-based) of the frame stands."""
        block, row_in_block = self._find(row)
        return block.place(row_in_block)

    def cell(self, row: int, name: str) -> str:
        """A cell as it is written in the file."""
        block, row_in_block = self._find(row)
        return block.cell(row_in_block, name)

    def describe_place(self, row: int) -> str:
        """A row's place in words, without the name of the table: `line 17`."""
        path, line, number = self.place(row)
        words = f"row {number}" if line is None else f"line {line}"
        return words if path == self.name else f"{path}, {words}"

    def fault(self, message: str, row: int, hint: str | None = None) -> Fault:
        """A fault at the place of a row."""
        path, line, number = self.place(row)
        return Fault(message, path, line, hint=hint, row=number)

    def _find(self, row: int) -> tuple[RowBlock, int]:
        for block in self.blocks():
            if row < block.n_rows:
                return block, row
            row -= block.n_rows
        hint = "Start again when nobody writes to it"
        raise DataError(Fault("the file changed while it was read", self.name, hint=hint))
