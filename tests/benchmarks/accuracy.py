"""Trains one run per real table and split through the command line and compares it with its peers.

    pip install '.[bench]'
    python tests/benchmarks/accuracy.py FOLDER                       # every table, peers of FOLDER/peers.csv
    python tests/benchmarks/accuracy.py FOLDER --peers run           # train the peers here, too
    python tests/benchmarks/accuracy.py FOLDER --tables yacht,insurance --splits s0 --set training.seed=1

FOLDER holds folders of tables, `uci/NAME.csv` (target `y`), `mixed/NAME.csv` and `more/NAME.csv`, each beside a
`NAME.splits.csv` with one 0/1 column per split, 1 for a test row; and `peers.csv`, the peers' test RMSE by
`dataset`, `method` and `split`. Nothing is tuned per table: every run has the same config but for its paths,
its target, the columns to leave out and the format of a date.

Each training is pinned to one core. `seconds` is the whole command's wall time; `beyond` is without what a
bare `import tensorflow` takes, measured first on the same core. A ratio below 1 means that dlreg is better.
The mean of a column is the geometric mean over tables of the geometric mean over each table's splits, so
that a table counts once however many splits it has. The best peer of a table is the one whose mean over the
table's splits is best, known only afterwards.
"""

import argparse
import csv
import json
import math
import os
import queue
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

# The keys of `data` that a mixed table needs; those of the UCI tables have the target y and nothing else.
MIXED: Mapping[str, dict[str, Any]] = {
    "advertising": {"target": "Sales"},
    "bike_sharing": {"target": "cnt", "exclude": ["instant", "casual", "registered"]},
    "boston": {"target": "medv"},
    "carseats": {"target": "Sales"},
    "housing": {"target": "median_house_value"},
    "insurance": {"target": "charges"},
    "seoulbike_na": {"target": "Rented Bike Count", "dates": {"Date": "%d/%m/%Y"}},
}
MORE: Mapping[str, dict[str, Any]] = {
    "gapminder": {"target": "life_expectancy"},
    "hotel_rates": {"target": "avg_price_per_room", "exclude": ["arrival_date_num"]},
    "loans": {
        "target": "interest_rate",
        "exclude": [
            "emp_title", "installment", "grade", "sub_grade", "loan_status", "balance", "paid_total",
            "paid_principal", "paid_interest", "paid_late_fees", "issue_month",
        ],
    },
}  # fmt: skip
# Columns of dates for the peers, which read none themselves; dlreg finds them where no format is needed.
DATES = {"bike_sharing": {"dteday": "%Y-%m-%d"}, "seoulbike_na": {"Date": "%d/%m/%Y"}}
COMPARED = {
    "cat": "CatBoost",
    "lgbm_es": "LightGBM-ES",
    "xgb": "XGBoost",
    "realmlp": "RealMLP",
    "autogluon": "AutoGluon",
}
COLUMNS = ("rmse", "held out", *COMPARED.values(), "best peer", "cover90", "width", "seconds", "beyond")

Result = dict[str, Any]


