"""Text in compressed files, told by their first bytes and not by their names, and read as a stream.

Never more of it is in memory than is asked for, and what stands behind it, or is missing, is a fault.
"""

import bz2
import io
import lzma
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import IO, BinaryIO, NamedTuple, Protocol

from backports import zstd

from dlreg.errors import DataError, Fault, StorageError

OPENING_BYTES = 16
_CHUNK_BYTES = 1 << 16
# Files of xz may ask for 4 GB, those of its highest level do for 65 MB. zstd has a limit of its own, 128 MB.
_XZ_MEMORY_BYTES = 128 << 20
# A directory of one file is some hundred bytes; reading one of millions would take memory.
_ZIP_DIRECTORY_BYTES = 1 << 20
_ZIP_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ZIP_END, _ZIP_LONGEST_END = b"PK\x05\x06", 22 + 65_535
ZIP_OPENINGS = (b"PK\x03\x04", _ZIP_END)
_ERRORS: tuple[type[Exception], ...] = (
    OSError,
    EOFError,
    zlib.error,
    lzma.LZMAError,
    zstd.ZstdError,
    zipfile.BadZipFile,
    ValueError,
)
_DAMAGED_HINT = "Copy or download it again, or decompress it yourself to see what is left"


class _Decompressor(Protocol):
    """One member of a compressed file, as bz2, lzma and zstd read it."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    @property
    def needs_input(self) -> bool: ...
    def decompress(self, data: bytes, max_length: int) -> bytes: ...


class _GzipMember:
    """The same of gzip, which zlib reads in another way."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(wbits=31)

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    @property
    def needs_input(self) -> bool:
        return not self._inner.unconsumed_tail

    def decompress(self, data: bytes, max_length: int) -> bytes:
        return self._inner.decompress(self._inner.unconsumed_tail + data, max_length)


class _Compression(NamedTuple):
    """A kind of compressed data.

    Attributes:
        name: As messages name it.
        begin: Begins to read a member.
    """

    name: str
    begin: Callable[[], _Decompressor]


_COMPRESSIONS: Mapping[bytes, _Compression] = {
    b"\x1f\x8b": _Compression("gzip", _GzipMember),
    b"BZh": _Compression("bzip2", bz2.BZ2Decompressor),
    b"\xfd7zXZ\0": _Compression(
        "xz", lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_MEMORY_BYTES)
    ),
    b"\x28\xb5\x2f\xfd": _Compression("zstd", zstd.ZstdDecompressor),
}


def decompressed(stream: BinaryIO, name: str) -> BinaryIO:
    """The text of a stream, whether it is compressed or not; closing it closes the stream.

    Args:
        stream: The bytes of a file, from their start.
        name: What to call the file in a message.

    Raises:
        DataError: It is an archive of no file or of several. Reading raises one where the data is damaged,
            cut off, or has something else behind it.
    """
    with refusing_damaged(name, "a table"):
        opening, stream = peek(stream)
    if opening.startswith(ZIP_OPENINGS):
        return _zip_member(seekable(stream, name), name)
    for magic, compression in _COMPRESSIONS.items():
        if opening.startswith(magic):
            return io.BufferedReader(_Decompressed(stream, name, compression))
    return stream


def peek(stream: BinaryIO) -> tuple[bytes, BinaryIO]:
    """The first bytes of a stream, and the whole stream again; closing it closes the given one."""
    opening = stream.read(OPENING_BYTES)
    if stream.seekable():
        stream.seek(0)
        return opening, stream
    return opening, io.BufferedReader(_Joined(opening, stream))


def seekable(stream: BinaryIO, name: str) -> BinaryIO:
    """The same stream, or one that can go back in it: a private temporary file, gone when it is closed."""
    if stream.seekable():
        return stream
    with refusing_damaged(name, "data"), stream:
        copy = tempfile.TemporaryFile()  # noqa: SIM115 - whoever gets it closes it
        while chunk := stream.read(_CHUNK_BYTES):
            copy.write(chunk)
    copy.seek(0)
    return copy


class _Joined(io.RawIOBase):
    """First bytes that have been read from a stream already, and what follows them."""

    def __init__(self, opening: bytes, stream: BinaryIO) -> None:
        self._opening = opening
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview") -> int:  # type: ignore[override]
        size = len(buffer)
        chunk, self._opening = self._opening[:size], self._opening[size:]
        chunk = chunk or self._stream.read(size)
        buffer[: len(chunk)] = chunk
        return len(chunk)

    def close(self) -> None:
        self._stream.close()
        super().close()


