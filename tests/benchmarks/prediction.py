"""Times `dlreg predict` from standard input to standard output against Keras's `predict` from the same CSV.

    python tests/benchmarks/prediction.py [ROWS]        # a million by default

Prints seconds and peak memory of both. Keras's side is what one writes by hand: `pandas.read_csv`, scale,
`model.predict`, `to_csv`.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).parents[2]
BLOCK = 500_000
KERAS = """
import keras, pandas as pd
model = keras.saving.load_model("run/model.keras")
table = pd.read_csv("new.csv", dtype="float32")
scaled = (table - table.mean()) / table.std()
pd.DataFrame({"y_pred": model.predict(scaled.to_numpy(), verbose=0)[:, 0]}).to_csv("keras.csv")
"""


def main() -> None:
    n_rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_table(folder / "train.csv", 10_000)
        (folder / "config.yaml").write_text("data: {path: train.csv, target: y}\ntraining: {epochs: 2}\n")
        run(folder, ["-m", "dlreg", "train", "config.yaml", "--run-dir", "run", "--quiet"])
        write_table(folder / "new.csv", n_rows, with_target=False)
        size = (folder / "new.csv").stat().st_size
        print(f"{n_rows:,} rows of 8 numbers, {size / 1e6:,.0f} MB of CSV")
        ours = run(folder, ["-m", "dlreg", "predict", "run"], folder / "new.csv", folder / "ours.csv")
        theirs = run(folder, ["-c", KERAS])
        for who, (seconds, megabytes) in {"dlreg predict": ours, "Keras": theirs}.items():
            print(f"{who:14} {seconds:7.1f} s   {megabytes:7,.0f} MB")
        print(f"Keras takes {theirs[0] / ours[0]:.1f} times as long")


def write_table(path: Path, n_rows: int, *, with_target: bool = True) -> None:
    generator = np.random.default_rng(0)
    with path.open("w") as file:
        for start in range(0, n_rows, BLOCK):
            x = generator.normal(size=(min(BLOCK, n_rows - start), 8))
            table = pd.DataFrame(x, columns=[*"abcdefgh"])
            if with_target:
                table["y"] = np.sin(2 * x[:, 0]) + x[:, 1] * x[:, 2]
            table.to_csv(file, index=False, header=start == 0, float_format="%.6f")


def run(folder: Path, arguments: list[str], stdin: Path | None = None, stdout: Path | None = None):
    """Seconds and peak megabytes of a program."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
    began = time.perf_counter()
    with Path(stdin or os.devnull).open("rb") as source, Path(stdout or os.devnull).open("wb") as target:
        process = subprocess.Popen(
            [sys.executable, *arguments], cwd=folder, env=environment, stdin=source, stdout=target
        )
        _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{arguments} ended with {os.waitstatus_to_exitcode(status)}")
    return time.perf_counter() - began, usage.ru_maxrss / 1e3


if __name__ == "__main__":
    main()
