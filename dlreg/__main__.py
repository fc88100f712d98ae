"""Lets `python -m dlreg` do what the `dlreg` command does."""

from dlreg.cli import main

if __name__ == "__main__":
    main()
