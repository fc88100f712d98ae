"""What each column of a table is – numbers, categories or dates – and its cells as a model reads them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from dlreg.config.sections.data import DateColumn
from dlreg.errors import DataError, Fault, gathering
from dlreg.table.column import Column, Kind
from dlreg.table.kinds.category import CATEGORY
from dlreg.table.kinds.date import DATE, date_column
from dlreg.table.kinds.number import NUMBER
from dlreg.table.table import Table

KINDS: Mapping[str, Kind] = {"number": NUMBER, "category": CATEGORY, "boolean": CATEGORY, "date": DATE}
# Whatever is neither a number nor a date is a category.
_RECOGNISED_IN_ORDER = (NUMBER, DATE, CATEGORY)


def is_text(column: Column) -> bool:
    """Whether the pipeline takes a column's cells as the text in the file, or as numbers."""
    return KINDS[column.kind].is_text


def recognise_columns(
    table: Table,
    names: Iterable[str],
    types: Mapping[str, str],
    dates: Mapping[str, DateColumn],
    *,
    fold_case: bool = False,
) -> tuple[Column, ...]:
    """Tells the columns' kinds from their cells, where `types` and `dates` do not say them.

    Args:
        table: The cells.
        names: The columns.
        types: What the config says a column to be.
        dates: How dates are written that are not ISO.
        fold_case: Whether levels that differ in case alone are one.

    Raises:
        DataError: With every column that is neither clearly one thing nor another: numbers with a few
            words among them, dates whose format is unclear, text with a level per row.
    """
    columns: list[Column] = []
    faults: list[Fault] = []
    for name in names:
        with gathering(faults):
            column = _recognise(table, name, types.get(name), dates.get(name))
            columns.append(replace(column, fold_case=fold_case and column.kind == "category"))
    if faults:
        raise DataError(*faults)
    return tuple(columns)


def read_cells(table: Table, columns: Sequence[Column]) -> dict[str, np.ndarray]:
    """The cells of each column, as `pipeline.onnx` takes them.

    Returns:
        One array of shape `(n_rows, 1)` per column: numbers as float64, missing ones NaN; categories
        as the text of their level, dates as the text in the file (dtype object), missing ones "".

    Raises:
        DataError: With each column that has cells of another kind, or infinite numbers.
    """
    cells: dict[str, np.ndarray] = {}
    faults: list[Fault] = []
    for column in columns:
        with gathering(faults):
            cells[column.name] = KINDS[column.kind].read(table, column).reshape(-1, 1)
    if faults:
        raise DataError(*faults)
    return cells


def _recognise(table: Table, name: str, declared: str | None, given: DateColumn | None) -> Column:
    if given:
        return date_column(table, name, given.format, given.latest)
    if declared:
        return KINDS[declared].declare(table, name)
    columns = (kind.recognise(table, name) for kind in _RECOGNISED_IN_ORDER)
    return next(column for column in columns if column)
