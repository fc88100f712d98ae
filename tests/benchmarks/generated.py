"""Writes generated tables, and scikit-learn's diabetes table, as a folder that `accuracy.py` reads.

    python tests/benchmarks/generated.py FOLDER
    python tests/benchmarks/accuracy.py FOLDER --peers run --jobs 2

Each table is there for something that real ones have and that a recipe can be bad at: categories of many
levels, some of them rare; a few levels beside many; outliers, steps, counts, many columns, few rows, missing
cells, nothing but noise. Nothing was chosen by these tables but how embedded levels start.
"""

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn import datasets

N_SPLITS, TEST_SHARE = 3, 0.25
Generator = np.random.Generator


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder / "uci"
    folder.mkdir(parents=True, exist_ok=True)
    for seed, (name, make) in enumerate(TABLES.items()):
        generator = np.random.default_rng(seed)
        table = make(generator)
        table.to_csv(folder / f"{name}.csv", index=False)
        splits = {f"s{k}": generator.random(len(table)) < TEST_SHARE for k in range(N_SPLITS)}
        pd.DataFrame(splits).astype(int).to_csv(folder / f"{name}.splits.csv", index=False)


def columns(x: np.ndarray, y: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(x, columns=[f"x{number}" for number in range(x.shape[1])]).assign(y=y)


def diabetes(_: Generator) -> pd.DataFrame:
    table = datasets.load_diabetes(as_frame=True, scaled=False).frame
    return table.rename(columns={"target": "y"})


def friedman(number: int, noise: float) -> Callable[[Generator], pd.DataFrame]:
    def make(generator: Generator) -> pd.DataFrame:
        draw = getattr(datasets, f"make_friedman{number}")
        return columns(*draw(n_samples=1000, noise=noise, random_state=int(generator.integers(2**31))))

    return make


def levels(
    n_rows: int, n_levels: int, *, rare: bool = False, slopes: bool = False, spread: float = 2.0
) -> Callable[[Generator], pd.DataFrame]:
    """A category whose levels move the target, and its slope in a number where `slopes`."""

    def make(generator: Generator) -> pd.DataFrame:
        level = generator.zipf(1.5, n_rows) % n_levels if rare else generator.integers(0, n_levels, n_rows)
        moves, bends = spread * generator.normal(size=n_levels), generator.normal(size=n_levels)
        x = generator.normal(size=(n_rows, 4))
        y = moves[level] + x[:, 0] + np.sin(2 * x[:, 1]) + 0.5 * generator.normal(size=n_rows)
        y += bends[level] * x[:, 2] if slopes else 0
        return columns(x, y).assign(city=[f"city {number}" for number in level])

    return make


def many_levels_before_few(generator: Generator) -> pd.DataFrame:
    table = levels(3000, 400, rare=True)(generator)
    grade = generator.integers(0, 5, len(table))
    table["y"] += generator.normal(size=5)[grade] * (1 + table["x0"])
    return table.assign(grade=[f"grade {number}" for number in grade])


def heavy_tail(generator: Generator) -> pd.DataFrame:
    x = generator.normal(size=(2000, 6))
    return columns(x, np.exp(1.2 * x[:, 0] + np.sin(x[:, 1]) + 0.6 * generator.normal(size=len(x))))


def outliers(generator: Generator) -> pd.DataFrame:
    x = generator.standard_cauchy(size=(2000, 6))
    signal = np.sign(x[:, 0]) * np.log1p(np.abs(x[:, 0])) + np.tanh(x[:, 1])
    return columns(x, signal + 0.3 * generator.normal(size=len(x)))


def steps(generator: Generator) -> pd.DataFrame:
    x = generator.integers(0, 10, size=(2000, 6)).astype(float)
    signal = 3.0 * (x[:, 0] > 4) + 2 * (x[:, 1] % 2) * (x[:, 2] > 6) + x[:, 3] / 5
    return columns(x, signal + 0.5 * generator.normal(size=len(x)))


def counts(generator: Generator) -> pd.DataFrame:
    x = generator.normal(size=(3000, 6))
    some = generator.random(len(x)) < 1 / (1 + np.exp(-x[:, 3]))
    return columns(x, some * generator.poisson(np.exp(0.7 * x[:, 0] + 0.5 * x[:, 1] * x[:, 2])))


def arm(generator: Generator) -> pd.DataFrame:
    """How far the hand of an arm of four joints is from a point, with four columns that hardly matter."""
    x = generator.uniform(-np.pi / 2, np.pi / 2, size=(4000, 8))
    turned, lengths = np.cumsum(x[:, :4], axis=1), np.array([1.0, 0.8, 0.6, 0.4])
    away = np.hypot(np.cos(turned) @ lengths - 0.1, np.sin(turned) @ lengths - 0.1)
    return columns(x, away + 0.05 * x[:, 5] + 0.1 * generator.normal(size=len(x)))


def many_columns(generator: Generator) -> pd.DataFrame:
    x = generator.normal(size=(400, 60))
    return columns(x, x[:, :8] @ generator.normal(size=8) + generator.normal(size=len(x)))


def few_rows(generator: Generator) -> pd.DataFrame:
    x = generator.normal(size=(80, 5))
    return columns(x, x[:, 0] + x[:, 1] ** 2 + 0.3 * generator.normal(size=len(x)))


def missing(generator: Generator) -> pd.DataFrame:
    table = friedman(1, 1.0)(generator)
    x = table.drop(columns="y")
    return x.mask(generator.random(x.shape) < 0.2).assign(y=table["y"])


def noise(generator: Generator) -> pd.DataFrame:
    x = generator.normal(size=(1000, 20))
    return columns(x, 0.3 * x[:, 0] + generator.normal(size=len(x)))


# What single days of the year add.
DAYS = {
    "01-01": -4.0, "02-14": 3.0, "05-01": -3.0, "07-04": -3.0, "08-15": -2.0, "10-31": 2.0, "11-01": -2.0,
    "12-24": -2.0, "12-25": -5.0, "12-26": -3.0, "12-31": 2.0,
}  # fmt: skip


def days(generator: Generator) -> pd.DataFrame:
    """A row for each of seven years' days: a wave of the year, a trend, week-ends, and single days."""
    day = pd.date_range("2015-01-01", "2021-12-31")
    years, x = np.arange(len(day)) / 365.25, generator.normal(size=(len(day), 2))
    y = 2 * np.sin(2 * np.pi * years) + 0.3 * years - 1.5 * (day.day_of_week >= 5) + single_days(day)
    y = y + 0.8 * x[:, 0] + 0.5 * np.sin(2 * x[:, 1]) + 0.5 * generator.normal(size=len(day))
    return columns(x, y).assign(day=day.strftime("%Y-%m-%d"))


def hours(generator: Generator) -> pd.DataFrame:
    """Some of three years' hours: a day's course, a rush on weekdays, single days, and each day by itself."""
    every = pd.date_range("2018-01-01", "2020-12-31 23:00", freq="h")
    hour = every[np.sort(generator.choice(len(every), 12_000, replace=False))]
    day = (hour.normalize() - every[0]).days
    rush = 2 * np.exp(-0.5 * (hour.hour - 8.0) ** 2) * (hour.day_of_week < 5)
    x, single = generator.normal(size=(len(hour), 1)), single_days(hour)
    y = (np.sin(2 * np.pi * (hour.hour - 6) / 24) + rush) * (1 + 0.12 * single) + 0.4 * single + 0.7 * x[:, 0]
    y = y + 0.6 * generator.normal(size=day.max() + 1)[day] + 0.4 * generator.normal(size=len(hour))
    return columns(x, np.asarray(y)).assign(time=hour.strftime("%Y-%m-%d %H:%M"))


def single_days(moments: pd.DatetimeIndex) -> np.ndarray:
    return np.array([DAYS.get(day, 0.0) for day in moments.strftime("%m-%d")])


def thousands_of_levels(n_levels: int, steepness: float) -> Callable[[Generator], pd.DataFrame]:
    """A category whose k-th level has 1 / k^steepness of the rows, each with an effect of its own."""

    def make(generator: Generator) -> pd.DataFrame:
        shares = 1 / np.arange(1, n_levels + 1) ** steepness
        level = generator.choice(n_levels, 20_000, p=shares / shares.sum())
        x = generator.normal(size=(len(level), 4))
        y = generator.normal(size=n_levels)[level] + x[:, 0] + np.sin(2 * x[:, 1]) + 0.5 * x[:, 2] * x[:, 0]
        y += 0.7 * generator.normal(size=len(level))
        return columns(x, y).assign(shop=[f"shop {number}" for number in level])

    return make


TABLES: Mapping[str, Callable[[Generator], pd.DataFrame]] = {
    "diabetes": diabetes,
    "friedman1": friedman(1, 1.0),
    "friedman2": friedman(2, 50.0),
    "friedman3": friedman(3, 0.1),
    "levels12": levels(400, 12),
    "levels100": levels(5000, 100, slopes=True),
    "levels500": levels(4000, 500, spread=1.0),
    "rare_levels": levels(900, 200, rare=True),
    "many_few": many_levels_before_few,
    "heavy_tail": heavy_tail,
    "outliers": outliers,
    "steps": steps,
    "counts": counts,
    "arm": arm,
    "many_columns": many_columns,
    "few_rows": few_rows,
    "missing": missing,
    "noise": noise,
    "days": days,
    "hours": hours,
    "levels3000": thousands_of_levels(3000, 0.6),
    "levels9000": thousands_of_levels(9000, 0.85),
}

if __name__ == "__main__":
    main()
