"""What the text of numbers tells and the numbers do not: leading zeros, a mark that may group digits."""

import re
from collections.abc import Sequence

import pandas as pd

from dlreg.table.csv_format import CsvFormat
from dlreg.table.kinds.number import to_numbers
from dlreg.table.kinds.units import split_number

# In fewer cells every mark has three digits after it by chance.
LEAST_MARKS = 10


def has_leading_zeros(texts: "pd.Series[str]") -> bool:
    """Whether cells of digits alone start with a zero, as codes do: 07030."""
    return bool(texts.dropna().str.fullmatch(r"\s*0[0-9]+\s*").any())


def may_be_grouped(texts: "pd.Series[str]", decimal: str) -> bool:
    """Whether every number has three digits after the decimal mark, and up to three before it: 406.796."""
    numbers = [split_number(text) for text in texts.dropna()]
    pattern = re.compile(rf"-?[1-9][0-9]{{0,2}}{re.escape(decimal)}[0-9]{{3}}")
    return len(numbers) >= LEAST_MARKS and all(
        number and pattern.fullmatch(number.number) for number in numbers
    )


def grouped_among_whole(texts: "pd.Series[str]", decimal: str) -> "pd.Series[str]":
    """The cells with three digits after a mark, as 60.556, if all others are whole numbers without one."""
    known = texts.dropna().str.strip()
    has_mark = known.str.contains(decimal, regex=False)
    pattern = rf"[-+]?[1-9][0-9]{{0,2}}{re.escape(decimal)}[0-9]{{3}}"
    marked = known[has_mark]
    if not marked.str.fullmatch(pattern).all() or not known[~has_mark].str.fullmatch("[-+]?[0-9]+").all():
        return known.iloc[:0]
    return marked


def is_row_of_data(names: Sequence[str], rows: pd.DataFrame, csv_format: CsvFormat) -> bool:
    """Whether the names of all columns are cells like those below them, so that there is no header.

    Args:
        names: The columns' names.
        rows: Some rows as text, with these columns.
        csv_format: How their numbers are written.
    """
    numbers = to_numbers(pd.Series(list(names), dtype="str"), csv_format).notna()
    if not numbers.any():
        return False
    for name, is_number in zip(names, numbers, strict=True):
        cells = rows[name].dropna()
        if is_number:
            fits = to_numbers(cells.iloc[:20], csv_format).notna().mean() > 0.5
        else:
            fits = bool((cells == name).any())
        if not fits and not name.startswith("Unnamed: "):
            return False
    return True
