"""Trains AutoGluon on the tables of `accuracy.py` and writes its test RMSE in the form of `peers.csv`.

    python -m venv autogluon && autogluon/bin/pip install 'autogluon.tabular[all]'
    taskset -c 0 autogluon/bin/python tests/benchmarks/autogluon_peer.py FOLDER --splits s0 > autogluon.csv
    python tests/benchmarks/accuracy.py FOLDER --splits s0 --also autogluon.csv

By `good_quality` and 60 seconds a table, on the cores that it is pinned to. It has an environment of its own, as its
packages are of other versions. Dates are read by their format; all else AutoGluon makes of the table itself.
"""

import argparse
import csv
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from accuracy import DATES, data_keys, read_table, tables_of
from autogluon.tabular import TabularPredictor


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tables", help="names, joined by commas; default all")
    parser.add_argument("--splits", default="s0,s1,s2")
    parser.add_argument("--quality", default="good_quality", help="AutoGluon's presets")
    parser.add_argument("--seconds", type=int, default=60)
    options = parser.parse_args()
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(["dataset", "method", "split", "rmse", "seconds"])
    for name in options.tables.split(",") if options.tables else sorted(tables_of(options.folder)):
        for split in options.splits.split(","):
            rmse, seconds = measure(options.folder, name, split, options.quality, options.seconds)
            writer.writerow([name, "autogluon", split[1:], f"{rmse:.6g}", f"{seconds:.1f}"])
            sys.stdout.flush()


def measure(folder: Path, name: str, split: str, quality: str, time_limit: int) -> tuple[float, float]:
    """The test RMSE, and the seconds of fitting."""
    table, is_test = read_table(folder, name, split)
    keys = data_keys(table, name)
    target = keys["target"]
    frame = features_of(table.drop(columns=keys.get("exclude", [])), DATES.get(name, {}))
    frame[target] = frame[target].astype(float)
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as work:
        predictor = TabularPredictor(target, problem_type="regression", path=work, verbosity=0)
        cores = len(os.sched_getaffinity(0))
        # Side by side, each fold would import its packages anew, which takes all the time that there is.
        one_by_one = {"fold_fitting_strategy": "sequential_local"}
        predictor.fit(
            frame[~is_test],
            presets=quality,
            time_limit=time_limit,
            num_cpus=cores,
            ag_args_ensemble=one_by_one if cores == 1 else None,
        )
        seconds = time.perf_counter() - began
        y_pred = predictor.predict(frame[is_test].drop(columns=target))
    return float(np.sqrt(np.mean((y_pred - frame.loc[is_test, target]) ** 2))), seconds


def features_of(table: pd.DataFrame, dates: dict[str, str]) -> pd.DataFrame:
    """Each column as numbers, dates or texts, whatever all of its cells are."""
    columns = {}
    for column in table:
        cells = table[column].replace("", None)
        numbers = pd.to_numeric(cells, errors="coerce")
        if column in dates:
            columns[column] = pd.to_datetime(cells, format=dates[column])
        else:
            columns[column] = numbers if numbers.notna().sum() == cells.notna().sum() else cells
    return pd.DataFrame(columns)


if __name__ == "__main__":
    main()
