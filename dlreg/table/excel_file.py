"""A sheet of an Excel workbook, as the text of a CSV with a line for each of its rows."""

import csv
import io
import re
import zipfile
from bisect import bisect_right
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
import pandas as pd

from dlreg.errors import DataError, Fault
from dlreg.table.compressed import refuse_large_directory, refusing_damaged
from dlreg.table.csv_file import CsvBlock, csv_blocks
from dlreg.table.csv_format import CsvFormat
from dlreg.table.missing_library import importing_extra
from dlreg.table.table import Place
from dlreg.wording import nearest_word

if TYPE_CHECKING:
    from python_calamine import CalamineWorkbook

_EXPECTED = "a zip archive or an Excel workbook"
_WORKBOOK = "xl/workbook.xml"
# A sheet is read as a whole, empty cells and all: some 100 bytes each. Those of Excel end at 1,048,576 rows.
MAX_CELLS = 20_000_000
_CELL = re.compile(rb'\br="([A-Z]{1,3})([0-9]{1,9})"')
_SCANNED_BYTES, _LONGEST_PLACE = 1 << 20, 64
# Beyond it not every whole number is a float.
_LARGEST_WHOLE = 2.0**53


@dataclass(frozen=True)
class SheetBlock:
    """Consecutive rows of a sheet, a `dlreg.table.table.RowBlock`.

    Attributes:
        lines: The same as lines of a CSV.
        starts: The line at which each row of the sheet starts.
    """

    lines: CsvBlock
    starts: Sequence[int]

    @property
    def header(self) -> tuple[str, ...]:
        """The names of the columns."""
        return self.lines.header

    @property
    def number_columns(self) -> frozenset[str]:
        """None: the cells of a column may be of any type."""
        return frozenset()

    @property
    def n_rows(self) -> int:
        """How many rows there are; empty ones are none."""
        return self.lines.n_rows

    def read(self, text_columns: Collection[str]) -> pd.DataFrame:
        """The cells, as `Table.frame` has them."""
        return self.lines.read(text_columns)

    def texts(self, names: Collection[str]) -> pd.DataFrame:
        """These columns, all cells as text; missing ones NaN."""
        return self.lines.texts(names)

    def sample(self, rows: np.ndarray) -> pd.DataFrame:
        """Some of the rows, all cells as text; missing ones NaN."""
        return self.lines.sample(rows)

    def place(self, row: int) -> Place:
        """The row of the sheet."""
        path, line, _ = self.lines.place(row)
        return Place(path, row=bisect_right(self.starts, line or 0))

    def cell(self, row: int, name: str) -> str:
        """A cell as text."""
        return self.lines.cell(row, name)


def is_workbook(stream: BinaryIO, name: str) -> bool:
    """Whether a zip archive is an Excel workbook."""
    with refusing_damaged(name, _EXPECTED):
        refuse_large_directory(stream, name)
        is_one = _WORKBOOK in zipfile.ZipFile(stream).namelist()
        stream.seek(0)
    return is_one


def sheet_blocks(stream: BinaryIO, name: str, csv_format: CsvFormat) -> Iterator[SheetBlock]:
    """The rows of the sheet that `csv_format` names, or of the first.

    Args:
        stream: The bytes of the workbook, which can be gone back in.
        name: What to call it in a message.
        csv_format: How its texts are written.

    Raises:
        DataError: The workbook is damaged, or encrypted, has no such sheet, or one of too many cells.
        UsageError: python-calamine is not installed.
    """
    with importing_extra("excel", name):
        from python_calamine import CalamineError, CalamineWorkbook, PasswordError
    with refusing_damaged(name, _EXPECTED):
        _refuse_large_sheets(stream, name)
    stream.seek(0)
    try:
        workbook = CalamineWorkbook.from_filelike(stream)
        rows = _rows_of(workbook, name, csv_format.sheet)
    except PasswordError:
        hint = "Save it without a password"
        raise DataError(Fault("the workbook is encrypted", name, hint=hint)) from None
    except CalamineError as error:
        hint = "Open it in Excel and save it again, or save it as CSV"
        raise DataError(Fault(f"expected {_EXPECTED}, but it is damaged: {error}", name, hint=hint)) from None
    text, starts = _as_csv(rows, csv_format.decimal)
    written = replace(csv_format, encoding="utf-8", delimiter=",", skip_initial_space=False)
    with _placing(starts):
        for block in csv_blocks(io.BytesIO(text), name, written):
            yield SheetBlock(block, starts)


