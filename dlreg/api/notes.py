"""What else than a value a call gives: warnings of what a user should know, and errors in words of Python."""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from dlreg.errors import DlregError, Fault, StoppedError, warn

# Patterns of what is said, and what is said in their place.
Words = Sequence[tuple[str, str]]
# As a shell has it, with quotes where there are blanks in it.
_PATH = r"'?((?<=')[^']*|[^\s']+)'?"
# How messages of the command line name what has an argument here.
_IN_PYTHON: Words = (
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


def warn_of_all(notes: Iterable[str]) -> None:
    """Warns of each note, see `dlreg.errors.warn`."""
    for note in notes:
        warn(note)


@contextmanager
def told_in_python(words_of_hints: Words = ()) -> Iterator[None]:
    """A block whose errors name arguments where the command line has options, and have one traceback.

    Args:
        words_of_hints: What hints alone say otherwise, beside that.

    Raises:
        DlregError: The same as in the block.
        KeyboardInterrupt: In place of a `StoppedError`.
    """

    def told(error: DlregError) -> list[Fault]:
        return [_in_python(fault, words_of_hints) for fault in error.faults]

    try:
        yield
    except StoppedError as error:
        raise KeyboardInterrupt("\n".join(map(str, told(error)))) from None
    except DlregError as error:
        raise type(error)(*told(error)) from None


def _in_python(fault: Fault, words_of_hints: Words) -> Fault:
    hint = fault.hint and _translated(fault.hint, [*_IN_PYTHON, *words_of_hints])
    if hint and str(fault.hint)[0].isupper():
        hint = hint[0].upper() + hint[1:]
    return replace(fault, message=_translated(fault.message, _IN_PYTHON), hint=hint)


def _translated(text: str, words: Words) -> str:
    for said, here in words:
        text = re.sub(said, here, text)
    return text
