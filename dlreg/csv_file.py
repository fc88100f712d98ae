"""A CSV file, read strictly: every row has as many cells as the header, or the line is named.

Bytes are scanned in blocks before pandas sees them, because pandas mends ragged rows without a word:
short rows are filled with missing cells, trailing cells are cut or shift the columns.
"""

import codecs
import csv
import io
import stat
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

import numpy as np
import pandas as pd

from dlreg.errors import DataError, Fault, StorageError

BLOCK_BYTES = 1 << 23
MISSING_TEXTS = ("", "#N/A", "#NA", "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null")
_OTHER_FORMATS = {
    b"PK\x03\x04": "a zip archive or an Excel workbook",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"\x1f\x8b": "gzip-compressed",
    b"BZh": "bzip2-compressed",
    b"\xfd7zXZ": "xz-compressed",
    b"\x28\xb5\x2f\xfd": "zstd-compressed",
    b"PAR1": "a Parquet file",
    b"\x89HDF": "an HDF5 file",
    b"%PDF": "a PDF file",
}


@dataclass(frozen=True)
class CsvFormat:
    """How a CSV file is written.

    Attributes:
        encoding: A Python codec name, such as `utf-8` or `cp949`.
        delimiter: The character between two cells.
        decimal: The decimal mark, `.` or `,`.
        thousands: The mark between groups of three digits, if numbers have one.
        missing_values: Texts that mean "missing", beside `MISSING_TEXTS`.
    """

    encoding: str = "utf-8"
    delimiter: str = ","
    decimal: str = "."
    thousands: str | None = None
    missing_values: tuple[str, ...] = ()


class Block(NamedTuple):
    """Whole rows of a CSV file.

    Attributes:
        header: The column names.
        data: The rows as UTF-8 text, without the header.
        first_line: 1-based line of the file at which `data` starts.
    """

    header: tuple[str, ...]
    data: bytes
    first_line: int


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
        blocks = [self.block] if self.block else _blocks_of_file(self.name, self.csv_format)
        for block in blocks:
            ends, lengths = _rows(block.data, self.csv_format, "", 1)
            starts = np.concatenate([[0], ends[:-1] + 1])[lengths > 0]
            if row < starts.size:
                return block.first_line + block.data.count(b"\n", 0, int(starts[row]))
            row -= starts.size
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
    header: tuple[str, ...] = ()
    for block in _blocks_of_file(path, csv_format):
        header = block.header
    if not header:
        raise DataError(Fault("the file has no rows of data", path))

    def parse(text_columns: Collection[str]) -> pd.DataFrame:
        with open_csv(path, csv_format.encoding) as stream:
            return _parse(stream, header, csv_format, text_columns, header_row=0)

    return Table(_with_booleans_as_text(parse, text_columns), path, csv_format)


def read_header(path: str, csv_format: CsvFormat) -> tuple[str, ...]:
    """The column names of a CSV file, without reading the rows that follow the first block."""
    for block in _blocks_of_file(path, csv_format):
        return block.header
    raise DataError(Fault("the file has no rows of data", path))


def stream_tables(
    stream: BinaryIO, name: str, csv_format: CsvFormat, text_columns: Collection[str]
) -> Iterator[Table]:
    """Reads a CSV stream of any length in bounded memory, as `read_table` reads a file.

    Args:
        stream: UTF-8 bytes, as `open_csv` and `as_utf8` give them.
        name: What to call the stream in a message.
        csv_format: How it is written.
        text_columns: Columns to keep as text even if every cell is a number.
    """
    for block in scan_blocks(stream, name, csv_format):

        def parse(text_columns: Collection[str], block: Block = block) -> pd.DataFrame:
            return _parse(io.BytesIO(block.data), block.header, csv_format, text_columns, header_row=None)

        yield Table(_with_booleans_as_text(parse, text_columns), name, csv_format, block)


