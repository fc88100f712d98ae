"""How a CSV file is written, guessed from its bytes: for `dlreg init` alone, as a config says it."""

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pandas as pd

from dlreg.config.checks import WHITESPACE
from dlreg.table.csv_format import BYTE_ORDER_MARKS, CsvFormat, likely_encoding, refuse_other_formats
from dlreg.table.csv_lines import LineCleaner
from dlreg.table.csv_opening import DELIMITERS, comment_mark
from dlreg.table.kinds.number import number_pattern
from dlreg.table.kinds.units import split_number
from dlreg.table.row_places import find_rows
from dlreg.table.source import find_source, open_text, read_sample

SAMPLE_BYTES = 1 << 20
# Lines with something in them.
MOST_TITLES = 20
# Decimal and thousands marks; where cells can be read by several pairs, the first one counts.
_MARKS = ((".", None), (",", None), (".", ","), (",", "."), (".", " "), (",", " "), (".", "'"), (".", "_"))
# Digits and marks alone: whether they are a number does not depend on which digits they are.
_BARE, _SAME_DIGIT = "+-.,0123456789", str.maketrans("23456789", "11111111")
_GROUPED_BY_COMMAS = re.compile(r"[-+]?[1-9][0-9]{0,2}(,[0-9]{3})+")


def guess_format(
    path: str, delimiter: str | None = None, target: str | None = None
) -> tuple[CsvFormat, pd.DataFrame]:
    """Guesses encoding, lines that are no rows, delimiter, and the marks of numbers from the first rows.

    Args:
        path: The file.
        delimiter: The delimiter, if it is known.
        target: A column, if one is known: what stands above the line that names it are titles.

    Returns:
        The format, and the rows by which the marks were guessed, as `read_sample` gives them.

    Raises:
        DataError: The file is not a CSV.
        StorageError: The file cannot be read.
    """
    if find_source(path, CsvFormat()).form() != "text":
        sample = read_sample(path, CsvFormat())
        csv_format = guess_marks((cells for _, cells in sample.items()), CsvFormat())
        # Its numbers have no marks of their own: they are those of its texts.
        return csv_format, read_sample(path, csv_format)
    encoding = _guess_encoding(path)
    with open_text(path) as stream:
        text = stream.read(SAMPLE_BYTES).decode(encoding, errors="ignore").encode()
    csv_format = _guess_lines(text, CsvFormat(encoding), delimiter, target)
    sample = read_sample(path, csv_format)
    return guess_marks((cells for _, cells in sample.items()), csv_format), sample


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
    """Each text that may be a number, without its unit, and how often it stands there.

    Of bare numbers one stands for all that differ in nothing but which digits other than 0 they have.
    """
    counts = Counter[str]()
    for cells in columns:
        texts = cells.dropna().tolist()
        counts.update(text if text.strip(_BARE) else text.translate(_SAME_DIGIT) for text in texts)
    for text, count in counts.items():
        if number := split_number(text):
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
                if decoder.getstate()[0] or not block.isascii() or marked != "utf-8":
                    decoder.decode(block, final=not following)
            except UnicodeDecodeError as error:
                return likely_encoding(block[max(error.start - 1000, 0) :][:65536], marked)
            block = following
    return marked


def _guess_lines(text: bytes, csv_format: CsvFormat, delimiter: str | None, target: str | None) -> CsvFormat:
    """The format with the delimiter, and with what stands above the header or before the cells."""
    text = text.removeprefix(codecs.BOM_UTF8)
    text = text[: text.rfind(b"\n") + 1] or text + b"\n"
    n_blank = len(text[: len(text) - len(text.lstrip())].splitlines())
    first = text.lstrip().split(b"\n", 1)[0].decode("utf-8", errors="ignore")
    if found := re.fullmatch(r"sep=(.)\s*", first, re.IGNORECASE):
        csv_format = replace(csv_format, skip_rows=n_blank + 1)
        delimiter = delimiter or found.group(1)
    elif mark := comment_mark(first):
        csv_format = _with_comment(text, csv_format, mark, delimiter)
    elif target and (n_titles := _count_title_lines(text, target, delimiter)):
        csv_format = replace(csv_format, skip_rows=n_titles)
    text = LineCleaner(csv_format).clean(text, last=True)
    csv_format = replace(csv_format, delimiter=delimiter or _guess_delimiter(text))
    before_quote = rb'(?m)(^|%s) +"' % re.escape(csv_format.separator.encode())
    has_blanks = not csv_format.is_aligned and csv_format.separator != " " and re.search(before_quote, text)
    return replace(csv_format, skip_initial_space=bool(has_blanks))


def _with_comment(text: bytes, csv_format: CsvFormat, mark: str, delimiter: str | None) -> CsvFormat:
    """The format with the mark of comments, unless the first line is a header all the same: `#id,area`."""
    commented = replace(csv_format, comment=mark)
    rows = LineCleaner(commented).clean(text, last=True)
    separator = replace(csv_format, delimiter=delimiter or _guess_delimiter(rows)).separator
    with_first, without = (find_rows(part, separator).lengths for part in (text, rows))
    first, rest = (lengths[lengths > 0][:1].tolist() for lengths in (with_first, without))
    # It has as many cells as the row below it, and several.
    return csv_format if first == rest and rest > [1] else commented


def _count_title_lines(text: bytes, target: str, delimiter: str | None) -> int:
    """The lines above the one that names the target, if all rows below are as long as that; else 0."""
    for mark in [delimiter] if delimiter not in (None, WHITESPACE) else DELIMITERS:
        rows = find_rows(text, mark)
        for place in np.flatnonzero(rows.lengths > 0)[:MOST_TITLES]:
            start, end = int(rows.starts[place]), int(rows.ends[place])
            line, names = io.StringIO(text[start:end].decode(errors="ignore"), newline=""), list[str]()
            # A line with a cell of over 131,072 characters is none of names.
            with suppress(csv.Error):
                names = next(csv.reader(line, delimiter=mark), [])
            below = rows.lengths[place:]
            if target in map(str.strip, names) and len(names) > 1 and np.ptp(below[below > 0]) == 0:
                return text.count(b"\n", 0, start)
    return 0


def _guess_delimiter(text: bytes) -> str:
    """What cuts every row of a text into the same number of cells, the most of them."""
    lengths = {delimiter: _row_lengths(text, delimiter) for delimiter in (*DELIMITERS, " ")}
    regular = [mark for mark, cells in lengths.items() if _is_regular(cells)]
    # Blanks stand inside of cells, too: only where nothing else does are they between them.
    candidates = [mark for mark in regular if mark != " "] or regular
    if not candidates:
        aligned = LineCleaner(CsvFormat(delimiter=WHITESPACE)).clean(text, last=True)
        if _is_regular(_row_lengths(aligned, " ")):
            return WHITESPACE
    return max(candidates or DELIMITERS, key=lambda mark: lengths[mark][0] if lengths[mark].size else 0)


def _row_lengths(text: bytes, delimiter: str) -> np.ndarray:
    cells = find_rows(text, delimiter).lengths
    return cells[cells > 0]


def _is_regular(cells: np.ndarray) -> bool:
    return cells.size > 0 and cells[0] > 1 and bool(np.ptp(cells) == 0)
