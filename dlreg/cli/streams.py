"""Standard output and standard error: their encoding, full disks, and pipes that nobody reads any more."""

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from dlreg.errors import StorageError
from dlreg.files.whole_file import reporting_storage_errors


def open_missing_streams() -> None:
    """Puts the null device in the place of standard streams that were closed before the start.

    Else the next file that is opened would take the number of one, and get what libraries print.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            # It takes the lowest number that is free.
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115 - for good


@contextmanager
def telling(stream: TextIO) -> Iterator[None]:
    """Writes what need not be heard: a stream that cannot be written is given up, and the work goes on."""
    try:
        yield
    except OSError:
        _forget(stream)


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
            print(end="", flush=True)
    except BrokenPipeError:
        _forget(sys.stdout)
        raise SystemExit(0) from None
    except StorageError:
        try:
            sys.stdout.flush()
        except OSError:
            _forget(sys.stdout)
        raise


def _forget(stream: TextIO) -> None:
    # Python would complain once more when it flushes at exit.
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
