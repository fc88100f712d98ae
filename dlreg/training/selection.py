"""Which networks of an ensemble predict, and how much each counts.

Ensemble selection (Caruana, Niculescu-Mizil, Crew and Ksikes, 2004, https://doi.org/10.1145/1015330.1015432):
of all candidates the one is added, again and again, that brings the mean of those added the nearest to the
target on rows that they have not learnt from; one that is added twice counts twice.
"""

from collections.abc import Sequence

import numpy as np

from dlreg.table.splits import Fold, go_forward, validated_rows

# As many as TabPack's ensembles have.
ADDED = 32
# Of validation rows; each is predicted by what the others choose.
PARTS = 5


def select_greedily(predictions: np.ndarray, y: np.ndarray, n_added: int = ADDED) -> np.ndarray:
    """How often each candidate is added.

    The mean of the added has the squared error cᵀ G c / k², where c counts how often each is among the k, and
    Gᵢⱼ is the mean product of the errors of two candidates.

    Args:
        predictions: Of each candidate, shape `(n_candidates, n_rows)`.
        y: The target, shape `(n_rows,)`.
        n_added: How many are added in all. It ends with the first of them that make the least error.

    Returns:
        Whole numbers, shape `(n_candidates,)`; 1 for each where there is no row.
    """
    if not len(y):
        return np.ones(len(predictions), dtype=np.int64)
    errors = predictions - y
    products = errors @ errors.T / len(y)
    counts, best = np.zeros(len(predictions), dtype=np.int64), np.zeros(len(predictions), dtype=np.int64)
    least, error, with_added = np.inf, 0.0, np.zeros(len(predictions))
    for n in range(1, n_added + 1):
        # (c + eᵢ)ᵀ G (c + eᵢ) of each candidate i.
        candidates = error + 2 * with_added + np.diagonal(products)
        chosen = int(np.argmin(candidates))
        error = float(candidates[chosen])
        counts[chosen] += 1
        with_added = with_added + products[chosen]
        if error / n**2 < least:
            least, best = error / n**2, counts.copy()
    return best


def select_out_of_fold(
    predictions: np.ndarray, y: np.ndarray, folds: Sequence[Fold]
) -> tuple[np.ndarray, np.ndarray]:
    """How often each candidate is added, and what those added predict for rows that did not choose them.

    Args:
        predictions: Of each candidate for rows it has not learnt from, shape `(n_candidates, n_rows)`, NaN
            where no fold validates.
        y: The target, shape `(n_rows,)`.
        folds: The rows of each fold. Those of one are predicted by what the others choose, or where folds go
            forward in time, those before it.

    Returns:
        As `select_greedily` of all rows, and predictions of shape `(n_rows,)`, NaN where no fold validates.
    """
    rows = validated_rows(folds)
    unseen = np.full(len(y), np.nan)
    for number, fold in enumerate(folds):
        others = folds[:number] if go_forward(folds) else (*folds[:number], *folds[number + 1 :])
        known = validated_rows(others) if others else rows[:0]
        unseen[fold.validation] = _selected_by(predictions, y, known, fold.validation)
    return select_greedily(predictions[:, rows], y[rows]), unseen


def select_on_validation_rows(predictions: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How often each candidate is added, and what those added predict for rows that did not choose them.

    Args:
        predictions: Of each candidate for the validation rows, shape `(n_candidates, n_rows)`.
        y: Their target, shape `(n_rows,)`.

    Returns:
        As `select_greedily` of all rows, and predictions of shape `(n_rows,)`.
    """
    part_of_row, unseen = np.arange(len(y)) % PARTS, np.empty(len(y))
    for part in range(PARTS):
        rows = np.flatnonzero(part_of_row == part)
        unseen[rows] = _selected_by(predictions, y, np.flatnonzero(part_of_row != part), rows)
    return select_greedily(predictions, y), unseen


def _selected_by(predictions: np.ndarray, y: np.ndarray, known: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """What the candidates that some rows choose predict for others."""
    counts = select_greedily(predictions[:, known], y[known])
    return np.asarray(counts @ predictions[:, rows] / counts.sum())
