"""Measures from which skew on `preprocessing.target: log` lowers the validation error.

    python tests/benchmarks/skewed_target.py RESULTS.csv
    python tests/benchmarks/skewed_target.py --summary RESULTS.csv

Generated tables whose target is skewed for different reasons, each by several degrees: signal and noise multiply, a
few things multiply, large things add up, noise alone is skewed, the levels of a category differ in size, counts,
amounts that are often zero; and such in which a few cells are wrong. Trains each as it is and as `ADVICE` says, with
the same rows to train and to validate on, three seeds each, and compares the RMSE on the validation rows in the
target's units. Wrong cells among these rows do not count.
"""

import argparse
import csv
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from advice import SEEDS, train
from generated import Generator, columns

from dlreg.config.reading import load_config
from dlreg.preview.target import choose_logarithm
from dlreg.table.dataset import load_dataset
from dlreg.table.parts import Dataset

# With zeros, `log1p` in place of `log`.
ADVICE: Mapping[str, Sequence[str]] = {
    "log": ("preprocessing.target=log",),
    "log, clipped": ("preprocessing.target=log", "preprocessing.clip_predictions=true"),
    "huber": ("training.loss=huber",),
    "wrong cells missing": (),
}
DEGREES, NOISES, ROWS = (0.6, 1.0, 1.7, 3.0, 6.0), (0.1, 0.5), 500
FIELDS = ("table", "degree", "noise", "said", "seed", "advice", "before", "after")


def signal(x: np.ndarray) -> np.ndarray:
    """About of mean 0 and variance 1."""
    return (x[:, 0] + np.sin(2 * x[:, 1]) + 0.5 * x[:, 2] * x[:, 3]) / 1.35


def multiplied(generator: Generator, x: np.ndarray, degree: float, noise: float) -> np.ndarray:
    return np.exp(degree * (signal(x) + noise * generator.normal(size=len(x))))


def few_factors(generator: Generator, x: np.ndarray, degree: float, noise: float) -> np.ndarray:
    """Such as a price: sizes and rates, some of which are columns as they are."""
    sizes = np.exp(degree / 1.4 * x[:, 0]), np.exp(degree / 1.4 * x[:, 1])
    return sizes[0] * sizes[1] * (1 + noise * generator.random(len(x)))


def sum_of_sizes(generator: Generator, x: np.ndarray, degree: float, noise: float) -> np.ndarray:
    total = sum(np.exp(degree * x[:, column]) for column in range(4))
    return total * (1 + noise * generator.random(len(x)))


def skewed_noise(generator: Generator, x: np.ndarray, degree: float, noise: float) -> np.ndarray:
    return 5 + signal(x).clip(-4) + noise * np.exp(degree * generator.normal(size=len(x)))


def groups(generator: Generator, x: np.ndarray, degree: float, noise: float) -> np.ndarray:
    """The last column says which of five sizes a row has."""
    size = np.exp(degree * (np.floor(5 * (np.tanh(x[:, 4]) + 1) / 2) - 2))
    return size * (3 + signal(x).clip(-2.5) + noise * generator.random(len(x)))


def power(generator: Generator, x: np.ndarray, degree: float, noise: float) -> np.ndarray:
    """Skewed, with noise of one size."""
    y = (1 + np.abs(signal(x))) ** (1 + 2 * degree)
    return (y + noise * np.median(y) * generator.normal(size=len(x))).clip(0.01)


def counts(generator: Generator, x: np.ndarray, degree: float, noise: float) -> np.ndarray:
    rates = np.exp(degree * (1 + signal(x)) + noise * generator.normal(size=len(x)))
    return generator.poisson(rates.clip(max=1e7)).astype(float)


def often_zero(generator: Generator, x: np.ndarray, degree: float, noise: float) -> np.ndarray:
    some = generator.random(len(x)) < 1 / (1 + np.exp(-2 * x[:, 4]))
    return np.where(some, 10 * multiplied(generator, x, degree, noise), 0.0)


def some_zero(generator: Generator, x: np.ndarray, degree: float, noise: float) -> np.ndarray:
    return np.where(generator.random(len(x)) < 0.05, 0.0, 10 * few_factors(generator, x, degree, noise))


