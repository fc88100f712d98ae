"""What each column of a table is – numbers, categories or dates – and its cells as a model reads them."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from dlreg.errors import DataError, Fault, gathering
from dlreg.table import dates
from dlreg.table.csv_file import Table
from dlreg.table.csv_format import CsvFormat

Kind = Literal["number", "category", "boolean", "date"]
MAX_LEVELS = 1000
# Beyond it a square, and so a variance, would soon overflow.
LARGEST_NUMBER = 1e100
_BOOLEAN_WORDS = ({"true", "false"}, {"yes", "no"}, {"y", "n"}, {"t", "f"}, {"on", "off"})
_NUMBER_LIKE = re.compile(
    r"[-+(−]?\s*[$€£¥₩]?\s*[-+−]?(\d[\d.,\'_ ]*|[\d.,]*\d)(e[-+]?\d+)?\s*[%€₩)]?|0x[0-9a-f]+",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Column:
    """A column that the model reads.

    Attributes:
        name: As in the CSV's header.
        kind: `boolean` is a category whose levels are words for true and false.
        date_format: The strptime format of a date.
    """

    name: str
    kind: Kind
    date_format: str | None = None


def recognise_columns(
    table: Table, names: Iterable[str], types: Mapping[str, str], date_formats: Mapping[str, str]
) -> tuple[Column, ...]:
    """Tells the columns' kinds from their cells, where `types` and `date_formats` do not say them.

    Raises:
        DataError: With every column that is neither clearly one thing nor another: numbers with a few
            words among them, dates whose format is unclear, text with a level per row.
    """
    columns: list[Column] = []
    faults: list[Fault] = []
    for name in names:
        with gathering(faults):
            columns.append(_recognise(table, name, types.get(name), date_formats.get(name)))
    if faults:
        raise DataError(*faults)
    return tuple(columns)


def read_cells(table: Table, columns: Sequence[Column]) -> dict[str, np.ndarray]:
    """The cells of each column, as `pipeline.onnx` takes them.

    Returns:
        One array of shape `(n_rows, 1)` per column: numbers as float64, missing ones NaN; categories
        and dates as the text in the file (dtype object), missing ones "".

    Raises:
        DataError: With each column that has cells of another kind, or infinite numbers.
    """
    cells: dict[str, np.ndarray] = {}
    faults: list[Fault] = []
    for column in columns:
        with gathering(faults):
            if column.kind == "number":
                cells[column.name] = read_numbers(table, column.name).reshape(-1, 1)
                continue
            if column.date_format:
                _check_dates(table, column.name, column.date_format)
            text = table.frame[column.name].astype("str")
            cells[column.name] = text.fillna("").to_numpy(dtype=object).reshape(-1, 1)
    if faults:
        raise DataError(*faults)
    return cells


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
        numbers = _to_numbers(column, table.csv_format).to_numpy()
        known = column.notna().to_numpy()
    bad = known & ~(np.abs(numbers) <= LARGEST_NUMBER)
    if bad.any():
        hint = _number_hint(table, name, bad) or (
            "Mend the cells, or name texts that mean a missing value in data.missing_values"
        )
        expected = f"expected finite numbers, none beyond {LARGEST_NUMBER:g}"
        raise DataError(_cells_fault(table, name, bad, expected, hint))
    return numbers


def _to_numbers(column: "pd.Series[str]", csv_format: CsvFormat) -> "pd.Series[float]":
    """The numbers that texts are, NaN for all else; digits must be grouped properly or not at all."""
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


def _recognise(table: Table, name: str, kind: str | None, date_format: str | None) -> Column:
    column = table.frame[name]
    if date_format:
        return Column(name, "date", date_format)
    if kind == "date":
        return Column(name, "date", _guess_format(table, name))
    if kind == "number" or (kind is None and pd.api.types.is_numeric_dtype(column)):
        read_numbers(table, name)
        return Column(name, "number")
    texts = column.dropna().astype("str")
    if kind == "category" or texts.empty:
        return _category(table, name, texts, declared=True)
    if dates.guess_iso_format(texts):
        return Column(name, "date", dates.guess_iso_format(texts))
    numbers = _to_numbers(texts, table.csv_format)
    if numbers.notna().all():
        read_numbers(table, name)
        return Column(name, "number")
    if dates.guess_other_formats(texts) or _looks_like_dates(texts):
        return Column(name, "date", _guess_format(table, name))
    # Digits of other scripts and of full width look like numbers, but are none.
    like_numbers = texts.str.strip().str.normalize("NFKC").str.fullmatch(_NUMBER_LIKE)
    if (numbers.notna() | like_numbers).mean() >= 0.5:
        raise DataError(_words_among_numbers(table, name, numbers))
    return _category(table, name, texts, declared=False)


def _category(table: Table, name: str, texts: "pd.Series[str]", *, declared: bool) -> Column:
    levels = set(texts.unique())
    if any({level.casefold() for level in levels} <= words for words in _BOOLEAN_WORDS) and levels:
        return Column(name, "boolean")
    a_level_per_row = len(levels) == len(texts) >= 10 or len(levels) > max(20, len(texts) / 2)
    if len(levels) > MAX_LEVELS or (a_level_per_row and not declared):
        found = f"column {name!r} has {len(levels):,} different texts in {len(texts):,} rows"
        hint = "Leave it out with data.exclude" + ("" if declared else ", or say what it is in data.types")
        raise DataError(Fault(f"{found}, too many levels for a category", table.name, hint=hint))
    return Column(name, "category")


def _words_among_numbers(table: Table, name: str, numbers: "pd.Series[float]") -> Fault:
    bad = table.frame[name].notna().to_numpy(copy=True)
    bad[bad] = numbers.isna().to_numpy()
    hint = _number_hint(table, name, bad) or (
        f"Mend the cells, add the texts to data.missing_values, or set data.types: {{{name}: category}}"
    )
    expected = "most cells are numbers, but not all" if numbers.notna().any() else "expected numbers"
    return _cells_fault(table, name, bad, expected, hint)


def _number_hint(table: Table, name: str, bad: np.ndarray) -> str | None:
    """The keys to set if another decimal mark, or a mark between digits, makes numbers of all bad cells."""
    texts = table.frame[name][bad].iloc[:1000].astype("str")
    style = table.csv_format
    other = "," if style.decimal == "." else "."
    ways = {f'data.decimal: "{other}"': replace(style, decimal=other, thousands=None)}
    for mark in (other, " ", "'", "_") if style.thousands is None else ():
        ways[f'data.thousands: "{mark}"'] = replace(style, thousands=mark)
    both = {
        f'data.decimal: "{other}" and data.thousands: "{mark}"': replace(style, decimal=other, thousands=mark)
        for mark in (style.decimal, " ", "'")
    }
    for choices in (ways, both):
        fitting = [
            way for way, new in choices.items() if (_to_numbers(texts, new).abs() <= LARGEST_NUMBER).all()
        ]
        if fitting:
            return f"Set {', or '.join(fitting)}"
    return None


def _looks_like_dates(texts: "pd.Series[str]") -> bool:
    day = r"[0-9]{1,4}[-/.][0-9]{1,2}[-/.][0-9]{1,4}|[0-9]{1,2}[- ][A-Za-z]{3,9}[- ,]+[0-9]{2,4}"
    # An address such as 10.0.0.1 is none.
    pattern = rf"\s*({day})(?![0-9]|[.][0-9]).*"
    return bool(texts.str.fullmatch(pattern).mean() >= 0.5)


def _guess_format(table: Table, name: str) -> str:
    """The ISO format of a column of dates.

    Raises:
        DataError: Always where it is not ISO: dd/mm and mm/dd must not be guessed in silence.
    """
    texts = table.frame[name].dropna().astype("str")
    if texts.empty:
        hint = f"Leave it out with data.exclude, or set data.dates: {{{name}: FORMAT}}"
        raise DataError(Fault(f"column {name!r} has no dates to tell the format from", table.name, hint=hint))
    iso = dates.guess_iso_format(texts)
    if iso:
        return iso
    formats = dates.guess_other_formats(texts)
    nearly = None if formats else dates.most_likely_format(texts)
    if nearly:
        _check_dates(table, name, nearly)
    choices = " or ".join(f'data.dates: {{{name}: "{date_format}"}}' for date_format in formats[:3])
    hint = (
        f"Set {choices}" if formats else "Write them as YYYY-MM-DD, set their strptime format in data.dates"
    )
    row = int(np.flatnonzero(table.frame[name].notna().to_numpy())[0])
    found = f"column {name!r} seems to hold dates that are not ISO (YYYY-MM-DD), such as {texts.iloc[0]!r}"
    hint = f"{hint}, or data.types: {{{name}: category}}"
    raise DataError(Fault(found, table.name, table.line(row), hint=hint))


def _check_dates(table: Table, name: str, date_format: str) -> None:
    column = table.frame[name].astype("str")
    bad = (column.notna() & dates.parse_dates(column, date_format).isna()).to_numpy()
    if bad.any():
        hint = f"Mend the cells, set the format in data.dates, or data.types: {{{name}: category}}"
        raise DataError(_cells_fault(table, name, bad, f"expected dates of the form {date_format}", hint))


def _cells_fault(table: Table, name: str, bad: np.ndarray, expected: str, hint: str) -> Fault:
    rows = np.flatnonzero(bad)
    examples = ", ".join(
        f"{table.cell(int(row), name)[:40]!r} (line {table.line(int(row))})" for row in rows[:3]
    )
    more = f" and {len(rows) - 3:,} more" if len(rows) > 3 else ""
    message = f"column {name!r}: {expected}; found {examples}{more}"
    return Fault(message, table.name, table.line(int(rows[0])), hint=hint)
