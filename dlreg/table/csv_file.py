"""A CSV file as a table: its frame, and where in the file each row is."""

import codecs
import io
from collections import deque
from collections.abc import Collection, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Any, BinaryIO

import numpy as np
import pandas as pd

from dlreg.errors import DataError, Fault
from dlreg.table.csv_format import CsvFormat
from dlreg.table.csv_scan import Block, find_rows, open_csv, scan_blocks

MISSING_TEXTS = ("", "#N/A", "#NA", "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null")
# A sample's cells are looked at one by one.
SAMPLE_ROWS, LEAST_SAMPLE_ROWS, SAMPLE_CELLS = 5000, 50, 100_000
# Threads that parse blocks; reading seldom feeds more than two.
PARSERS = 2


@dataclass(frozen=True)
class Table:
    """Rows of a CSV file, and where in the file they are.

    Attributes:
        frame: One row per row of data: columns of numbers as integers or floats, all others as the
            text that is in the file; missing cells are NaN in both.
        name: What the user calls the file.
        csv_format: How it is written.
        block: The rows as they are in the file, if they are a part of a stream.
    """

    frame: pd.DataFrame
    name: str
    csv_format: CsvFormat
    block: Block | None = None

    def line(self, row: int) -> int:
        """The 1-based line of the file at which a row (0-based) of the frame starts."""
        block, start, _ = self._place(row)
        return block.first_line + block.data.count(b"\n", 0, start)

    def cell(self, row: int, name: str) -> str:
        """A cell as it is written in the file."""
        block, start, end = self._place(row)
        cells = pd.read_csv(
            # pandas takes away a byte order mark, also one that is a part of the cell.
            io.BytesIO(codecs.BOM_UTF8 + block.data[start:end]),
            header=None,
            dtype=str,
            sep=self.csv_format.delimiter,
            na_filter=False,
            skip_blank_lines=False,
        )
        return str(cells.iat[0, block.header.index(name)])

    def _place(self, row: int) -> tuple[Block, int, int]:
        """The block that a row is in, and where in its data the row starts and ends."""
        blocks = [self.block] if self.block else _blocks_of_file(self.name, self.csv_format)
        for block in blocks:
            filled = np.flatnonzero(block.filled)
            if row < filled.size:
                index = filled[row]
                return block, int(block.rows.starts[index]), int(block.rows.ends[index])
            row -= filled.size
        hint = "Start again when nobody writes to it"
        raise DataError(Fault("the file changed while it was read", self.name, hint=hint))


def read_table(
    path: str,
    csv_format: CsvFormat,
    text_columns: Collection[str] = (),
    *,
    most_blocks: int | None = None,
) -> Table:
    """Reads a whole CSV file, or its beginning.

    Args:
        path: The file; only a plain local file is opened.
        csv_format: How it is written.
        text_columns: Columns to keep as text even if every cell is a number.
        most_blocks: How many blocks of `BLOCK_BYTES` to read; None for all.

    Raises:
        DataError: The file is not a CSV of that format, or has ragged rows, duplicate or missing
            names, or no rows.
        StorageError: The file may not be read.
    """
    while True:
        columns: dict[str, _GrowingColumn] = {}
        blocks = islice(_blocks_of_file(path, csv_format), most_blocks)
        for _, frame in _parsed(blocks, csv_format, text_columns):
            for name, cells in frame.items():
                columns.setdefault(str(name), _GrowingColumn()).append(cells)
        if not columns:
            raise _no_rows(path)
        mixed = {name for name, column in columns.items() if column.is_mixed}
        if not mixed:
            series = {name: column.to_series() for name, column in columns.items()}
            return Table(pd.DataFrame(series, copy=False), path, csv_format)
        text_columns = {*text_columns, *mixed}


