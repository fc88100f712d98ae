"""Files that are whole or not there: written beside their name, synced, renamed into place."""

import errno
import fcntl
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from dlreg.errors import Fault, StorageError

_TEMPORARY = re.compile(r"\.dlreg-[0-9a-f]{16}\.tmp")


@contextmanager
def replacing(path: Path) -> Iterator[int]:
    """A descriptor to write a file with; the file appears under its name, whole, when the block ends.

    A link of that name is replaced, not followed.

    Raises:
        StorageError: A directory, pipe or device has that name.
        OSError: The system refuses; what was there is still there, and nothing is left beside it.
    """
    _refuse_special_file(path)
    temporary, descriptor = _create_temporary(path.parent)
    try:
        try:
            yield descriptor
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        temporary.replace(path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
    sync_folder(path.parent)


def write_atomically(path: Path, content: bytes) -> None:
    """Writes a whole file by `replacing`."""
    with replacing(path) as descriptor:
        write_all(descriptor, content)


def write_all(descriptor: int, content: bytes) -> None:
    """Writes all bytes, however many the system takes at once."""
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


@contextmanager
def temporary_file(folder: Path) -> Iterator[tuple[Path, int]]:
    """A file that is gone when the block ends, and its descriptor, open to write.

    What a killed process leaves is for `sweep_temporaries`.
    """
    path, descriptor = _create_temporary(folder)
    try:
        yield path, descriptor
    finally:
        with suppress(OSError):
            path.unlink()
        os.close(descriptor)


def sweep_temporaries(folder: Path) -> None:
    """Removes the unfinished files of killed processes; those still being written stay."""
    with suppress(OSError):
        for file in [entry for entry in folder.iterdir() if is_temporary(entry.name)]:
            with suppress(OSError):
                _remove_if_abandoned(file)


def is_temporary(name: str) -> bool:
    """Whether a file's name is one that `replacing` gives to unfinished files."""
    return bool(_TEMPORARY.fullmatch(name))


def sync_folder(folder: Path) -> None:
    """Syncs a folder, so that new names in it outlast a power failure."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        # Some network file systems cannot sync a folder.
        if error.errno != errno.EINVAL:
            raise
    finally:
        os.close(descriptor)


@contextmanager
def reporting_storage_errors(path: Path) -> Iterator[None]:
    """Turns what the operating system refuses into a fault that names the file.

    Raises:
        StorageError: In place of an OSError, but for a broken pipe.
    """
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        name = Path(error.filename or path)
        # A hidden name beside what the user named, and an unfinished file in it, are dlreg's own.
        if is_temporary(name.name) and name.parent != path.parent:
            name = name.parent
        named = path if name.parent == path.parent and name.name.startswith(".") else name
        raise StorageError(Fault(reason, str(named), hint=_HINTS.get(error.errno or 0))) from error


_HINTS = {
    errno.ENOENT: "Make its folder first",
    errno.ENOTDIR: "A part of the path is a file: choose another place",
    errno.EEXIST: "It is a file already: choose another name",
    errno.EISDIR: "It is a directory: name a file in it",
    errno.ENAMETOOLONG: "Choose a shorter name",
    errno.EACCES: "Check who may write there, with ls -ld, or choose another place",
    errno.EPERM: "Check who may write there, with ls -ld, or choose another place",
    errno.EROFS: "Choose a place that is not read-only",
    errno.EIO: "Check the disk, or choose another place",
    errno.ENOSPC: "Free some space; what was there before is unchanged",
    errno.EDQUOT: "Free some of your quota; what was there before is unchanged",
}


def _refuse_special_file(path: Path) -> None:
    try:
        mode = path.stat().st_mode
    except OSError:
        return
    if not stat.S_ISREG(mode):
        kind = "a directory" if stat.S_ISDIR(mode) else "a pipe or device"
        hint = "Name a file, which may be new"
        raise StorageError(Fault(f"expected the name of a file to write, found {kind}", str(path), hint=hint))


def _create_temporary(folder: Path) -> tuple[Path, int]:
    while True:
        temporary = folder / f".dlreg-{os.urandom(8).hex()}.tmp"
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        # The lock tells a sweep that the file is being written.
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        if os.fstat(descriptor).st_nlink:
            return temporary, descriptor
        os.close(descriptor)  # a sweep came between


def _remove_if_abandoned(temporary: Path) -> None:
    descriptor = os.open(temporary, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            temporary.unlink()
    finally:
        os.close(descriptor)
