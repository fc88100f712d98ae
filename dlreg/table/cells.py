"""The fault of cells that are not what they should be, and cells as text."""

import numpy as np

from dlreg.errors import Fault
from dlreg.table.table import Table

# How many of the cells at fault a message shows, and the most characters of each.
MOST_EXAMPLES, EXAMPLE_LENGTH = 3, 40


def read_text(table: Table, name: str) -> np.ndarray:
    """A column's cells as the text in the file, shape `(n_rows,)` of dtype object, missing ones ""."""
    return table.frame[name].astype("str").fillna("").to_numpy(dtype=object)


def cells_fault(table: Table, name: str, bad: np.ndarray, expected: str, hint: str) -> Fault:
    """A fault that shows the first of the cells at fault, and their places.

    Args:
        table: The cells' table.
        name: The cells' column.
        bad: Which of its cells are at fault, shape `(n_rows,)`.
        expected: What they should be.
        hint: A way out.
    """
    rows = np.flatnonzero(bad)
    message = f"column {name!r}: {expected}; found {shown_cells(table, name, rows)}"
    return table.fault(message, int(rows[0]), hint)


def shown_cells(table: Table, name: str, rows: np.ndarray) -> str:
    """The first of some cells of a column as they stand in the file, and their places, for a message.

    Args:
        table: The cells' table.
        name: The cells' column.
        rows: Their rows, 0-based, shape `(n_cells,)`.
    """
    examples = ", ".join(
        f"{table.cell(int(row), name)[:EXAMPLE_LENGTH]!r} ({table.describe_place(int(row))})"
        for row in rows[:MOST_EXAMPLES]
    )
    return examples + (f" and {len(rows) - MOST_EXAMPLES:,} more" if len(rows) > MOST_EXAMPLES else "")
