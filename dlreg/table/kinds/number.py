"""Columns of numbers: which texts are numbers, and how they were meant to be written where they are not."""

import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd

from dlreg.errors import DataError, Fault
from dlreg.table.cells import cells_fault
from dlreg.table.column import Column, Kind
from dlreg.table.csv_format import CsvFormat
from dlreg.table.kinds.units import WrittenNumber, counts_multiples, folded_unit, split_number
from dlreg.table.table import Table

# Beyond it a square, and so a variance, would soon overflow.
LARGEST_NUMBER = 1e100
# Text has blanks and apostrophes of several kinds.
_GROUP_MARKS: Mapping[str, str] = {
    " ": "[ \u00a0\u2007\u2008\u2009\u202f\u205f\u3000]",
    "'": "['\u2018\u2019\u02bc]",
}


class WrittenNumbers(NamedTuple):
    """What the cells of a column are as numbers, shape `(n_rows,)` each.

    Attributes:
        values: NaN where a cell is missing or no number.
        units: The unit of each cell, "" where it has none.
        known: Which cells are not missing.
    """

    values: np.ndarray
    units: np.ndarray
    known: np.ndarray

    @property
    def unit(self) -> str:
        """The unit of most cells that have one, as it is written in the first of them; "" if none has."""
        units = self.units[self.known & ~np.isnan(self.values) & (self.units != "")]
        if not units.size:
            return ""
        folded = [folded_unit(unit) for unit in units]
        most = pd.Series(folded).value_counts(sort=False).idxmax()
        return str(units[folded.index(str(most))])


def read_numbers(table: Table, name: str, unit: str | None = None) -> np.ndarray:
    """A column's cells as float64, shape `(n_rows,)`, missing ones NaN.

    Args:
        table: The column's table.
        name: The column.
        unit: The unit that its cells may have, as `Column.unit`.

    Raises:
        DataError: Cells that are not finite numbers, or have another unit.
    """
    column = table.frame[name]
    is_numeric = pd.api.types.is_numeric_dtype(column)
    if not is_numeric and unit is not None:
        numbers = written_numbers(column, table.csv_format)
        _refuse_written(table, name, numbers, unit)
        return numbers.values
    values = (column if is_numeric else to_numbers(column, table.csv_format)).to_numpy(dtype=np.float64)
    known = (~np.isnan(values)) if is_numeric else column.notna().to_numpy()
    _refuse_no_numbers(table, name, values, known, unit)
    if unit and is_numeric:
        _refuse_bare(table, name, known & (values != 0), unit)
    return values


def plain_numbers(table: Table, names: Collection[str]) -> dict[str, np.ndarray]:
    """Those of some columns that pandas has read as numbers which `read_numbers` takes as they are.

    To look at them all at once takes a tenth of the time where columns are many.

    Returns:
        The cells of each, shape `(n_rows,)`: whole numbers or floats, missing ones NaN.
    """
    columns = (
        (str(name), cells.to_numpy())
        for name, cells in table.frame.items()
        if name in names and isinstance(cells.dtype, np.dtype) and cells.dtype.kind in "iuf"
    )
    return {name: values for name, values in columns if not (np.abs(values) > LARGEST_NUMBER).any()}


def number_pattern(decimal: str, thousands: str | None) -> str:
    """A regular expression for a bare number: its digits are grouped properly or not at all."""
    digits = "[0-9]+"
    if thousands:
        # Indian text has groups of two.
        mark = _group_mark(thousands)
        digits = f"(?:[0-9]{{1,3}}(?:{mark}[0-9]{{2,3}})*{mark}[0-9]{{3}}|[0-9]+)"
    point = re.escape(decimal)
    return rf"[-+]?(?:{digits}(?:{point}[0-9]*)?|{point}[0-9]+)(?:[eE][-+]?[0-9]+)?"


def to_numbers(column: "pd.Series[str]", csv_format: CsvFormat) -> "pd.Series[float]":
    """Texts as numbers, NaN where they are none."""
    number = rf"{number_pattern(csv_format.decimal, csv_format.thousands)}|[-+]?inf(?:inity)?"
    text = column.astype("str").str.strip()
    text = text.where(text.str.fullmatch(number, case=False).fillna(False).astype(bool))
    if csv_format.thousands:
        text = text.str.replace(_group_mark(csv_format.thousands), "", regex=True)
    return pd.to_numeric(text.str.replace(csv_format.decimal, ".", regex=False), errors="coerce").astype(
        float
    )


def _group_mark(thousands: str) -> str:
    return _GROUP_MARKS.get(thousands, re.escape(thousands))


def written_numbers(column: "pd.Series[str]", csv_format: CsvFormat) -> WrittenNumbers:
    """Cells as people write numbers: with a unit, in brackets where negative, in digits of any script."""
    codes, texts = pd.factorize(column)
    cells = pd.Series(texts, dtype="str")
    values = to_numbers(cells, csv_format)
    others = values.isna().to_numpy()
    units = np.full(len(cells), "", dtype=object)
    if others.any():
        parts = [split_number(text) or WrittenNumber("", "") for text in cells[others]]
        numbers = pd.Series([part.number for part in parts], dtype="str")
        values[others] = to_numbers(numbers, csv_format).to_numpy()
        units[others] = [part.unit for part in parts]
    known = codes >= 0
    # Of a column without any known cell there is nothing to take.
    if not known.any():
        return WrittenNumbers(np.full(len(codes), np.nan), np.full(len(codes), "", dtype=object), known)
    return WrittenNumbers(np.where(known, values.to_numpy()[codes], np.nan), units[codes], known)


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


