"""The command line in one process that has imported everything, each command's memory and time measured."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

_HARNESS = """
import contextlib, io, json, sys, time
sys.argv = ["dlreg"]
from dlreg.cli import main as cli

def memory(field):
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(field))

def run(arguments):
    out, errors = io.StringIO(), io.StringIO()
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")
    before, began, code = memory("VmRSS"), time.monotonic(), 0
    sys.argv = ["dlreg", *arguments]
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
            cli.main()
    except SystemExit as stop:
        code = stop.code or 0
    seconds, kib = time.monotonic() - began, memory("VmHWM") - before
    return code, out.getvalue(), errors.getvalue(), seconds, kib / 1024

warm, jobs = json.load(sys.stdin)
for job in warm:
    run(job)
print(json.dumps([run(job) for job in jobs]))
"""


class Measured(NamedTuple):
    """How a command ended, what it wrote, how long it took, and the memory it took for a while, in MiB."""

    code: int
    out: str
    err: str
    seconds: float
    mib: float


def measure(warm: Sequence[Sequence[str]], jobs: Sequence[Sequence[str]], cwd: Path) -> list[Measured]:
    """Runs command lines one after another, after some that only load what is loaded once."""
    done = subprocess.run(
        [sys.executable, "-c", _HARNESS],
        input=json.dumps([warm, jobs]),
        cwd=cwd,
        env={**os.environ, "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [Measured(*values) for values in json.loads(done.stdout)]
