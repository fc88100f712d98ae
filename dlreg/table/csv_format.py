"""How a CSV file is written, and what its first bytes tell: other formats, byte order marks, encodings."""

import codecs
import re
from dataclasses import dataclass

import numpy as np

from dlreg.config.checks import WHITESPACE
from dlreg.config.sections.data import DataConfig
from dlreg.errors import DataError, Fault

_OTHER_FORMATS = {
    b"PK\x03\x04": "a zip archive or an Excel workbook",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"\x1f\x8b": "gzip-compressed data",
    b"BZh": "bzip2-compressed data",
    b"\xfd7zXZ": "xz-compressed data",
    b"7z\xbc\xaf": "a 7z archive",
    b"Rar!": "a RAR archive",
    b"\x28\xb5\x2f\xfd": "zstd-compressed data",
    b"PAR1": "a Parquet file",
    b"\x89HDF": "an HDF5 file",
    b"%PDF": "a PDF file",
    b"\x7fELF": "a program",
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"SQLite format 3": "an SQLite database",
    b"GIF8": "a GIF image",
    b"ARROW1": "an Arrow file",
    b"\x80\x04\x95": "a Python pickle",
    b"\x80\x05\x95": "a Python pickle",
    b"\x93NUMPY": "a NumPy array",
    b"{\\rtf": "an RTF document",
}
# By the names that Python's codecs have.
_SINGLE_BYTES = re.compile(r"cp125[0-8]|iso8859-\d+|mac-.*")
# So many bytes of letters are UTF-8 in another encoding of many bytes by no chance.
_LEAST_BYTES = 5
# Formats that are text, which blanks may precede.
_OTHER_TEXTS = {
    rb"<!doctype|<html": "an HTML page",
    rb"<\?xml": "an XML document",
    rb'[{\[]\s*["{\[]': "JSON",
}
BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


@dataclass(frozen=True)
class CsvFormat:
    """How a CSV file is written.

    Attributes:
        encoding: A Python codec name, such as `utf-8` or `cp949`.
        delimiter: The character between two cells, or `whitespace` for runs of blanks and tabs.
        decimal: The decimal mark, `.` or `,`.
        thousands: The mark between groups of three digits, if numbers have one.
        missing_values: Texts that mean "missing", beside `MISSING_TEXTS`.
        time_zone: Where the clocks hang that its moments are read from, if any has an offset from UTC.
        names: The names of the columns, if it has no header.
        skip_rows: The number of lines above the header that are no rows.
        skip_footer: The same of the last lines, blank ones not counted.
        comment: What lines start with that are no rows.
        skip_initial_space: Whether blanks before a cell are no part of it, also before a quoted one.
        sheet: The name of the sheet, if it is a workbook and not the first one is meant.
    """

    encoding: str = "utf-8"
    delimiter: str = ","
    decimal: str = "."
    thousands: str | None = None
    missing_values: tuple[str, ...] = ()
    time_zone: str | None = None
    names: tuple[str, ...] = ()
    skip_rows: int = 0
    skip_footer: int = 0
    comment: str | None = None
    skip_initial_space: bool = False
    sheet: str | None = None

    @property
    def is_aligned(self) -> bool:
        """Whether runs of blanks and tabs stand between two cells."""
        return self.delimiter == WHITESPACE

    @property
    def separator(self) -> str:
        """The character between two cells, once runs of blanks are a single one."""
        return " " if self.is_aligned else self.delimiter


def csv_format_of(data: DataConfig) -> CsvFormat:
    """How the CSV is written, as the config says."""
    return CsvFormat(
        data.encoding,
        data.delimiter,
        data.decimal,
        data.thousands,
        data.missing_values,
        data.time_zone,
        names=data.names or (),
        skip_rows=data.skip_rows,
        skip_footer=data.skip_footer,
        comment=data.comment,
        skip_initial_space=data.skip_initial_space,
        sheet=data.sheet,
    )