def main() -> None:
    options = parse_options()
    folder, splits = Path(options.folder), options.splits.split(",")
    names = options.tables.split(",") if options.tables else sorted(tables_of(folder))
    cores: queue.Queue[int] = queue.Queue()
    for core in options.cores or sorted(os.sched_getaffinity(0))[: options.jobs]:
        cores.put(core)

    def on_a_core(work: Callable[..., Any], *arguments: Any) -> Any:
        core = cores.get()
        try:
            # Of this thread alone; the command it starts inherits it.
            os.sched_setaffinity(0, {core})
            return work(*arguments)
        finally:
            cores.put(core)

    peers = read_peers(folder / "peers.csv") if options.peers == "csv" else {}
    for key, others in read_peers(Path(options.also)).items() if options.also else ():
        peers.setdefault(key, {}).update(others)
    results: list[Result] = []
    with ThreadPoolExecutor(options.jobs) as pool:
        bare = pool.submit(on_a_core, seconds_of_import).result()
        print(f"a bare import of tensorflow takes {bare:.1f} s")
        print_line("table", "split", COLUMNS)
        jobs = [
            pool.submit(on_a_core, measure, folder, name, split, options, peers.get((name, split[1:])), bare)
            for name in names
            for split in splits
        ]
        for job in as_completed(jobs):
            results.append(job.result())
            show(results[-1])
            if options.output:
                write_csv(Path(options.output), results)
    summarise(results)


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder")
    parser.add_argument("--tables", help="names, joined by commas; default all")
    parser.add_argument("--splits", default="s0,s1,s2")
    parser.add_argument("--preset", default="accurate")
    parser.add_argument("--set", dest="overrides", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--peers", choices=("none", "csv", "run"), default="csv")
    parser.add_argument("--also", metavar="CSV", help="further peers, in the form of peers.csv")
    parser.add_argument("--jobs", type=int, default=1, help="trainings at a time, each on a core of its own")
    parser.add_argument("--cores", type=lambda text: [int(core) for core in text.split(",")])
    parser.add_argument("--output", metavar="CSV", help="every figure, a line per table and split")
    parser.add_argument("--keep", metavar="FOLDER", help="keep the run directories here, as TABLE-SPLIT")
    options = parser.parse_args()
    if options.cores and len(options.cores) < options.jobs:
        parser.error("--cores names fewer cores than --jobs")
    return options


def tables_of(folder: Path) -> list[str]:
    return [path.name.removesuffix(".splits.csv") for path in folder.glob("*/*.splits.csv")]


def read_table(folder: Path, name: str, split: str) -> tuple[pd.DataFrame, np.ndarray]:
    """The cells of a table, as text so that they are written as they were read, and which rows are to test on."""
    (path,) = folder.glob(f"*/{name}.csv")
    is_test = pd.read_csv(path.with_suffix(".splits.csv"))[split].to_numpy() == 1
    return pd.read_csv(path, dtype=str, keep_default_na=False), is_test


def data_keys(table: pd.DataFrame, name: str) -> dict[str, Any]:
    """The keys of `data` that a table needs, without columns to leave out that it does not have."""
    keys = {**MIXED, **MORE}.get(name, {"target": "y"})
    known = [column for column in keys.get("exclude", ()) if column in table]
    return {**keys, "exclude": known} if known else {key: keys[key] for key in keys if key != "exclude"}


def seconds_of_import() -> float:
    times = []
    for _ in range(3):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", "import tensorflow"], check=True, capture_output=True)
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def measure(
    folder: Path,
    name: str,
    split: str,
    options: argparse.Namespace,
    peers: Mapping[str, float] | None,
    bare: float,
) -> Result:
    """One training: its figures, beside the peers' on the same rows."""
    table, is_test = read_table(folder, name, split)
    keys = data_keys(table, name)
    with tempfile.TemporaryDirectory() as work:
        result = {"table": name, "split": split, "rows": int((~is_test).sum())}
        result |= train(Path(work), table[~is_test], table[is_test], keys, options)
        if options.keep:
            shutil.copytree(Path(work) / "run", Path(options.keep) / f"{name}-{split}", dirs_exist_ok=True)
    if options.peers == "run":
        y = table[keys["target"]].astype(float)
        peers = {**(peers or {}), **train_peers(peer_features(table, name), y, is_test)}
    ratios = {method: result["rmse"] / rmse for method, rmse in (peers or {}).items()}
    return {**result, "beyond": result["seconds"] - bare, "ratios": ratios}


def train(
    work: Path, train: pd.DataFrame, test: pd.DataFrame, keys: dict[str, Any], options: argparse.Namespace
) -> Result:
    train.to_csv(work / "train.csv", index=False)
    test.to_csv(work / "test.csv", index=False)
    config = {"preset": options.preset, "data": {"path": "train.csv", "test_path": "test.csv", **keys}}
    (work / "config.yaml").write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")
    command = [sys.executable, "-m", "dlreg", "train", "config.yaml", "--run-dir", "run", "--quiet"]
    command += [argument for override in options.overrides for argument in ("--set", override)]
    began = time.perf_counter()
    done = subprocess.run(command, cwd=work, capture_output=True, text=True)
    seconds = time.perf_counter() - began
    if done.returncode:
        raise SystemExit(f"training ended with {done.returncode}: {done.stderr}")
    metrics, record = (
        json.loads((work / "run" / file).read_bytes()) for file in ("metrics.json", "run.json")
    )
    held_out = metrics.get("out_of_fold") or metrics["validation"] or {}
    measured = metrics["test"]
    return {
        "rmse": measured["rmse"],
        "held out": held_out.get("rmse"),
        "cover90": measured.get("coverage_90"),
        "width": relative_width(work / "run", measured.get("width_90")),
        "seconds": seconds,
        "epochs": record["epochs"],
        "parameters": record["parameters"],
    }


def relative_width(run: Path, width: float | None) -> float | None:
    """The mean width of the intervals over that of an interval of one width for all rows."""
    if width is None:
        return None
    constant = json.loads((run / "intervals.json").read_bytes())["constant_width_90"]
    return width / constant if constant else None


def read_peers(path: Path) -> dict[tuple[str, str], dict[str, float]]:
    """The RMSE of each method, by table and split."""
    peers: dict[tuple[str, str], dict[str, float]] = {}
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            peers.setdefault((row["dataset"], row["split"]), {})[row["method"]] = float(row["rmse"])
    return peers


def peer_features(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """The inputs as the peers take them: dates in parts, numbers as such, all else as categories."""
    keys, dates = data_keys(table, name), DATES.get(name, {})
    features = {}
    for column in table.columns.drop([keys["target"], *keys.get("exclude", [])]):
        cells = table[column].replace("", None)
        if column in dates:
            date = pd.to_datetime(cells, format=dates[column])
            features[f"{column} days"] = (date - date.min()).dt.days
            for part in ("year", "month", "day_of_week", "day_of_year", "hour"):
                features[f"{column} {part}"] = getattr(date.dt, part)
        else:
            numbers = pd.to_numeric(cells, errors="coerce")
            is_number = numbers.notna().sum() == cells.notna().sum()
            features[column] = numbers.astype(float) if is_number else cells.fillna("").astype("category")
    return pd.DataFrame(features)


def train_peers(x: pd.DataFrame, y: pd.Series, is_test: np.ndarray) -> dict[str, float]:
    """The test RMSE of every peer that is installed, at the library's defaults, on one thread."""
    rmse = {}
    for name, fit in PEERS.items():
        try:
            predicted = fit(x[~is_test], y[~is_test], x[is_test])
        except ImportError as error:
            print(f"{name} left out: {error}", file=sys.stderr)
            continue
        rmse[name] = float(np.sqrt(np.mean((np.asarray(predicted) - y[is_test]) ** 2)))
    return rmse


def fit_catboost(x: pd.DataFrame, y: pd.Series, x_test: pd.DataFrame) -> Any:
    from catboost import CatBoostRegressor

    categories = list(x.select_dtypes("category"))
    model = CatBoostRegressor(
        cat_features=categories, thread_count=1, verbose=False, allow_writing_files=False
    )
    return model.fit(x, y).predict(x_test)


def fit_lightgbm(x: pd.DataFrame, y: pd.Series, x_test: pd.DataFrame) -> Any:
    from lightgbm import LGBMRegressor

    return LGBMRegressor(n_jobs=1, verbose=-1).fit(*plain_names(x, y)).predict(plain_names(x_test)[0])


def fit_lightgbm_early(x: pd.DataFrame, y: pd.Series, x_test: pd.DataFrame) -> Any:
    """The tuned defaults of RealMLP's authors (LGBM-TD), stopped early on a fifth of the rows."""
    from lightgbm import LGBMRegressor, early_stopping

    (x, y), (x_test,) = plain_names(x, y), plain_names(x_test)
    held_out = np.random.default_rng(0).permutation(len(x)) < 0.2 * len(x)
    model = LGBMRegressor(
        n_estimators=1000, learning_rate=0.05, num_leaves=100, min_child_samples=3, min_child_weight=1e-7,
        subsample=0.7, subsample_freq=1, n_jobs=1, verbose=-1, random_state=0,
    )  # fmt: skip
    stop = [early_stopping(300, verbose=False)]
    model.fit(x[~held_out], y[~held_out], eval_X=x[held_out], eval_y=y[held_out], callbacks=stop)
    return model.predict(x_test)


def fit_xgboost(x: pd.DataFrame, y: pd.Series, x_test: pd.DataFrame) -> Any:
    from xgboost import XGBRegressor

    return XGBRegressor(enable_categorical=True, n_jobs=1).fit(x, y).predict(x_test)


def fit_realmlp(x: pd.DataFrame, y: pd.Series, x_test: pd.DataFrame) -> Any:
    from pytabkit import RealMLP_TD_Regressor

    model = RealMLP_TD_Regressor(device="cpu", n_threads=1, random_state=0)
    return model.fit(x, y).predict(x_test)


def plain_names(x: pd.DataFrame, *others: Any) -> tuple[Any, ...]:
    # LightGBM refuses some characters in a column's name.
    return x.set_axis([f"x{number}" for number in range(x.shape[1])], axis=1), *others


PEERS: Mapping[str, Callable[[pd.DataFrame, pd.Series, pd.DataFrame], Any]] = {
    "cat": fit_catboost,
    "lgbm": fit_lightgbm,
    "lgbm_es": fit_lightgbm_early,
    "xgb": fit_xgboost,
    "realmlp": fit_realmlp,
}


def single_models(ratios: Mapping[str, float]) -> dict[str, float]:
    """Those that the best peer is chosen of: AutoGluon chooses among them itself."""
    return {method: ratio for method, ratio in ratios.items() if method != "autogluon"}


def figures(result: Result) -> dict[str, float | None]:
    """What is printed of a training, by column."""
    ratios = {COMPARED[name]: ratio for name, ratio in result["ratios"].items() if name in COMPARED}
    best = max(single_models(result["ratios"]).values(), default=None)
    return {column: {**result, **ratios, "best peer": best}.get(column) for column in COLUMNS}


def show(result: Result) -> None:
    print_line(result["table"], result["split"], figures(result).values())


def print_line(table: str, split: str, values: Iterable[str | float | None]) -> None:
    shown = (
        value if isinstance(value, str) else "–" if value is None else f"{value:.4g}" for value in values
    )
    print(f"{table:13}{split:>6}" + "".join(f"{value:>12}" for value in shown), flush=True)


def write_csv(path: Path, results: list[Result]) -> None:
    methods = sorted({method for result in results for method in result["ratios"]})
    with path.open("w", newline="") as file:
        names = [name for name in results[0] if name != "ratios"]
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*names, *(f"over {method}" for method in methods)])
        for result in sorted(results, key=lambda result: (result["table"], result["split"])):
            ratios = (result["ratios"].get(method) for method in methods)
            writer.writerow([*(result[name] for name in names), *ratios])


