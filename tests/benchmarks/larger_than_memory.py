"""Measures training from disk: peak memory and CPU by rows, an epoch, and errors, against training in memory.

    python tests/benchmarks/larger_than_memory.py memory [--rows 1000000 4000000 16000000]
    python tests/benchmarks/larger_than_memory.py epoch [--rows 4000000] [--rounds 5]
    python tests/benchmarks/larger_than_memory.py errors [--rows 20000] [--rounds 10]

`memory` trains two epochs of each size, and again with the rows that were kept; `epoch` takes the difference
of trainings of 2 and of 8 epochs, from disk and in memory in turn; `errors` measures runs of as many seeds on
the same further rows, of input as it was drawn and sorted by the target.
"""

import argparse
import json
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

from measured import Usage, make_numbers, measure, write_numbers

CONFIG = "data: {path: table.csv, target: y}\ntraining: {epochs: 2, batch_size: 256}\n"
CACHES = ("kept", "memory")
FEW_EPOCHS, MORE_EPOCHS = 2, 8
EPOCHS_FOR_ERRORS = 30


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=MEASURES)
    parser.add_argument("--rows", type=int, nargs="+")
    parser.add_argument("--rounds", type=int)
    given = parser.parse_args()
    run, rows, rounds = MEASURES[given.what]
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "config.yaml").write_text(CONFIG)
        run(Path(name), given.rows or rows, given.rounds or rounds)


def measure_memory(folder: Path, rows: list[int], rounds: int) -> None:
    script = "from dlreg.cli.importing import quiet_import\nwith quiet_import(): import dlreg.commands.train"
    imports = measure([sys.executable, "-c", script], folder)
    print(f"imports alone: {imports.cpu:.1f} s of CPU, peak {imports.peak:,.0f} MB")
    for n_rows in rows:
        write_numbers(folder / "table.csv", n_rows)
        for _ in range(rounds):
            shutil.rmtree(folder / "kept", ignore_errors=True)
            for how in ("from the CSV", "with what is kept"):
                used = train(folder, "data.cache=kept")
                print(
                    f"{n_rows:>12,} rows, {how:17}: {used.wall:7.1f} s, {used.cpu:7.1f} s of CPU, peak "
                    f"{used.peak:,.0f} MB, {used.peak - imports.peak:,.0f} over the imports",
                    flush=True,
                )


def measure_epoch(folder: Path, rows: list[int], rounds: int) -> None:
    for n_rows in rows:
        write_numbers(folder / "table.csv", n_rows)
        shutil.rmtree(folder / "kept", ignore_errors=True)
        train(folder, "data.cache=kept")
        epochs: dict[str, list[Usage]] = {cache: [] for cache in CACHES}
        for _ in range(rounds):
            for cache in CACHES:
                few, more = (
                    train(folder, f"data.cache={cache}", f"training.epochs={n}")
                    for n in (FEW_EPOCHS, MORE_EPOCHS)
                )
                differences = (b - a for a, b in zip(few, more, strict=True))
                epochs[cache].append(Usage(*(d / (MORE_EPOCHS - FEW_EPOCHS) for d in differences)))
        disk, memory = (Usage(*map(statistics.median, zip(*epochs[cache], strict=True))) for cache in CACHES)
        print(f"{n_rows:,} rows, an epoch, medians of {rounds} in turn")
        print(
            f"wall: {disk.wall:.2f} s from disk, {memory.wall:.2f} in memory, {disk.wall / memory.wall:.2f} x"
        )
        print(f"CPU:  {disk.cpu:.2f} s from disk, {memory.cpu:.2f} in memory, {disk.cpu / memory.cpu:.2f} x")


def measure_errors(folder: Path, rows: list[int], rounds: int) -> None:
    for n_rows in rows:
        table = make_numbers(n_rows)
        make_numbers(20_000, seed=1).to_csv(folder / "test.csv", index=False)
        for order, given in {"as drawn": table, "sorted": table.sort_values("y")}.items():
            given.to_csv(folder / "table.csv", index=False)
            errors: dict[str, list[float]] = {cache: [] for cache in CACHES}
            for seed in range(rounds):
                for cache in CACHES:
                    keys = [f"data.cache={cache}", "data.test_path=test.csv", "data.test_split=null"]
                    train(folder, *keys, f"training.epochs={EPOCHS_FOR_ERRORS}", f"training.seed={seed}")
                    metrics = json.loads((folder / "run" / "metrics.json").read_text())
                    errors[cache].append(metrics["test"]["rmse"])
            shown = ", ".join(
                f"{name} {statistics.mean(values):.4f} ± {statistics.stdev(values):.4f}"
                for name, values in zip(("from disk", "in memory"), errors.values(), strict=True)
            )
            differences = [disk - memory for disk, memory in zip(*errors.values(), strict=True)]
            mean, error = statistics.mean(differences), statistics.stdev(differences) / rounds**0.5
            print(
                f"{n_rows:,} rows {order}, test RMSE of {rounds} seeds: {shown}; apart by {mean:+.4f} ± {error:.4f}"
            )


def train(folder: Path, *keys: str) -> Usage:
    options = [option for key in keys for option in ("--set", key)]
    command = [
        sys.executable,
        "-m",
        "dlreg",
        "train",
        "config.yaml",
        "--run-dir",
        "run",
        "--overwrite",
        *options,
    ]
    return measure([*command, "--quiet"], folder)


# What is run, for how many rows and how often.
MEASURES = {
    "memory": (measure_memory, [10**6, 4 * 10**6, 16 * 10**6], 1),
    "epoch": (measure_epoch, [4 * 10**6], 5),
    "errors": (measure_errors, [20_000], 10),
}

if __name__ == "__main__":
    main()
