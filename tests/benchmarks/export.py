"""Exports against ONNX Runtime, on real tables: how far apart they are, and how long a row takes.

    python tests/benchmarks/export.py FOLDER [--preset NAME] [--savedmodel] [TABLE…]

FOLDER holds `mixed`, `more` and `uci` with a CSV per table. Each is trained for a few epochs, exported, compiled
without warnings, and asked for every row of the table: as it is, and with cells taken away and levels that
training did not have; the first rows under AddressSanitizer and UndefinedBehaviorSanitizer, too. Differences
are shares of the target's standard deviation. A row's time is that of the quickest of several rounds on one
core, beside that of a bare session of ONNX Runtime that is given the same rows one by one.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import onnxruntime

sys.path.insert(0, str(Path(__file__).parents[1]))

from support.c_programs import CModel, sanitized_predictions

from dlreg.exports.c.model_file import c_source
from dlreg.exports.exported_run import read_exported
from dlreg.runs.trained_run import open_run
from dlreg.table.columns import read_cells
from dlreg.table.csv_format import csv_format_of
from dlreg.table.source import read_table

# The target of each, and what else a config has to say of it.
TARGETS = {
    "mixed/advertising": "Sales", "mixed/carseats": "Sales", "mixed/boston": "medv",
    "mixed/housing": "median_house_value", "mixed/insurance": "charges", "mixed/bike_sharing": "cnt, exclude: [instant, casual, registered]",
    "mixed/seoulbike_na": "Rented Bike Count, dates: {Date: '%d/%m/%Y'}", "more/hotel_rates": "avg_price_per_room",
    "more/loans": "interest_rate", "more/gapminder": "life_expectancy", "uci/boston-uci": "y",
    "uci/concrete": "y", "uci/energy": "y", "uci/wine-red": "y", "uci/yacht": "y",
}  # fmt: skip
SHORT = {
    "standard": "training.epochs=20",
    "fast": "training.auto_steps=64",
    "accurate": "training.auto_steps=64",
}
ROUNDS, TIMED_ROWS, SANITIZED_ROWS = 7, 500, 50
# Loads a SavedModel where there is no dlreg, and predicts.
LOADING = """
import sys, numpy as np, tensorflow as tf
given = np.load(sys.argv[2])
model = tf.saved_model.load(sys.argv[1]).signatures["serving_default"]
cells = {name: tf.constant(cell if cell.dtype == float else np.char.encode(cell, "utf-8")) for name, cell in given.items()}
np.save(sys.argv[3], model(**cells)["y_pred"].numpy()[:, 0])
"""


def dlreg(*arguments: object) -> None:
    """Runs a command; ends with what it says if it fails."""
    done = subprocess.run(
        [sys.executable, "-m", "dlreg", *map(str, arguments)], capture_output=True, text=True
    )
    if done.returncode:
        sys.exit(done.stderr)


def altered(cells: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Cells of which a tenth is taken away, and of texts another tenth is something else, or spelt otherwise."""
    generator, result = np.random.default_rng(7), {}
    for name, column in cells.items():
        column = column.copy()
        fate = generator.random(len(column))
        column[fate < 0.1, 0] = "" if column.dtype == object else np.nan
        if column.dtype == object:
            column[(fate >= 0.1) & (fate < 0.15), 0] = 'never "seen" \\ \u00e9'
            spelt = (fate >= 0.15) & (fate < 0.25)
            column[spelt, 0] = [f" \u3000{text}\t" for text in column[spelt, 0]]
        result[name] = column
    return result


def seconds_per_row(call, n_rows: int) -> float:
    """What a call takes in the quickest round, divided by its rows."""
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        call()
        times.append((time.perf_counter() - began) / n_rows)
    return min(times)


