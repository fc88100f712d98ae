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
    path, lock = base / name, base / f"{name}{_LOCK}"
    # Between two kinds of lock others may come, so that each time it is looked again.
    while not (descriptor := _share_existing(path, lock)):
        _make(path, lock, make)
    try:
        with suppress(OSError):
            os.utime(path)
        yield path
    finally:
        os.close(descriptor)


def list_kept(base: Path) -> list[Kept]:
    """All folders that are kept, the one used last first; also what a killed process left of one."""
    kept = []
    with suppress(OSError):
        for name in {entry.name.removesuffix(_PARTIAL) for entry in base.iterdir() if entry.is_dir()}:
            folders = [folder for folder in (base / name, _partial(base / name)) if folder.is_dir()]
            last_used = max(folder.stat().st_mtime for folder in folders)
            kept.append(Kept(base / name, sum(map(_size, folders)), last_used))
    return sorted(kept, key=lambda folder: -folder.last_used)


def clear_kept(base: Path, name: str) -> bool:
    """Removes a folder, whole or not; false if some process uses it."""
    lock = base / f"{name}{_LOCK}"
    descriptor = _open_lock(lock)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not _is_still_there(lock, descriptor):
            return False
        shutil.rmtree(base / name, ignore_errors=True)
        shutil.rmtree(_partial(base / name), ignore_errors=True)
        lock.unlink(missing_ok=True)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True


def _share_existing(path: Path, lock: Path) -> int | None:
    """Shares the lock of a folder and returns its descriptor; None if there is no such folder."""
    descriptor = _open_lock(lock)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    if path.is_dir() and _is_still_there(lock, descriptor):
        return descriptor
    os.close(descriptor)
    return None


def _make(path: Path, lock: Path, make: Callable[[Path], None]) -> None:
    """Makes a folder, unless another process has made it meanwhile."""
    descriptor, partial = _open_lock(lock), _partial(path)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if path.is_dir() or not _is_still_there(lock, descriptor):
            return
        # A process killed at it leaves one behind.
        shutil.rmtree(partial, ignore_errors=True)
        try:
            partial.mkdir(mode=0o700)
            make(partial)
            partial.rename(path)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            lock.unlink(missing_ok=True)
            raise
    finally:
        os.close(descriptor)


def _partial(path: Path) -> Path:
    return path.with_name(f"{path.name}{_PARTIAL}")


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
