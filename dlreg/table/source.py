"""What a table is read from: a file, told by its content, as blocks of rows, as one table or as a stream."""

import io
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Literal, Protocol

import numpy as np
import pandas as pd

from dlreg.errors import DataError, Fault
from dlreg.files.table_files import STANDARD_INPUT, STANDARD_INPUT_NAME, is_several, table_files
from dlreg.table.arrow_file import ARROW, PARQUET, arrow_blocks
from dlreg.table.compressed import ZIP_OPENINGS, decompressed, peek, refusing_damaged, seekable
from dlreg.table.csv_file import csv_blocks
from dlreg.table.csv_format import CsvFormat
from dlreg.table.csv_scan import open_csv
from dlreg.table.excel_file import is_workbook, sheet_blocks
from dlreg.table.growing_columns import GrowingColumns, places_of_text
from dlreg.table.json_lines import is_json_lines, json_blocks
from dlreg.table.table import RowBlock, Table

# A sample's cells are looked at one by one.
SAMPLE_ROWS, LEAST_SAMPLE_ROWS, SAMPLE_CELLS = 5000, 50, 100_000
# Threads that read the cells of blocks; a file seldom feeds more than two.
READERS = 2

Form = Literal["text", "json", "arrow", "workbook"]


class RowSource(Protocol):
    """What rows are read from."""

    @property
    def name(self) -> str:
        """What messages call it."""

    @property
    def csv_format(self) -> CsvFormat:
        """How its text is written."""

    def blocks(self) -> Iterator[RowBlock]:
        """The rows, in blocks of bounded size; from the start each time it is called."""


@dataclass(frozen=True)
class Source:
    """What a table is read from; nothing of it is kept.

    Attributes:
        name: What the user calls it.
        csv_format: How its text is written.
        open: Opens its bytes, from their start each time it is called.
    """

    name: str
    csv_format: CsvFormat
    open: Callable[[], BinaryIO]

    def blocks(self) -> Iterator[RowBlock]:
        """The rows, in blocks of bounded size; from the start each time it is called.

        Raises:
            DataError: It is no table of that format.
            StorageError: It may not be read.
        """
        with refusing_damaged(self.name, "a table"):
            opening, stream = peek(self.open())
        form = _form(opening)
        if form != "text":
            stream = seekable(stream, self.name)
        with stream:
            if form == "arrow":
                yield from arrow_blocks(stream, self.name, self.csv_format)
            elif form == "zip" and is_workbook(stream, self.name):
                yield from sheet_blocks(stream, self.name, self.csv_format)
            else:
                opening, text = peek(decompressed(stream, self.name))
                blocks = json_blocks if is_json_lines(opening) else csv_blocks
                yield from blocks(text, self.name, self.csv_format)

    def form(self) -> Form:
        """What it is: text of lines, which may be written in many ways, or of objects, or typed cells."""
        with self.open() as file:
            opening, stream = peek(file)
            form = _form(opening)
            if form == "arrow" or (form == "zip" and is_workbook(stream, self.name)):
                return "arrow" if form == "arrow" else "workbook"
            opening, _ = peek(decompressed(stream, self.name))
            return "json" if is_json_lines(opening) else "text"


@dataclass(frozen=True)
class SeveralFiles:
    """Files of one header that are one table, row after row.

    Attributes:
        name: What the user calls them.
        csv_format: How their text is written.
        files: Each of them.
    """

    name: str
    csv_format: CsvFormat
    files: tuple[Source, ...]

    def blocks(self) -> Iterator[RowBlock]:
        """The rows of one file after the other, as `Source.blocks` gives them.

        Raises:
            DataError: One is no table, or has other columns than the first.
            StorageError: One may not be read.
        """
        header: tuple[str, ...] | None = None
        for file in self.files:
            for block in file.blocks():
                header = header or block.header
                if block.header != header:
                    raise DataError(_other_header(header, block, self.files[0].name))
                yield block

    def form(self) -> Form:
        """As `Source.form`, of the first."""
        return self.files[0].form()


def _other_header(header: tuple[str, ...], block: RowBlock, first: str) -> Fault:
    """The fault of a file whose columns are not those of the first, at its header or its first row."""
    path, line, row = block.place(0)
    missing, further = (
        [name for name in one if name not in other]
        for one, other in ((header, block.header), (block.header, header))
    )
    found = "the same in another order"
    if missing or further:
        lists = (("without", missing), ("with", further))
        found = " and ".join(f"{word} {', '.join(map(repr, names[:5]))}" for word, names in lists if names)
    message = (
        f"expected the columns of {first}, found them {found}"
        if found[:4] == "with"
        else (f"expected the columns of {first}, found {found}")
    )
    hint = "Give all files one header, or name those that have it by a pattern"
    return Fault(message, path, line and max(1, line - 1), hint=hint, row=row)


def _form(opening: bytes) -> Literal["text", "arrow", "zip"]:
    """What a file is by its first bytes; an archive may hold text, or be a workbook."""
    if opening.startswith((PARQUET, ARROW)):
        return "arrow"
    return "zip" if opening.startswith(ZIP_OPENINGS) else "text"


def find_source(path: str, csv_format: CsvFormat) -> Source | SeveralFiles:
    """The table of a path, as `dlreg.files.table_files` understands it.

    Raises:
        DataError: There is no such file; only plain local ones are opened.
        StorageError: It may not be read.
    """
    if not is_several(path):
        open_csv(path).close()
        name = STANDARD_INPUT_NAME if path == STANDARD_INPUT else path
        return Source(name, csv_format, partial(open_csv, path))
    files = tuple(Source(file, csv_format, partial(open_csv, file)) for file in table_files(path))
    return files[0] if len(files) == 1 else SeveralFiles(path, csv_format, files)


