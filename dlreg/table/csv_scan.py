"""The bytes of a CSV file, cut into blocks of whole rows, each as long as the header.

Rows are checked here because pandas mends ragged ones without a word: short rows are filled with
missing cells, trailing cells are cut or shift the columns.
"""

import codecs
import errno
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

from dlreg.errors import DataError, Fault, StorageError
from dlreg.files.plain_file import NotPlainError, open_plain
from dlreg.files.similar_file import similar_file
from dlreg.files.table_files import CONFIG_SUFFIXES, STANDARD_INPUT, table_files
from dlreg.table.csv_format import CsvFormat, encoding_hint, refuse_other_formats, refuse_utf8
from dlreg.table.csv_header import parse_header
from dlreg.table.csv_lines import LineCleaner, needs_cleaning
from dlreg.table.csv_opening import aligned_fault, comment_fault, is_comment
from dlreg.table.row_places import RowPlaces, find_rows

BLOCK_BYTES = 1 << 23
# Each column of a block is dear to read: where there are so many, it is twice as long.
WIDE_COLUMNS = 5000
# 100,000 columns of 80 bytes each. A cell, and the header, may be as long as a row.
MAX_ROW_BYTES = 1 << 23
# To look at a column takes some milliseconds and kB; the genes of man are 60,000.
MAX_COLUMNS = 100_000
_NEWLINE, _RETURN, _QUOTE = b'\n\r"'
_QUOTE_HINT = 'Write the whole cell in quotes, no blank outside, and each quote inside twice: "5"" pipe"'
_BLANK_QUOTE_HINT = "Set data.skip_initial_space: true"


class Block(NamedTuple):
    """Whole rows of a CSV file.

    Attributes:
        header: The column names.
        data: The rows as UTF-8 text, without the header.
        rows: Where they stand in `data`.
        first_line: 1-based line of the file at which `data` starts.
    """

    header: tuple[str, ...]
    data: bytes
    rows: RowPlaces
    first_line: int

    @property
    def filled(self) -> np.ndarray:
        """Which rows are not blank lines, bool of shape `(n_rows,)`."""
        return self.rows.lengths > 0

    def without_blank_lines(self) -> bytes:
        """The rows that hold cells."""
        blank = ~self.filled
        if not blank.any():
            return self.data
        edges = np.zeros(len(self.data) + 1, dtype=np.int8)
        edges[self.rows.starts[blank]] += 1
        edges[self.rows.ends[blank] + 1] -= 1
        is_blank = np.cumsum(edges[:-1], dtype=np.int8).view(bool)
        return bytes(np.frombuffer(self.data, dtype=np.uint8)[~is_blank])


def scan_blocks(stream: BinaryIO, name: str, csv_format: CsvFormat) -> Iterator[Block]:
    """Cuts a CSV file into blocks of whole rows and checks the shape of each row.

    Args:
        stream: The bytes of a CSV file, header first.
        name: What to call the file in a message.
        csv_format: How it is written.

    Yields:
        Blocks of about `BLOCK_BYTES`, of wide rows twice that; none when there are no rows.

    Raises:
        DataError: At the first rows that are not as long as the header, and at NUL bytes, stray or
            unclosed quotes, stray carriage returns, bytes that are not of the encoding, rows of over
            `MAX_ROW_BYTES` and headers of over `MAX_COLUMNS`.
        StorageError: The stream cannot be read.
    """
    decoder = codecs.getincrementaldecoder(csv_format.encoding)()
    plain = codecs.lookup(csv_format.encoding).name in ("utf-8", "ascii")
    header: tuple[str, ...] | None = csv_format.names or None
    cleaner = LineCleaner(csv_format) if needs_cleaning(csv_format) else None
    delimiter = csv_format.separator
    opening, line, rest, last, is_begun = b"", 1, b"", False, False
    while not last:
        fresh = _read(stream, name, BLOCK_BYTES * (2 if len(header or ()) >= WIDE_COLUMNS else 1))
        last = not fresh
        if not is_begun:
            opening = opening[:16] + fresh[:16]
            refuse_other_formats(opening, name, csv_format.encoding)
        fresh_line = line + rest.count(b"\n") + (cleaner.waiting.count(b"\n") if cleaner else 0)
        text = _decoded(decoder, fresh, name, fresh_line, csv_format.encoding, plain=plain)
        text = rest + (cleaner.clean(text, last=last) if cleaner else text)
        if not is_begun:
            refuse_utf8(fresh, name, fresh_line, csv_format.encoding)
            text = text.removeprefix(codecs.BOM_UTF8)
        if last and text and not text.endswith(b"\n"):
            text += b"\n"
        _refuse_nul(text, name, csv_format.encoding, line)
        _refuse_stray_quote(text, name, delimiter, line)
        _refuse_stray_return(text, name, line)
        rows = find_rows(text, delimiter)
        cut = int(rows.ends[-1]) + 1 if rows.ends.size else 0
        whole, rest = text[:cut], text[cut:]
        if rest and last:
            row_line = line + whole.count(b"\n")
            raise DataError(Fault("a quoted cell is never closed", name, row_line, hint='Add the second "'))
        _refuse_long_row(text, rows, name, line)
        filled = np.flatnonzero(rows.lengths)
        is_begun |= filled.size > 0
        if header is None and filled.size:
            place = filled[0]
            begin, end = int(rows.starts[place]), int(rows.ends[place]) + 1
            _refuse_many_columns(int(rows.lengths[place]), name, line + whole.count(b"\n", 0, begin))
            header = parse_header(whole[begin:end], name, csv_format, line + whole.count(b"\n", 0, begin))
            line += whole.count(b"\n", 0, end)
            whole, filled = whole[end:], filled[1:]
            rows = rows.after(place)
        if header is not None and filled.size:
            block = Block(header, whole, rows, line)
            _refuse_ragged(block, name, csv_format)
            yield block
        line += int(np.count_nonzero(np.frombuffer(whole, dtype=np.uint8) == _NEWLINE))


