"""The rows of a CSV file, read from its text block by block."""

import codecs
import io
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, BinaryIO

import numpy as np
import pandas as pd

from dlreg.table.csv_format import CsvFormat
from dlreg.table.csv_scan import Block, find_rows, scan_blocks
from dlreg.table.table import Place

MISSING_TEXTS = ("", "#N/A", "#NA", "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null")


@dataclass(frozen=True)
class CsvBlock:
    """Consecutive rows of a CSV file, a `dlreg.table.table.RowBlock`.

    Attributes:
        block: The rows as they are in the file.
        name: What the user calls the file.
        csv_format: How it is written.
    """

    block: Block
    name: str
    csv_format: CsvFormat

    @property
    def header(self) -> tuple[str, ...]:
        """The names of the columns."""
        return self.block.header

    @cached_property
    def n_rows(self) -> int:
        """How many rows there are; blank lines are none."""
        return int(np.count_nonzero(self.block.filled))

    def read(self, text_columns: Collection[str]) -> pd.DataFrame:
        """The cells, as `Table.frame` has them."""
        frame = _parse(self.block, self.csv_format, text_columns)
        booleans = {str(name) for name, cells in frame.items() if _holds_booleans(cells)}
        return _parse(self.block, self.csv_format, {*text_columns, *booleans}) if booleans else frame

    def sample(self, rows: np.ndarray) -> pd.DataFrame:
        """Some of the rows, all cells as text; missing ones NaN."""
        block = self.block
        chosen = np.flatnonzero(block.filled)[rows]
        places = zip(block.rows.starts[chosen], block.rows.ends[chosen] + 1, strict=True)
        data = b"".join(block.data[start:end] for start, end in places)
        sample = block._replace(data=data, rows=find_rows(data, self.csv_format.delimiter))
        return _parse(sample, self.csv_format, block.header)

    def place(self, row: int) -> Place:
        """The line at which a row (0-based) starts."""
        start, _ = self._bounds(row)
        return Place(self.name, self.block.first_line + self.block.data.count(b"\n", 0, start))

    def cell(self, row: int, name: str) -> str:
        """A cell as it is written in the file."""
        start, end = self._bounds(row)
        cells = pd.read_csv(
            # pandas takes away a byte order mark, also one that is a part of the cell.
            io.BytesIO(codecs.BOM_UTF8 + self.block.data[start:end]),
            header=None,
            dtype=str,
            sep=self.csv_format.delimiter,
            na_filter=False,
            skip_blank_lines=False,
        )
        return str(cells.iat[0, self.block.header.index(name)])

    def _bounds(self, row: int) -> tuple[int, int]:
        """Where in the data a row starts and ends."""
        index = np.flatnonzero(self.block.filled)[row]
        return int(self.block.rows.starts[index]), int(self.block.rows.ends[index])


def csv_blocks(stream: BinaryIO, name: str, csv_format: CsvFormat) -> Iterator[CsvBlock]:
    """Cuts a CSV file of any length into blocks of whole rows, as `scan_blocks` does."""
    for block in scan_blocks(stream, name, csv_format):
        yield CsvBlock(block, name, csv_format)


def _holds_booleans(cells: "pd.Series[Any]") -> bool:
    """Whether pandas has read True and False, instead of the text that is in the file."""
    return cells.dtype == bool or (cells.dtype == object and any(isinstance(cell, bool) for cell in cells))


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
