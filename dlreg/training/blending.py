"""Weighs members by how well they predict rows they never saw."""

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import numpy as np

from dlreg.model.levels import spread_levels
from dlreg.model.mixture import Mixture, Ridge, divide_shares, mean_of
from dlreg.table.splits import Fold, go_forward, validated_rows
from dlreg.training.members import Member
from dlreg.training.selection import select_out_of_fold
from dlreg.training.trees import grow_trees, predict_by_trees

# scipy and scikit-learn are imported where they are used: most trainings blend nothing.

# What the equation "the weights add up to 1" weighs beside a row, whose target is standardised.
_SUM_WEIGHT = 1e4
RIDGE_PENALTIES = tuple(10.0**power for power in range(-3, 5))
# Trees of a smaller one are not worth their time.
_LEAST_SHARE_OF_TREES = 0.02


class BlendedRows(NamedTuple):
    """The training rows as what is blended with networks reads them.

    Attributes:
        x: Preprocessed, `(n_train, n_features)`.
        categories: How many levels each of the last features has, which are embedded.
        of_folds: Where folds go forward in time, `x` as each fold preprocesses it.
    """

    x: np.ndarray
    categories: Sequence[int] = ()
    of_folds: Sequence[np.ndarray] = ()

    def of_fold(self, fold: int) -> np.ndarray:
        """All of them as a fold preprocesses them, `(n_train, n_features)`."""
        return self.of_folds[fold] if self.of_folds else self.x

    def spread(self, rows: np.ndarray | slice, fold: int | None = None) -> Any:
        """Some of them, as a fold or all rows preprocess them, see `dlreg.model.levels.spread_levels`."""
        x = self.x if fold is None else self.of_fold(fold)
        return spread_levels(x[rows], self.categories)


def mix_members(
    members: Sequence[Member],
    predictions: Sequence[np.ndarray],
    folds: Sequence[Fold],
    train: BlendedRows,
    y: np.ndarray,
    *,
    predicting: Sequence[int],
    limits: tuple[float, float] | None,
    beside: Collection[str] = (),
    seed: int = 0,
    selects: bool = False,
) -> tuple[Mixture, np.ndarray]:
    """Combines members that each left a fold out, and predicts every validated row by those that left it out.

    Args:
        members: What was trained, member by member.
        predictions: Of each variant the predictions of its members for every training row, in scaled units,
            `(n_members, n_train)` each.
        folds: The rows of each fold.
        train: The training rows.
        y: Their scaled target, `(n_train,)`.
        predicting: Which members predict new rows, see `dlreg.training.members.predicting_members`.
        limits: The least and the greatest prediction, if there are any.
        beside: What is weighed beside the variants, see `blend`; with nothing all variants count the same.
        seed: Of the trees.
        selects: Whether the members of a variant are selected, see `dlreg.training.selection`; else all count
            the same.

    Returns:
        The mixture of the predicting members, and the out-of-fold predictions in scaled units, `(n_train,)`:
        within the targets that their members learnt from where there are limits, NaN where no fold validates.
    """
    unseen_by_variant, counts, start = [], np.ones(len(members)), 0
    for member_predictions in predictions:
        of_variant = members[start : start + len(member_predictions)]
        fold_of_member = np.array([member.fold or 0 for member in of_variant])
        if selects:
            numbers = np.array([member.number for member in of_variant])
            added, unseen = _select_numbers(numbers, fold_of_member, member_predictions, folds, y)
            counts[start : start + len(numbers)] = added[numbers]
        else:
            unseen = out_of_fold(member_predictions, fold_of_member, folds)
        unseen_by_variant.append(unseen)
        start += len(member_predictions)
    variants, counts = [members[number].variant for number in predicting], counts[list(predicting)]
    if beside:
        mixture, unseen = blend(
            train, y, folds, variants, unseen_by_variant, limits, beside=beside, seed=seed, counts=counts
        )
    else:
        mixture, unseen = mean_of(variants, counts, limits), np.mean(unseen_by_variant, axis=0)
    for fold in folds if limits else ():
        known = y[fold.train]
        unseen[fold.validation] = np.clip(unseen[fold.validation], known.min(), known.max())
    return mixture, unseen


