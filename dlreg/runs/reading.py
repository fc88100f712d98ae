"""Reads a run directory: its record `run.json`, and files that are checked against it.

A stranger may have written the directory: only plain files are opened, and no more is read than expected.
"""

import hashlib
import json
import os
import shlex
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from dlreg.errors import DivergedError, Fault, RunDirError, StorageError
from dlreg.files.hashing import sha256_of_stream
from dlreg.files.plain_file import open_plain_file, read_plain_file
from dlreg.files.whole_file import reporting_storage_errors
from dlreg.runs.json_text import read_json, to_json
from dlreg.runs.names import RUN, new_beside, old_beside
from dlreg.runs.nearby import hint_for_run
from dlreg.runs.shapes import FileEntry, RunRecord

# 1 was never released. A higher one needs a way to read the runs of before, which are in tests/corpus.
SCHEMA_VERSION = 2
MAX_RECORD_BYTES = 1 << 20
MAX_FILE_BYTES = 1 << 29
Result = TypeVar("Result")


def record_json(record: Mapping[str, Any]) -> bytes:
    """`run.json`: a record and, as its last entry, the hash of the record itself."""
    return to_json({**record, "sha256": hashlib.sha256(to_json(record)).hexdigest()})


def read_record(path: Path) -> dict[str, Any]:
    """What `run.json` of a complete run says.

    Raises:
        RunDirError: There is no such run, it is not complete, damaged, or from a newer version.
    """
    record = read_any_record(path)
    if record["status"] != "complete":
        hint = f"Finish it with {resume_command(path)}"
        if record["status"] == "running":
            hint += ", unless a process is still at it"
        elif record.get("exit_code") == DivergedError.exit_code:
            hint = "Its loss was not finite any more: train again with another config"
        raise RunDirError(Fault(f"the run is not complete but {record['status']}", str(path), hint=hint))
    return record


def read_together(path: Path, read: Callable[[dict[str, Any]], Result]) -> Result:
    """What `read` makes of a run, given its record; again, where another run takes its place meanwhile.

    The files of two runs do not fit each other.

    Raises:
        RunDirError: There is no complete run, or it is damaged.
    """
    while True:
        before, record = places_of(path), read_record(path)
        try:
            return read(record)
        except RunDirError:
            if places_of(path) == before:
                raise


def read_any_record(path: Path) -> dict[str, Any]:
    """What `run.json` of a run says, complete or not.

    Raises:
        RunDirError: There is no such run, or it is damaged or from a newer version.
    """
    while True:
        before = places_of(path)
        try:
            return _read_record_once(path)
        except RunDirError:
            # It was looked for in one place while a swap moved it to another.
            if places_of(path) == before:
                raise


def places_of(path: Path) -> list[tuple[int, ...]]:
    """Which directories stand where a run can be read; not the same after a swap."""
    place = Path(os.path.realpath(path))
    places: list[tuple[int, ...]] = []
    for number, locate in enumerate((Path, new_beside, old_beside)):
        # A name may be too long, or that of the root, beside which nothing stands.
        with suppress(OSError, ValueError):
            status = locate(place).stat()
            # The number of what is gone may soon be another's. What is made beside changes all the time.
            moved = status.st_ctime_ns if locate is Path else 0
            places.append((number, status.st_ino, moved))
    return places


def _read_record_once(path: Path) -> dict[str, Any]:
    folder = readable_folder(path)
    if not os.path.lexists(folder) or not folder.is_dir():
        raise RunDirError(Fault("no such run directory", str(path), hint=hint_for_run(path)))
    if not os.path.lexists(folder / RUN):
        raise RunDirError(Fault(f"not a run directory: it has no {RUN}", str(path), hint=hint_for_run(path)))
    content = read_plain_file(folder / RUN, MAX_RECORD_BYTES)
    try:
        record = json.loads(content)
        version, _ = record["schema_version"], record.pop("sha256")
        # Byte for byte: JSON has several spellings of one value, and each of them but one is damage.
        intact = content == record_json(record)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise _damaged_record(path) from None
    if isinstance(version, int) and version > SCHEMA_VERSION:
        newer = f"the run is of schema version {version}, this dlreg reads up to {SCHEMA_VERSION}"
        raise RunDirError(Fault(newer, str(path / RUN), hint="Update dlreg"))
    if not intact:
        raise _damaged_record(path)
    if isinstance(version, int) and version < SCHEMA_VERSION:
        older = f"the run is of schema version {version}, when texts were told apart otherwise"
        raise RunDirError(Fault(older, str(path / RUN), hint="Train again"))
    read_json(content, RunRecord, path / RUN)
    return dict(record)


