"""Standard output and standard error: their encoding, full disks, and pipes that nobody reads any more."""

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dlreg.errors import StorageError
from dlreg.files.whole_file import reporting_storage_errors


def write_utf8() -> None:
    """Writes UTF-8 whatever the terminal's locale: names in a table are any characters."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


@contextmanager
def printing() -> Iterator[None]:
    """Ends quietly when the reader of a pipe has had enough, as in `dlreg predict … | head`.

    Raises:
        StorageError: What is printed cannot be written.
    """
    try:
        with reporting_storage_errors(Path("standard output")):
            yield
            # There may be no standard output at all.
            print(end="", flush=True)
    except BrokenPipeError:
        _forget_output()
        raise SystemExit(0) from None
    except StorageError:
        try:
            sys.stdout.flush()
        except OSError:
            _forget_output()
        raise


def _forget_output() -> None:
    # Python would complain once more when it flushes at exit.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