def summarise(results: list[Result]) -> None:
    """The means over each table's splits, and over the tables."""
    tables: dict[str, list[Result]] = {}
    for result in sorted(results, key=lambda result: result["table"]):
        tables.setdefault(result["table"], []).append(result)
    lines = {table: mean_figures(of_table) for table, of_table in tables.items()}
    print()
    print_line("means", "", COLUMNS)
    for table, line in lines.items():
        print_line(table, "", line.values())
    without_units = [column for column in COLUMNS if column not in ("rmse", "held out")]
    overall = {column: mean_of(column, (line[column] for line in lines.values())) for column in without_units}
    print_line("all tables", "", (overall.get(column, "") for column in COLUMNS))
    beaten = [line["CatBoost"] < 1 for line in lines.values() if line["CatBoost"] is not None]
    print(f"\nbetter than CatBoost on {sum(beaten)} of {len(beaten)} tables")
    covers = [
        line["cover90"] for result in results for line in [figures(result)] if line["cover90"] is not None
    ]
    if covers:
        print(f"coverage at 0.9: least {min(covers):.3f}, most {max(covers):.3f}")


def mean_figures(results: list[Result]) -> dict[str, float | None]:
    """Over the splits of one table."""
    lines = [figures(result) for result in results]
    means = {column: mean_of(column, (line[column] for line in lines)) for column in COLUMNS}
    methods = {method for result in results for method in single_models(result["ratios"])}
    by_method = [mean_of("", (result["ratios"].get(method) for result in results)) or 0 for method in methods]
    return {**means, "best peer": max(by_method, default=None)}


def mean_of(column: str, values: Iterable[float | None]) -> float | None:
    """The geometric mean of errors and ratios, the plain mean of coverages and seconds."""
    known = [value for value in values if value is not None]
    if not known:
        return None
    if column in ("cover90", "seconds", "beyond"):
        return statistics.mean(known)
    return math.exp(statistics.mean(math.log(value) for value in known))


if __name__ == "__main__":
    main()
