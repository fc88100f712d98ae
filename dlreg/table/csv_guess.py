"""How a CSV file is written, guessed from its bytes: for `dlreg init` alone, as a config says it."""

import codecs
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np
import pandas as pd

from dlreg.table.csv_format import BYTE_ORDER_MARKS, CsvFormat, likely_encoding, refuse_other_formats
from dlreg.table.csv_opening import DELIMITERS
from dlreg.table.csv_scan import find_rows
from dlreg.table.kinds.number import number_pattern
from dlreg.table.kinds.units import split_number
from dlreg.table.source import open_text, read_sample

SAMPLE_BYTES = 1 << 20
# Decimal and thousands marks; where cells can be read by several pairs, the first one counts.
_MARKS = ((".", None), (",", None), (".", ","), (",", "."), (".", " "), (",", " "), (".", "'"), (".", "_"))
_GROUPED_BY_COMMAS = re.compile(r"[-+]?[1-9][0-9]{0,2}(,[0-9]{3})+")


def guess_format(path: str, delimiter: str | None = None) -> CsvFormat:
    """Guesses encoding, delimiter and, from the first rows, decimal and thousands mark.

    Args:
        path: The file.
        delimiter: The delimiter, if it is known.

    Raises:
        DataError: The file is not a CSV.
        StorageError: The file cannot be read.
    """
    encoding = _guess_encoding(path)
    csv_format = CsvFormat(encoding, delimiter or _guess_delimiter(path, encoding))
    sample = read_sample(path, csv_format)
    return guess_marks((cells for _, cells in sample.items()), csv_format)


def guess_marks(columns: Iterable["pd.Series[str]"], csv_format: CsvFormat) -> CsvFormat:
    """The format with the decimal and thousands mark that make numbers of most cells."""
    counts = dict.fromkeys(_MARKS, 0)
    patterns = {marks: re.compile(number_pattern(*marks)) for marks in _MARKS}
    has_comma, grouped = 0, 0
    for text, count in _numbers_in(columns):
        for marks, pattern in patterns.items():
            counts[marks] += count if pattern.fullmatch(text) else 0
        has_comma += "," in text
        grouped += bool(_GROUPED_BY_COMMAS.fullmatch(text))
    best = max(_MARKS, key=lambda marks: counts[marks])
    # Whoever writes decimals with a comma seldom puts one between the cells, too.
    if best == (",", None) and grouped == has_comma and csv_format.delimiter != ";":
        best = (".", ",")
    return replace(csv_format, decimal=best[0], thousands=best[1])


def _numbers_in(columns: Iterable["pd.Series[str]"]) -> Iterator[tuple[str, int]]:
    """Each text that may be a number, without its unit, and how often it stands there."""
    for cells in columns:
        for text, count in cells.value_counts(sort=False).items():
            if number := split_number(str(text)):
                yield number.number, count


def _guess_encoding(path: str) -> str:
    with open_text(path) as stream:
        opening = stream.read(16)
        marked = next((name for mark, name in BYTE_ORDER_MARKS.items() if opening.startswith(mark)), "utf-8")
        refuse_other_formats(opening, path, marked)
        decoder = codecs.getincrementaldecoder(marked)()
        block = opening + stream.read(SAMPLE_BYTES)
        while block:
            following = stream.read(SAMPLE_BYTES)
            try:
                decoder.decode(block, final=not following)
            except UnicodeDecodeError as error:
                return likely_encoding(block[max(error.start - 1000, 0) :][:65536], marked)
            block = following
    return marked


def _guess_delimiter(path: str, encoding: str) -> str:
    """The character that cuts every row into the same number of cells, the most of them."""
    with open_text(path) as stream:
        sample = stream.read(SAMPLE_BYTES).decode(encoding, errors="ignore").encode()
    whole = sample[: sample.rfind(b"\n") + 1] or sample + b"\n"
    lengths = {}
    for delimiter in (*DELIMITERS, " "):
        cells = find_rows(whole, delimiter).lengths
        lengths[delimiter] = cells[cells > 0]
    regular = [mark for mark, cells in lengths.items() if cells.size and cells[0] > 1 and np.ptp(cells) == 0]
    # Blanks stand inside of cells, too: only where nothing else does are they between them.
    candidates = [mark for mark in regular if mark != " "] or regular or DELIMITERS
    return max(candidates, key=lambda mark: lengths[mark][0] if lengths[mark].size else 0)