def refuse_other_formats(opening: bytes, path: str, encoding: str) -> None:
    """Refuses a file whose first bytes are not those of text in this encoding.

    Args:
        opening: The first bytes of the file.
        path: What to call the file in a message.
        encoding: The encoding that it should have.

    Raises:
        DataError: It is another kind of file, or its byte order mark is that of another encoding.
    """
    formats = [name for magic, name in _OTHER_FORMATS.items() if opening.startswith(magic)]
    text = opening.removeprefix(codecs.BOM_UTF8).lstrip().lower()
    formats += [name for pattern, name in _OTHER_TEXTS.items() if re.match(pattern, text)]
    if formats:
        hint = (
            "Save it as CSV, or as JSON Lines: one object a line"
            if formats[0] == "JSON"
            else "Save it as CSV first"
        )
        raise DataError(Fault(f"expected a CSV file, found {formats[0]}", path, hint=hint))
    for mark, marked in BYTE_ORDER_MARKS.items():
        if opening.startswith(mark):
            order = "-le" if mark in (codecs.BOM_UTF16_LE, codecs.BOM_UTF32_LE) else "-be"
            if codecs.lookup(encoding).name not in (marked, f"{marked}{order}", f"{marked}-sig"):
                message = f"the file is {marked.upper()} text, data.encoding is {encoding}"
                raise DataError(Fault(message, path, 1, hint=f"Set data.encoding: {marked}"))
            return


def refuse_utf8(text: bytes, path: str, line: int, encoding: str) -> None:
    """Refuses a text in UTF-8 that is to be read in another encoding, which may read it without a fault.

    Args:
        text: The first block of the file.
        path: What to call the file in a message.
        line: Where the block begins, 1-based.
        encoding: The encoding that it should have.

    Raises:
        DataError: Each of its bytes that is no ASCII is a part of a letter in UTF-8.
    """
    name = codecs.lookup(encoding).name
    if text.isascii() or name.startswith("utf"):
        return
    try:
        # The block may end within a letter.
        decoded = codecs.getincrementaldecoder("utf-8")().decode(text)
    except UnicodeDecodeError:
        return
    n_bytes = len(decoded.encode()) - len(decoded)
    if n_bytes < (1 if _SINGLE_BYTES.fullmatch(name) else _LEAST_BYTES):
        return
    message = f"the file is UTF-8 text, data.encoding is {encoding}"
    n_lines = re.split(b"[\x80-\xff]", text, maxsplit=1)[0].count(b"\n")
    raise DataError(Fault(message, path, line + n_lines, hint="Set data.encoding: utf-8"))


def encoding_hint(text: bytes, sample: bytes, tried: str) -> str:
    """A hint for text that is not of the encoding tried.

    Args:
        text: Bytes of the file.
        sample: The same from the line of the first byte at fault on.
        tried: The encoding.
    """
    low, high = text[::2].count(0), text[1::2].count(0)
    if max(low, high) > max(3, len(text) / 16) and min(low, high) * 4 < max(low, high):
        return f"It looks like {'utf-16-le' if high > low else 'utf-16-be'}: set data.encoding"
    if b"\0" in text:
        return "Text has no NUL bytes: is the file damaged, or no CSV file?"
    return f"It looks like {likely_encoding(sample, tried)}: set data.encoding"


def likely_encoding(text: bytes, tried: str) -> str:
    """The most likely encoding of a text that cannot be read with the one tried."""
    high = np.frombuffer(text, dtype=np.uint8) >= 0x80
    # Where letters of Latin text have accents, plain ones are around them.
    if 2 * np.sum(high[1:] & high[:-1]) < 0.5 * np.sum(high):
        return "cp1252"
    n_foreign = sum(byte >= 0x80 for byte in text)
    # The letters that make up a text, as opposed to those which a wrong encoding scatters in it.
    for encoding, letters in (
        ("utf-8", "[^\x00-\x7f]"),
        ("cp949", "[\uac00-\ud7a3]"),
        ("shift_jis", "[\u3040-\u30ff\u4e00-\u9fff]"),
        ("gb18030", "[\u4e00-\u9fff]"),
    ):
        try:
            decoded = codecs.getincrementaldecoder(encoding)().decode(text)
        except UnicodeDecodeError:
            continue
        n_bytes = sum(len(letter.encode(encoding)) for letter in re.findall(letters, decoded))
        if encoding != tried and n_bytes >= 0.8 * n_foreign:
            return encoding
    return "cp1252"
