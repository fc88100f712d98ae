"""Weighs members by how well they predict rows they never saw."""

from collections.abc import Sequence

import numpy as np

from dlreg.model.mixture import Mixture, Ridge, mean_of
from dlreg.training.members import Member

# scipy and scikit-learn are imported where they are used: most trainings blend nothing.

# What the equation "the weights add up to 1" weighs beside a row, whose target is standardised.
_SUM_WEIGHT = 1e4
RIDGE_PENALTIES = tuple(10.0**power for power in range(-3, 5))


def mix_members(
    members: Sequence[Member],
    predictions: Sequence[np.ndarray],
    folds: Sequence[np.ndarray],
    x: np.ndarray,
    y: np.ndarray,
    *,
    limits: tuple[float, float] | None,
    blends: bool,
) -> tuple[Mixture, np.ndarray]:
    """Combines members that each left a fold out, and predicts every training row by those that left it out.

    Args:
        members: What was trained, member by member.
        predictions: Of each variant the predictions of its members for every training row, in scaled units,
            `(n_members, n_train)` each.
        folds: The rows of each fold.
        x: The preprocessed training rows, `(n_train, n_features)`.
        y: Their scaled target, `(n_train,)`.
        limits: The least and the greatest prediction, if there are any.
        blends: Whether variants and a ridge regression are weighed, or all members count the same.

    Returns:
        The mixture, and the out-of-fold predictions in scaled units, within the limits, `(n_train,)`.
    """
    fold_of_member = [member.fold or 0 for member in members]
    unseen_by_variant, start = [], 0
    for member_predictions in predictions:
        end = start + len(member_predictions)
        unseen_by_variant.append(out_of_fold(member_predictions, fold_of_member[start:end], folds))
        start = end
    if blends:
        variant_of_member = [member.variant for member in members]
        mixture, unseen = blend(x, y, folds, variant_of_member, unseen_by_variant, limits)
    else:
        mixture, unseen = mean_of(len(members), limits), np.mean(unseen_by_variant, axis=0)
    return mixture, np.clip(unseen, *limits) if limits else unseen


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
    unseen = np.empty(predictions.shape[1])
    for fold, rows in enumerate(folds):
        members = [member for member, left_out in enumerate(fold_of_member) if left_out == fold]
        unseen[rows] = predictions[members][:, rows].mean(axis=0)
    return unseen


def blend(
    x: np.ndarray,
    y: np.ndarray,
    folds: Sequence[np.ndarray],
    variant_of_member: Sequence[int],
    predictions: Sequence[np.ndarray],
    limits: tuple[float, float] | None,
) -> tuple[Mixture, np.ndarray]:
    """Weighs the mean of each variant and a ridge regression by how well they predict rows they never saw.

    Stacked regressions (Breiman, 1996, https://doi.org/10.1007/BF00117832): non-negative weights that add
    up to 1 and minimise the squared error of out-of-fold predictions.

    Args:
        x: Preprocessed rows, shape `(n_rows, n_features)`.
        y: Their scaled target, shape `(n_rows,)`.
        folds: The rows of each fold.
        variant_of_member: Which variant each member belongs to.
        predictions: Out-of-fold predictions of each variant, shape `(n_rows,)` each.
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
    sizes = np.bincount(variant_of_member)
    member_weights = np.array([weights[variant] / sizes[variant] for variant in variant_of_member])
    ridge = Ridge(float(weights[-1]), coefficients, intercept)
    return Mixture(member_weights, ridge, limits), candidates @ weights


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