def declaring_hint(table: Table, name: str, csv_format: CsvFormat | None = None) -> str | None:
    """The key that makes numbers of every cell of a column, units and all; None if nothing does.

    Args:
        table: The column's table.
        name: The column.
        csv_format: How its numbers are written, if not as in the rest of the table.
    """
    numbers = written_numbers(table.frame[name], csv_format or table.csv_format)
    unit = numbers.unit
    bad = ~(np.abs(numbers.values) <= LARGEST_NUMBER) | _other_units(numbers, unit)
    if counts_multiples(unit):
        bad |= (numbers.units == "") & (numbers.values != 0)
    return None if (bad & numbers.known).any() else f"data.types: {{{name}: number}}"


def _format_hint(table: Table, name: str, bad: np.ndarray, *, is_declared: bool = False) -> str | None:
    """A hint with the keys to set if they would make numbers of all bad cells; else None."""
    texts = table.frame[name][bad].iloc[:1000].astype("str")
    csv_format = table.csv_format
    one_key, both_keys = _other_formats(csv_format)
    for formats in (one_key, both_keys):
        fitting = [
            keys
            for keys, candidate in formats.items()
            if (to_numbers(texts, candidate).abs() <= LARGEST_NUMBER).all()
        ]
        if fitting:
            return f"Set {', or '.join(fitting)}"
    for key, candidate in ({"": csv_format} | one_key | both_keys).items():
        if type_key := declaring_hint(table, name, candidate):
            keys = " and ".join([*([key] if key else []), *([] if is_declared else [type_key])])
            plain = to_numbers(table.frame[name].dropna(), csv_format)
            # Beside bare numbers a unit may also be a slip.
            return f"Mend the cells, or set {keys}" if plain.notna().any() else f"Set {keys}"
    return None


def _other_formats(csv_format: CsvFormat) -> tuple[dict[str, CsvFormat], dict[str, CsvFormat]]:
    """Other marks that numbers may have, by the keys to set: one key, or two."""
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
    return one_key, both_keys


def _refuse_no_numbers(
    table: Table, name: str, values: np.ndarray, known: np.ndarray, unit: str | None
) -> None:
    bad = known & ~(np.abs(values) <= LARGEST_NUMBER)
    if bad.any():
        hint = _format_hint(table, name, bad, is_declared=unit is not None) or (
            "Mend the cells, or name texts that mean a missing value in data.missing_values"
        )
        expected = f"expected finite numbers, none beyond {LARGEST_NUMBER:g}"
        raise DataError(cells_fault(table, name, bad, expected, hint))


def _refuse_written(table: Table, name: str, numbers: WrittenNumbers, unit: str) -> None:
    """Refuses cells of a declared column that are no numbers, or have another unit."""
    _refuse_no_numbers(table, name, numbers.values, numbers.known, unit)
    other = _other_units(numbers, unit)
    if other.any():
        expected = f"expected numbers in one unit, {unit!r}" if unit else "expected numbers without a unit"
        hint = "Write all cells in the unit of the training rows: none is converted"
        raise DataError(cells_fault(table, name, other, expected, hint))
    _refuse_bare(table, name, numbers.known & (numbers.units == "") & (numbers.values != 0), unit)


def _refuse_bare(table: Table, name: str, bare: np.ndarray, unit: str) -> None:
    """Refuses cells without a unit that stands for thousands or more: they would be other numbers."""
    if counts_multiples(unit) and bare.any():
        hint = f"Write {unit!r} in every cell"
        raise DataError(cells_fault(table, name, bare, f"expected numbers in {unit!r}", hint))


def _other_units(numbers: WrittenNumbers, unit: str) -> np.ndarray:
    others = [text for text in set(numbers.units) if text and folded_unit(text) != folded_unit(unit)]
    return numbers.known & np.isin(numbers.units, others)


def _recognise(table: Table, name: str) -> Column | None:
    cells = table.frame[name]
    if not pd.api.types.is_numeric_dtype(cells):
        texts = cells.dropna().astype("str")
        # The first cells rule out most other columns at no cost.
        parts = (texts.iloc[:20], texts)
        if texts.empty or not all(to_numbers(part, table.csv_format).notna().all() for part in parts):
            return None
    read_numbers(table, name)
    return Column(name, "number")


def find_unit(table: Table, name: str) -> str:
    """The unit of a column that the config declares to hold numbers, "" if its cells have none.

    Raises:
        DataError: Cells that are not finite numbers, or have another unit than most.
    """
    cells = table.frame[name]
    if pd.api.types.is_numeric_dtype(cells):
        read_numbers(table, name)
        return ""
    numbers = written_numbers(cells, table.csv_format)
    _refuse_written(table, name, numbers, numbers.unit)
    return numbers.unit


def _declare(table: Table, name: str) -> Column:
    return Column(name, "number", unit=find_unit(table, name))


def _read(table: Table, column: Column) -> np.ndarray:
    return read_numbers(table, column.name, column.unit)


NUMBER = Kind("number", is_text=False, recognise=_recognise, declare=_declare, read=_read, read_order=_read)
