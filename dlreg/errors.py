"""What can go wrong for a user of dlreg, and the exit code of each.

The tree, with the exit code a shell script sees:

    DlregError
    ├── UsageError     2  the command line itself
    ├── ConfigError    3  the YAML file or a --set
    ├── DataError      4  the CSV: file, columns, cells
    ├── RunDirError    5  a run directory: missing, incomplete, damaged, newer
    ├── StorageError   6  disk, permissions, memory, a directory in use
    ├── DivergedError  7  the loss is not finite
    ├── GateError      8  the model is worse than asked for
    ├── ClusterError   75  a worker or node of a cluster was lost and not replaced
    └── StoppedError   128 + the number of the signal that stopped a training: 130, 143

Everything a user can cause is one of these; they are caught in one place,
where the command line starts. Any other exception is a bug of dlreg's (exit code 1).
"""

import re
import sys
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import FrameType

# A broken file has thousands of faults, and few of them say anything new.
MOST_OF_A_KIND = 20
MOST_KINDS = 20
LONGEST_PATH = 8192
# What of a message comes from a file, as opposed to dlreg: names in quotes, dotted keys, numbers.
_NAMES = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|`[^`]*`|\S*[0-9.\[]\S*""")


@dataclass(frozen=True)
class Fault:
    """One mistake: what was expected, what was found, where, and a way out.

    Attributes:
        message: What is wrong, naming the key, column or row and the value found.
        path: The file at fault as the user named it, if there is one.
        line: 1-based line in that file.
        column: 1-based character position in that line.
        hint: What to do about it, a sentence of its own.
        row: 1-based row in that file, where it is a table without lines.
    """

    message: str
    path: str | None = None
    line: int | None = None
    column: int | None = None
    hint: str | None = None
    row: int | None = None

    def __str__(self) -> str:
        """`file:line:column: message. hint`, or `file, row 17: …`, with the parts that are known."""
        # A path is told whole, but none that the system has is longer.
        path = self.path if self.path is None or len(self.path) <= LONGEST_PATH else brief(self.path)
        place = ":".join(str(part) for part in (path, self.line, self.column) if part is not None)
        if self.row is not None:
            place = ", ".join([*([place] if place else []), f"row {self.row}"])
        message = brief(self.message)
        text = f"{place}: {message}" if place else message
        text = f"{text}. {brief(self.hint)}" if self.hint else text
        return printable(text)


def brief(text: str) -> str:
    """A message with endless words cut short: a broken file may be one long name."""
    text = re.sub(r"(\S{100})\S{200,}", r"\1…", text)
    return text if len(text) <= 1500 else f"{text[:1499]}…"


def printable(text: str) -> str:
    """Text with control characters escaped: a name in a stranger's file must not control the terminal."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def abridged(faults: Sequence[Fault]) -> Iterator[Fault]:
    """The faults to tell: the first `MOST_OF_A_KIND` of a kind and, behind them, how many more there are."""
    kinds = [_kind(fault) for fault in faults]
    told = tuple(dict.fromkeys(kinds))[:MOST_KINDS]
    kinds = [kind if kind in told else "" for kind in kinds]
    totals, counts = Counter(kinds), Counter[str]()
    for kind, fault in zip(kinds, faults, strict=True):
        counts[kind] += 1
        if counts[kind] <= MOST_OF_A_KIND:
            yield fault
        if counts[kind] == MOST_OF_A_KIND < totals[kind]:
            further = totals[kind] - MOST_OF_A_KIND
            yield Fault(f"and {further:,} more like the one above, {totals[kind]:,} in all")


def abridged_notes(notes: Sequence[str]) -> list[str]:
    """The same of sentences."""
    return [fault.message for fault in abridged([Fault(note) for note in notes])]


def _kind(fault: Fault) -> str:
    """What faults of one kind share: the first two words that are dlreg's, such as `unknown key`."""
    words = re.findall("[a-z]+", _NAMES.sub(" ", fault.message[:300].lower()))
    return " ".join(words[:2])


class DlregWarning(UserWarning):
    """What a user should know, and what stops nothing."""


def warn(note: str) -> None:
    """Warns of a note: at the line that called `dlreg.api`, or else at the line that says so."""
    # Level 1 would be this function, and level 2 is what called it.
    frame: FrameType | None = sys._getframe(1)
    shown = level = 2
    while frame is not None:
        if str(frame.f_globals.get("__name__")).startswith("dlreg.api."):
            shown = level + 1
        frame, level = frame.f_back, level + 1
    warnings.warn(note, DlregWarning, stacklevel=shown)


class DlregError(Exception):
    """A mistake or circumstance the user can do something about.

    Args:
        faults: Every mistake found, at least one, in the order of the file they are in;
            plain text stands for a fault without a place.
    """

    exit_code = 1

    def __init__(self, *faults: Fault | str) -> None:
        self.faults = tuple(Fault(fault) if isinstance(fault, str) else fault for fault in faults)
        super().__init__("\n".join(map(str, abridged(self.faults))))


@contextmanager
def located(path: str) -> Iterator[None]:
    """Adds the file's name to faults of its content that do not name it.

    Raises:
        DlregError: The same as in the block, with the name.
    """
    try:
        yield
    except DlregError as error:
        faults = [fault if fault.path else replace(fault, path=path) for fault in error.faults]
        raise type(error)(*faults) from error


@contextmanager
def gathering(faults: list[Fault]) -> Iterator[None]:
    """Collects the faults of a DataError in a list and goes on, so that all faults are told at once."""
    try:
        yield
    except DataError as error:
        faults.extend(fault for fault in error.faults if fault not in faults)


class UsageError(DlregError):
    """The command line cannot be understood."""

    exit_code = 2


class ConfigError(DlregError):
    """The config file, or a value given by `--set`, is not valid."""

    exit_code = 3


class DataError(DlregError):
    """The CSV cannot be used as the config asks."""

    exit_code = 4


class RunDirError(DlregError):
    """A run directory is missing, incomplete, damaged or from a newer version."""

    exit_code = 5


class StorageError(DlregError):
    """The disk, the permissions, the memory or another process stand in the way."""

    exit_code = 6


class DivergedError(DlregError):
    """Training stopped because the loss was no longer finite."""

    exit_code = 7


class GateError(DlregError):
    """A run is worse than `evaluate` was told to let pass."""

    exit_code = 8


class ClusterError(DlregError):
    """A worker or node of a cluster was lost and not replaced."""

    exit_code = 75


class StoppedError(DlregError):
    """A signal stopped a training.

    Args:
        exit_code: 128 + the number of the signal, as a shell has it.
        fault: Says how to go on.
    """

    def __init__(self, exit_code: int, fault: Fault) -> None:
        super().__init__(fault)
        self.exit_code = exit_code
