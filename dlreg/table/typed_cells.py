"""Cells that have a type of their own, as those of a CSV would be: for every form of table but text."""

from collections.abc import Collection, Iterable
from typing import Any

import pandas as pd

from dlreg.table.csv_file import MISSING_TEXTS
from dlreg.table.csv_format import CsvFormat

HALF_CHARACTER = "a text with half of a character"


def without_missing_numbers(numbers: "pd.Series[Any]", missing_values: Iterable[str]) -> "pd.Series[Any]":
    """The numbers with NaN in place of those that stand for a missing value."""
    values = numbers_that_mean_missing(missing_values)
    gaps = numbers.isin(values) if values else None
    return numbers.mask(gaps) if gaps is not None and gaps.any() else numbers


def numbers_that_mean_missing(missing_values: Iterable[str]) -> list[float]:
    """The numbers among some texts that stand for a missing value."""
    values = pd.to_numeric(pd.Series(list(missing_values), dtype="str"), errors="coerce").dropna()
    return [float(value) for value in values]


def without_missing_texts(texts: "pd.Series[str]", missing_values: Collection[str]) -> "pd.Series[str]":
    """The texts with NaN in place of those that stand for a missing value, with blanks around them or not."""
    missing = {*MISSING_TEXTS, *missing_values}
    unique_texts = pd.unique(texts)
    gaps = [text for text in unique_texts if isinstance(text, str) and text.strip() in missing]
    return texts.mask(texts.isin(gaps)) if gaps else texts


def with_decimal_mark(texts: "pd.Series[str]", csv_format: CsvFormat) -> "pd.Series[str]":
    """The text of numbers as it would be written in a CSV of this format."""
    return texts if csv_format.decimal == "." else texts.str.replace(".", csv_format.decimal, regex=False)


def is_whole_text(text: str) -> bool:
    """Whether a text has no surrogates, which are halves of characters and can stand in no file."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
