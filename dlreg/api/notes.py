"""What else than a value a call gives: warnings of what a user should know, and errors in words of Python."""

import re
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from dlreg.errors import DlregError, DlregWarning, Fault, StoppedError

# As a shell has it, with quotes where there are blanks in it.
_PATH = r"'?((?<=')[^']*|[^\s']+)'?"
# How messages of the command line name what has an argument here.
_IN_PYTHON = (
    (rf"dlreg train {_PATH} --run-dir {_PATH} --resume", r'dlreg.train("\1", run_dir="\2", resume=True)'),
    (rf"dlreg train {_PATH} --resume", r'dlreg.train("\1", resume=True)'),
    (r"with --overwrite", "with overwrite=True"),
    (r"--overwrite", "overwrite=True"),
    (r"--run-dir", "run_dir"),
    (r"--resume", "resume=True"),
    (r"--set ([\w.]+)=", r"overrides of \1: "),
    (r"--set", "overrides"),
    (r"--metric (\w+)", r'metric="\1"'),
    (r"--max-unseen (\S+)", r"max_unseen=\1"),
)


def warn(notes: Iterable[str]) -> None:
    """Warns of each, at the place from which the function that calls this one was called."""
    for note in notes:
        warnings.warn(note, DlregWarning, stacklevel=3)


@contextmanager
def told_in_python() -> Iterator[None]:
    """A block whose errors name arguments where the command line has options, and have one traceback.

    Raises:
        DlregError: The same as in the block.
        KeyboardInterrupt: In place of a `StoppedError`.
    """
    try:
        yield
    except StoppedError as error:
        raise KeyboardInterrupt("\n".join(map(str, map(_in_python, error.faults)))) from None
    except DlregError as error:
        raise type(error)(*map(_in_python, error.faults)) from None


def _in_python(fault: Fault) -> Fault:
    return replace(fault, message=_translated(fault.message), hint=fault.hint and _translated(fault.hint))


def _translated(text: str) -> str:
    for option, argument in _IN_PYTHON:
        text = re.sub(option, argument, text)
    return text
