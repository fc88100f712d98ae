"""Seeded random inputs for the readers, and a loop that feeds them in.

`DLREG_FUZZ_EXAMPLES` is the number of inputs of the YAML reader; the CSV reader and the
vetting of pipelines get a tenth of it each, and each hypothesis property of tests/table/test_csv_file.py a
fiftieth. By default it is 3,000, some seconds in all. The long version, a million and a hundred thousand, tells its figures when asked not to capture them:

    DLREG_FUZZ_EXAMPLES=1000000 pytest -s -n 0 tests/hostile/test_fuzz.py

An input is made from its number alone, so that one that fails can be made again.
"""

import os
import signal
import time
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from dlreg.errors import DlregError, UsageError

EXAMPLES = int(os.environ.get("DLREG_FUZZ_EXAMPLES", "3000"))
MAX_SECONDS = 2.0


class TooLongError(BaseException):
    """Derived from BaseException so that nothing on the way takes it for an error of its own."""


def feed(name: str, n_inputs: int, make: Callable[[Random], Any], read: Callable[[Any], object]) -> None:
    """Has each input read in turn: it ends in a value or in faults a user can act on, and soon."""
    slowest, number_of_slowest, n_values = 0.0, 0, 0
    began = time.perf_counter()

    def stop(*_: object) -> None:
        raise TooLongError

    before = signal.signal(signal.SIGPROF, stop)
    try:
        for number in range(n_inputs):
            given = make(Random(number))
            signal.setitimer(signal.ITIMER_PROF, MAX_SECONDS)
            start = time.thread_time()
            try:
                read(given)
                n_values += 1
            except DlregError as error:
                check_faults(error)
            except (Exception, TooLongError) as error:
                signal.setitimer(signal.ITIMER_PROF, 0)
                pytest.fail(f"{name} input {number}: {given!r}: {type(error).__name__}: {error}")
            took = time.thread_time() - start
            if took > slowest:
                slowest, number_of_slowest = took, number
        signal.setitimer(signal.ITIMER_PROF, 0)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
    seconds = time.perf_counter() - began
    print(
        f"\n{name}: {n_inputs:,} inputs in {seconds:.1f} s, {n_values:,} of them valid; the slowest, number "
        f"{number_of_slowest}, took {slowest:.3f} s"
    )
    assert 0 < n_values < n_inputs


def check_faults(error: DlregError) -> None:
    """Each fault says what is wrong, where, and what to do, in one printable line."""
    assert error.faults
    for fault in error.faults:
        assert fault.message and (fault.path or isinstance(error, UsageError)), fault
        assert fault.line is None or fault.line > 0, fault
        assert str(fault).isprintable(), fault
        assert len(str(fault)) < 4000, fault
    assert error.faults[-1].hint, error.faults[-1]


def mutated(random: Random, text: str, pieces: tuple[str, ...], n_changes: int) -> str:
    """Text with pieces put in, parts cut out, copied or exchanged."""
    for _ in range(n_changes):
        start = random.randrange(len(text) + 1)
        end = min(start + random.choice((0, 0, 0, 1, 1, 2, 5, 20)), len(text))
        change = random.random()
        if change < 0.7:
            text = text[:start] + random.choice(pieces) + text[end:]
        elif change < 0.8:
            text = text[:start] + text[end:]
        elif change < 0.9:
            lines = text.split("\n")
            first, second = random.randrange(len(lines)), random.randrange(len(lines))
            lines[first] = lines[second]
            text = "\n".join(lines)
        elif change < 0.95:
            text = text[:end] + text[start:]
        else:
            text = text[:end]
    return text
