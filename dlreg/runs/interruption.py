"""SIGINT and SIGTERM: the first one asks to stop, the second one stops at once.

Python runs its handlers between two of its own instructions, so not before an epoch, which is one compiled
call, is over; and some libraries swallow what a handler raises while they are imported. A thread hears of a
signal meanwhile (`signal.set_wakeup_fd`) and ends the process if it has not ended by itself.
"""

import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

SIGNALS = (signal.SIGINT, signal.SIGTERM)
# How long the work under way may go on after a signal: an epoch, or work without a checkpoint to keep. A
# library that is being loaded may take as long again.
GRACE_SECONDS, BRIEF_GRACE_SECONDS = 2.0, 1.0
# A shell may tell the process and its group: that is one signal, not two.
SAME_SIGNAL_SECONDS = 0.3
# A progress bar stands in a line without an end, and hides the cursor.
_CLEAR_LINE, _SHOW_CURSOR = "\r\x1b[2K", "\x1b[?25h"


class Interruption:
    """The state of signal handling: whether one has come, and what is done about it.

    Attributes:
        received: The first signal's number; 0 before there was any.
        is_deferred: Whether to go on until somebody looks at `received`, instead of raising SystemExit.
        on_forced_exit: Called by a thread of its own, with the signal's number, before the process ends with
            work still under way.
    """

    def __init__(self) -> None:
        self.received = 0
        self.is_deferred = False
        self.on_forced_exit: Callable[[int], None] = lambda _: None

    def raise_received(self) -> None:
        """Raises SystemExit if a signal has come, with the exit code 128 + its number."""
        if self.received:
            sys.exit(128 + self.received)

    def handle(self, number: int, _: object = None) -> None:
        """The handler of both signals."""
        if not self.received:
            self.received = number
            if not self.is_deferred:
                self.raise_received()

    @contextmanager
    def deferred(self) -> Iterator[None]:
        """A block that looks at `received` itself, or lets parts of it be broken off by `heeded`."""
        self.is_deferred, before = True, self.is_deferred
        try:
            yield
        finally:
            self.is_deferred = before
        if not before:
            self.raise_received()

    @contextmanager
    def heeded(self) -> Iterator[None]:
        """A part of a `deferred` block that a signal breaks off."""
        self.is_deferred = False
        try:
            self.raise_received()
            yield
        finally:
            self.is_deferred = True


@contextmanager
def listening() -> Iterator[Interruption]:
    """Handles both signals until the block ends; to be used in the main thread.

    Raises:
        SystemExit: At the end of the block, however it ends, if a signal came.
    """
    interruption = Interruption()
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    watch = threading.Thread(target=_watch, args=(reading, interruption), daemon=True)
    previous = {number: signal.getsignal(number) for number in SIGNALS}
    wakeup = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    unraisable = sys.unraisablehook

    def show_unraisable(unraised: "sys.UnraisableHookArgs") -> None:
        # Where nothing can be raised, as in a callback of the garbage collector, the thread sees to the end.
        if not (interruption.received and isinstance(unraised.exc_value, SystemExit)):
            unraisable(unraised)

    sys.unraisablehook = show_unraisable
    watch.start()
    try:
        for number in SIGNALS:
            signal.signal(number, interruption.handle)
        yield interruption
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
        sys.unraisablehook = unraisable
        signal.set_wakeup_fd(wakeup)
        os.close(writing)
        interruption.raise_received()


def _watch(reading: int, interruption: Interruption) -> None:
    first = _next_signal(reading, None)
    if first:
        since = time.monotonic()
        deadline = since + (GRACE_SECONDS if interruption.is_deferred else BRIEF_GRACE_SECONDS)
        while second := _next_signal(reading, deadline - time.monotonic()):
            if time.monotonic() - since > SAME_SIGNAL_SECONDS:
                _exit(second)
        if second is None:
            try:
                interruption.on_forced_exit(first)
            finally:
                _exit(first)
    os.close(reading)


def _next_signal(reading: int, seconds: float | None) -> int | None:
    """The number of the next signal; None when the time is over, 0 when nobody listens any more."""
    while select.select([reading], [], [], None if seconds is None else max(seconds, 0))[0]:
        number = int.from_bytes(os.read(reading, 1))
        if number in (0, *SIGNALS):
            return number
    return None


def tell_at_once(line: str) -> None:
    """Writes a line to stderr past everything, in place of a progress bar; for `on_forced_exit`."""
    os.write(2, f"{_CLEAR_LINE if os.isatty(2) else ''}{line}\n".encode())


def _exit(number: int) -> NoReturn:
    if os.isatty(2):
        os.write(2, f"{_CLEAR_LINE}{_SHOW_CURSOR}".encode())
    os._exit(128 + number)
