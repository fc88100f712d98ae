"""How members, and a ridge regression beside them, make one prediction."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

# Beside errors of standardised targets, a sum of weights other than 1 costs this much.
_SUM_WEIGHT = 1e4
RIDGE_PENALTIES = tuple(10.0**power for power in range(-3, 5))


@dataclass(frozen=True, eq=False)
class Ridge:
    """A linear regression on preprocessed rows, in scaled target units, and its share of the prediction."""

    weight: float
    coefficients: np.ndarray
    intercept: float


@dataclass(frozen=True, eq=False)
class Mixture:
    """What a prediction is made of, in scaled target units.

    Attributes:
        weights: Of each member, shape `(n_members,)`.
        ridge: Beside them, if there is one.
        limits: The least and the greatest prediction, if there are any.
    """

    weights: np.ndarray
    ridge: Ridge | None = None
    limits: tuple[float, float] | None = None

    @property
    def is_one_member(self) -> bool:
        """Whether there is nothing to add up."""
        return self.ridge is None and self.weights.tolist() == [1.0]


def mean_of(n_members: int, limits: tuple[float, float] | None) -> Mixture:
    """The plain mean of all members."""
    return Mixture(np.full(n_members, 1 / n_members), limits=limits)


def out_of_fold(
    predictions: np.ndarray, fold_of_member: Sequence[int], folds: Sequence[np.ndarray]
) -> np.ndarray:
    """Each row's mean prediction by the members that were not trained on it.

    Args:
        predictions: Of every member for every row, shape `(n_members, n_rows)`.
        fold_of_member: Which fold each member left out.
        folds: The rows of each fold.

    Returns:
        Shape `(n_rows,)`.
    """
    found = np.empty(predictions.shape[1])
    for fold, rows in enumerate(folds):
        own = [member for member, left_out in enumerate(fold_of_member) if left_out == fold]
        found[rows] = predictions[own][:, rows].mean(axis=0)
    return found


def blend(
    x: np.ndarray,
    y: np.ndarray,
    folds: Sequence[np.ndarray],
    view_of_member: Sequence[int],
    predictions: Sequence[np.ndarray],
    limits: tuple[float, float] | None,
) -> tuple[Mixture, np.ndarray]:
    """Weighs the mean of each view and a ridge regression by how well they predict rows they never saw.

    Stacked regressions (Breiman, 1996, https://doi.org/10.1007/BF00117832): non-negative weights that add
    up to 1 and minimise the squared error of out-of-fold predictions.

    Args:
        x: Preprocessed rows, shape `(n_rows, n_features)`.
        y: Their scaled target, shape `(n_rows,)`.
        folds: The rows of each fold.
        view_of_member: Which view each member belongs to.
        predictions: Out-of-fold predictions of each view, shape `(n_rows,)` each.
        limits: Of the mixture.

    Returns:
        The mixture, and its out-of-fold predictions, shape `(n_rows,)`.
    """
    from scipy.optimize import nnls

    ridge_predictions, coefficients, intercept = _ridge(x.astype(np.float64), y, folds)
    candidates = np.column_stack([*predictions, ridge_predictions])
    weights, _ = nnls(
        np.vstack([candidates, np.full((1, candidates.shape[1]), _SUM_WEIGHT)]), np.append(y, _SUM_WEIGHT)
    )
    weights = weights / weights.sum()
    sizes = np.bincount(view_of_member)
    of_members = np.array([weights[view] / sizes[view] for view in view_of_member])
    ridge = Ridge(float(weights[-1]), coefficients, intercept)
    return Mixture(of_members, ridge, limits), candidates @ weights


def _ridge(x: np.ndarray, y: np.ndarray, folds: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray, float]:
    """Out-of-fold predictions of a ridge regression, and the mean of the folds' regressions."""
    from sklearn.linear_model import RidgeCV

    predictions, models = np.empty(len(y)), []
    for rows in folds:
        others = np.setdiff1d(np.arange(len(y)), rows, assume_unique=True)
        model = RidgeCV(RIDGE_PENALTIES).fit(x[others], y[others])
        predictions[rows] = model.predict(x[rows])
        models.append(model)
    coefficients = np.mean([model.coef_ for model in models], axis=0)
    return predictions, coefficients, float(np.mean([model.intercept_ for model in models]))
