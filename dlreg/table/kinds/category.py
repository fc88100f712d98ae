"""Columns of categories: text of few levels, among them words for true and false."""

import re

import numpy as np
import pandas as pd

from dlreg.errors import DataError, Fault
from dlreg.table.cells import cells_fault, read_text
from dlreg.table.column import Column, Kind
from dlreg.table.kinds.number import declaring_hint, to_numbers, words_among_numbers
from dlreg.table.spelling import are_booleans, canonical_text
from dlreg.table.table import Table

MAX_LEVELS, MAX_LEVEL_LENGTH = 1_000_000, 1000
_NUMBER_LIKE = re.compile(
    r"[-+(−]?\s*[$€£¥₩]?\s*[-+−]?(\d[\d.,\'_ ]*|[\d.,]*\d)(e[-+]?\d+)?\s*[%€₩)]?|0x[0-9a-f]+",
    re.IGNORECASE,
)


def _recognise(table: Table, name: str) -> Column | None:
    texts = table.frame[name].dropna().astype("str")
    if texts.empty:
        return Column(name, "category")
    n_cells = texts.value_counts(sort=False)
    unique_texts = n_cells.index.to_series()
    # Digits of other scripts and of full width look like numbers, but are none.
    like_numbers = unique_texts.str.strip().str.normalize("NFKC").str.fullmatch(_NUMBER_LIKE)
    like_numbers |= to_numbers(unique_texts, table.csv_format).notna()
    if n_cells[like_numbers].sum() >= 0.5 * len(texts):
        raise DataError(words_among_numbers(table, name, to_numbers(texts, table.csv_format)))
    return _category(table, name, texts, is_declared=False)


def _declare(table: Table, name: str) -> Column:
    return _category(table, name, table.frame[name].dropna().astype("str"), is_declared=True)


def _category(table: Table, name: str, texts: "pd.Series[str]", *, is_declared: bool) -> Column:
    unique_texts = texts.unique()
    if are_booleans(unique_texts):
        return Column(name, "boolean")
    levels = set(map(canonical_text, unique_texts))
    a_level_per_row = len(levels) == len(texts) >= 10 or len(levels) > max(20, len(texts) / 2)
    if len(levels) > MAX_LEVELS or (a_level_per_row and not is_declared):
        counts = f"column {name!r} has {len(levels):,} different texts in {len(texts):,} rows"
        key = declaring_hint(table, name)
        other = "" if is_declared else ", or say what it is in data.types"
        hint = f"Leave it out with data.exclude{f', or set {key}' if key else other}"
        raise DataError(Fault(f"{counts}, too many levels for a category", table.name, hint=hint))
    if max(map(len, levels), default=0) > MAX_LEVEL_LENGTH:
        is_long = (
            (table.frame[name].astype("str").str.len() > MAX_LEVEL_LENGTH).fillna(value=False).to_numpy()
        )
        expected = f"expected levels of at most {MAX_LEVEL_LENGTH:,} characters"
        raise DataError(cells_fault(table, name, is_long, expected, "Leave it out with data.exclude"))
    return Column(name, "category")


def _read(table: Table, column: Column) -> np.ndarray:
    texts = read_text(table, column.name)
    return canonical_texts(texts, is_boolean=column.kind == "boolean", fold_case=column.fold_case)


def canonical_texts(texts: np.ndarray, *, is_boolean: bool = False, fold_case: bool = False) -> np.ndarray:
    """Texts as `dlreg.table.spelling.canonical_text` has them, missing ones NaN, object `(n_rows,)`."""
    places, unique_texts = pd.factorize(texts)
    levels = [canonical_text(text, is_boolean=is_boolean, fold_case=fold_case) for text in unique_texts]
    # A missing text has the place -1.
    return np.array([*levels, np.nan], dtype=object)[places]


CATEGORY = Kind("category", is_text=True, recognise=_recognise, declare=_declare, read=_read)
