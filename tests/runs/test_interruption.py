"""Signals: the first one asks to stop, the second one stops at once."""

import os
import signal
import subprocess
import sys
import time

import pytest

from dlreg.runs.interruption import Interruption

LONG_CALL = """
import hashlib, sys
from dlreg.runs import interruption
interruption.GRACE_SECONDS = 0.6
with interruption.listening() as signals, signals.deferred():
    signals.on_forced_exit = lambda number: print("stopped by", number, flush=True)
    print("ready", flush=True)
    hashlib.pbkdf2_hmac("sha256", b"", b"", int(sys.argv[1]))
    print("done", flush=True)
"""


@pytest.mark.parametrize(
    ("work", "pauses", "code", "output"),
    [
        (10**9, [0], 143, "stopped by 15\n"),
        (10**9, [0, 0.4], 143, ""),
        (10**9, [0, 0], 143, "stopped by 15\n"),
        (500_000, [0], 143, "done\n"),
    ],
    ids=["one", "two", "the same one twice", "work that ends in time"],
)
def test_work_that_goes_on_is_ended_by_force(work, pauses, code, output):
    command = [sys.executable, "-c", LONG_CALL, str(work)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    for pause in pauses:
        time.sleep(pause)
        process.send_signal(signal.SIGTERM)
    written, _ = process.communicate(timeout=20)
    assert (process.returncode, written) == (code, output)


def test_what_is_told_at_once_takes_the_place_of_a_bar_on_a_terminal():
    code = "import os; os.write(2, b'epoch 3/9'); from dlreg.runs.interruption import tell_at_once; tell_at_once('no')"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert told.stderr == b"epoch 3/9no\n"
    reading, terminal = os.openpty()
    subprocess.run([sys.executable, "-c", code], stderr=terminal, check=True)
    assert os.read(reading, 100) == b"epoch 3/9\r\x1b[2Kno\r\n"
    os.close(reading)
    os.close(terminal)


def test_a_deferred_signal_breaks_off_what_heeds_it_and_nothing_else():
    interruption, done = Interruption(), []
    with pytest.raises(SystemExit) as ended, interruption.deferred():
        interruption.handle(15)
        done.append("before")
        try:
            with interruption.heeded():
                done.append("never")
        except SystemExit:
            done.append("after")
        with interruption.deferred():
            done.append("within")
    assert ended.value.code == 143
    assert done == ["before", "after", "within"]


def test_a_signal_that_comes_in_what_heeds_it_breaks_it_off_at_once():
    interruption, done = Interruption(), []
    with pytest.raises(SystemExit), interruption.deferred():
        try:
            with interruption.heeded():
                with interruption.deferred():
                    done.append(interruption.is_deferred)
                done.append(interruption.is_deferred)
                interruption.handle(2)
                done.append("never")
        finally:
            done.append(interruption.is_deferred)
    assert done == [True, False, True]
