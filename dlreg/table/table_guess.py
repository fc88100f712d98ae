"""A table as `dlreg init` reads it: how it is written, and what stands among its numbers, guessed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from dlreg.table.csv_format import CsvFormat
from dlreg.table.csv_guess import guess_format, guess_marks
from dlreg.table.date_guess import guess_iso_format, guess_other_formats
from dlreg.table.kinds.number import LARGEST_NUMBER
from dlreg.table.mixed_columns import Mixture, examine_numbers, means_missing
from dlreg.table.non_data_rows import describe_rows, find_non_data_rows, without_cells
from dlreg.table.source import KnownTable, read_table
from dlreg.table.table import Table
from dlreg.table.written_cells import has_leading_zeros


@dataclass(frozen=True)
class GuessedTable:
    """A table, and what was guessed of it.

    Attributes:
        table: As a config with the guessed format reads it, but that columns of codes are text.
        mixtures: What to make of the columns of text that hold numbers, by name.
        codes: The columns of whole numbers some of which start with a zero.
        several_offsets: The columns of ISO dates that have several offsets from UTC, or not all of them one.
        non_data_rows: The rows that are no observations, in words; their cells are missing in the table.
        n_non_data_rows: How many of them there are.
        as_read: The table before anything was made of its cells.
    """

    table: Table
    mixtures: Mapping[str, Mixture]
    codes: frozenset[str]
    several_offsets: tuple[str, ...]
    non_data_rows: tuple[str, ...]
    n_non_data_rows: int
    as_read: KnownTable

    @property
    def n_rows(self) -> int:
        """How many rows are observations."""
        return len(self.table.frame) - self.n_non_data_rows


def guess_table(path: str, target: str, delimiter: str | None = None) -> GuessedTable:
    """Reads a table whose format is not known, and tells numbers from what stands among them.

    Args:
        path: The CSV.
        target: The column to predict.
        delimiter: The delimiter, if it is known.

    Raises:
        DataError: The file is not a CSV, or its rows are not all as long as its header.
        StorageError: The file cannot be read.
    """
    csv_format, sample = guess_format(path, delimiter, target)
    table = _read_by_marks(path, csv_format, sample)
    numbers = [name for name in table.frame.columns if pd.api.types.is_numeric_dtype(table.frame[name])]
    codes = frozenset(name for name in numbers if name != target and has_leading_zeros(sample[name]))
    infinite = {name for name in numbers if (table.frame[name].abs() > LARGEST_NUMBER).any()}
    if codes or infinite:
        table = read_table(path, table.csv_format, codes | infinite)
    as_read = KnownTable(path, table, codes | infinite)
    found = find_non_data_rows(table, target)
    table, non_data_rows = without_cells(table, [row for row, _ in found]), describe_rows(table, found)
    several_offsets = tuple(name for name, cells in _texts(table) if _has_several_offsets(cells.dropna()))
    if several_offsets:
        table = replace(table, csv_format=replace(table.csv_format, time_zone="UTC"))
    mixtures = {
        name: mixture
        for name, cells in _texts(table)
        if name not in codes and (mixture := _examine(cells, table.csv_format, is_target=name == target))
    }
    mixtures = _without_conflicts(table, mixtures)
    return GuessedTable(
        _with_gaps(table, mixtures),
        mixtures,
        codes,
        several_offsets,
        tuple(non_data_rows),
        len(found),
        as_read,
    )


def _has_several_offsets(texts: "pd.Series[str]") -> bool:
    iso = guess_iso_format(texts) if len(texts) else None
    return iso is not None and "%z" in iso


def _read_by_marks(path: str, csv_format: CsvFormat, sample: pd.DataFrame) -> Table:
    """The table, read again if its further rows show other marks than the first ones."""
    table = read_table(path, csv_format)
    texts = dict(_texts(table))
    if not texts or len(table.frame) <= len(sample):
        return table
    columns = (_some(texts[name], len(sample)) if name in texts else cells for name, cells in sample.items())
    marks = guess_marks(columns, csv_format)
    if marks.decimal != csv_format.decimal:
        return read_table(path, marks)
    return replace(table, csv_format=marks)


def _texts(table: Table) -> Iterator[tuple[str, "pd.Series[str]"]]:
    """The columns that pandas did not read as numbers."""
    for name, cells in table.frame.items():
        if not pd.api.types.is_numeric_dtype(cells):
            yield str(name), cells


def _some(cells: "pd.Series[str]", most: int) -> "pd.Series[str]":
    texts = cells.dropna().drop_duplicates()
    return texts.iloc[np.linspace(0, len(texts) - 1, min(most, len(texts))).astype(int)]


def _examine(cells: "pd.Series[str]", csv_format: CsvFormat, *, is_target: bool) -> Mixture | None:
    texts = cells.dropna()
    # Where points group digits, 01.02.2024 looks like a number.
    if texts.empty or guess_iso_format(texts) or guess_other_formats(texts):
        return None
    return examine_numbers(texts, csv_format, is_target=is_target)


def _without_conflicts(table: Table, mixtures: Mapping[str, Mixture]) -> dict[str, Mixture]:
    """Leaves out columns of numbers whose words are levels of others: a word is missing in all columns."""
    numbers = {name: mixture for name, mixture in mixtures.items() if mixture.kind == "number"}
    words = {word for mixture in numbers.values() for word in mixture.words if not means_missing(word)}
    if not words:
        return dict(mixtures)
    # Which of the words each other column has; all its texts would be many.
    levels = {}
    for name, cells in _texts(table):
        if name not in numbers:
            texts = cells.str.strip()
            levels[name] = set(texts[texts.isin(words)])
    checked = dict(mixtures)
    for name, mixture in numbers.items():
        conflicts = (
            f"{word!r} stands among its numbers and is a level of column {other!r}, too"
            for word in mixture.words
            for other, found in levels.items()
            if word in found
        )
        if conflict := next(conflicts, None):
            checked[name] = mixture._replace(kind=None, reason=conflict)
    return checked


def _with_gaps(table: Table, mixtures: Mapping[str, Mixture]) -> Table:
    """The table with words among numbers as missing values, as its format then says."""
    numbers = [mixture for mixture in mixtures.values() if mixture.kind == "number"]
    words = {word: None for mixture in numbers for word in mixture.words}
    if not words:
        return table
    gaps = {name: cells.mask(cells.str.strip().isin(list(words))) for name, cells in _texts(table)}
    csv_format = replace(table.csv_format, missing_values=tuple(words))
    return replace(table, frame=table.frame.assign(**gaps), csv_format=csv_format)
