"""Times dlreg's checked read of a CSV against other readers of it, and `predict` against polars with ONNX Runtime.

    python tests/benchmarks/reading.py [ROWS [ROUNDS]]        # a million rows, three rounds by default

Prints the processor time of whole processes, user and system, as medians of rounds in which all take turns, and the
ratio to dlreg. Each read makes a table of doubles. A reader that is not installed is said to be so.
"""

import os
import resource
import statistics
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).parents[2]
COLUMNS = [f"x{number}" for number in range(10)]
OURS = """
from dlreg.table.csv_format import CsvFormat
from dlreg.table.source import read_table
read_table("table.csv", CsvFormat())
"""
READERS = {
    "dlreg": OURS,
    "pandas": "import pandas; pandas.read_csv('table.csv')",
    "polars": "import polars; polars.read_csv('table.csv')",
    "duckdb": "import duckdb; duckdb.sql(\"from read_csv('table.csv')\").fetchnumpy()",
    "pyarrow": "from pyarrow import csv; csv.read_csv('table.csv')",
}
# Blocks that stay in the cache, and one thread: faster than all rows at once, and than ONNX Runtime's own threads.
WITH_POLARS = """
import numpy, onnxruntime, polars
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession("run/pipeline.onnx", options)
names = [column.name for column in session.get_inputs()]
table = polars.read_csv("table.csv", columns=names)
cells = {name: table[name].to_numpy().reshape(-1, 1) for name in names}
blocks = [
    session.run(["prediction"], {name: column[start : start + 16384] for name, column in cells.items()})[0]
    for start in range(0, len(table), 16384)
]
y_pred = numpy.concatenate(blocks)[:, 0]
polars.DataFrame({"row": numpy.arange(len(table)), "y_pred": y_pred}).write_csv("polars.csv")
"""


def main() -> None:
    n_rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_table(folder / "table.csv", n_rows)
        pd.read_csv(folder / "table.csv", nrows=20_000).to_csv(folder / "train.csv", index=False)
        (folder / "config.yaml").write_text("data: {path: train.csv, target: y}\ntraining: {epochs: 2}\n")
        processor_time(folder, ["-m", "dlreg", "train", "config.yaml", "--run-dir", "run", "--quiet"])
        print(f"{n_rows:,} rows of 11 numbers, {(folder / 'table.csv').stat().st_size / 1e6:,.0f} MB of CSV")
        print("\nread")
        compare(folder, {reader: ["-c", code] for reader, code in READERS.items()}, rounds)
        print("\npredict")
        ours = ["-m", "dlreg", "predict", "run", "table.csv", "-o", "dlreg.csv"]
        compare(folder, {"dlreg": ours, "polars": ["-c", WITH_POLARS]}, rounds)


def write_table(path: Path, n_rows: int) -> None:
    x = np.random.default_rng(0).normal(size=(n_rows, len(COLUMNS)))
    table = pd.DataFrame(x, columns=COLUMNS).assign(y=2 * x[:, 0] + 3 * np.sin(x[:, 1]) + x[:, 2] * x[:, 3])
    table.to_csv(path, index=False, float_format="%.5f")


def compare(folder: Path, programs: dict[str, list[str]], rounds: int) -> None:
    """Prints the median processor time of each program, and its ratio to the first."""
    installed = {name: program for name, program in programs.items() if name == "dlreg" or find_spec(name)}
    times: dict[str, list[float]] = {name: [] for name in installed}
    for _ in range(rounds):
        for name, program in installed.items():
            times[name].append(processor_time(folder, program))
    ours = statistics.median(times["dlreg"])
    for name in programs:
        median = statistics.median(times[name]) if name in times else None
        print(f"{name:8} {f'{median:6.2f} s {median / ours:6.2f}' if median else 'is not installed'}")


def processor_time(folder: Path, arguments: list[str]) -> float:
    """User and system seconds of a program."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
    subprocess.run([sys.executable, *arguments], cwd=folder, env=environment, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
