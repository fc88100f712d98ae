"""A CSV file as a table: its frame, and where in the file each row is."""

import codecs
import io
import itertools
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
import pandas as pd

from dlreg.csv_scan import Block, CsvFormat, open_csv, scan_blocks
from dlreg.errors import DataError, Fault

MISSING_TEXTS = ("", "#N/A", "#NA", "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null")


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
        raise IndexError(row)


def read_table(path: str, csv_format: CsvFormat, text_columns: Collection[str] = ()) -> Table:
    """Reads a whole CSV file.

    Args:
        path: The file; only a plain local file is opened.
        csv_format: How it is written.
        text_columns: Columns to keep as text even if every cell is a number.

    Raises:
        DataError: The file is not a CSV of that format, or has ragged rows, duplicate or missing
            names, or no rows.
        StorageError: The file may not be read.
    """

    def parse(text_columns: Collection[str]) -> pd.DataFrame:
        blocks = _blocks_of_file(path, csv_format)
        first = next(blocks, None)
        if first is None:
            raise _no_rows(path)
        rows = io.BufferedReader(_RowReader(itertools.chain([first], blocks)))
        return _parse(rows, first.header, csv_format, text_columns)

    return Table(_with_booleans_as_text(parse, text_columns), path, csv_format)


def read_header(path: str, csv_format: CsvFormat) -> tuple[str, ...]:
    """The column names of a CSV file, without reading the rows that follow the first block."""
    for block in _blocks_of_file(path, csv_format):
        return block.header
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
    for block in scan_blocks(stream, name, csv_format):

        def parse(text_columns: Collection[str], block: Block = block) -> pd.DataFrame:
            rows = io.BytesIO(block.without_blank_lines())
            return _parse(rows, block.header, csv_format, text_columns)

        yield Table(_with_booleans_as_text(parse, text_columns), name, csv_format, block)


class _RowReader(io.RawIOBase):
    """The rows of blocks as one file, without header and blank lines, for pandas to read."""

    def __init__(self, blocks: Iterator[Block]) -> None:
        self._blocks = blocks
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if not self._rest:
            block = next(self._blocks, None)
            self._rest = memoryview(block.without_blank_lines() if block else b"")
        part, self._rest = self._rest[: len(buffer)], self._rest[len(buffer) :]
        buffer[: len(part)] = part
        return len(part)


def _blocks_of_file(path: str, csv_format: CsvFormat) -> Iterator[Block]:
    with open_csv(path) as stream:
        yield from scan_blocks(stream, path, csv_format)


def _no_rows(path: str) -> DataError:
    hint = "Add a header line and, below it, one line for each row"
    return DataError(Fault("the file has no rows of data", path, hint=hint))


def _with_booleans_as_text(
    parse: Callable[[Collection[str]], pd.DataFrame], text_columns: Collection[str]
) -> pd.DataFrame:
    """A frame in which columns of True and False keep the text they are written with."""
    frame = parse(text_columns)
    booleans = {
        str(name)
        for name, column in frame.items()
        if column.dtype == bool or (column.dtype == object and any(isinstance(cell, bool) for cell in column))
    }
    return parse({*text_columns, *booleans}) if booleans else frame


def _parse(
    stream: BinaryIO, header: tuple[str, ...], csv_format: CsvFormat, text_columns: Collection[str]
) -> pd.DataFrame:
    missing = [*MISSING_TEXTS, *csv_format.missing_values]
    # Without `thousands`: pandas would drop the marks wherever they are, and read 3,14 as 314.
    frame = pd.read_csv(
        stream,
        header=None,
        names=list(header),
        index_col=False,
        dtype={name: str for name in header if name in text_columns},
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
    padded = [text for text in column.unique() if isinstance(text, str) and text != text.strip()]
    gaps = [text for text in padded if text.strip() in missing]
    return column.mask(column.isin(gaps)) if gaps else column
