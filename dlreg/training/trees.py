"""Gradient-boosted trees as a member of the blend, by scikit-learn's histograms.

scikit-learn is imported where it is used: most trainings blend nothing. One thread fits: several wait for
each other at every split.
"""

from collections.abc import Sequence
from itertools import islice
from typing import Any

import numpy as np

from dlreg.model.trees import Trees
from dlreg.table.splits import Fold, go_forward

# Chosen by out-of-fold error and rows held out of the training rows of a dozen tables, see
# tests/benchmarks/RESULTS.md.
ROUNDS_APART = 10
# With so many rows more rounds still help, and take less of a training's time.
_MANY_ROWS, _MOST_ROUNDS, _MOST_ROUNDS_OF_FEW = 4000, 300, 200
# Of more rows a sample is fitted: the time grows with them, and 50,000 tell as much to trees of 31 leaves.
_MOST_ROWS = 50_000
_SETTINGS = {
    "learning_rate": 0.1,
    "max_leaf_nodes": 31,
    "max_depth": 10,
    "min_samples_leaf": 3,
    "l2_regularization": 1.0,
    "max_features": 0.5,
    "early_stopping": False,
}
# Where between two neighbouring training values a threshold stands: not in the middle, where a value of new
# rows may stand, too, and rounding would tell its way.
_SHARE_OF_GAP = 0.4837


def predict_by_trees(
    x_of_folds: Sequence[np.ndarray], y: np.ndarray, folds: Sequence[Fold], seed: int
) -> tuple[np.ndarray, int]:
    """Predicts each fold's validation rows by trees that learnt from its training rows.

    The rounds are those of least squared error over all folds. Where folds go forward in time, the rows of
    each are predicted with as many as the folds before it ask for.

    Args:
        x_of_folds: All rows as each fold preprocesses them, `(n_rows, n_features)` each.
        y: Their scaled target, shape `(n_rows,)`.
        folds: The rows of each fold.
        seed: Of the features that each split looks at.

    Returns:
        The predictions, shape `(n_rows,)`, NaN where no fold validates, and the rounds for all rows.
    """
    most = _MOST_ROUNDS if len(y) >= _MANY_ROWS else _MOST_ROUNDS_OF_FEW
    rounds = np.arange(ROUNDS_APART, most + 1, ROUNDS_APART)
    stages = np.full((len(rounds), len(y)), np.nan)
    errors = np.zeros((len(folds), len(rounds)))
    for number, (fold, x) in enumerate(zip(folds, x_of_folds, strict=True)):
        stages[:, fold.validation] = _predict_stages(x, y, fold, most, seed)
        squares = (stages[:, fold.validation] - y[fold.validation]) ** 2
        errors[number] = squares.sum(axis=1)
    best = int(errors.sum(axis=0).argmin())
    unseen = stages[best].copy()
    for number, fold in enumerate(folds) if go_forward(folds) else ():
        known = int(errors[:number].sum(axis=0).argmin()) if number else len(rounds) // 2
        unseen[fold.validation] = stages[known, fold.validation]
    return unseen, int(rounds[best])


def grow_trees(x: np.ndarray, y: np.ndarray, n_rounds: int, seed: int, weight: float) -> Trees:
    """Fits trees to rows.

    Args:
        x: The rows, preprocessed, single precision, shape `(n_rows, n_features)`.
        y: Their scaled target, shape `(n_rows,)`.
        n_rounds: How many trees there are, but for those that compare nothing.
        seed: Of the features that each split looks at.
        weight: Their share of a prediction.
    """
    model = _fit(x, y, n_rounds, seed)
    intercept = float(model._baseline_prediction.item())
    features, numbers, right, roots, n_nodes = [], [], [], [], 0
    # The last ones first: their leaves are the smallest, and a sum that begins with them rounds least.
    for (predictor,) in reversed(model._predictors):
        nodes = predictor.nodes
        is_leaf = nodes["is_leaf"].astype(bool)
        if len(nodes) == 1:
            intercept += float(nodes["value"][0])
            continue
        features.append(np.where(is_leaf, -1, nodes["feature_idx"]))
        numbers.append(np.where(is_leaf, nodes["value"], nodes["num_threshold"]))
        right.append(np.where(is_leaf, np.arange(len(nodes)), nodes["right"]) + n_nodes)
        roots.append(n_nodes)
        n_nodes += len(nodes)
    of_nodes = np.concatenate(features or [np.empty(0, dtype=int)])
    return Trees(
        weight,
        intercept,
        of_nodes,
        _between_values(x, of_nodes, np.concatenate(numbers or [np.empty(0)])),
        np.concatenate(right or [np.empty(0, dtype=int)]),
        np.array(roots, dtype=int),
    )


def _fit(x: np.ndarray, y: np.ndarray, n_rounds: int, seed: int) -> Any:
    from sklearn.ensemble import HistGradientBoostingRegressor
    from threadpoolctl import threadpool_limits

    if len(x) > _MOST_ROWS:
        sample = np.random.default_rng(seed).choice(len(x), _MOST_ROWS, replace=False, shuffle=False)
        x, y = x[sample], y[sample]
    model = HistGradientBoostingRegressor(max_iter=n_rounds, random_state=seed % 2**32, **_SETTINGS)
    with threadpool_limits(1, "openmp"):
        return model.fit(x, y)


def _predict_stages(x: np.ndarray, y: np.ndarray, fold: Fold, n_rounds: int, seed: int) -> np.ndarray:
    """What is predicted for the validation rows every few rounds, shape `(n_stages, n_validated)`."""
    from threadpoolctl import threadpool_limits

    model = _fit(x[fold.train], y[fold.train], n_rounds, seed)
    with threadpool_limits(1, "openmp"):
        stages = model.staged_predict(x[fold.validation])
        return np.array(list(islice(stages, ROUNDS_APART - 1, None, ROUNDS_APART)))


def _between_values(x: np.ndarray, features: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """The thresholds of nodes moved away from any training value, and leaves' values, in single precision.

    scikit-learn's may be such a value itself, which a rounding of new rows would take to the other side. Each
    training row goes where it went.
    """
    moved = numbers.astype(np.float32)
    for feature in np.unique(features[features >= 0]):
        nodes = features == feature
        values = np.unique(x[:, feature])
        places = np.searchsorted(values, numbers[nodes], side="right")
        low, high = values[places - 1], values[places]
        between = low + _SHARE_OF_GAP * (high.astype(np.float64) - low)
        moved[nodes] = np.clip(between.astype(np.float32), low, np.nextafter(high, low))
    return moved
