"""The files that a table's path stands for: one, those of a folder or of a pattern, or standard input."""

import atexit
import glob
import hashlib
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import IO, NamedTuple

from dlreg.errors import DataError, Fault, StorageError
from dlreg.files.hashing import sha256_of_file
from dlreg.files.plain_file import open_plain

# What the names of configs end with, and those of tables.
CONFIG_SUFFIXES = (".yaml", ".yml")
JSON_LINES_SUFFIXES = (".jsonl", ".ndjson")
_COMPRESSED = (".gz", ".zst", ".bz2", ".xz", ".zip")
_OTHER_TABLES = (".csv", ".tsv", ".parquet", ".feather", ".arrow", ".xlsx", ".xls", ".ods")
TABLE_SUFFIXES = frozenset((*_OTHER_TABLES, *JSON_LINES_SUFFIXES, *_COMPRESSED))

# What stands for standard input, and what it is called in messages.
STANDARD_INPUT, STANDARD_INPUT_NAME = "-", "standard input"
_OPEN_FILES = "/proc/self/fd"
_PATTERN_MARKS = frozenset("*?[")
_CHUNK_BYTES = 1 << 20
# What every run directory has, and no folder of tables.
_RUN = "run.json"


class Fingerprint(NamedTuple):
    """What tells whether a table is the same.

    Attributes:
        size: Of all files, in bytes.
        sha256: Of all their bytes, one file after the other, in hexadecimal digits.
    """

    size: int
    sha256: str


def table_files(path: str | Path) -> tuple[str, ...]:
    """The files of a table, in the order in which their rows count.

    Standard input is kept in a private temporary file until the process ends.

    Args:
        path: A file; a folder, whose files are taken but for those that begin with a dot or an underscore; a
            pattern with `*`, `?` or `[`; or `-`. A file of that very name comes first.

    Returns:
        Their paths: numbers in names count as numbers, so that `part-2` comes before `part-10`. The path
        itself where there is no such file.

    Raises:
        DataError: A folder is empty or holds folders, no file fits a pattern, or standard input is closed.
        StorageError: Standard input cannot be kept, or a folder not be listed.
    """
    text = str(path)
    if text == STANDARD_INPUT:
        return (_path_of_standard_input(),)
    if os.path.isdir(text):  # noqa: PTH112 - unlike Path's, it takes any name
        return _files_of_folder(text)
    if not _PATTERN_MARKS & set(text) or os.path.lexists(text):
        return (text,)
    files = [file for file in glob.glob(text, recursive=True) if not os.path.isdir(file)]  # noqa: PTH112, PTH207
    if not files:
        hint = "Check the pattern; in a config it starts from the config's folder"
        raise DataError(Fault("no file fits this pattern", text, hint=hint))
    return tuple(sorted(files, key=_natural_key))


def is_several(path: str | Path) -> bool:
    """Whether a path names files by their folder or by a pattern."""
    text = str(path)
    is_folder = os.path.isdir(text)  # noqa: PTH112
    return is_folder or (bool(_PATTERN_MARKS & set(text)) and not os.path.lexists(text))


def fingerprint(path: str | Path) -> Fingerprint:
    """The size and the hash of a table as it lies there.

    Raises:
        DataError: There is no such file.
        OSError: The system does not let it be read.
    """
    size, digest, files = 0, hashlib.sha256(), table_files(path)
    if len(files) == 1:
        return Fingerprint(Path(files[0]).stat().st_size, sha256_of_file(Path(files[0])))
    for file in files:
        with open(file, "rb") as stream:  # noqa: PTH123
            while chunk := stream.read(_CHUNK_BYTES):
                size += len(chunk)
                digest.update(chunk)
    return Fingerprint(size, digest.hexdigest())


def has_fingerprint(path: str | Path, size: int, sha256: str) -> bool:
    """Whether a table is the one of a size and a hash; only plain files are opened, and of that size read.

    Raises:
        DataError: There is no such file.
        NotPlainError: One is no plain file.
        OSError: The system does not let it be read.
    """
    files = table_files(path)
    actual_size = 0
    for file in files:
        with open_plain(file, follow_link=True) as stream:
            actual_size += stream.seek(0, os.SEEK_END)
    if actual_size != size:
        return False
    digest = hashlib.sha256()
    for file in files:
        with open_plain(file, follow_link=True) as stream:
            while chunk := stream.read(_CHUNK_BYTES):
                digest.update(chunk)
    return digest.hexdigest() == sha256


def file_states(path: str | Path) -> dict[str, tuple[int, ...] | None]:
    """Of each file of a table what changes when it is replaced, renamed or written to; None if it is gone."""
    states: dict[str, tuple[int, ...] | None] = {}
    files: tuple[str, ...] = (str(path),)
    with suppress(DataError):
        files = table_files(path)
    for file in files:
        states[file] = None
        with suppress(OSError, ValueError):
            status = os.stat(file)  # noqa: PTH116
            times = status.st_mtime_ns, status.st_ctime_ns
            states[file] = (status.st_dev, status.st_ino, status.st_size, *times)
    return states


def _files_of_folder(folder: str) -> tuple[str, ...]:
    try:
        entries = [entry for entry in os.scandir(folder) if not entry.name.startswith((".", "_"))]
    except OSError as error:
        raise StorageError(Fault(f"cannot be listed: {error.strerror}", folder)) from None
    if any(entry.name == _RUN for entry in entries):
        hint = "Name the table itself; evaluate and predict take the run first"
        raise DataError(Fault("expected a table, found a directory with a run", folder, hint=hint))
    for entry in entries:
        if entry.is_dir():
            hint = f"Name the files by a pattern, such as {os.path.join(folder, '**', '*.csv')}"  # noqa: PTH118
            message = f"expected a folder of files, found a folder in it, {entry.name!r}"
            raise DataError(Fault(message, folder, hint=hint))
    if not entries:
        hint = "Name the folder that holds the table's files; those that begin with . or _ do not count"
        raise DataError(Fault("the folder has no files", folder, hint=hint))
    return tuple(sorted((entry.path for entry in entries), key=_natural_key))


def _natural_key(path: str) -> list[tuple[bool, int, str]]:
    parts: Iterator[str] = (part for part in re.split("([0-9]+)", path) if part)
    return [(not part.isdigit(), int(part) if part.isdigit() else 0, part) for part in parts]


def _path_of_standard_input() -> str:
    name = _spooled(sys.stdin).name
    # Without a name it has a number.
    return name if isinstance(name, str) else f"{_OPEN_FILES}/{name}"


@cache
def _spooled(stream: object) -> IO[bytes]:
    """A file with what standard input holds; of each stream once, as it can be read once.

    Where the system shows open files as files it has no name, so that nothing stays however the process ends.
    """
    try:
        buffer = getattr(stream, "buffer", None)
        if buffer is None:
            raise OSError(9, "it is closed")
        is_shown = os.path.isdir(_OPEN_FILES)  # noqa: PTH112
        copy: IO[bytes] = (
            tempfile.TemporaryFile() if is_shown else tempfile.NamedTemporaryFile(prefix="dlreg-")  # noqa: SIM115
        )
        atexit.register(copy.close)
        shutil.copyfileobj(buffer, copy, _CHUNK_BYTES)
        copy.flush()
    except OSError as error:
        hint = "Pipe a table into the command; is there room in the folder for temporary files, $TMPDIR?"
        message = f"cannot be kept: {error.strerror}"
        raise StorageError(Fault(message, STANDARD_INPUT_NAME, hint=hint)) from None
    return copy
