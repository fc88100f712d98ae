"""Measures the peak memory of `dlreg train` on a CSV of a gigabyte against what is promised of it.

    python tests/benchmarks/memory.py [MEGABYTES]

The promise: three times the table as a float32 array, and 1.2 GB for the libraries.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).parents[2]
BLOCK = 200_000


def main() -> None:
    megabytes = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        n_rows = write_table(folder / "table.csv", megabytes * 1_000_000)
        (folder / "config.yaml").write_text(
            "data: {path: table.csv, target: y}\ntraining: {epochs: 2, batch_size: 4096}\n"
        )
        command = [sys.executable, "-m", "dlreg", "train", "config.yaml", "--run-dir", "run", "--quiet"]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        process = subprocess.Popen(command, cwd=folder, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
        if status:
            raise SystemExit("training failed")
    array = n_rows * 8 * 4 / 1e6
    print(f"{megabytes:,} MB of CSV, {n_rows:,} rows of 8 features: {array:,.0f} MB as float32")
    print(f"peak {usage.ru_maxrss / 1e3:,.0f} MB, promised {3 * array + 1200:,.0f} MB")


def write_table(path: Path, size: int) -> int:
    """Writes a CSV of about so many bytes and returns its rows."""
    generator = np.random.default_rng(0)
    n_rows = 0
    with path.open("w") as file:
        while file.tell() < size:
            x = generator.normal(size=(BLOCK, 8))
            y = np.sin(2 * x[:, :1]) + x[:, 1:2] * x[:, 2:3] + generator.normal(0, 0.1, (BLOCK, 1))
            table = pd.DataFrame(np.hstack([x, y]), columns=[*"abcdefgh", "y"])
            table.to_csv(file, index=False, header=n_rows == 0, float_format="%.6f")
            n_rows += BLOCK
    return n_rows


if __name__ == "__main__":
    main()
