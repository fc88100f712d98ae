"""Folders that are made once, whole or not at all, and kept until somebody clears them.

A folder is made under another name and renamed when it is whole. Who makes one holds its lock, so that
another process waits and then finds it; who uses one shares the lock, so that nobody clears it meanwhile.
"""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

_LOCK, _PARTIAL = ".lock", ".partial"


@dataclass(frozen=True)
class Kept:
    """A folder that is kept.

    Attributes:
        path: Where it is.
        n_bytes: The size of its files.
        last_used: When it was used for the last time, in seconds since 1970.
    """

    path: Path
    n_bytes: int
    last_used: float


@contextmanager
def kept_folder(base: Path, name: str, make: Callable[[Path], None]) -> Iterator[Path]:
    """A folder that stays as it is while the block lasts.

    Args:
        base: The folder that it is in; made for this user alone if it is new.
        name: What tells it from others: all that it is made from.
        make: Fills an empty folder, if there is none of that name yet.

    Raises:
        OSError: The disk is full, or the system refuses; nothing is left of it.
    """
    base.mkdir(mode=0o700, parents=True, exist_ok=True)
    path, partial = base / name, base / f"{name}{_PARTIAL}"
    with _sharing(base / f"{name}{_LOCK}") as descriptor:
        if not path.is_dir():
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if not path.is_dir():
                # A process killed at it leaves one behind.
                shutil.rmtree(partial, ignore_errors=True)
                try:
                    partial.mkdir(mode=0o700)
                    make(partial)
                    partial.rename(path)
                except BaseException:
                    shutil.rmtree(partial, ignore_errors=True)
                    raise
            fcntl.flock(descriptor, fcntl.LOCK_SH)
        with suppress(OSError):
            os.utime(path)
        yield path


def list_kept(base: Path) -> list[Kept]:
    """All folders that are kept, the one used last first."""
    with suppress(OSError):
        kept = [
            Kept(path, _size(path), path.stat().st_mtime)
            for path in base.iterdir()
            if path.is_dir() and path.suffix != _PARTIAL
        ]
        return sorted(kept, key=lambda folder: -folder.last_used)
    return []


def clear_kept(base: Path, name: str) -> bool:
    """Removes a folder, whole or not; false if some process uses it."""
    lock = base / f"{name}{_LOCK}"
    descriptor = _open_lock(lock)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(base / name, ignore_errors=True)
        shutil.rmtree(base / f"{name}{_PARTIAL}", ignore_errors=True)
        lock.unlink(missing_ok=True)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True


@contextmanager
def _sharing(lock: Path) -> Iterator[int]:
    """Shares a lock, and gives its descriptor."""
    while True:
        descriptor = _open_lock(lock)
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        if _is_still_there(lock, descriptor):
            break
        os.close(descriptor)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _open_lock(lock: Path) -> int:
    return os.open(lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


def _is_still_there(lock: Path, descriptor: int) -> bool:
    """Whether the lock is still the one of that name: who clears a folder removes it."""
    with suppress(FileNotFoundError):
        return os.path.samestat(lock.lstat(), os.fstat(descriptor))
    return False


def _size(folder: Path) -> int:
    total = 0
    for file in folder.iterdir():
        with suppress(OSError):
            total += file.lstat().st_size
    return total
