"""The SHA-256 of files of any size."""

import hashlib
from functools import lru_cache
from io import BufferedReader
from pathlib import Path


def sha256_of_file(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal digits; worked out once while the file stays as it is."""
    status = path.stat()
    times = status.st_mtime_ns, status.st_ctime_ns
    return _sha256_of_state(path, (status.st_dev, status.st_ino, status.st_size, *times))


@lru_cache(16)
def _sha256_of_state(path: Path, _: tuple[int, ...]) -> str:
    with path.open("rb") as file:
        return sha256_of_stream(file)


def sha256_of_stream(file: BufferedReader) -> str:
    """The SHA-256 of what an open file holds from its position on, in hexadecimal digits."""
    return hashlib.file_digest(file, "sha256").hexdigest()
