"""Cells that have a type of their own, as those of a CSV would be: for every form of table but text."""

from collections.abc import Collection, Iterable
from typing import Any

import pandas as pd

from dlreg.table.csv_file import MISSING_TEXTS
from dlreg.table.csv_format import CsvFormat


def without_missing_numbers(numbers: "pd.Series[Any]", missing_values: Iterable[str]) -> "pd.Series[Any]":
    """The numbers with NaN in place of those that stand for a missing value."""
    values = pd.to_numeric(pd.Series(list(missing_values), dtype="str"), errors="coerce").dropna()
    gaps = numbers.isin(values.tolist()) if len(values) else None
    return numbers.mask(gaps) if gaps is not None and gaps.any() else numbers


def without_missing_texts(texts: "pd.Series[str]", missing_values: Collection[str]) -> "pd.Series[str]":
    """The texts with NaN in place of those that stand for a missing value, with blanks around them or not."""
    missing = {*MISSING_TEXTS, *missing_values}
    unique_texts = pd.unique(texts)
    gaps = [text for text in unique_texts if isinstance(text, str) and text.strip() in missing]
    return texts.mask(texts.isin(gaps)) if gaps else texts


def with_decimal_mark(texts: "pd.Series[str]", csv_format: CsvFormat) -> "pd.Series[str]":
    """The text of numbers as it would be written in a CSV of this format."""
    return texts if csv_format.decimal == "." else texts.str.replace(".", csv_format.decimal, regex=False)
