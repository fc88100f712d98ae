"""Columns of numbers: which texts are numbers, and how they were meant to be written where they are not."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd

from dlreg.errors import DataError, Fault
from dlreg.table.cells import cells_fault
from dlreg.table.column import Column, Kind
from dlreg.table.csv_file import Table
from dlreg.table.csv_format import CsvFormat

# Beyond it a square, and so a variance, would soon overflow.
LARGEST_NUMBER = 1e100


def read_numbers(table: Table, name: str) -> np.ndarray:
    """A column's cells as float64, shape `(n_rows,)`, missing ones NaN.

    Raises:
        DataError: Cells that are not finite numbers.
    """
    column = table.frame[name]
    if pd.api.types.is_numeric_dtype(column):
        numbers = column.to_numpy(dtype=np.float64)
        known = ~np.isnan(numbers)
    else:
        numbers = to_numbers(column, table.csv_format).to_numpy()
        known = column.notna().to_numpy()
    bad = known & ~(np.abs(numbers) <= LARGEST_NUMBER)
    if bad.any():
        hint = _format_hint(table, name, bad) or (
            "Mend the cells, or name texts that mean a missing value in data.missing_values"
        )
        expected = f"expected finite numbers, none beyond {LARGEST_NUMBER:g}"
        raise DataError(cells_fault(table, name, bad, expected, hint))
    return numbers


def to_numbers(column: "pd.Series[str]", csv_format: CsvFormat) -> "pd.Series[float]":
    """Texts as numbers, NaN where they are none; digits must be grouped properly or not at all."""
    digits = "[0-9]+"
    if csv_format.thousands:
        # French text has blanks of other kinds; Indian text has groups of two.
        mark = "[ \u00a0\u202f]" if csv_format.thousands == " " else re.escape(csv_format.thousands)
        digits = f"(?:[0-9]{{1,3}}(?:{mark}[0-9]{{2,3}})*{mark}[0-9]{{3}}|[0-9]+)"
    point = re.escape(csv_format.decimal)
    number = rf"[-+]?(?:{digits}(?:{point}[0-9]*)?|{point}[0-9]+)(?:[eE][-+]?[0-9]+)?|[-+]?inf(?:inity)?"
    text = column.astype("str").str.strip()
    text = text.where(text.str.fullmatch(number, case=False).fillna(False).astype(bool))
    if csv_format.thousands:
        text = text.str.replace(mark, "", regex=True)
    return pd.to_numeric(text.str.replace(csv_format.decimal, ".", regex=False), errors="coerce").astype(
        float
    )


def words_among_numbers(table: Table, name: str, numbers: "pd.Series[float]") -> Fault:
    """The fault of a column most of whose cells are numbers, or look like some.

    Args:
        table: The column's table.
        name: The column.
        numbers: What `to_numbers` makes of its cells that are not missing.
    """
    bad = table.frame[name].notna().to_numpy(copy=True)
    bad[bad] = numbers.isna().to_numpy()
    hint = _format_hint(table, name, bad) or (
        f"Mend the cells, add the texts to data.missing_values, or set data.types: {{{name}: category}}"
    )
    expected = "most cells are numbers, but not all" if numbers.notna().any() else "expected numbers"
    return cells_fault(table, name, bad, expected, hint)


def _format_hint(table: Table, name: str, bad: np.ndarray) -> str | None:
    """A hint with the keys to set if other marks would make numbers of all bad cells; else None."""
    texts = table.frame[name][bad].iloc[:1000].astype("str")
    csv_format = table.csv_format
    other = "," if csv_format.decimal == "." else "."
    one_key = {f'data.decimal: "{other}"': replace(csv_format, decimal=other, thousands=None)}
    for mark in (other, " ", "'", "_") if csv_format.thousands is None else ():
        one_key[f'data.thousands: "{mark}"'] = replace(csv_format, thousands=mark)
    both_keys = {
        f'data.decimal: "{other}" and data.thousands: "{mark}"': replace(
            csv_format, decimal=other, thousands=mark
        )
        for mark in (csv_format.decimal, " ", "'")
    }
    for formats in (one_key, both_keys):
        fitting = [
            keys
            for keys, candidate in formats.items()
            if (to_numbers(texts, candidate).abs() <= LARGEST_NUMBER).all()
        ]
        if fitting:
            return f"Set {', or '.join(fitting)}"
    return None


def _recognise(table: Table, name: str) -> Column | None:
    cells = table.frame[name]
    if not pd.api.types.is_numeric_dtype(cells):
        texts = cells.dropna().astype("str")
        # The first cells rule out most other columns at no cost.
        parts = (texts.iloc[:20], texts)
        if texts.empty or not all(to_numbers(part, table.csv_format).notna().all() for part in parts):
            return None
    return _declare(table, name)


def _declare(table: Table, name: str) -> Column:
    read_numbers(table, name)
    return Column(name, "number")


def _read(table: Table, column: Column) -> np.ndarray:
    return read_numbers(table, column.name)


NUMBER = Kind("number", is_text=False, recognise=_recognise, declare=_declare, read=_read, read_order=_read)
