"""The bytes of a CSV file, cut into blocks of whole rows, each as long as the header.

Rows are checked here because pandas mends ragged ones without a word: short rows are filled with
missing cells, trailing cells are cut or shift the columns.
"""

import codecs
import csv
import difflib
import io
import stat
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

import numpy as np

from dlreg.errors import DataError, Fault, StorageError

BLOCK_BYTES = 1 << 23
MAX_ROW_BYTES = 1 << 26
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


class Rows(NamedTuple):
    """Where rows stand in a text, shape `(n_rows,)` each.

    Attributes:
        starts: The position of the first byte.
        ends: The position of the newline.
        lengths: The number of cells; 0 for a blank line.
    """

    starts: np.ndarray
    ends: np.ndarray
    lengths: np.ndarray


def scan_blocks(stream: BinaryIO, name: str, csv_format: CsvFormat) -> Iterator[Block]:
    """Cuts a stream of UTF-8 text into blocks of whole rows and checks the shape of each row.

    Args:
        stream: The bytes of a CSV file, header first.
        name: What to call the file in a message.
        csv_format: How it is written.

    Yields:
        Blocks of about `BLOCK_BYTES`; none when there are no rows.

    Raises:
        DataError: At the first rows that are not as long as the header, and at NUL bytes, stray or
            unclosed quotes and bytes that are not of the encoding.
    """
    header: tuple[str, ...] | None = None
    line, rest, last = 1, b"", False
    while not last:
        fresh = _read(stream, name, csv_format.encoding, line)
        text, last = rest + fresh, not fresh
        if header is None:
            refuse_other_formats(text, name)
            text = text.removeprefix(codecs.BOM_UTF8)
        if last and text and not text.endswith(b"\n"):
            text += b"\n"
        _refuse_bad_text(text, name, csv_format.encoding, line, last=last)
        _refuse_stray_quote(text, name, csv_format.delimiter, line)
        rows = rows_of(text, csv_format.delimiter)
        cut = int(rows.ends[-1]) + 1 if rows.ends.size else 0
        if last and cut < len(text):
            at = line + text.count(b"\n", 0, cut)
            raise DataError(Fault("a quoted cell is never closed", name, at, hint='Add the second "'))
        whole, rest = text[:cut], text[cut:]
        if len(rest) > MAX_ROW_BYTES:
            at = line + text.count(b"\n", 0, cut)
            hint = 'Is a quoted cell never closed? Add the second "'
            raise DataError(Fault(f"a row of over {MAX_ROW_BYTES:,} bytes", name, at, hint=hint))
        filled = np.flatnonzero(rows.lengths)
        if header is None and filled.size:
            end = int(rows.ends[filled[0]]) + 1
            line += whole.count(b"\n", 0, end)
            header = _header(whole[:end].strip(b"\r\n"), name, csv_format.delimiter, line - 1)
            whole, filled = whole[end:], filled[1:]
            rows = rows_of(whole, csv_format.delimiter)
        if header is not None and filled.size:
            _refuse_ragged(whole, rows, header, name, line)
            yield Block(header, whole, line)
        line += whole.count(b"\n")


def rows_of(text: bytes, delimiter: str) -> Rows:
    """Finds the rows of a text; delimiters and newlines inside quotes do not count."""
    data = np.frombuffer(text, dtype=np.uint8)
    delimiters, newlines, quotes = data == ord(delimiter), data == ord("\n"), data == ord('"')
    if quotes.any():
        outside = (np.cumsum(quotes, dtype=np.uint8) & 1) == 0
        delimiters, newlines = delimiters & outside, newlines & outside
    ends = np.flatnonzero(newlines)
    starts = np.concatenate([[0], ends[:-1] + 1]) if ends.size else ends
    lengths = np.diff(np.searchsorted(np.flatnonzero(delimiters), ends), prepend=0) + 1
    for index in np.flatnonzero((lengths == 1) & (ends - starts < 64)):
        if not text[starts[index] : ends[index]].strip():
            lengths[index] = 0
    return Rows(starts, ends, lengths)


def open_csv(path: str, encoding: str) -> BinaryIO:
    """The file as a stream of UTF-8 bytes, whatever its own encoding."""
    if "://" in path:
        raise DataError(Fault("expected a local file, found a URL", path, hint="Download it first"))
    try:
        mode = Path(path).stat().st_mode
        if not stat.S_ISREG(mode):
            kind = "a directory" if stat.S_ISDIR(mode) else "not a plain file"
            raise DataError(Fault(f"expected a CSV file, found {kind}", path))
        stream = io.BufferedReader(io.FileIO(path))
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


def refuse_other_formats(text: bytes, name: str) -> None:
    """Raises a `DataError` for a file whose first bytes are not those of text."""
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
        hint = f"It looks like {likely_encoding(text)}: set data.encoding"
        message = f"byte 0x{text[error.start]:02x} is not {encoding} text"
        raise DataError(Fault(message, name, line, hint=hint)) from None


def likely_encoding(text: bytes) -> str:
    """The encoding that text which is not UTF-8 most likely has."""
    high = np.frombuffer(text, dtype=np.uint8) >= 0x80
    # Where letters of Latin text have accents, plain ones are around them.
    if 2 * np.sum(high[1:] & high[:-1]) < 0.5 * np.sum(high):
        return "cp1252"
    for encoding in ("cp949", "shift_jis", "gb18030"):
        try:
            decoded = codecs.getincrementaldecoder(encoding)().decode(text)
        except UnicodeDecodeError:
            continue
        # Western text read as an East Asian encoding yields a few rare signs, not runs of them.
        if sum(c >= "\u3040" for c in decoded) * 2 >= sum(byte >= 0x80 for byte in text) * 0.8:
            return encoding
    return "cp1252"


def _refuse_stray_quote(text: bytes, name: str, delimiter: str, line: int) -> None:
    """A quote may open a cell or stand twice inside a quoted one; elsewhere rows could not be told apart."""
    data = np.frombuffer(text, dtype=np.uint8)
    opening = np.flatnonzero(data == ord('"'))[::2]
    before = np.where(opening > 0, data[opening - 1], ord("\n"))
    stray = ~np.isin(before, (ord(delimiter), ord("\n"), ord('"')))
    if stray.any():
        at = int(opening[np.argmax(stray)])
        hint = 'Write the whole cell in quotes and each quote inside it twice: "5"" pipe"'
        where = line + text.count(b"\n", 0, at)
        raise DataError(Fault("a quote in the middle of a cell", name, where, hint=hint))


def _header(text: bytes, name: str, delimiter: str, line: int) -> tuple[str, ...]:
    source = io.StringIO(text.decode("utf-8"), newline="")
    cells = next(csv.reader(source, delimiter=delimiter), [])
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
                    f"expected columns separated by {delimiter!r}, found one",
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


def _refuse_ragged(text: bytes, rows: Rows, header: tuple[str, ...], name: str, line: int) -> None:
    ragged = np.flatnonzero((rows.lengths != len(header)) & (rows.lengths > 0))
    if not ragged.size:
        return
    places = [
        (line + text.count(b"\n", 0, int(rows.starts[index])), rows.lengths[index]) for index in ragged[:3]
    ]
    message = f"expected {len(header)} cells as in the header, found"
    *first, final = [Fault(f"{message} {found}", name, at) for at, found in places]
    more = f" ({ragged.size:,} such rows)" if ragged.size > 3 else ""
    hint = f"Put cells that hold the delimiter in quotes, or set data.delimiter or data.decimal{more}"
    raise DataError(*first, replace(final, hint=hint))
