"""The lock of a run directory: one process at a time writes it, and any other is told which one does."""

import contextlib
import fcntl
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dlreg.errors import Fault, StorageError
from dlreg.runs.names import LOCK, lock_beside


@contextmanager
def locked(path: Path, *, option: str = "--run-dir") -> Iterator[None]:
    """Holds the lock of a run directory, or of one like it.

    Args:
        path: The directory.
        option: Names another one, for the message.

    Raises:
        StorageError: Another process holds it.
    """
    lock = _lock_file(path)
    descriptor = _acquire(lock, path, option)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            lock.unlink()
        os.close(descriptor)


def _lock_file(path: Path) -> Path:
    """The lock beside the directory, which may be replaced; in it where the folder above is read-only."""
    return path / LOCK if path.is_dir() and not os.access(path.parent, os.W_OK) else lock_beside(path)


def _acquire(lock: Path, path: Path, option: str) -> int:
    while True:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_still_there(lock, descriptor):
                os.ftruncate(descriptor, 0)
                os.write(descriptor, f"process {os.getpid()} on {socket.gethostname()}".encode())
                return descriptor
        except BlockingIOError:
            message = f"the directory is in use by {_holder(descriptor)}"
            os.close(descriptor)
            hint = f"Wait until it is done, or give another {option}"
            raise StorageError(Fault(message, str(path), hint=hint)) from None
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _is_still_there(lock: Path, descriptor: int) -> bool:
    """Whether the file opened is still the one of that name: the last holder may have removed it."""
    try:
        return os.path.samestat(lock.lstat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _holder(descriptor: int) -> str:
    for _ in range(20):
        if holder := os.pread(descriptor, 200, 0):
            return holder.decode(errors="replace")
        time.sleep(0.05)  # it has the lock, but has not written its name yet
    return "another process"
