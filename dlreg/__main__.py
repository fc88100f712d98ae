"""What the `dlreg` command does, and `python -m dlreg`."""

import os
import signal


def main() -> None:
    """Runs the command line; a signal ends it at once while it is being imported."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _: os._exit(128 + number))
    from dlreg.cli import main

    main()


if __name__ == "__main__":
    main()