def _rows_of(workbook: "CalamineWorkbook", name: str, sheet: str | None) -> list[list[Any]]:
    """The cells of a sheet, from its first row and its first column that is not empty."""
    names = workbook.sheet_names
    if sheet is not None and sheet not in names:
        near = nearest_word(sheet, names)
        listed = ", ".join(map(repr, names[:20]))
        hint = f"Did you mean {near!r}?" if near else f"The sheets are {listed}: set data.sheet"
        raise DataError(Fault(f"there is no sheet {sheet!r}", name, hint=hint))
    chosen = workbook.get_sheet_by_name(sheet) if sheet is not None else workbook.get_sheet_by_index(0)
    return list(chosen.iter_rows())


def _as_csv(rows: list[list[Any]], decimal: str) -> tuple[bytes, list[int]]:
    """The text of some rows, and the line at which each row of the sheet starts, from its first on."""
    writers = [_writer(column, decimal) for column in zip(*rows, strict=True)]
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    starts, line = list[int](), 1
    for row in rows:
        starts.append(line)
        texts = [write(cell) for write, cell in zip(writers, row, strict=True)]
        if any(texts):
            writer.writerow(texts)
            line += sum(text.count("\n") for text in texts)
        else:
            stream.write("\n")
        line += 1
    return stream.getvalue().encode("utf-8", errors="replace"), starts


def _writer(cells: Sequence[Any], decimal: str) -> Any:
    """What writes the cells of a column as text: moments alike, with no more than they all need."""
    moments = [cell for cell in cells if isinstance(cell, datetime)]
    timespec = "microseconds" if any(moment.microsecond for moment in moments) else "seconds"

    def write(cell: Any) -> str:
        if isinstance(cell, bool | str):
            return str(cell)
        if isinstance(cell, int | float):
            is_whole = float(cell).is_integer() and abs(cell) <= _LARGEST_WHOLE
            return str(int(cell)) if is_whole else repr(cell).replace(".", decimal)
        if isinstance(cell, date) and moments:
            moment = cell if isinstance(cell, datetime) else datetime(cell.year, cell.month, cell.day)
            return moment.isoformat(" ", timespec)
        if isinstance(cell, timedelta):
            minutes, seconds = divmod(round(cell.total_seconds()), 60)
            return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
        return "" if cell is None else str(cell)

    return write


def _refuse_large_sheets(stream: BinaryIO, name: str) -> None:
    """Refuses sheets that reach so far that their empty cells would take the memory."""
    stream.seek(0)
    archive = zipfile.ZipFile(stream)
    for member in archive.namelist():
        if not re.fullmatch(r"xl/worksheets/[^/]+\.xml", member):
            continue
        last_row, last_column, rest = 0, 0, b""
        with archive.open(member) as sheet:
            while chunk := sheet.read(_SCANNED_BYTES):
                places = _CELL.findall(rest + chunk)
                last_row = max([last_row, *{int(row) for _, row in places}])
                last_column = max([last_column, *map(_column_number, {column for column, _ in places})])
                rest = chunk[-_LONGEST_PLACE:]
                if last_row * last_column > MAX_CELLS:
                    message = f"a sheet has at most {MAX_CELLS:,} cells, this has {last_row * last_column:,}"
                    hint = "Does a cell stand far outside of the table? Else save it as CSV"
                    raise DataError(Fault(message, name, hint=hint))


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number


@contextmanager
def _placing(starts: Sequence[int]) -> Iterator[None]:
    """Puts the row of the sheet in the place of the line in faults of the text."""
    try:
        yield
    except DataError as error:
        raise DataError(
            *(
                replace(fault, line=None, row=bisect_right(starts, fault.line)) if fault.line else fault
                for fault in error.faults
            )
        ) from None