def scan_blocks(stream: BinaryIO, name: str, csv_format: CsvFormat) -> Iterator[Block]:
    """Cuts a stream of UTF-8 text into blocks of whole rows and checks the shape of each row.

    Args:
        stream: The bytes of a CSV file, header first.
        name: What to call the file in a message.
        csv_format: Its delimiter is what counts here.

    Yields:
        Blocks of about `BLOCK_BYTES`; none when there are no rows.

    Raises:
        DataError: At the first row that is not as long as the header, and at NUL bytes, stray or
            unclosed quotes and bytes that are not of the encoding.
    """
    header, line, rest = None, 1, b""
    while True:
        fresh = _read(stream, name, csv_format.encoding, line)
        text = rest + fresh
        if header is None:
            _refuse_other_formats(text, name)
            text = text.removeprefix(codecs.BOM_UTF8)
        if not fresh and text and not text.endswith(b"\n"):
            text += b"\n"
        _refuse_bad_text(text, name, csv_format.encoding, line, last=not fresh)
        ends, lengths = _rows(text, csv_format, name, line)
        if not fresh and text and (not ends.size or ends[-1] + 1 < len(text)):
            start = int(ends[-1]) + 1 if ends.size else 0
            raise DataError(
                Fault(
                    'a quoted cell is never closed; expected a second "',
                    name,
                    line + text.count(b"\n", 0, start),
                )
            )
        cut = int(ends[-1]) + 1 if ends.size else 0
        whole, rest = text[:cut], text[cut:]
        if header is None and ends.size:
            first = int(np.argmax(lengths > 0)) if (lengths > 0).any() else len(lengths)
            if first == len(lengths):
                line += whole.count(b"\n")
                whole = b""
            else:
                end = int(ends[first]) + 1
                header = _header(whole[:end], name, csv_format, line + whole.count(b"\n", 0, end) - 1)
                line += whole.count(b"\n", 0, end)
                whole, lengths, ends = whole[end:], lengths[first + 1 :], ends[first + 1 :] - end
        if header is not None and whole:
            _refuse_ragged(whole, ends, lengths, header, name, line)
            if (lengths > 0).any():
                yield Block(header, whole, line)
            line += whole.count(b"\n")
        if not fresh:
            return


def _blocks_of_file(path: str, csv_format: CsvFormat) -> Iterator[Block]:
    with open_csv(path, csv_format.encoding) as stream:
        yield from scan_blocks(stream, path, csv_format)


def _with_booleans_as_text(
    parse: Callable[[Collection[str]], pd.DataFrame], text_columns: Collection[str]
) -> pd.DataFrame:
    """A frame in which columns of True and False keep the text they are written with."""
    frame = parse(text_columns)
    booleans = {
        name
        for name, column in frame.items()
        if column.dtype == bool or (column.dtype == object and column.map(type).eq(bool).any())
    }
    return parse({*text_columns, *booleans}) if booleans else frame


def _parse(
    stream: BinaryIO,
    header: tuple[str, ...],
    csv_format: CsvFormat,
    text_columns: Collection[str],
    header_row: int | None,
) -> pd.DataFrame:
    return pd.read_csv(
        stream,
        header=header_row,
        names=list(header),
        index_col=False,
        dtype={name: str for name in header if name in text_columns},
        sep=csv_format.delimiter,
        decimal=csv_format.decimal,
        thousands=csv_format.thousands,
        na_values=[*MISSING_TEXTS, *csv_format.missing_values],
        keep_default_na=False,
        encoding="utf-8",
        low_memory=False,
    )


def open_csv(path: str, encoding: str) -> BinaryIO:
    """The file as a stream of UTF-8 bytes, whatever its own encoding."""
    if "://" in path:
        raise DataError(Fault("expected a local file, found a URL", path, hint="Download it first"))
    try:
        mode = Path(path).stat().st_mode
        if not stat.S_ISREG(mode):
            kind = "a directory" if stat.S_ISDIR(mode) else "not a plain file"
            raise DataError(Fault(f"expected a CSV file, found {kind}", path))
        stream = Path(path).open("rb")
    except FileNotFoundError:
        raise DataError(_no_such_file(path)) from None
    except (OSError, ValueError) as error:
        raise StorageError(Fault(f"cannot be read: {getattr(error, 'strerror', error)}", path)) from None
    return as_utf8(stream, encoding)


def as_utf8(stream: BinaryIO, encoding: str) -> BinaryIO:
    """A byte stream of any encoding as one of UTF-8 bytes."""
    if codecs.lookup(encoding).name in ("utf-8", "ascii"):
        return stream
    return cast(BinaryIO, codecs.EncodedFile(stream, "utf-8", encoding))


def _no_such_file(path: str) -> Fault:
    import difflib

    folder = Path(path).parent
    names = sorted(entry.name for entry in folder.iterdir()) if folder.is_dir() else []
    near = difflib.get_close_matches(Path(path).name, names, n=1)
    hint = f"Did you mean {folder / near[0]}?" if near else "Check data.path, or give --data"
    return Fault("no such file", path, hint=hint)


def _read(stream: BinaryIO, name: str, encoding: str, line: int) -> bytes:
    try:
        return stream.read(BLOCK_BYTES)
    except UnicodeDecodeError as error:
        found = error.object[error.start : error.end].hex(" ")
        raise DataError(
            Fault(f"byte {found} after line {line} is not {encoding} text", name, hint="Set data.encoding")
        ) from None
    except OSError as error:
        raise StorageError(Fault(f"cannot be read: {error.strerror}", name)) from None