class _Decompressed(io.RawIOBase):
    """What the members of a compressed file hold, one after the other."""

    def __init__(self, stream: BinaryIO, name: str, compression: _Compression) -> None:
        self._stream = stream
        self._name = name
        self._compression = compression
        self._member = compression.begin()
        self._n_members = 1
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview") -> int:  # type: ignore[override]
        text = self._read(len(buffer))
        buffer[: len(text)] = text
        return len(text)

    def _read(self, size: int) -> bytes:
        while True:
            if self._member.eof and not self._begin_next(self._member.unused_data):
                return b""
            fresh, self._rest, is_end = self._rest, b"", False
            if not fresh and self._member.needs_input:
                fresh = self._stream.read(_CHUNK_BYTES)
                is_end = not fresh
            to_its_end = " to its end" if self._n_members > 1 else ""
            with refusing_damaged(self._name, f"{self._compression.name}-compressed data{to_its_end}"):
                text = self._member.decompress(fresh, size)
                if not text and is_end and not self._member.eof:
                    raise EOFError("it ends in the middle")
            if text:
                return text

    def _begin_next(self, rest: bytes) -> bool:
        """Begins the member behind one that ended, if there is one; NULs pad a file."""
        while not rest.strip(b"\0"):
            rest = self._stream.read(_CHUNK_BYTES)
            if not rest:
                return False
        self._member = self._compression.begin()
        self._n_members += 1
        self._rest = rest.lstrip(b"\0")
        return True

    def close(self) -> None:
        self._stream.close()
        super().close()


def _zip_member(stream: BinaryIO, name: str) -> BinaryIO:
    """The text of a zip archive's only file."""
    with refusing_damaged(name, "a zip archive or an Excel workbook"):
        refuse_large_directory(stream, name)
        archive = zipfile.ZipFile(stream)
        members = [
            member
            for member in archive.infolist()
            # What macOS adds to the files of an archive.
            if not member.is_dir() and not member.filename.startswith("__MACOSX/")
        ]
    if len(members) != 1:
        shown = ", ".join(repr(member.filename) for member in members[:5])
        more = f" and {len(members) - 5:,} more" if len(members) > 5 else ""
        found = f"{len(members):,}: {shown}{more}" if members else "none"
        hint = "Take the table out of the archive, or put it alone into one"
        raise DataError(Fault(f"expected a zip archive of one file, found {found}", name, hint=hint))
    (member,) = members
    if member.flag_bits & 1 or member.compress_type not in _ZIP_METHODS:
        kind = "encrypted" if member.flag_bits & 1 else "compressed in a way that few programs read"
        hint = "Take the table out of the archive"
        raise DataError(Fault(f"{member.filename!r} in the archive is {kind}", name, hint=hint))
    return io.BufferedReader(_Member(stream, name, archive.open(member)))


class _Member(io.RawIOBase):
    """A file of a zip archive."""

    def __init__(self, stream: BinaryIO, name: str, member: IO[bytes]) -> None:
        self._stream = stream
        self._name = name
        self._member = member

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview") -> int:  # type: ignore[override]
        with refusing_damaged(self._name, "a zip archive"):
            text = self._member.read(len(buffer))
        buffer[: len(text)] = text
        return len(text)

    def close(self) -> None:
        self._stream.close()
        super().close()


def refuse_large_directory(stream: BinaryIO, name: str) -> None:
    """Refuses a zip archive whose list of files would take memory to read.

    Raises:
        DataError: The list is longer than a few thousand files.
    """
    end = stream.seek(0, io.SEEK_END)
    stream.seek(max(0, end - _ZIP_LONGEST_END))
    tail = stream.read()
    place = tail.rfind(_ZIP_END)
    size = int.from_bytes(tail[place + 12 : place + 16], "little") if place >= 0 else 0
    if size == 0xFFFFFFFF:
        place = tail.rfind(b"PK\x06\x06", 0, place)
        size = int.from_bytes(tail[place + 40 : place + 48], "little") if place >= 0 else size
    if size > _ZIP_DIRECTORY_BYTES:
        hint = "Take the table out of the archive, or put it alone into one"
        raise DataError(Fault("the zip archive has thousands of files", name, hint=hint))
    stream.seek(0)


@contextmanager
def refusing_damaged(name: str, expected: str, errors: tuple[type[Exception], ...] = ()) -> Iterator[None]:
    """Makes a fault of the file from what goes wrong in reading it.

    Args:
        name: What to call the file.
        expected: What it should be.
        errors: What else is raised where it is not.

    Raises:
        DataError: It is damaged.
        StorageError: The system does not let it be read.
    """
    try:
        yield
    except _ERRORS + errors as error:
        if isinstance(error, OSError) and error.errno is not None:
            hint = "Check the disk, or copy the file elsewhere first"
            raise StorageError(Fault(f"cannot be read: {error.strerror}", name, hint=hint)) from None
        reason = str(error).rstrip(".") or type(error).__name__
        message = f"expected {expected}, but it is damaged: {reason}"
        raise DataError(Fault(message, name, hint=_DAMAGED_HINT)) from None
