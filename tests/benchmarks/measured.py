"""What benchmarks of whole processes share: a table of numbers, and what a process takes."""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

ENVIRONMENT = {"OMP_NUM_THREADS": "1", "KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"}
ROWS_AT_ONCE = 10**6


class Usage(NamedTuple):
    """What a process took: seconds by the clock and of CPU, and at most so many megabytes."""

    wall: float
    cpu: float
    peak: float


def measure(command: Sequence[str], folder: Path, core: int | None = None) -> Usage:
    """Runs a command in a folder, on one core if it is named; ends with what it says if it fails."""
    pinned = [] if core is None else ["taskset", "-c", str(core)]
    began = time.perf_counter()
    process = subprocess.Popen(
        [*pinned, *command],
        cwd=folder,
        env=os.environ | ENVIRONMENT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr
    said = process.stderr.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{said}")
    return Usage(time.perf_counter() - began, used.ru_utime + used.ru_stime, used.ru_maxrss / 1e3)


def make_numbers(n_rows: int, seed: int = 0) -> pd.DataFrame:
    """Ten numbers, and a target `y` of six of them, with noise of 0.3."""
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(n_rows, 10))
    y = np.sin(2 * x[:, 0]) + x[:, 1] * x[:, 2] + x[:, 3] + np.abs(x[:, 4]) - 0.5 * x[:, 5] ** 2
    table = pd.DataFrame(x, columns=[f"x{number}" for number in range(10)])
    return table.assign(y=y + generator.normal(0, 0.3, n_rows))


def write_numbers(path: Path, n_rows: int) -> None:
    """A CSV of `make_numbers`, with five decimals; of more than a million rows the same again and again."""
    table = make_numbers(min(n_rows, ROWS_AT_ONCE))
    text = table.to_csv(index=False, float_format="%.5f").encode()
    header_end = text.index(b"\n") + 1
    whole, rest = divmod(n_rows, len(table))
    with path.open("wb") as file:
        file.write(text[:header_end])
        for _ in range(whole):
            file.write(text[header_end:])
        file.write(table[:rest].to_csv(index=False, header=False, float_format="%.5f").encode())
