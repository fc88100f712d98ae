"""Rows cut into folds."""

from itertools import pairwise

import numpy as np
import pytest

from dlreg.errors import DataError
from dlreg.table.splits import split_folds


@pytest.mark.parametrize("method", ["random", "ordered", "group", "time"])
def test_folds_hold_every_row_once_and_keep_groups_whole(method):
    generator = np.random.default_rng(1)
    by = np.repeat(np.arange(20), 5)[generator.permutation(100)]
    folds = split_folds(100, method, 4, seed=1, by=by if method in ("group", "time") else None)
    assert sorted(np.concatenate(folds).tolist()) == list(range(100))
    assert max(map(len, folds)) - min(map(len, folds)) <= (5 if method in ("group", "time") else 1)
    if method == "ordered":
        assert [fold[0] for fold in folds] == [0, 25, 50, 75]
    if method in ("group", "time"):
        assert sum(len(set(by[fold])) for fold in folds) == 20
    if method == "time":
        assert all(by[low].max() < by[high].min() for low, high in pairwise(folds))


def test_too_few_rows_or_groups_for_the_folds_are_refused():
    with pytest.raises(DataError, match="leaves no 5 folds"):
        split_folds(9, "random", 5, seed=1)
    with pytest.raises(DataError, match="leaves no 5 folds"):
        split_folds(100, "group", 5, seed=1, by=np.repeat([0, 1], 50))
