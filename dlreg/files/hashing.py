"""The SHA-256 of files of any size."""

import hashlib
from io import BufferedReader
from pathlib import Path


def sha256_of_file(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return sha256_of_stream(file)


def sha256_of_stream(file: BufferedReader) -> str:
    """The SHA-256 of what an open file holds from its position on, in hexadecimal digits."""
    return hashlib.file_digest(file, "sha256").hexdigest()
