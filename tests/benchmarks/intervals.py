"""Compares the prediction intervals of a preset with conformalized quantile regression by CatBoost.

    pip install '.[bench]'
    python tests/benchmarks/intervals.py FOLDER --tables yacht,insurance --splits s0

FOLDER is as `accuracy.py` has it. Each run is trained and predicts its test rows through the command line; on the
same rows stand CatBoost's quantiles at 5 and 95%, at the library's defaults, fitted on three quarters of the training
rows and widened (or narrowed) to hold 90% of the last one (Romano, Patterson and Candès, Conformalized Quantile
Regression, 2019). The interval score is the mean width and twenty times the mean distance of what lies outside
(Gneiting and Raftery, 2007); a ratio below 1 means that dlreg is better. *worst* is the least coverage of four groups of
as many rows, divided by what is predicted.
"""

import argparse
import math
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from accuracy import data_keys, peer_features, print_line, read_table, tables_of

LEVEL, N_GROUPS = 0.9, 4
COLUMNS = ("score ratio", "coverage", "worst", "width", "CatBoost", "its worst")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder")
    parser.add_argument("--tables", help="names, joined by commas; default all")
    parser.add_argument("--splits", default="s0,s1,s2")
    parser.add_argument("--preset", default="accurate")
    options = parser.parse_args()
    folder = Path(options.folder)
    names = options.tables.split(",") if options.tables else sorted(tables_of(folder))
    print_line("table", "split", COLUMNS)
    figures = defaultdict(list)
    for name in names:
        for split in options.splits.split(","):
            figures[name].append(measure(folder, name, split, options.preset))
            print_line(name, split, figures[name][-1])
    means = [[mean_of(values) for values in zip(*lines, strict=True)] for lines in figures.values()]
    print_line("all tables", "", [mean_of(values) for values in zip(*means, strict=True)])


def measure(folder: Path, name: str, split: str, preset: str) -> list[float]:
    """The figures of one table and split, in the order of `COLUMNS`."""
    table, is_test = read_table(folder, name, split)
    keys = data_keys(table, name)
    y = table[keys["target"]].astype(float).to_numpy()
    predicted = predict(table[~is_test], table[is_test], keys, preset)
    features = peer_features(table, name)
    peer = quantiles_of_catboost(features[~is_test], y[~is_test], features[is_test])
    bounds = predicted["y_lower"].to_numpy(), predicted["y_upper"].to_numpy()
    order = np.argsort(predicted["y_pred"].to_numpy(), kind="stable")
    own, other = (held(y[is_test], *ends, order) for ends in (bounds, peer))
    ratio = interval_score(y[is_test], *bounds) / interval_score(y[is_test], *peer)
    return [ratio, *own, float(np.mean(bounds[1] - bounds[0]) / np.mean(peer[1] - peer[0])), *other]


def predict(train: pd.DataFrame, test: pd.DataFrame, keys: dict[str, Any], preset: str) -> pd.DataFrame:
    """The test rows with their bounds, as `dlreg predict --interval` writes them."""
    with tempfile.TemporaryDirectory() as work:
        for rows, file in ((train, "train.csv"), (test, "test.csv")):
            rows.to_csv(Path(work) / file, index=False)
        config = {"preset": preset, "data": {"path": "train.csv", "test_path": "test.csv", **keys}}
        (Path(work) / "config.yaml").write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")
        for command in (
            ["train", "config.yaml", "--run-dir", "run", "--quiet"],
            ["predict", "run", "test.csv", "--interval", str(LEVEL), "-o", "predicted.csv"],
        ):
            subprocess.run(
                [sys.executable, "-m", "dlreg", *command], cwd=work, check=True, capture_output=True
            )
        return pd.read_csv(Path(work) / "predicted.csv")


def quantiles_of_catboost(
    x: pd.DataFrame, y: np.ndarray, x_test: pd.DataFrame
) -> tuple[np.ndarray, np.ndarray]:
    """The lower and upper bounds of the test rows."""
    from catboost import CatBoostRegressor

    is_fitted = np.random.default_rng(0).permutation(len(y)) < 0.75 * len(y)

    def quantile(level: float) -> Any:
        model = CatBoostRegressor(
            loss_function=f"Quantile:alpha={level}",
            cat_features=list(x.select_dtypes("category")),
            thread_count=1,
            verbose=False,
            allow_writing_files=False,
        )
        return model.fit(x[is_fitted], y[is_fitted])

    low, high = (quantile(level) for level in ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
    rest = y[~is_fitted]
    missed = np.sort(np.maximum(low.predict(x[~is_fitted]) - rest, rest - high.predict(x[~is_fitted])))
    more = missed[min(math.ceil((len(rest) + 1) * LEVEL), len(rest)) - 1]
    lower, upper = low.predict(x_test) - more, high.predict(x_test) + more
    # Quantiles may cross.
    return np.minimum(lower, (lower + upper) / 2), np.maximum(upper, (lower + upper) / 2)


def interval_score(y: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> float:
    outside = np.maximum(lower - y, 0) + np.maximum(y - upper, 0)
    return float(np.mean(upper - lower + 2 / (1 - LEVEL) * outside))


def held(y: np.ndarray, lower: np.ndarray, upper: np.ndarray, order: np.ndarray) -> tuple[float, float]:
    """The coverage of all rows, and that of the worst group."""
    is_held = (lower <= y) & (y <= upper)
    return float(is_held.mean()), min(float(is_held[rows].mean()) for rows in np.array_split(order, N_GROUPS))


def mean_of(values: Any) -> float:
    """The geometric mean; of coverages, which are near 1, hardly another than the plain one."""
    return math.exp(statistics.mean(math.log(max(value, 1e-9)) for value in values))


if __name__ == "__main__":
    main()