def _select_numbers(
    numbers: np.ndarray,
    fold_of_member: np.ndarray,
    predictions: np.ndarray,
    folds: Sequence[Fold],
    y: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """How often the members of each number are added, and what the added predict out of their folds."""
    of_numbers = [
        out_of_fold(predictions[numbers == number], fold_of_member[numbers == number], folds)
        for number in range(int(numbers.max()) + 1)
    ]
    return select_out_of_fold(np.stack(of_numbers), y, folds)


def out_of_fold(
    predictions: np.ndarray, fold_of_member: Sequence[int] | np.ndarray, folds: Sequence[Fold]
) -> np.ndarray:
    """Each row's mean prediction by the members that were not trained on it.

    Args:
        predictions: Of every member for every row, shape `(n_members, n_rows)`.
        fold_of_member: Which fold each member left out.
        folds: The rows of each fold.

    Returns:
        Shape `(n_rows,)`, NaN where no fold validates.
    """
    unseen = np.full(predictions.shape[1], np.nan)
    for number, fold in enumerate(folds):
        members = [member for member, left_out in enumerate(fold_of_member) if left_out == number]
        unseen[fold.validation] = predictions[members][:, fold.validation].mean(axis=0)
    return unseen


def blend(
    train: BlendedRows,
    y: np.ndarray,
    folds: Sequence[Fold],
    variant_of_member: Sequence[int],
    predictions: Sequence[np.ndarray],
    limits: tuple[float, float] | None,
    *,
    beside: Collection[str] = ("ridge",),
    seed: int = 0,
    counts: np.ndarray | None = None,
) -> tuple[Mixture, np.ndarray]:
    """Weighs the mean of each variant, a ridge regression and trees by how well they predict rows never seen.

    Stacked regressions (Breiman, 1996, https://doi.org/10.1007/BF00117832): non-negative weights that add
    up to 1 and minimise the squared error of out-of-fold predictions. Where folds go forward in time, the
    rows of each are predicted with the weights that the folds before it give.

    Args:
        train: The rows.
        y: Their scaled target, shape `(n_rows,)`.
        folds: The rows of each fold.
        variant_of_member: Which variant each predicting member belongs to.
        predictions: Out-of-fold predictions of each variant, shape `(n_rows,)` each.
        limits: Of the mixture.
        beside: What is weighed beside the variants: `ridge`, `trees`.
        seed: Of the trees.
        counts: How often each predicting member counts in the mean of its variant; None for once.

    Returns:
        The mixture, and its out-of-fold predictions, shape `(n_rows,)`, NaN where no fold validates.
    """
    columns, n_rounds, coefficients, intercept = list(predictions), 0, np.empty(0), 0.0
    if "ridge" in beside:
        ridge_predictions, coefficients, intercept = _ridge(train, y, folds)
        columns.append(ridge_predictions)
    if "trees" in beside:
        x_of_folds = [train.of_fold(number) for number in range(len(folds))]
        tree_predictions, n_rounds = predict_by_trees(x_of_folds, y, folds, seed)
        columns.append(tree_predictions)
    candidates = np.column_stack(columns)
    rows = validated_rows(folds)
    shares = _shares(candidates[rows], y[rows])
    if n_rounds and shares[-1] < _LEAST_SHARE_OF_TREES:
        shares, n_rounds = np.append(_shares(candidates[rows, :-1], y[rows]), 0.0), 0
    counts = np.ones(len(variant_of_member)) if counts is None else counts
    member_weights = divide_shares(shares, variant_of_member, counts)
    ridge_share = float(shares[len(predictions)]) if "ridge" in beside else 0.0
    mixture = Mixture(
        member_weights,
        Ridge(ridge_share, coefficients, intercept) if "ridge" in beside else None,
        limits,
        grow_trees(train.x, y, n_rounds, seed, float(shares[-1])) if n_rounds else None,
    )
    unseen = candidates @ shares
    for number, fold in enumerate(folds) if go_forward(folds) else ():
        earlier = validated_rows(folds[:number]) if number else fold.validation[:0]
        unseen[fold.validation] = candidates[fold.validation] @ _shares(candidates[earlier], y[earlier])
    return mixture, unseen


def _shares(candidates: np.ndarray, y: np.ndarray) -> np.ndarray:
    """How much of each candidate there is in the best sum; as much of each where no row can tell."""
    from scipy.optimize import nnls

    n_candidates = candidates.shape[1]
    if not len(y):
        return np.full(n_candidates, 1 / n_candidates)
    shares, _ = nnls(
        np.vstack([candidates, np.full((1, n_candidates), _SUM_WEIGHT)]), np.append(y, _SUM_WEIGHT)
    )
    return np.asarray(shares / shares.sum())


def _ridge(train: BlendedRows, y: np.ndarray, folds: Sequence[Fold]) -> tuple[np.ndarray, np.ndarray, float]:
    """Out-of-fold predictions of a ridge regression, and the mean of the folds' regressions.

    Where folds go forward in time it is one of all rows instead: the first ones know few, and none of late.
    """
    from sklearn.linear_model import RidgeCV
    from threadpoolctl import threadpool_limits

    predictions, models = np.full(len(y), np.nan), []
    # For the matrix of some hundred levels two threads take ten times as long, where others want the cores.
    with threadpool_limits(1, "blas"):
        for number, fold in enumerate(folds):
            model = RidgeCV(RIDGE_PENALTIES).fit(train.spread(fold.train, number), y[fold.train])
            predictions[fold.validation] = model.predict(train.spread(fold.validation, number))
            models.append(model)
        if go_forward(folds):
            models = [RidgeCV(RIDGE_PENALTIES).fit(train.spread(slice(None)), y)]
    coefficients = np.mean([model.coef_ for model in models], axis=0)
    return predictions, coefficients, float(np.mean([model.intercept_ for model in models]))
