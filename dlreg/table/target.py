"""The column to predict, read as numbers."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pandas as pd

from dlreg.errors import DataError, Fault
from dlreg.table.kinds.number import find_unit, read_numbers
from dlreg.table.missing_columns import missing_columns
from dlreg.table.table import Table


def find_target_unit(table: Table, target: str) -> str:
    """The unit of a target that the config declares to be a number, as `Column.unit`.

    Raises:
        DataError: It has cells that are no numbers, or of another unit than most.
    """
    with _choosing_target(table, target):
        return find_unit(table, target)


def read_target(table: Table, target: str, unit: str | None = None) -> np.ndarray:
    """The target's values, shape `(n_rows,)`, NaN where they are missing.

    Args:
        table: Its table.
        target: The column.
        unit: The unit that its cells may have, as `Column.unit`.

    Raises:
        DataError: There is no such column, or it has cells that are no numbers, or none that are.
    """
    y_true = read_target_cells(table, target, unit)
    if np.isnan(y_true).all():
        raise DataError(no_target_fault(target, table.name))
    return y_true


def read_target_cells(table: Table, target: str, unit: str | None = None) -> np.ndarray:
    """The same of a part of a table, in which the target may be missing in every row."""
    if target not in table.frame.columns:
        raise DataError(*missing_columns([target], list(table.frame.columns), table.name))
    with _choosing_target(table, target):
        return read_numbers(table, target, unit)


def no_target_fault(target: str, path: str) -> Fault:
    """The fault of a table whose target is missing in every row."""
    hint = "Choose another data.target"
    return Fault(f"the target {target!r} is missing in every row", path, hint=hint)


@contextmanager
def _choosing_target(table: Table, target: str) -> Iterator[None]:
    try:
        yield
    except DataError as error:
        raise DataError(*(_target_fault(table, target, fault) for fault in error.faults)) from None


def _target_fault(table: Table, target: str, fault: Fault) -> Fault:
    """The fault; where no cell is a number, as in a classification, with a further hint."""
    written_otherwise = str(fault.hint).startswith("Set ")
    if written_otherwise or pd.to_numeric(table.frame[target], errors="coerce").notna().any():
        return fault
    other = "choose another data.target: only numbers can be predicted, no words or dates"
    return replace(fault, hint=f"{fault.hint}, or {other}")
