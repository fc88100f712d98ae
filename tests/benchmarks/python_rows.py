"""Times one warm row through `dlreg.load(run).predict` beside a bare ONNX Runtime session of the same file.

    python tests/benchmarks/python_rows.py

Prints microseconds, the median of many calls, for eight numbers and for the rides (a date, a category, true
and false, numbers with gaps), both with hidden layers [64, 64]; and the seconds of `import dlreg`, of
`import tensorflow`, and of the first and the second fit of an estimator.
"""

import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import pandas as pd

import dlreg

ROOT = Path(__file__).parents[2]
CALLS = 500


def main() -> None:
    warnings.simplefilter("ignore", dlreg.DlregWarning)
    generator = np.random.default_rng(0)
    numbers = pd.DataFrame(generator.normal(size=(2000, 8)), columns=[*"abcdefgh"])
    numbers["y"] = np.sin(numbers["a"]) + numbers["b"] * numbers["c"]
    rides = pd.read_csv(ROOT / "data" / "rides.csv")
    for module in ("dlreg", "tensorflow"):
        print(f"import {module:27}{import_seconds(module) * 1e3:9.1f} ms")
    with tempfile.TemporaryDirectory() as name:
        for title, frame, target in (("eight numbers", numbers, "y"), ("rides", rides, "minutes")):
            time_rows(Path(name), title, frame, target)
    for number in ("first", "second"):
        began = time.perf_counter()
        dlreg.Regressor(epochs=20, hidden_layers=(32, 32)).fit(numbers.drop(columns="y"), numbers["y"])
        print(f"{number + ' fit of 20 epochs':34}{time.perf_counter() - began:9.2f} s")


def import_seconds(module: str) -> float:
    """The least of three imports, without the start of Python."""
    code = f"import time; began = time.perf_counter(); import {module}; print(time.perf_counter() - began)"
    runs = [subprocess.run([sys.executable, "-c", code], check=True, capture_output=True) for _ in range(3)]
    return min(float(done.stdout) for done in runs)


def time_rows(folder: Path, title: str, frame: pd.DataFrame, target: str) -> None:
    frame.to_csv(folder / f"{title}.csv", index=False)
    config = {"data": {"path": str(folder / f"{title}.csv"), "target": target}, "training": {"epochs": 2}}
    run = dlreg.train(config, run_dir=folder / title)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(run.path / "pipeline.onnx", options)
    first = frame.drop(columns=target).iloc[:1]
    row = first.iloc[0].to_dict()
    cells = {
        column.name: np.array(
            [[row[column.name] if column.type == "tensor(double)" else str(row[column.name])]],
            dtype=np.float64 if column.type == "tensor(double)" else object,
        )
        for column in session.get_inputs()
    }
    # The batch is as long as dlreg makes it, so that a row's prediction depends on no other.
    cells = {name: np.repeat(cell, 4, axis=0) for name, cell in cells.items()}
    calls = {
        "bare ONNX Runtime session": lambda: session.run(None, cells),
        "run.predict(mapping)": lambda: run.predict(row),
        "run.predict(mapping, interval=0.9)": lambda: run.predict(row, interval=0.9),
        "run.predict(data frame of one row)": lambda: run.predict(first),
    }
    for name, microseconds in medians(calls).items():
        print(f"{title:16}{name:36}{microseconds:9.1f} us")


def medians(calls: dict[str, Callable[[], object]]) -> dict[str, float]:
    """The median of single calls, in turn: whatever else the machine does meanwhile meets few of them."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(CALLS):
        for name, call in calls.items():
            # The first one of a row meets caches that others have used.
            call()
            began = time.perf_counter()
            call()
            times[name].append((time.perf_counter() - began) * 1e6)
    return {name: statistics.median(values) for name, values in times.items()}


if __name__ == "__main__":
    main()
