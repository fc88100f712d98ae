"""Reading files that a stranger may have put there: plain ones, and no more of them than expected."""

import errno
import io
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
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


def links_are_followed() -> bool:
    """Whether it runs in such a block."""
    return _links_are_followed.get()


class NotPlainError(Exception):
    """A name leads to something else than a plain file.

    Args:
        kind: What it is, such as "a directory".
    """

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


def open_plain(path: str | Path, *, follow_link: bool) -> io.BufferedReader:
    """Opens a file for reading if it is a plain one.

    It is looked at before it is opened, as opening alone may wait, or set off a device, and once more then:
    what counts is the file opened, not its name.

    Args:
        path: The file.
        follow_link: Whether the name may be a link to the file.

    Raises:
        NotPlainError: It is a link, a directory, a pipe, a device or a file of /proc or /sys.
        OSError: The system does not let it be opened.
        ValueError: No file can have this name.
    """
    _refuse_other_kinds(Path(path).stat(follow_symlinks=follow_link))
    # Files of /proc and /sys count as plain, but reading them may block or never end.
    if os.path.realpath(path).startswith(("/proc/", "/sys/")):
        raise NotPlainError("a file of /proc or /sys")
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC | (0 if follow_link else os.O_NOFOLLOW)
    file = io.FileIO(os.open(path, flags))
    try:
        _refuse_other_kinds(os.fstat(file.fileno()))
    except BaseException:
        file.close()
        raise
    return io.BufferedReader(file)


def _refuse_other_kinds(status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        kinds = {stat.S_IFDIR: "a directory", stat.S_IFLNK: "a link"}
        raise NotPlainError(kinds.get(stat.S_IFMT(status.st_mode), "a pipe or device"))


@contextmanager
def open_plain_file(path: Path, *, follow_link: bool = False) -> Iterator[tuple[io.BufferedReader, int]]:
    """Opens a file of a run, or one that a run names, as `open_plain` does.

    Yields:
        The open file and its size in bytes.

    Raises:
        RunDirError: It is missing, or no plain file.
        StorageError: The system does not let it be read.
    """
    follow_link = follow_link or links_are_followed()
    try:
        with open_plain(path, follow_link=follow_link) as file:
            yield file, os.fstat(file.fileno()).st_size
    except NotPlainError as error:
        raise _not_plain(path, error.kind) from None
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP) and path.is_symlink():
            raise _leads_nowhere(path) from None
        if error.errno in (errno.ENOENT, errno.ENOTDIR):
            hint = "Restore it or train again"
            raise RunDirError(Fault("the file is missing", str(path), hint=hint)) from None
        if error.errno in (errno.ELOOP, errno.ENXIO):
            raise _not_plain(path, "a pipe or device") from None
        raise StorageError(Fault(f"cannot be read: {error.strerror}", str(path))) from None


def _leads_nowhere(path: Path) -> RunDirError:
    hint = "Restore that file, for example with dvc checkout"
    return RunDirError(Fault(f"the link leads nowhere, to {path.readlink()}", str(path), hint=hint))


def _not_plain(path: Path, kind: str) -> RunDirError:
    hint = "Directories, pipes, devices and files of /proc or /sys are not read"
    if kind == "a link":
        hint = "If you trust where it leads, as in a cache of DVC's or a model hub's, give --follow-links"
    return RunDirError(Fault(f"expected a plain file, found {kind}", str(path), hint=hint))


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