def standard_input(csv_format: CsvFormat) -> Source:
    """The table on standard input, which is not kept and can be read once."""
    return Source(STANDARD_INPUT_NAME, csv_format, _open_standard_input)


def _open_standard_input() -> BinaryIO:
    try:
        return io.BufferedReader(io.FileIO(0, closefd=False))
    except OSError as error:
        hint = "Pipe a table into the command, or name its file"
        raise DataError(Fault(f"cannot be read: {error.strerror}", STANDARD_INPUT_NAME, hint=hint)) from None


def open_text(path: str) -> BinaryIO:
    """The text of a file, also of a compressed one; of several that of the first.

    Raises:
        DataError: There is no such file; only a plain local one is opened.
        StorageError: It may not be read.
    """
    first = table_files(path)[0]
    return decompressed(open_csv(first), first)


def read_table(
    path: str,
    csv_format: CsvFormat,
    text_columns: Collection[str] = (),
    *,
    most_blocks: int | None = None,
) -> Table:
    """Reads a whole table, or its beginning.

    Args:
        path: Its file; only a plain local file is opened.
        csv_format: How its text is written.
        text_columns: Columns to keep as text even if every cell is a number.
        most_blocks: How many blocks to read; None for all.

    Raises:
        DataError: The file is no table of that format, or has ragged rows, duplicate or missing
            names, or no rows.
        StorageError: The file may not be read.
    """
    source = find_source(path, csv_format)
    while True:
        header: tuple[str, ...] = ()
        columns = GrowingColumns()
        for block, frame in _read_ahead(islice(source.blocks(), most_blocks), text_columns):
            header = block.header
            columns.append(frame)
        if not header:
            raise DataError(no_rows_fault(source.name))
        if not columns.mixed:
            return Table(columns.to_frame(header), source.name, csv_format, source.blocks)
        text_columns = {*text_columns, *(header[place] for place in columns.mixed)}


@dataclass(frozen=True)
class KnownTable:
    """A table that was read, for whoever reads it again.

    Attributes:
        path: Its file.
        table: As `read_table` gave it.
        text_columns: The columns that were to be kept as text.
    """

    path: str
    table: Table
    text_columns: Collection[str]

    def read(self, path: str, csv_format: CsvFormat, text_columns: Collection[str] = ()) -> Table:
        """The table as `read_table` would read it, which it does where that is another one."""
        frame, known = self.table.frame, self.table.csv_format
        # Neither changes what a cell is read as.
        alike = replace(csv_format, thousands=known.thousands, time_zone=known.time_zone) == known
        texts = {str(frame.columns[place]) for place in places_of_text(frame)}
        is_same = alike and set(self.text_columns) <= set(text_columns) <= texts
        if not is_same or Path(path).absolute() != Path(self.path).absolute():
            return read_table(path, csv_format, text_columns)
        return replace(unread_table(path, csv_format), frame=frame)


def stream_tables(source: RowSource, text_columns: Collection[str] = ()) -> Iterator[Table]:
    """Reads a table of any length in bounded memory, as `read_table` reads it: one table after the other.

    A column of numbers may be one of text in another of them.

    Args:
        source: What it is read from.
        text_columns: Columns to keep as text even if every cell is a number.
    """
    for block, frame in _read_ahead(source.blocks(), text_columns):
        yield Table(frame, source.name, source.csv_format, partial(_alone, block))


def _alone(block: RowBlock) -> tuple[RowBlock]:
    return (block,)


def unread_table(path: str, csv_format: CsvFormat) -> Table:
    """A table without its cells, as a place to look them up in."""
    source = find_source(path, csv_format)
    return Table(pd.DataFrame(), source.name, csv_format, source.blocks)


def read_sample(path: str, csv_format: CsvFormat) -> pd.DataFrame:
    """Some rows of the first block of a table, evenly spread, as text; missing cells are NaN.

    There are at most `SAMPLE_ROWS`, of a table of many columns fewer.

    Raises:
        DataError: The file is no table of that format, or has no rows.
        StorageError: The file may not be read.
    """
    source = find_source(path, csv_format)
    for block in source.blocks():
        n_rows = min(block.n_rows, SAMPLE_ROWS, max(LEAST_SAMPLE_ROWS, SAMPLE_CELLS // len(block.header)))
        return block.sample(np.linspace(0, block.n_rows - 1, n_rows).astype(int))
    raise DataError(no_rows_fault(source.name))


def no_rows_fault(path: str) -> Fault:
    """The fault of a table without rows."""
    hint = "Add a header line and, below it, one line for each row"
    return Fault("the file has no rows of data", path, hint=hint)


def _read_ahead(
    blocks: Iterable[RowBlock], text_columns: Collection[str]
) -> Iterator[tuple[RowBlock, pd.DataFrame]]:
    """Each block with its cells, in order; while one is used, the next is read on another core."""
    with ThreadPoolExecutor(READERS) as pool:
        waiting: deque[tuple[RowBlock, Future[pd.DataFrame]]] = deque()
        for block in blocks:
            waiting.append((block, pool.submit(block.read, text_columns)))
            if len(waiting) > READERS:
                first, frame = waiting.popleft()
                yield first, frame.result()
        for first, frame in waiting:
            yield first, frame.result()
