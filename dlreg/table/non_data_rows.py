"""Rows that are no observations: totals and averages of the others, the header again, one with units.

They are told by what they are made of: a word for a total where other rows have more cells, a target that is
the sum or the mean of all others, the names of the columns, text where the rest of the table has numbers.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd

from dlreg.config.sections.data import DataConfig
from dlreg.errors import Fault
from dlreg.table.aggregate_rows import (
    LEAST_ROWS,
    NonDataRow,
    find_aggregates,
    gaps_of_their_own,
    sum_targets,
)
from dlreg.table.csv_format import CsvFormat
from dlreg.table.kinds.number import to_numbers
from dlreg.table.spelling import BLANK_CHARACTERS, canonical_text, small_letters
from dlreg.table.table import Table

MOST_NAMED = 5
_WORDS = (
    "total", "totals", "grand total", "subtotal", "sub-total", "sub total", "sum", "average",
    "averages", "avg", "mean", "median", "overall", "summe", "gesamt", "gesamtsumme", "insgesamt",
    "zwischensumme", "mittelwert", "durchschnitt", "mittel", "totaux", "total général", "sous-total",
    "somme", "moyenne", "médiane", "totale", "totales", "suma", "soma", "somma", "promedio", "media",
    "média", "totaal", "som", "gemiddelde", "subtotaal", "razem", "suma końcowa", "średnia", "toplam",
    "ortalama", "итого", "всего", "сумма", "среднее", "合計", "総計", "小計", "計", "平均", "平均値",
    "合计", "总计", "小计", "平均值", "합계", "총계", "총합", "소계", "계", "평균", "전체",
)  # fmt: skip
# "Total:", "TOTAL (EUR)", "Total 2024", "Total général".
_WORD = re.compile(
    rf"({'|'.join(sorted(_WORDS, key=len, reverse=True))})\s*(:|[(\[].*|[0-9]{{4}})?", re.DOTALL
)
_AROUND_WORDS = "*#=-– "
_BEFORE_WORDS = _AROUND_WORDS + BLANK_CHARACTERS
_FIRST_LETTERS = frozenset(word[0] for word in _WORDS)

_HINT = "Set data.non_data_rows: exclude to leave such rows out, or keep if they are observations"


def find_non_data_rows(table: Table, target: str | None, *, is_whole: bool = True) -> list[NonDataRow]:
    """Finds totals, averages, repeated headers and a second one with units, in the order of the table.

    Args:
        table: Any rows.
        target: The column to predict; None where it need not be there.
        is_whole: Whether these are all rows of a table: a part does not show what the sum of all others is,
            see `dlreg.table.aggregate_rows`.
    """
    y_true = _numbers(table, target)
    found = {
        row.row: row
        for row in (
            *_headers(table),
            *_units(table, y_true, target),
            *(_aggregates(table, y_true, target) if is_whole else ()),
            *_words(table, target),
        )
    }
    return [found[row] for row in sorted(found)]


class Observations(NamedTuple):
    """A table, and which of its rows are observations.

    Attributes:
        table: Every cell of a row that is none is missing, unless it is kept.
        is_observation: Of each row, shape `(n_rows,)`.
        notes: What became of the others.
        faults: The others, if they are to be refused.
    """

    table: Table
    is_observation: np.ndarray
    notes: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()


def set_aside(
    table: Table, data: DataConfig, *, is_first: bool = True, is_whole: bool = True
) -> Observations:
    """Deals with rows that are no observations as `data.non_data_rows` says.

    Args:
        table: The rows.
        data: Says what becomes of rows that are no observations.
        is_first: Whether the table begins with them.
        is_whole: Whether they are all rows of a table.
    """
    is_observation = np.ones(len(table.frame), dtype=bool)
    found = find_non_data_rows(table, data.target if is_first else None, is_whole=is_whole)
    places = describe_rows(table, found)
    if not found or data.non_data_rows == "keep":
        return Observations(
            table, is_observation, tuple(f"kept as an observation: {place}" for place in places)
        )
    is_observation[[row for row, _ in found]] = False
    others = without_cells(table, [row for row, _ in found])
    if data.non_data_rows == "exclude":
        return Observations(others, is_observation, tuple(f"left out: {place}" for place in places))
    faults = [table.fault(f"no observation: {reason}", row, _HINT) for row, reason in found[:MOST_NAMED]]
    return Observations(others, is_observation, (), (*faults, *_further(table, len(found), _HINT)))


def without_cells(table: Table, rows: Sequence[int]) -> Table:
    """The table with every cell of some rows missing."""
    if not rows:
        return table
    is_other = pd.Series(np.isin(np.arange(len(table.frame)), rows), table.frame.index)
    return replace(table, frame=table.frame.mask(is_other, axis=0))


def describe_rows(table: Table, rows: Iterable[NonDataRow]) -> list[str]:
    """A line for each of the first of some rows, and one for all others."""
    rows = list(rows)
    places = [f"{table.describe_place(row)}: {reason}" for row, reason in rows[:MOST_NAMED]]
    return places + [str(fault.message) for fault in _further(table, len(rows), None)]


def _further(table: Table, n_rows: int, hint: str | None) -> Iterator[Fault]:
    if n_rows > MOST_NAMED:
        yield Fault(f"{n_rows - MOST_NAMED:,} more rows that are no observations", table.name, hint=hint)


def _numbers(table: Table, name: str | None) -> np.ndarray | None:
    """A column's cells as numbers, NaN where they are none."""
    if name is None or name not in table.frame.columns:
        return None
    column = table.frame[name]
    if pd.api.types.is_numeric_dtype(column):
        return column.to_numpy(dtype=np.float64)
    return np.asarray(to_numbers(column, table.csv_format), dtype=np.float64)