def saved_model_predictions(run: Path, cells: dict[str, np.ndarray], names: dict[str, str]) -> np.ndarray:
    """What the SavedModel of a run predicts in a fresh process."""
    folder = run.parent
    dlreg("export", run, "--format", "savedmodel", "-o", folder / "saved")
    np.savez(folder / "cells.npz", **{
        names[name]: column.astype(str) if column.dtype == object else column for name, column in cells.items()
    })  # fmt: skip
    subprocess.run(
        [sys.executable, "-c", LOADING, folder / "saved", folder / "cells.npz", folder / "y.npy"],
        check=True, capture_output=True, cwd="/", env={"PATH": "/usr/bin", "TF_CPP_MIN_LOG_LEVEL": "3"},
    )  # fmt: skip
    return np.load(folder / "y.npy")


def measure(table: Path, target: str, preset: str, *, savedmodel: bool) -> str:
    """A line of figures of one table."""
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work)
        run, config = folder / "run", folder / "config.yaml"
        config.write_text(f"preset: {preset}\ndata: {{path: {table}, target: {target}}}\n")
        dlreg("train", config, "--run-dir", run, "--set", SHORT[preset])
        trained, exported = open_run(run), read_exported(run)
        source = c_source(exported)
        read = read_table(str(table), csv_format_of(trained.config.data), set(trained.text_columns))
        cells = read_cells(read, trained.columns)
        y = read.frame[exported.target].to_numpy(float)
        spread = float(np.nanstd(y))
        began = time.perf_counter()
        model = CModel(source, trained.pipeline.inputs, folder)
        compiling = time.perf_counter() - began
        apart, expected = [], {}
        for kind, given in (("as it is", cells), ("altered", altered(cells))):
            expected[kind] = trained.pipeline.predict(given)
            predicted = model.predict(given)
            assert (np.isnan(predicted) == np.isnan(expected[kind])).all()
            apart.append(np.nanmax(np.abs(predicted - expected[kind])) / spread)
        first = {name: column[:SANITIZED_ROWS] for name, column in altered(cells).items()}
        clean = sanitized_predictions(source, trained.pipeline.inputs, first, folder)
        apart.append(np.nanmax(np.abs(clean - expected["altered"][:SANITIZED_ROWS])) / spread)
        if savedmodel:
            names = dict(zip(cells, _names(exported), strict=True))
            predicted = saved_model_predictions(run, altered(cells), names)
            apart.append(np.nanmax(np.abs(predicted - expected["altered"])) / spread)
        timed = {name: column[:TIMED_ROWS] for name, column in cells.items()}
        rows = model.rows(timed)
        in_c = seconds_per_row(lambda: model.predict_rows(rows, 20), len(rows) * 20)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(run / "pipeline.onnx", options)
        singles = [{name: column[k : k + 1] for name, column in timed.items()} for k in range(len(rows))]
        in_onnx = seconds_per_row(lambda: [session.run(None, single) for single in singles], len(rows))
        figures = " ".join(f"{share:9.1e}" for share in apart)
    size = f"{len(source) >> 10:,} kB"
    return f"{figures} {in_c * 1e6:9.2f} {in_onnx * 1e6:10.1f} {size:>10} {compiling:6.1f}"


def _names(exported) -> list[str]:
    from dlreg.exports.c.literals import identifiers

    return identifiers(column.name for column in exported.columns)


def main() -> None:
    """Prints a line per table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("tables", nargs="*", default=list(TARGETS))
    parser.add_argument("--preset", choices=list(SHORT), default="standard")
    parser.add_argument("--savedmodel", action="store_true")
    given = parser.parse_args()
    saved = f" {'saved':>9}" if given.savedmodel else ""
    print(
        f"{given.preset:20} {'C':>9} {'altered':>9} {'sanitized':>9}{saved} {'C us/row':>9} {'ONNX us':>10}"
        f" {'file':>10} {'cc s':>6}"
    )
    for table in given.tables:
        path = (given.folder / f"{table}.csv").resolve()
        line = measure(path, TARGETS[table], given.preset, savedmodel=given.savedmodel)
        print(f"{table:20} {line}", flush=True)


if __name__ == "__main__":
    main()
