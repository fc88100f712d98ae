"""What a search with its default space buys: the test RMSE of the best config over that of the config's own values.

    python tests/benchmarks/search_accuracy.py FOLDER                         # every table, 60 trials each
    python tests/benchmarks/search_accuracy.py FOLDER --tables yacht,energy --splits s0 --trials 20
    python tests/benchmarks/search_accuracy.py FOLDER --preset standard

FOLDER is that of accuracy.py: tables, each beside a `NAME.splits.csv` with one 0/1 column per split, 1 for a test
row. Every table is searched by `dlreg tune` from a config of a preset, a target and nothing else that concerns
the training; the test rows of the split are a file of their own, which the search does not look at. A ratio
below 1 means that the search has found something better; it is 1 where the config's own values were the best.
The ratio of a table is the geometric mean over its splits. `chosen by` is the same ratio in the metric that the
search goes by: what it promised.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import geometric_mean
from typing import Any

import yaml

sys.path.insert(0, str(Path(__file__).parent))

from accuracy import data_keys, read_table, tables_of

# What is measured anew with other seeds goes up and down by as much.
WORSE = 1.02


def main() -> None:
    options = parse_options()
    folder = Path(options.folder)
    names = options.tables.split(",") if options.tables else sorted(tables_of(folder))
    print(
        f"{'table':14}{'split':>6}{'own values':>12}{'tuned':>12}{'ratio':>8}{'chosen by':>11}{'seconds':>9}"
    )
    ratios = {}
    for name in names:
        of_table = []
        for split in options.splits.split(","):
            own, tuned, chosen_by, seconds = measure(folder, name, split, options)
            of_table.append(tuned / own)
            print(
                f"{name:14}{split:>6}{own:12.4g}{tuned:12.4g}{tuned / own:8.3f}{chosen_by:11.3f}{seconds:9.0f}",
                flush=True,
            )
        ratios[name] = geometric_mean(of_table)
    print(*summary(ratios), sep="\n")


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder")
    parser.add_argument("--tables", help="names, joined by commas; default all")
    parser.add_argument("--splits", default="s0,s1,s2")
    parser.add_argument("--preset", default="accurate")
    parser.add_argument("--trials", type=int, default=60)
    parser.add_argument("--jobs", type=int, default=1, help="trials at a time")
    parser.add_argument(
        "--search", action="append", default=[], metavar="KEY=…", help="in place of the default"
    )
    return parser.parse_args()


def measure(
    folder: Path, name: str, split: str, options: argparse.Namespace
) -> tuple[float, float, float, float]:
    """The test RMSE of the config's own values and of the best; that of the metric chosen by; the seconds."""
    table, is_test = read_table(folder, name, split)
    with tempfile.TemporaryDirectory() as work:
        table[~is_test].to_csv(Path(work) / "train.csv", index=False)
        table[is_test].to_csv(Path(work) / "test.csv", index=False)
        data = {"path": "train.csv", "test_path": "test.csv", **data_keys(table, name)}
        (Path(work) / "config.yaml").write_text(yaml.safe_dump({"preset": options.preset, "data": data}))
        searches = [f"--search={search}" for search in options.search]
        command = [sys.executable, "-m", "dlreg", "tune", "config.yaml", "--study", "study", *searches]
        command += ["--trials", str(options.trials), "--jobs", str(options.jobs), "--json"]
        began = time.perf_counter()
        subprocess.run(command, cwd=work, check=True, capture_output=True, env=os.environ)
        seconds = time.perf_counter() - began
        best, own = (metrics_of(Path(work) / "study" / run) for run in ("best", "plain"))
    own = own or best
    part = "out_of_fold" if "out_of_fold" in best else "validation"
    return own["test"]["rmse"], best["test"]["rmse"], best[part]["rmse"] / own[part]["rmse"], seconds


def metrics_of(run: Path) -> dict[str, Any]:
    """The metrics of a run; none where there is no run, as the config's own values were the best."""
    path = run / "metrics.json"
    return json.loads(path.read_text()) if path.exists() else {}


def summary(ratios: Mapping[str, float]) -> Iterator[str]:
    better = sum(ratio < 1 for ratio in ratios.values())
    worse = [name for name, ratio in ratios.items() if ratio > WORSE]
    yield f"\ngeometric mean of {len(ratios)} tables: {geometric_mean(ratios.values()):.3f}"
    yield f"better on {better}, worse by more than {WORSE - 1:.0%} on {len(worse)} {' '.join(worse)}".rstrip()


if __name__ == "__main__":
    main()
