"""Simple predictions that a network has to beat, and whether it does."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

# Of the rows that go into one step of the decomposition.
BLOCK_BYTES = 1 << 22
# Steps towards the effects of levels, of which some dozens are enough unless categories hardly meet.
MOST_STEPS, STEP_TOLERANCE = 500, 1e-12


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
    """A linear regression: (x - x_mean) · weights + intercept, and what the level of each category adds.

    Attributes:
        x_mean: Of the rows it was fitted on, without the positions of levels, shape `(n_plain,)`.
        weights: The same shape.
        intercept: In the target's units.
        effects: Of each category what each of its levels adds, and a level never seen, `(n_levels + 1,)`.
    """

    x_mean: np.ndarray
    weights: np.ndarray
    intercept: float
    effects: tuple[np.ndarray, ...] = ()

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Predictions in the target's units, `(n_rows,)`, of rows as those it was fitted on."""
        n_plain = len(self.weights)
        y_pred = _product(x[:, :n_plain], self.x_mean, self.weights) + self.intercept
        for positions, effects in zip(_positions(x, n_plain), self.effects, strict=True):
            y_pred += effects[positions]
        return y_pred


def fit_linear(x_train: np.ndarray, y_train: np.ndarray, categories: Sequence[int] = ()) -> LinearModel:
    """Fits a linear regression to preprocessed rows.

    Ordinary least squares: the weights that minimise Σ (y - mean(y) - (x - mean(x)) · weights)², the shortest
    ones where several do. The rows go into a QR decomposition block by block, so that no copy of them
    all in double precision is needed: R of the blocks so far and of the next has all that counts.

    The levels of a category have a column each, which is 1 or 0.

    Args:
        x_train: Preprocessed rows, shape `(n_train, n_features)`.
        y_train: Their target in its own units, shape `(n_train,)`.
        categories: How many levels each of the last features has, which are the positions of levels.
    """
    n_plain = x_train.shape[1] - len(categories)
    plain, y_mean = x_train[:, :n_plain], y_train.mean()
    x_mean = plain.mean(axis=0, dtype=np.float64)
    factor: np.ndarray = np.empty((0, n_plain + 1))
    for rows in _blocks(plain):
        block = np.column_stack([plain[rows] - x_mean, y_train[rows] - y_mean])
        factor = np.asarray(np.linalg.qr(np.vstack([factor, block]), mode="r"))
    if categories:
        positions = _positions(x_train, n_plain)
        weights, effects = _fit_levels(plain, x_mean, factor[:, :-1], positions, categories, y_train - y_mean)
        return LinearModel(x_mean, weights, y_mean, effects)
    weights = np.linalg.lstsq(factor[:, :-1], factor[:, -1], rcond=None)[0]
    return LinearModel(x_mean, weights, y_mean)


def _fit_levels(
    plain: np.ndarray,
    x_mean: np.ndarray,
    factor: np.ndarray,
    positions: Sequence[np.ndarray],
    categories: Sequence[int],
    y: np.ndarray,
) -> tuple[np.ndarray, tuple[np.ndarray, ...]]:
    """The weights of plain features, and what each level adds, at a cost of rows × (features + categories).

    LSMR (Fong and Saunders, 2011, https://doi.org/10.1137/10079687X) on orthonormal columns of the plain
    features, by way of R, and on those of levels over the roots of their rows: few steps are needed, as these
    are at right angles to each other within each of the two.
    """
    from scipy.sparse.linalg import LinearOperator, lsmr

    _, sizes, directions = np.linalg.svd(factor, full_matrices=False)
    is_large = sizes > np.finfo(float).eps * max(plain.shape) * sizes.max(initial=0.0)
    basis = directions[is_large].T / sizes[is_large]
    counts = [np.bincount(rows, minlength=n)[:n] for rows, n in zip(positions, categories, strict=True)]
    roots = [1 / np.sqrt(np.maximum(of_levels, 1)) for of_levels in counts]
    ends = np.cumsum([basis.shape[1], *categories])[:-1]

    def product(weights: np.ndarray) -> np.ndarray:
        of_plain, *of_levels = np.split(weights, ends)
        values = _product(plain, x_mean, basis @ of_plain)
        for rows, root, effects in zip(positions, roots, of_levels, strict=True):
            values += (effects * root)[rows]
        return np.asarray(values - values.mean())

    def transposed_product(values: np.ndarray) -> np.ndarray:
        values = values - values.mean()
        of_plain = sum(
            ((plain[rows] - x_mean).T @ values[rows] for rows in _blocks(plain)), np.zeros(len(x_mean))
        )
        of_levels = [
            np.bincount(rows, values, len(root)) * root for rows, root in zip(positions, roots, strict=True)
        ]
        return np.concatenate([basis.T @ of_plain, *of_levels])

    shape = (len(y), basis.shape[1] + sum(categories))
    operator = LinearOperator(shape, product, transposed_product, dtype=np.float64)
    solution = lsmr(operator, y, atol=STEP_TOLERANCE, btol=STEP_TOLERANCE, conlim=0, maxiter=MOST_STEPS)[0]
    of_plain, *of_levels = np.split(solution, ends)
    return basis @ of_plain, tuple(map(_shortest, of_levels, roots, counts))


def _shortest(solution: np.ndarray, root: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """What each level adds, and one never seen, by the shortest weights that predict the same."""
    weights = solution * root
    weights[counts > 0] -= weights[counts > 0].mean()
    return np.asarray(np.append(weights, 0.0) - counts @ weights / counts.sum())


def _positions(x: np.ndarray, n_plain: int) -> list[np.ndarray]:
    return [positions.astype(np.intp) for positions in x[:, n_plain:].T]


def _product(x: np.ndarray, x_mean: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(x - x_mean) · weights, without a copy of all rows in double precision."""
    return np.concatenate([np.empty(0), *((x[rows] - x_mean) @ weights for rows in _blocks(x))])


def _blocks(x: np.ndarray) -> Iterator[slice]:
    n_features = x.shape[1]
    size = max(n_features + 1, BLOCK_BYTES // (8 * (n_features + 1)))
    return (slice(start, start + size) for start in range(0, len(x), size))


def compare_with_baselines(metrics: Mapping[str, Any], part: str) -> Comparison:
    """Compares a network with the better one of the baselines.

    Args:
        metrics: Those of each part, and of the `baselines` on `part`.
        part: The name of the rows that the baselines predict.
    """
    if part == "train":
        sentence = "No rows are held out: whether the network beats a linear regression cannot be told."
        return Comparison(sentence, None)
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
