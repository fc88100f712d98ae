"""Reading files that a stranger may have put there: plain ones, and no more of them than expected."""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from io import BufferedReader
from pathlib import Path

from dlreg.errors import Fault, RunDirError, StorageError
from dlreg.files.hashing import sha256_of_stream

# Of the thread or task that asks for it alone, and not of those that it starts.
_links_are_followed: ContextVar[bool] = ContextVar("links_are_followed", default=False)


@contextmanager
def following_links() -> Iterator[None]:
    """A block in which a link may stand for a plain file, as in the caches of DVC and of model hubs."""
    token = _links_are_followed.set(True)
    try:
        yield
    finally:
        _links_are_followed.reset(token)


@contextmanager
def open_plain_file(path: Path, *, follow_link: bool = False) -> Iterator[tuple[BufferedReader, int]]:
    """Opens a file if it is a plain one; what is checked is the file opened, not its name.

    Args:
        path: The file.
        follow_link: Whether the name may be a link to the file, as everywhere in `following_links`.

    Yields:
        The open file and its size in bytes.

    Raises:
        RunDirError: It is missing, or a link, a directory, a pipe, a device or a file of /proc or /sys.
        StorageError: The system does not let it be read.
    """
    follow_link = follow_link or _links_are_followed.get()
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC | (0 if follow_link else os.O_NOFOLLOW)
    try:
        # Opening a device may do something, so that its kind is looked at before, too.
        _refuse_other_kinds(path, path.stat(follow_symlinks=follow_link))
        with open(path, "rb", opener=lambda name, _: os.open(name, flags)) as file:
            status = os.fstat(file.fileno())
            _refuse_other_kinds(path, status)
            yield file, status.st_size
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP) and path.is_symlink():
            raise _leads_nowhere(path) from None
        if error.errno in (errno.ENOENT, errno.ENOTDIR):
            hint = "Restore it or train again"
            raise RunDirError(Fault("the file is missing", str(path), hint=hint)) from None
        if error.errno in (errno.ELOOP, errno.ENXIO):
            raise _not_plain(path) from None
        raise StorageError(Fault(f"cannot be read: {error.strerror}", str(path))) from None


def _refuse_other_kinds(path: Path, status: os.stat_result) -> None:
    if stat.S_ISLNK(status.st_mode):
        hint = "If you trust where it leads, as in a cache of DVC's or a model hub's, give --follow-links"
        raise RunDirError(Fault("expected a plain file, found a link", str(path), hint=hint))
    # Files of /proc and /sys count as plain, but reading them may block or never end.
    if not stat.S_ISREG(status.st_mode) or os.path.realpath(path).startswith(("/proc/", "/sys/")):
        raise _not_plain(path)


def _leads_nowhere(path: Path) -> RunDirError:
    hint = "Restore that file, for example with dvc checkout"
    return RunDirError(Fault(f"the link leads nowhere, to {path.readlink()}", str(path), hint=hint))


def _not_plain(path: Path) -> RunDirError:
    hint = "Directories, pipes, devices and files of /proc or /sys are not read"
    return RunDirError(Fault("expected a plain file", str(path), hint=hint))


def read_plain_file(path: Path, max_bytes: int) -> bytes:
    """A plain file's bytes.

    Raises:
        RunDirError: It is no plain file, missing or larger than `max_bytes`.
        StorageError: The system does not let it be read.
    """
    with open_plain_file(path) as (file, size):
        if size > max_bytes:
            expected = f"expected at most {max_bytes:,} bytes, found {size:,}"
            raise RunDirError(Fault(f"the file is too large: {expected}", str(path)))
        return file.read(size)


def hash_plain_file(path: Path, size: int, *, follow_link: bool = False) -> str | None:
    """The SHA-256 of a plain file of that size in bytes; None if its size is another.

    Raises:
        RunDirError: It is no plain file, or missing.
        StorageError: The system does not let it be read.
    """
    with open_plain_file(path, follow_link=follow_link) as (file, actual_size):
        return sha256_of_stream(file) if actual_size == size else None
