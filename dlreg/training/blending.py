"""How much of each member there is in a prediction, weighed on rows that it never saw."""

from collections.abc import Sequence

import numpy as np

from dlreg.model.mixture import Mixture, Ridge

# Beside errors of standardised targets, a sum of weights other than 1 costs this much.
_SUM_WEIGHT = 1e4
RIDGE_PENALTIES = tuple(10.0**power for power in range(-3, 5))


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