def read_sample(path: str, csv_format: CsvFormat) -> pd.DataFrame:
    """Some rows of the first block of a CSV file, evenly spread, as text; missing cells are NaN.

    There are at most `SAMPLE_ROWS`, of a table of many columns fewer.

    Raises:
        DataError: The file is not a CSV of that format, or has no rows.
        StorageError: The file may not be read.
    """
    for block in _blocks_of_file(path, csv_format):
        filled = np.flatnonzero(block.filled)
        n_rows = min(filled.size, SAMPLE_ROWS, max(LEAST_SAMPLE_ROWS, SAMPLE_CELLS // len(block.header)))
        chosen = filled[np.linspace(0, filled.size - 1, n_rows).astype(int)]
        places = zip(block.rows.starts[chosen], block.rows.ends[chosen] + 1, strict=True)
        data = b"".join(block.data[start:end] for start, end in places)
        sample = block._replace(data=data, rows=find_rows(data, csv_format.delimiter))
        return _parse(sample, csv_format, block.header)
    raise _no_rows(path)


def stream_tables(
    stream: BinaryIO, name: str, csv_format: CsvFormat, text_columns: Collection[str]
) -> Iterator[Table]:
    """Reads a CSV stream of any length in bounded memory, as `read_table` reads a file.

    Args:
        stream: The bytes of a CSV file.
        name: What to call the stream in a message.
        csv_format: How it is written.
        text_columns: Columns to keep as text even if every cell is a number.
    """
    for block, frame in _parsed(scan_blocks(stream, name, csv_format), csv_format, text_columns):
        booleans = {str(name) for name, cells in frame.items() if _holds_booleans(cells)}
        if booleans:
            frame = _parse(block, csv_format, {*text_columns, *booleans})
        yield Table(frame, name, csv_format, block)


class _GrowingColumn:
    """A column's cells, block after block: two copies of a large table would not fit in memory.

    Attributes:
        is_mixed: Whether some blocks hold numbers and some text, or any holds True or False: then the cells
            must be read again, all as text.
    """

    def __init__(self) -> None:
        self.is_mixed = False
        self._cells = np.empty(0)
        self._length = 0

    def append(self, cells: "pd.Series[Any]") -> None:
        self.is_mixed |= _holds_booleans(cells)
        values = cells.to_numpy(dtype=None if pd.api.types.is_numeric_dtype(cells) else object)
        if self._length == 0:
            self._cells = np.empty(0, dtype=values.dtype)
        elif values.dtype != self._cells.dtype:
            # A block without any value reads as numbers, whatever the column holds.
            empty = cells.isna().all() or pd.isna(self._cells[: self._length]).all()
            self.is_mixed |= object in (values.dtype, self._cells.dtype) and not empty
            self._cells = self._cells.astype(np.result_type(values, self._cells))
        end = self._length + len(values)
        if end > len(self._cells):
            self._resize(end + end // 8)
        self._cells[self._length : end] = values
        self._length = end

    def to_series(self) -> "pd.Series[Any]":
        """All cells; the column must not be used any more."""
        self._resize(self._length)
        is_text = self._cells.dtype == object
        return pd.Series(self._cells, dtype="str" if is_text else None, copy=False)

    def _resize(self, length: int) -> None:
        # In place, where numpy would copy.
        self._cells.resize(length, refcheck=False)


def _blocks_of_file(path: str, csv_format: CsvFormat) -> Iterator[Block]:
    with open_csv(path) as stream:
        yield from scan_blocks(stream, path, csv_format)


def _no_rows(path: str) -> DataError:
    hint = "Add a header line and, below it, one line for each row"
    return DataError(Fault("the file has no rows of data", path, hint=hint))


def _holds_booleans(cells: "pd.Series[Any]") -> bool:
    """Whether pandas has read True and False, instead of the text that is in the file."""
    return cells.dtype == bool or (cells.dtype == object and any(isinstance(cell, bool) for cell in cells))


def _parsed(
    blocks: Iterable[Block], csv_format: CsvFormat, text_columns: Collection[str]
) -> Iterator[tuple[Block, pd.DataFrame]]:
    """Each block with its frame, in order; while one is used, pandas parses the next on another core."""
    with ThreadPoolExecutor(PARSERS) as pool:
        waiting: deque[tuple[Block, Future[pd.DataFrame]]] = deque()
        for block in blocks:
            waiting.append((block, pool.submit(_parse, block, csv_format, text_columns)))
            if len(waiting) > PARSERS:
                first, parsed = waiting.popleft()
                yield first, parsed.result()
        for first, parsed in waiting:
            yield first, parsed.result()


def _parse(block: Block, csv_format: CsvFormat, text_columns: Collection[str]) -> pd.DataFrame:
    missing = [*MISSING_TEXTS, *csv_format.missing_values]
    # Without `thousands`: pandas would drop the marks wherever they are, and read 3,14 as 314.
    frame = pd.read_csv(
        io.BytesIO(block.without_blank_lines()),
        header=None,
        names=list(block.header),
        index_col=False,
        dtype={name: str for name in block.header if name in text_columns},
        sep=csv_format.delimiter,
        decimal=csv_format.decimal,
        na_values=missing,
        keep_default_na=False,
        skip_blank_lines=False,
        encoding="utf-8",
        low_memory=False,
    )
    texts = {name: column for name, column in frame.items() if not pd.api.types.is_numeric_dtype(column)}
    return frame.assign(**{str(name): _with_gaps(column, missing) for name, column in texts.items()})


def _with_gaps(column: "pd.Series[str]", missing: Collection[str]) -> "pd.Series[str]":
    """The column with NaN also where blanks stand around a text that means a missing value."""
    texts = set(column.to_numpy(dtype=object))
    padded = [text for text in texts if isinstance(text, str) and text != text.strip()]
    gaps = [text for text in padded if text.strip() in missing]
    return column.mask(column.isin(gaps)) if gaps else column
