"""Simple predictions that a network has to beat, and whether it does."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

# Of the rows that go into one step of the decomposition.
BLOCK_BYTES = 1 << 22


class Comparison(NamedTuple):
    """How a network does beside the better one of the baselines.

    Attributes:
        sentence: The same in words.
        is_better: Whether its RMSE is lower; None where the baseline makes no error at all.
    """

    sentence: str
    is_better: bool | None


@dataclass(frozen=True, eq=False)
class LinearModel:
    """A linear regression: (x - x_mean) · weights + intercept.

    Attributes:
        x_mean: Of the rows it was fitted on, shape `(n_features,)`.
        weights: The same shape.
        intercept: In the target's units.
    """

    x_mean: np.ndarray
    weights: np.ndarray
    intercept: float

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Predictions in the target's units, `(n_rows,)`, of rows as those it was fitted on."""
        size = _block_size(x.shape[1])
        starts = range(0, len(x), size)
        return np.concatenate(
            [
                np.empty(0),
                *(
                    (x[start : start + size] - self.x_mean) @ self.weights + self.intercept
                    for start in starts
                ),
            ]
        )


def fit_linear(x_train: np.ndarray, y_train: np.ndarray) -> LinearModel:
    """Fits a linear regression to the rows the network sees.

    Ordinary least squares: the weights that minimise Σ (y - mean(y) - (x - mean(x)) · weights)², the shortest
    ones where several do. The rows go into a QR decomposition block by block, so that no copy of them
    all in double precision is needed: R of the blocks so far and of the next has all that counts.

    Args:
        x_train: Preprocessed rows, shape `(n_train, n_features)`.
        y_train: Their target in its own units, shape `(n_train,)`.
    """
    n_rows, n_features = x_train.shape
    x_mean, y_mean = x_train.mean(axis=0, dtype=np.float64), y_train.mean()
    factor: np.ndarray = np.empty((0, n_features + 1))
    size = _block_size(n_features)
    for start in range(0, n_rows, size):
        rows = slice(start, start + size)
        block = np.column_stack([x_train[rows] - x_mean, y_train[rows] - y_mean])
        factor = np.asarray(np.linalg.qr(np.vstack([factor, block]), mode="r"))
    weights = np.linalg.lstsq(factor[:, :-1], factor[:, -1], rcond=None)[0]
    return LinearModel(x_mean, weights, y_mean)


def _block_size(n_features: int) -> int:
    return max(n_features + 1, BLOCK_BYTES // (8 * (n_features + 1)))


def compare_with_baselines(metrics: Mapping[str, Any], part: str) -> Comparison:
    """Compares a network with the better one of the baselines.

    Args:
        metrics: Those of each part, and of the `baselines` on `part`.
        part: The name of the rows that the baselines predict.
    """
    rmse = metrics[part]["rmse"]
    best = min(metrics["baselines"], key=lambda name: metrics["baselines"][name]["rmse"])
    other = metrics["baselines"][best]["rmse"]
    name = {"linear": "a linear regression", "mean": "the training mean"}[best]
    if other == 0:
        sentence = f"{name.capitalize()} makes no error at all on the {part} rows: is it among the columns?"
        return Comparison(sentence, None)
    change = 1 - rmse / other
    if change > 0:
        return Comparison(f"The network beats {name}: its {part} RMSE is {change:.1%} lower.", True)
    return Comparison(f"The network does not beat {name}: its {part} RMSE is {-change:.1%} higher.", False)
