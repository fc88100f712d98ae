"""A column that the model reads, and what a kind of column has to say: how it is recognised and read."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from dlreg.config.sections.data import ColumnType

# Slow to import, and not all who need the names of the kinds read tables.
if TYPE_CHECKING:
    import numpy as np

    from dlreg.table.table import Table

KindName = Literal["number", "category", "boolean", "date"]


@dataclass(frozen=True)
class Column:
    """A column that the model reads.

    Attributes:
        name: As in the CSV's header.
        kind: `boolean` is a category whose levels are words for true and false.
        date_format: The strptime format of a date, or a word for moments that are counted.
        latest_year: The last year that two digits of a date name; None for what strptime says.
        time_zone: The zone into which dates with an offset from UTC are brought.
        fold_case: Whether levels of a category that differ in case alone are one.
        unit: The unit that cells of numbers may have, "" for none, where the config declares the column: its
            numbers may be written as in accounts, too. None where every cell is a bare number.
    """

    name: str
    kind: KindName
    date_format: str | None = None
    latest_year: int | None = None
    time_zone: str | None = None
    fold_case: bool = False
    unit: str | None = None


@dataclass(frozen=True)
class Kind:
    """A kind of column: what tells it from others, and how its cells are read.

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
    read: Callable[["Table", Column], "np.ndarray"]
    read_order: Callable[["Table", Column], "np.ndarray"] | None = None