def open_csv(path: str) -> BinaryIO:
    """Opens a plain local file, and nothing else.

    Raises:
        DataError: There is no such file, or it is a directory, a pipe, a device.
        StorageError: It may not be read.
    """
    if not path:
        hint = "Is a variable of the shell empty?"
        raise DataError(Fault("expected the name of a CSV file, found none", "''", hint=hint))
    if "://" in path:
        raise DataError(Fault("expected a local file, found a URL", path, hint="Download it first"))
    if path.endswith(CONFIG_SUFFIXES) and os.path.isfile(path):  # noqa: PTH113 - unlike Path's, it takes any name
        hint = "Give the table; a config is for dlreg train and dlreg check"
        raise DataError(Fault("this is a config, not a table", path, hint=hint))
    try:
        return open_plain(table_files(path)[0] if path == STANDARD_INPUT else path, follow_link=True)
    except NotPlainError as error:
        is_pipe = error.kind == "a pipe or device"
        hint = f"Name the CSV file itself{'; - is standard input' if is_pipe else ''}"
        raise DataError(Fault(f"expected a CSV file, found {error.kind}", path, hint=hint)) from None
    except (FileNotFoundError, NotADirectoryError, ValueError):
        raise DataError(_no_such_file(path)) from None
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENAMETOOLONG):
            raise DataError(_no_such_file(path)) from None
        hint = "Check who may read it, with ls -l"
        raise StorageError(Fault(f"cannot be read: {error.strerror}", path, hint=hint)) from None


def _no_such_file(path: str) -> Fault:
    if path.startswith("~") or "$" in path:
        return Fault("no such file", path, hint="~ and $ stand for themselves here: write the path in full")
    near = similar_file(Path(path))
    hint = (
        f"Did you mean {near}?" if near else "Check the path; in a config it starts from the config's folder"
    )
    return Fault("no such file", path, hint=hint)


def _read(stream: BinaryIO, name: str, n_bytes: int) -> bytes:
    try:
        return stream.read(n_bytes)
    except OSError as error:
        hint = "Check the disk, or copy the file elsewhere first"
        raise StorageError(Fault(f"cannot be read: {error.strerror}", name, hint=hint)) from None


def _decoded(
    decoder: codecs.IncrementalDecoder, fresh: bytes, name: str, line: int, encoding: str, *, plain: bool
) -> bytes:
    """The bytes as UTF-8; a character that is cut at their end may be left for the next ones."""
    # A decoder makes a copy of them, and most files have nothing to decode.
    if plain and fresh.isascii() and not decoder.getstate()[0]:
        return fresh
    try:
        decoded = decoder.decode(fresh, final=not fresh)
        return fresh if plain else decoded.encode("utf-8")
    except UnicodeError as error:
        subject, sample = "the text", fresh
        if isinstance(error, UnicodeDecodeError):
            before = error.object[: error.start]
            line += before.count(b"\n")
            subject = f"byte 0x{error.object[error.start]:02x}"
            sample = error.object[before.rfind(b"\n") + 1 :]
        hint = encoding_hint(fresh, sample[:65536], encoding)
        raise DataError(Fault(f"{subject} is not {encoding} text", name, line, hint=hint)) from None


def _refuse_long_row(text: bytes, rows: RowPlaces, name: str, line: int) -> None:
    # What follows the last row is the begin of one.
    starts = np.append(rows.starts, rows.ends[-1] + 1 if rows.ends.size else 0)
    sizes = np.append(rows.ends, len(text)) - starts
    long = np.flatnonzero(sizes > MAX_ROW_BYTES)
    if long.size:
        start = int(starts[long[0]])
        message = f"a row has at most {MAX_ROW_BYTES:,} bytes, this has more"
        hint = "Leave long texts out of the table; do its lines end with LF or CRLF?"
        if b'"' in text[start:]:
            hint = 'Is a quoted cell never closed? Add the second "'
        raise DataError(Fault(message, name, line + text.count(b"\n", 0, start), hint=hint))