def _headers(table: Table) -> Iterator[NonDataRow]:
    """Rows that repeat the header, as in files that were put one after the other."""
    name, column = next(table.frame.items())
    if pd.api.types.is_numeric_dtype(column):
        return
    for row in np.flatnonzero(column.astype("str") == name).tolist():
        if all(str(cell) == header for header, cell in table.frame.iloc[row].items()):
            yield NonDataRow(row, "the header again")


def _units(table: Table, y_true: np.ndarray | None, target: str | None) -> Iterator[NonDataRow]:
    """The first row, if it has text in the target and in every other column that holds numbers below it."""
    if y_true is None or len(y_true) < LEAST_ROWS or np.isfinite(y_true[0]):
        return
    names = [
        name for name in table.frame.columns if _is_text_above_numbers(table.frame[name], table.csv_format)
    ]
    first = table.frame.iloc[0]
    if target not in names:
        return
    has_numbers_alone = any(
        pd.api.types.is_numeric_dtype(column) and pd.notna(column.iloc[0])
        for _, column in table.frame.items()
    )
    if has_numbers_alone:
        return
    shown = ", ".join(repr(str(first[name])) for name in names[:MOST_NAMED])
    yield NonDataRow(0, f"a second header, with text where there are numbers below it: {shown}")


def _is_text_above_numbers(column: "pd.Series[str]", csv_format: CsvFormat) -> bool:
    if pd.api.types.is_numeric_dtype(column) or pd.isna(column.iloc[0]):
        return False
    below = column.iloc[1:].dropna().astype("str")
    first, numbers = column.iloc[[0]].astype("str"), to_numbers(below.iloc[:1000], csv_format)
    is_repeated = bool((below == first.iloc[0]).any())
    return bool(
        not is_repeated
        and len(numbers) > 0
        and numbers.notna().mean() >= 0.9
        and to_numbers(first, csv_format).isna().all()
    )


def _aggregates(table: Table, y_true: np.ndarray | None, target: str | None) -> Iterator[NonDataRow]:
    if y_true is None or target is None:
        return
    rows = np.flatnonzero(np.isfinite(y_true))
    yield from find_aggregates(sum_targets(table, rows, y_true[rows]), table, target)


def _words(table: Table, target: str | None) -> Iterator[NonDataRow]:
    """Rows with a word for a total, and no cell where most others have one."""
    for name, column in table.frame.items():
        if name == target or pd.api.types.is_numeric_dtype(column):
            continue
        texts = column.astype("str")
        for word in filter(_is_word, texts.dropna().unique()):
            rows = np.flatnonzero(texts == word)
            # A level that other rows have without any gap is the name of something.
            if gaps_of_their_own(table, rows).all():
                reason = f"{word.strip()!r} in column {str(name)!r} beside empty cells"
                yield from (NonDataRow(int(row), reason) for row in rows)


def _is_word(text: str) -> bool:
    # Cheap before dear: a column of moments has a text for each row.
    if len(text) > 100 or small_letters(text.lstrip(_BEFORE_WORDS)[:1]) not in _FIRST_LETTERS:
        return False
    return bool(_WORD.fullmatch(small_letters(canonical_text(text)).strip(_AROUND_WORDS)))
