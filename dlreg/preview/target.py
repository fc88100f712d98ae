"""A target that is legal, but hard to learn, or no number to predict: skewed, two values, wrong cells."""

from collections.abc import Iterator, Mapping
from typing import Literal

import numpy as np

from dlreg.config.schema import Config
from dlreg.preview.csv_rows import csv_as_written, parts_of_csv
from dlreg.preview.first_rows import count_values
from dlreg.preview.sentinels import find_sentinels
from dlreg.preview.suspicion import LEAST_ROWS, Suspicion
from dlreg.table.cells import shown_cells
from dlreg.table.parts import Dataset

Logarithm = Literal["log", "log1p"]

# How far from the median a cell stands that may be wrong, by the distance of the quartiles, as it is and in
# orders of magnitude; of ten thousand lognormal numbers none is so far in the latter.
OUTLIER_DISTANCE, OUTLIER_LOG_DISTANCE = 30.0, 4.0
# More are no mistake, but skew.
OUTLIER_SHARE = 0.01
# From here on a logarithm lowers the error (tests/benchmarks/skewed_target.py).
SKEW, SKEW_OF_LOG, OVER_MEDIAN = 2.0, 0.5, 100.0
ZERO_SHARE = 0.3
# Where most values are small, a network that learns log1p overshoots by far unless it is held back.
LOGARITHMS: Mapping[Logarithm, str] = {
    "log": "Set preprocessing.target: log",
    "log1p": "Set preprocessing.target: log1p and preprocessing.clip_predictions: true",
}


def suspect_target(config: Config, dataset: Dataset) -> Iterator[Suspicion]:
    """Looks at the target: at all cells for some that may be wrong, at the training rows for the rest."""
    target, y_train = config.data.target, dataset.parts["train"].y_true
    if count_values(y_train, most=2) == 2:
        yield Suspicion(
            f"the target {target!r} has two values only, {y_train.min():g} and {y_train.max():g}, like two "
            "classes",
            "dlreg predicts a number between them: choose another data.target if you need one of the two",
        )
        return
    yield from _wrong_cells(config, dataset)
    # Those have a suspicion of their own.
    y_train = y_train[~np.isin(y_train, find_sentinels(y_train))]
    logarithm = choose_logarithm(y_train)
    if config.preprocessing.target not in LOGARITHMS and logarithm:
        span = f"from {y_train.min():.3g} to {y_train.max():.3g} with its middle at {np.median(y_train):.3g}"
        yield Suspicion(
            f"the target {target!r} is skewed, {span}: a few large values make up most of the loss",
            LOGARITHMS[logarithm],
            spoils_loss=True,
        )
    zeros = float(np.mean(y_train == 0))
    if zeros >= ZERO_SHARE:
        yield Suspicion(
            f"{zeros:.0%} of the values of the target {target!r} are 0: much of what is learnt is whether "
            "there is anything at all",
            "If 0 means that nothing was measured, take these rows out of the CSV",
        )


def choose_logarithm(y_true: np.ndarray) -> Logarithm | None:
    """The logarithm of a target so skewed that it is easier to learn, and then the better prediction.

    That is `log` where all values are above 0, their skewness is at least `SKEW`, and that of their
    logarithms at most `SKEW_OF_LOG`, up or down; `log1p` where some are 0, and the 99th percentile is at
    least `OVER_MEDIAN` times the median of the others.

    Args:
        y_true: The target, shape `(n_rows,)`.
    """
    if len(y_true) < LEAST_ROWS or y_true.min() < 0 or np.ptp(y_true) == 0:
        return None
    if y_true.min() == 0:
        is_wide = np.quantile(y_true, 0.99) >= OVER_MEDIAN * np.median(y_true[y_true > 0])
        return "log1p" if is_wide else None
    is_skewed = _skewness(y_true) >= SKEW and abs(_skewness(np.log(y_true))) <= SKEW_OF_LOG
    return "log" if is_skewed else None


def find_outliers(y_true: np.ndarray) -> np.ndarray:
    """The positions of a few values that are orders of magnitude away from all the others.

    Each is further from the median than `OUTLIER_DISTANCE` times the distance of the quartiles, and than
    `OUTLIER_LOG_DISTANCE` times theirs on a scale of magnitudes. Zeros do not count for the quartiles: most
    values may be 0.

    Args:
        y_true: The target, shape `(n_rows,)`.

    Returns:
        Ascending; empty where there are none, or more than a few.
    """
    others = y_true[y_true != 0]
    if len(others) < LEAST_ROWS:
        return np.empty(0, dtype=np.int64)
    is_far = _distance(y_true, others) > OUTLIER_DISTANCE
    if is_far.any():
        is_far &= _distance(*_magnitudes(y_true, others)) > OUTLIER_LOG_DISTANCE
    positions = np.flatnonzero(is_far)
    return positions if len(positions) <= max(1, OUTLIER_SHARE * len(y_true)) else positions[:0]


def _wrong_cells(config: Config, dataset: Dataset) -> Iterator[Suspicion]:
    parts = parts_of_csv(config, dataset)
    y_true = np.concatenate([part.y_true for part in parts])
    rows = np.concatenate([part.rows for part in parts])
    known = ~np.isin(y_true, find_sentinels(y_true))
    y_true, rows = y_true[known], rows[known]
    outliers = find_outliers(y_true)
    if not outliers.size:
        return
    target = config.data.target
    keys = {"training.loss: huber": config.training.loss == "mse"}
    keys["preprocessing.target: log"] = y_true.min() > 0 and config.preprocessing.target not in LOGARITHMS
    ways = " or ".join(key for key, helps in keys.items() if helps)
    yield Suspicion(
        f"the target {target!r} is orders of magnitude away from all others in {len(outliers):,} rows: "
        f"{shown_cells(csv_as_written(config), target, np.sort(rows[outliers]))}; few as they are, they make "
        "up most of the loss",
        "Mend the wrong cells of the target, or take their rows out of the CSV"
        + (f"; if you cannot, set {ways} for the sake of the other rows" if ways else ""),
        spoils_loss=True,
    )


def _magnitudes(y_true: np.ndarray, others: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both on a scale of magnitudes: the logarithm, or where there are 0 or negative values asinh."""
    if y_true.min() > 0:
        return np.log(y_true), np.log(others)
    unit = float(np.median(np.abs(others)))
    return np.arcsinh(y_true / unit), np.arcsinh(others / unit)


def _distance(values: np.ndarray, others: np.ndarray) -> np.ndarray:
    """From the median of the others, by the distance of their quartiles; 0 where that is 0."""
    low, middle, high = np.quantile(others, [0.25, 0.5, 0.75])
    return np.abs(values - middle) / (high - low) if high > low else np.zeros(len(values))


def _skewness(values: np.ndarray) -> float:
    """The mean cube of the standardised values: 0 if they are symmetric, 2 if exponentially distributed."""
    # By the largest first: the cube of a large number would overflow.
    scaled = (values - values.mean()) / np.abs(values - values.mean()).max()
    return float(np.mean(scaled**3) / scaled.std() ** 3)
