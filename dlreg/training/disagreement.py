"""How far members are apart on the training rows, where those that left a row out know nothing of it."""

from collections.abc import Sequence

import numpy as np

from dlreg.model.member_spread import MemberSpread
from dlreg.table.splits import Fold, go_forward


def spread_of_members(
    predictions: np.ndarray, fold_of_member: Sequence[int], folds: Sequence[Fold], n_predicting: int
) -> MemberSpread | None:
    """The standard deviations of members' predictions of the training rows.

    Args:
        predictions: Of every member for every row, in the target's units, shape `(n_members, n_train)`.
        fold_of_member: Which fold each member left out.
        folds: The rows of each fold.
        n_predicting: How many members predict new rows.

    Returns:
        NaN where no fold validates; None where a row is left out by one member alone, or where folds go
        forward in time, so that members know ever more rows.
    """
    left_out = np.asarray(fold_of_member)
    n_unseen = int(np.bincount(left_out, minlength=len(folds)).min())
    if n_unseen < 2 or go_forward(folds):
        return None
    unseen = np.full(predictions.shape[1], np.nan)
    for number, fold in enumerate(folds):
        unseen[fold.validation] = predictions[left_out == number][:, fold.validation].std(axis=0)
    return MemberSpread(unseen, n_unseen, predictions.std(axis=0), n_predicting)