def _refuse_many_columns(n_columns: int, name: str, line: int) -> None:
    if n_columns > MAX_COLUMNS:
        message = f"a table has at most {MAX_COLUMNS:,} columns, found {n_columns:,}"
        hint = "Is each row a line? Leave columns out, for example with cut -d, -f 1-60000 FILE > NEW.csv"
        raise DataError(Fault(message, name, line, hint=hint))


def _refuse_nul(text: bytes, name: str, encoding: str, line: int) -> None:
    nul = text.find(b"\0")
    if nul >= 0:
        nul_line = line + text.count(b"\n", 0, nul)
        hint = encoding_hint(text, text, encoding)
        raise DataError(Fault("found a NUL byte; expected text", name, nul_line, hint=hint))


def _refuse_stray_quote(text: bytes, name: str, delimiter: str, line: int) -> None:
    """Refuses quotes that neither open nor end a cell nor stand twice inside one: rows would be unclear."""
    if b'"' not in text:
        return
    data = np.frombuffer(text, dtype=np.uint8)
    # A long row may be nothing but quotes: their places take half as much so.
    quotes = np.flatnonzero(data == _QUOTE).astype(np.int32)
    opening, closing = quotes[::2], quotes[1::2]
    # What stands beyond either end of the text is taken for a newline.
    before = data[np.maximum(opening - 1, 0)]
    after = data[np.minimum(closing + 1, len(data) - 1)]
    edges = (ord(delimiter), _NEWLINE, _QUOTE)
    opens = (opening == 0) | np.logical_or.reduce([before == edge for edge in edges])
    ends = (closing == len(data) - 1) | np.logical_or.reduce([after == edge for edge in (*edges, _RETURN)])
    stray = np.concatenate([opening[~opens], closing[~ends]])
    if stray.size:
        quote_line = line + text.count(b"\n", 0, int(stray.min()))
        first = int(stray.min())
        is_behind_blanks = re.search(
            rb"(^|\n|%s) +$" % re.escape(delimiter.encode()), text[max(0, first - 50) : first]
        )
        hint = _BLANK_QUOTE_HINT if is_behind_blanks else _QUOTE_HINT
        raise DataError(Fault("a quote in the middle of a cell", name, quote_line, hint=hint))


def _refuse_stray_return(text: bytes, name: str, line: int) -> None:
    """Refuses carriage returns without a newline after them: some programs take them for line ends."""
    if b"\r" not in text or text.count(b"\r") == text.count(b"\r\n"):
        return
    data = np.frombuffer(text, dtype=np.uint8)
    outside = np.cumsum(data == _QUOTE, dtype=np.uint8) % 2 == 0
    # The last byte is a newline, or what follows it is not read yet.
    alone = outside[:-1] & (data[:-1] == _RETURN) & (data[1:] != _NEWLINE)
    if alone.any():
        return_line = line + text.count(b"\n", 0, int(np.argmax(alone)))
        hint = "Save it with line ends LF or CRLF, and cells with line breaks in quotes"
        raise DataError(Fault("a carriage return without a newline after it", name, return_line, hint=hint))


def _refuse_ragged(block: Block, name: str, csv_format: CsvFormat) -> None:
    lengths, n_cells = block.rows.lengths, len(block.header)
    ragged = np.flatnonzero((lengths != n_cells) & block.filled)
    if not ragged.size:
        return
    if is_comment(block.header[0]) and 2 * ragged.size > block.filled.sum():
        raise DataError(comment_fault(block.header[0], name, block.first_line - 1))
    if csv_format.delimiter == " " and any(column.startswith("Unnamed: ") for column in block.header):
        raise DataError(aligned_fault("the rows cannot be cut into cells", "", name))
    places = [
        (block.first_line + block.data.count(b"\n", 0, int(block.rows.starts[row])), lengths[row])
        for row in ragged[:3]
    ]
    where = "data.names" if csv_format.names else "the header"
    message = f"expected {n_cells} cell{'s' if n_cells > 1 else ''} as in {where}, found"
    *first, final = [Fault(f"{message} {length}", name, line) for line, length in places]
    more = f" ({ragged.size:,} such rows)" if ragged.size > 3 else ""
    hint = f"Put cells that hold the delimiter in quotes, or set data.delimiter or data.decimal{more}"
    if n_cells == 1:
        hint = f"Is the header a title? Set data.skip_rows to the number of lines above the names{more}"
    raise DataError(*first, replace(final, hint=hint))
