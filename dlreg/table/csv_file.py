"""The rows of a CSV file, read from its text block by block."""

import codecs
import io
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import BinaryIO

import numpy as np
import pandas as pd

from dlreg.table.csv_format import CsvFormat
from dlreg.table.csv_scan import Block, scan_blocks
from dlreg.table.growing_columns import places_of_booleans, places_of_text
from dlreg.table.row_places import find_rows
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

    @property
    def number_columns(self) -> frozenset[str]:
        """None: all cells are text in the file."""
        return frozenset()

    @cached_property
    def n_rows(self) -> int:
        """How many rows there are; blank lines are none."""
        return int(np.count_nonzero(self.block.filled))

    def read(self, text_columns: Collection[str]) -> pd.DataFrame:
        """The cells, as `Table.frame` has them."""
        frame = _parse(self.block, self.csv_format, text_columns)
        if booleans := places_of_booleans(frame):
            as_text = (self.block.header[place] for place in booleans)
            frame = _parse(self.block, self.csv_format, {*text_columns, *as_text})
        return _named(frame, self.block)

    def texts(self, names: Collection[str]) -> pd.DataFrame:
        """These columns, all cells as text; missing ones NaN."""
        places = [place for place, name in enumerate(self.block.header) if name in names]
        frame = _parse(self.block, self.csv_format, names, places)
        return frame.set_axis([self.block.header[place] for place in places], axis="columns")

    def sample(self, rows: np.ndarray) -> pd.DataFrame:
        """Some of the rows, all cells as text; missing ones NaN."""
        block = self.block
        chosen = np.flatnonzero(block.filled)[rows]
        places = zip(block.rows.starts[chosen], block.rows.ends[chosen] + 1, strict=True)
        data = b"".join(block.data[start:end] for start, end in places)
        sample = block._replace(data=data, rows=find_rows(data, self.csv_format.separator))
        return _named(_parse(sample, self.csv_format, block.header), block)

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
            sep=self.csv_format.separator,
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


def _parse(
    block: Block, csv_format: CsvFormat, text_columns: Collection[str], places: list[int] | None = None
) -> pd.DataFrame:
    """The rows of a block; its columns have their places for names, which are dear where columns are many.

    Args:
        block: The rows.
        csv_format: How they are written.
        text_columns: Columns to keep as text even if every cell is a number.
        places: Those of the columns to read; None for all.
    """
    missing = [*MISSING_TEXTS, *csv_format.missing_values]
    data = block.without_blank_lines()
    if data.startswith(codecs.BOM_UTF8):
        # pandas takes away the first one, which here is a part of a cell as in any other row.
        data = codecs.BOM_UTF8 + data
    # Without `thousands`: pandas would drop the marks wherever they are, and read 3,14 as 314.
    frame = pd.read_csv(
        io.BytesIO(data),
        header=None,
        index_col=False,
        usecols=places,
        # Without any there is no dictionary at all, or pandas would make a series of each column.
        dtype={place: str for place, name in enumerate(block.header) if name in text_columns} or None,
        sep=csv_format.separator,
        decimal=csv_format.decimal,
        na_values=missing,
        keep_default_na=False,
        skip_blank_lines=False,
        encoding="utf-8",
        low_memory=False,
    )
    for place in frame.columns[list(places_of_text(frame))]:
        gaps = _padded_gaps(frame[place], missing)
        if gaps:
            frame[place] = frame[place].mask(frame[place].isin(gaps))
    return frame


def _named(frame: pd.DataFrame, block: Block) -> pd.DataFrame:
    return frame.set_axis(list(block.header), axis="columns")


def _padded_gaps(column: "pd.Series[str]", missing: Collection[str]) -> list[str]:
    """The texts with blanks around them that mean a missing value."""
    texts = [text for text in column.to_numpy(dtype=object) if isinstance(text, str)]
    # Cheap before dear: many columns of text have no blank at all.
    if len(f"|{''.join(texts)}|".split(maxsplit=1)) == 1:
        return []
    return [text for text in set(texts) if text != text.strip() and text.strip() in missing]
