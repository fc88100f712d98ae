"""The entry point of the `dlreg` command and of `python -m dlreg`."""

import atexit
import os
import signal
import sys
from contextlib import suppress
from typing import NoReturn


def main() -> None:
    """Runs the command line; a signal ends it at once while it is being imported."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _: os._exit(128 + number))
    from dlreg.cli.main import main

    try:
        main()
    except SystemExit as ended:
        if ended.code:
            raise
    _leave()


def _leave() -> NoReturn:
    """Ends the process at once: Python's own way out takes a second to unload TensorFlow."""
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        # What must be told has been flushed before.
        with suppress(OSError):
            stream.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
