"""A column that the model reads, and what it takes to be a kind of column."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from dlreg.config.schema import ColumnType
from dlreg.errors import Fault

# pandas is slow to import, and not all who need the names of the kinds read tables.
if TYPE_CHECKING:
    from dlreg.table.csv_file import Table

KindName = Literal["number", "category", "boolean", "date"]
# A message shows so many of the cells at fault, each cut to so many characters.
MOST_EXAMPLES, EXAMPLE_LENGTH = 3, 40


@dataclass(frozen=True)
class Column:
    """A column that the model reads.

    Attributes:
        name: As in the CSV's header.
        kind: `boolean` is a category whose levels are words for true and false.
        date_format: The strptime format of a date.
    """

    name: str
    kind: KindName
    date_format: str | None = None


@dataclass(frozen=True)
class Kind:
    """What tells a kind of column from others, and how its cells are read.

    Attributes:
        type_name: What `data.types` calls it.
        is_text: Whether the pipeline takes its cells as the text in the file, or as numbers.
        recognise: From a table and the name of a column to the column, or None if its cells are not of this
            kind. Raises a `DataError` where they nearly are.
        declare: The same for a column that the config says to be of this kind. Raises a `DataError` where its
            cells are not.
        read: The cells of a column of this kind, as `pipeline.onnx` takes them, shape `(n_rows,)`. Raises a
            `DataError` where some are of another kind.
        read_order: What says which of two rows is the later one, shape `(n_rows,)`; None if nothing does.
    """

    type_name: ColumnType
    is_text: bool
    recognise: Callable[["Table", str], Column | None]
    declare: Callable[["Table", str], Column]
    read: Callable[["Table", Column], np.ndarray]
    read_order: Callable[["Table", Column], np.ndarray] | None = None


def read_text(table: "Table", name: str) -> np.ndarray:
    """A column's cells as the text in the file, shape `(n_rows,)` of dtype object, missing ones ""."""
    return table.frame[name].astype("str").fillna("").to_numpy(dtype=object)


def cells_fault(table: "Table", name: str, bad: np.ndarray, expected: str, hint: str) -> Fault:
    """A fault that shows the first of the cells at fault, and their lines.

    Args:
        table: The cells' table.
        name: The cells' column.
        bad: Which of its cells are at fault, shape `(n_rows,)`.
        expected: What they should be.
        hint: A way out.
    """
    rows = np.flatnonzero(bad)
    examples = ", ".join(
        f"{table.cell(int(row), name)[:EXAMPLE_LENGTH]!r} (line {table.line(int(row))})"
        for row in rows[:MOST_EXAMPLES]
    )
    more = f" and {len(rows) - MOST_EXAMPLES:,} more" if len(rows) > MOST_EXAMPLES else ""
    message = f"column {name!r}: {expected}; found {examples}{more}"
    return Fault(message, table.name, table.line(int(rows[0])), hint=hint)
