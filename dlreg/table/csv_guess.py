"""How a CSV file is written, guessed from its bytes: for `dlreg init` alone, as a config says it."""

import codecs
import re

import numpy as np
import pandas as pd

from dlreg.table.csv_file import Table, read_header, read_table
from dlreg.table.csv_format import BYTE_ORDER_MARKS, CsvFormat, likely_encoding, refuse_other_formats
from dlreg.table.csv_scan import find_rows, open_csv

SAMPLE_BYTES = 1 << 20
DELIMITERS = (",", ";", "\t", "|")
# Decimal and thousands marks; where cells can be read by several pairs, the first one counts.
_MARKS = ((".", None), (",", None), (".", ","), (",", "."), (".", " "), (",", " "), (".", "'"), (".", "_"))
# A column of numbers with more different words than this has no word for "missing".
MAX_MISSING_WORDS = 3


def guess_format(path: str) -> tuple[CsvFormat, Table]:
    """Guesses encoding, delimiter, decimal mark, thousands mark and the words for a missing number.

    Returns:
        The format, and the table with every cell as text.

    Raises:
        DataError: The file is not a CSV.
        StorageError: The file cannot be read.
    """
    encoding = _guess_encoding(path)
    csv_format = CsvFormat(encoding, _guess_delimiter(path, encoding))
    texts = read_table(path, csv_format, read_header(path, csv_format))
    marks = [pair for pair in _MARKS if pair[0] != csv_format.delimiter]
    patterns = [_number_pattern(*pair) for pair in marks]
    decimal, thousands = marks[int(np.argmax([_count_numbers(texts, pattern) for pattern in patterns]))]
    words = _missing_words(texts, _number_pattern(decimal, thousands))
    return CsvFormat(encoding, csv_format.delimiter, decimal, thousands, words), texts


def _guess_encoding(path: str) -> str:
    with open_csv(path) as stream:
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
    with open_csv(path) as stream:
        sample = stream.read(SAMPLE_BYTES).decode(encoding, errors="ignore").encode()
    whole = sample[: sample.rfind(b"\n") + 1] or sample + b"\n"
    lengths = {}
    for delimiter in DELIMITERS:
        cells = find_rows(whole, delimiter).lengths
        lengths[delimiter] = cells[cells > 0]
    regular = [mark for mark, cells in lengths.items() if cells.size and cells[0] > 1 and np.ptp(cells) == 0]
    return max(regular or DELIMITERS, key=lambda mark: lengths[mark][0] if lengths[mark].size else 0)


def _number_pattern(decimal: str, thousands: str | None) -> str:
    mark, group = re.escape(decimal), re.escape(thousands or "")
    whole = rf"[0-9]{{1,3}}(?:{group}[0-9]{{3}})+|[0-9]+" if thousands else "[0-9]+"
    return rf"\s*[-+]?(?:(?:{whole})(?:{mark}[0-9]*)?|{mark}[0-9]+)(?:[eE][-+]?[0-9]+)?\s*"


def _are_numbers(cells: "pd.Series[str]", pattern: str) -> np.ndarray:
    return cells.str.fullmatch(pattern).to_numpy(dtype=bool)


def _count_numbers(table: Table, pattern: str) -> int:
    return sum(int(_are_numbers(cells.dropna(), pattern).sum()) for _, cells in table.frame.items())


def _missing_words(table: Table, pattern: str) -> tuple[str, ...]:
    """Words without a digit that stand among the numbers of a column."""
    words: dict[str, None] = {}
    for name in table.frame.columns:
        known = table.frame[name].dropna()
        numbers = _are_numbers(known, pattern)
        others = known[~numbers].unique()
        digits = any(re.search("[0-9]", text) for text in others)
        if 0 < len(others) <= MAX_MISSING_WORDS and not digits and numbers.sum() * 2 > len(known):
            words |= dict.fromkeys(others)
    return tuple(words)