def _refuse_other_formats(text: bytes, name: str) -> None:
    for magic, what in _OTHER_FORMATS.items():
        if text.startswith(magic):
            raise DataError(Fault(f"expected a CSV file, found {what}", name, hint="Save it as CSV first"))
    if text[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        raise DataError(Fault("the file is UTF-16 text", name, hint="Set data.encoding: utf-16"))


def _refuse_bad_text(text: bytes, name: str, encoding: str, line: int, *, last: bool) -> None:
    nul = text.find(b"\0")
    if nul >= 0:
        raise DataError(Fault("found a NUL byte; expected text", name, line + text.count(b"\n", 0, nul)))
    try:
        codecs.getincrementaldecoder("utf-8")().decode(text, final=last)
    except UnicodeDecodeError as error:
        line += text.count(b"\n", 0, error.start)
        hint = f"It looks like {_likely_encoding(text)}: set data.encoding"
        message = f"byte 0x{text[error.start]:02x} is not {encoding} text"
        raise DataError(Fault(message, name, line, hint=hint)) from None


def _likely_encoding(text: bytes) -> str:
    for encoding in ("cp949", "shift_jis", "gb18030"):
        try:
            decoded = codecs.getincrementaldecoder(encoding)().decode(text)
        except UnicodeDecodeError:
            continue
        # Western text read as an East Asian encoding yields a few rare signs, not runs of them.
        if sum(c >= "\u3040" for c in decoded) * 2 >= sum(byte >= 0x80 for byte in text) * 0.8:
            return encoding
    return "cp1252"


def _rows(text: bytes, csv_format: CsvFormat, name: str, line: int) -> tuple[np.ndarray, np.ndarray]:
    """Where each row ends and how many cells it has (0: a blank line), shape `(n_rows,)` each."""
    delimiter, data = ord(csv_format.delimiter), np.frombuffer(text, dtype=np.uint8)
    delimiters, newlines = data == delimiter, data == ord("\n")
    quotes = np.flatnonzero(data == ord('"'))
    if quotes.size:
        before = np.where(quotes > 0, data[quotes - 1], ord("\n"))
        opens = quotes[::2], before[::2]
        stray = ~np.isin(opens[1], (delimiter, ord("\n"), ord('"'), ord(" ")))
        if stray.any():
            at = int(opens[0][np.argmax(stray)])
            hint = 'Write the whole cell in quotes and each quote inside it twice: "5"" pipe"'
            raise DataError(
                Fault("a quote in the middle of a cell", name, line + text.count(b"\n", 0, at), hint=hint)
            )
        inside = np.cumsum(data == ord('"'), dtype=np.uint8) & 1
        delimiters, newlines = delimiters & ~inside.view(bool), newlines & ~inside.view(bool)
    ends = np.flatnonzero(newlines)
    starts = np.concatenate([[0], ends[:-1] + 1]) if ends.size else ends
    lengths = np.diff(np.searchsorted(np.flatnonzero(delimiters), ends), prepend=0) + 1
    for index in np.flatnonzero((lengths == 1) & (ends - starts < 64)):
        if not text[starts[index] : ends[index]].strip():
            lengths[index] = 0
    return ends, lengths


def _header(text: bytes, name: str, csv_format: CsvFormat, line: int) -> tuple[str, ...]:
    source = io.StringIO(text.decode("utf-8"), newline="")
    cells = next(csv.reader(source, delimiter=csv_format.delimiter), [])
    names = tuple(cell or f"Unnamed: {index}" for index, cell in enumerate(cells))
    faults = [
        Fault(f"two columns are named {cell!r}: number {names.index(cell) + 1} and {index + 1}", name, line)
        for index, cell in enumerate(names)
        if cell in names[:index]
    ]
    if len(names) == 1:
        others = [mark for mark in (";", "\t", "|", ",") if mark in names[0]]
        if others:
            hint = f"The delimiter looks like {others[0]!r}: set data.delimiter"
            faults.append(
                Fault(
                    f"expected columns separated by {csv_format.delimiter!r}, found one",
                    name,
                    line,
                    hint=hint,
                )
            )
    if all(_is_number(cell) for cell in cells):
        hint = "Add a first line with a name for each column"
        faults.append(
            Fault(f"expected column names, found only numbers: {', '.join(cells[:5])}", name, line, hint=hint)
        )
    if faults:
        raise DataError(*faults)
    return names


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _refuse_ragged(
    text: bytes, ends: np.ndarray, lengths: np.ndarray, header: tuple[str, ...], name: str, line: int
) -> None:
    ragged = np.flatnonzero((lengths != len(header)) & (lengths > 0))
    if not ragged.size:
        return
    faults = []
    for index in ragged[:3]:
        start = int(ends[index - 1]) + 1 if index else 0
        found = f"expected {len(header)} cells as in the header, found {lengths[index]}"
        faults.append(Fault(found, name, line + text.count(b"\n", 0, start)))
    extra = "" if ragged.size <= 3 else f" ({ragged.size} such rows in this part of the file)"
    hint = "Put cells that contain the delimiter in quotes, or set data.delimiter or data.decimal" + extra
    raise DataError(*faults[:-1], Fault(faults[-1].message, name, faults[-1].line, hint=hint))