def wrong_cells(generator: Generator, x: np.ndarray, degree: float, noise: float) -> np.ndarray:
    """One in a hundred is ten to a million times as large as it should be."""
    y = 10 + 2 * signal(x).clip(-4) + noise * generator.normal(size=len(x))
    return np.where(generator.random(len(x)) < 0.01, y * 10 ** (1 + degree), y)


TABLES: Mapping[str, Callable[[Generator, np.ndarray, float, float], np.ndarray]] = {
    "multiplied": multiplied, "few factors": few_factors, "sum of sizes": sum_of_sizes, "skewed noise": skewed_noise,
    "groups": groups, "power": power, "counts": counts, "often zero": often_zero, "some zero": some_zero,
    "wrong cells": wrong_cells,
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path)
    parser.add_argument("--summary", action="store_true", help="train nothing, tell what RESULTS.csv has")
    options = parser.parse_args()
    if not options.summary:
        with options.results.open("w", newline="") as file:
            writer = csv.DictWriter(file, FIELDS, lineterminator="\n")
            writer.writeheader()
            # Compiled programs stay in a process: after some thousand trainings it would end.
            with get_context("spawn").Pool(1, maxtasksperchild=20) as pool:
                for rows in pool.imap(measure, enumerate(product(DEGREES, TABLES, NOISES))):
                    writer.writerows(rows)
                    file.flush()
    summarise(pd.read_csv(options.results))


def measure(numbered: tuple[int, tuple[float, str, float]]) -> list[dict[str, Any]]:
    """Makes one table, and trains on it as it is and as advised."""
    number, (degree, name, noise) = numbered
    generator = np.random.default_rng(number)
    x = generator.normal(size=(ROWS, 6))
    y = TABLES[name](generator, x, degree, noise)
    facts = {"table": name, "degree": degree, "noise": noise, "said": choose_logarithm(y)}
    with tempfile.TemporaryDirectory() as work:
        return [{**facts, **row} for row in follow(Path(work), columns(x, y), name)]


def follow(work: Path, table: pd.DataFrame, name: str) -> Iterator[dict[str, Any]]:
    table.to_csv(work / "table.csv", index=False)
    path = work / "table.yaml"
    path.write_text("data: {path: table.csv, target: y}\n")
    for seed in SEEDS:
        seeded = f"training.seed={seed}"
        dataset = load_dataset(load_config(path, [seeded]))
        if name == "wrong cells":
            dataset = without_wrong(dataset, "validation")
        before = train(load_config(path, [seeded]), dataset)
        for advice, overrides in ADVICE.items():
            if advice in ("huber", "wrong cells missing") and name != "wrong cells":
                continue
            if table["y"].min() == 0:
                overrides = [override.replace("log", "log1p") for override in overrides]
            rows = without_wrong(dataset, "train") if advice == "wrong cells missing" else dataset
            after = train(load_config(path, [seeded, *overrides]), rows)
            yield {"seed": seed, "advice": advice, "before": before.validation, "after": after.validation}


def without_wrong(dataset: Dataset, name: str) -> Dataset:
    part = dataset.parts[name]
    right = part.y_true < 25
    kept = replace(
        part,
        rows=part.rows[right],
        cells={column: cells[right] for column, cells in part.cells.items()},
        y_true=part.y_true[right],
    )
    return replace(dataset, parts={**dataset.parts, name: kept})


def summarise(results: pd.DataFrame) -> None:
    """How often, and by how much, the error fell: where the advice is given, and where it is not."""
    cases = results.fillna({"said": "nothing"}).groupby(["advice", "table", "said", "degree", "noise"])
    means = cases[["before", "after"]].mean()
    ratios = (means["after"] / means["before"]).rename("ratio").reset_index()
    print("| advice | table | said | cases | lower | change |\n|---|---|---|---|---|---|")
    for keys in (["advice", "table", "said"], ["advice", "said"]):
        for key, ratio in ratios.groupby(keys)["ratio"]:
            place = key if len(keys) == 3 else (key[0], "all", key[1])
            print(
                f"| {' | '.join(place)} | {len(ratio)} | {(ratio < 1).mean():.0%} | {ratio.median() - 1:+.0%} |"
            )


if __name__ == "__main__":
    main()