def resume_command(path: Path) -> str:
    """What to type to go on with a run that was broken off."""
    return f"dlreg train {shlex.quote(str(path))} --resume"


def read_file(path: Path, record: Mapping[str, Any], name: str, max_bytes: int = MAX_FILE_BYTES) -> bytes:
    """A file of a run, checked against `run.json`.

    Args:
        path: The run directory.
        record: What `read_record` returned.
        name: The file's name.
        max_bytes: The most it may hold.

    Raises:
        RunDirError: The file is missing, not what was written, no plain file or too large.
        StorageError: The file may not be read.
    """
    expected = _entry(path, record, name)
    content = read_plain_file(readable_folder(path) / name, max_bytes)
    if len(content) != expected.size or hashlib.sha256(content).hexdigest() != expected.sha256:
        raise _unlike_written(path / name, len(content), expected.size)
    return content


@contextmanager
def open_file(path: Path, record: Mapping[str, Any], name: str) -> Iterator[BinaryIO]:
    """A file of any size, checked as `read_file` does, to be read in pieces.

    Raises:
        RunDirError: The file is missing, not what was written, or no plain file.
        StorageError: The file may not be read.
    """
    expected = _entry(path, record, name)
    with open_plain_file(readable_folder(path) / name) as (file, size):
        if size != expected.size or sha256_of_stream(file) != expected.sha256:
            raise _unlike_written(path / name, size, expected.size)
        file.seek(0)
        yield file


def check_file(path: Path, record: Mapping[str, Any], name: str) -> None:
    """Checks a file of any size as `read_file` does, without keeping it.

    Raises:
        RunDirError: The file is missing, not what was written, or no plain file.
        StorageError: The file may not be read.
    """
    with open_file(path, record, name):
        pass


def names_in(path: Path) -> list[str]:
    """The names of everything in a run directory, sorted.

    Raises:
        StorageError: The directory may not be read.
    """
    with reporting_storage_errors(path):
        return sorted(entry.name for entry in readable_folder(path).iterdir())


def is_complete(folder: Path) -> bool:
    """Whether a complete and undamaged run stands there, under this very name."""
    # The first is false, where the others raise, for a name that is too long.
    if not os.path.lexists(folder) or folder.is_symlink() or not folder.is_dir():
        return False
    try:
        read_record(folder)
    except (RunDirError, StorageError):
        return False
    return True


def readable_folder(path: Path) -> Path:
    """The folder in which a run can be read: between the two renames of a swap it stands beside its place."""
    if not os.path.lexists(path):
        place = Path(os.path.realpath(path))
        for folder in (new_beside(place), old_beside(place)):
            if is_complete(folder):
                return folder
    return path


def _entry(path: Path, record: Mapping[str, Any], name: str) -> FileEntry:
    if name not in record["files"]:
        raise RunDirError(Fault(f"{RUN} does not list {name}", str(path), hint="Train again"))
    return FileEntry(**record["files"][name])


def _damaged_record(path: Path) -> RunDirError:
    hint = "Restore it or train again"
    return RunDirError(
        Fault("the file is damaged: it is not what its own hash says", str(path / RUN), hint=hint)
    )


def _unlike_written(path: Path, n_bytes: int, n_written: int) -> RunDirError:
    if n_bytes == n_written:
        message = f"the file is damaged: {n_bytes:,} bytes, but not those that were written"
    else:
        message = f"the file is damaged: {n_bytes:,} bytes, where {n_written:,} were written"
    return RunDirError(Fault(message, str(path), hint="Restore it or train again"))
