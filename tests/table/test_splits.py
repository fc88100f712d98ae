"""Which rows train, validate and test: as Keras holds out, and never one row, group or moment on two sides."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.model_selection import TimeSeriesSplit

from dlreg.errors import DataError
from dlreg.table.splits import Splits, go_forward, split_folds, split_rows

FRACTIONS = st.floats(0, 0.9).map(lambda fraction: round(fraction, 3))
METHODS = ["random", "ordered", "group", "time"]


def split(n_rows, method, test_split=0.2, validation_split=0.25, seed=1, by=None, rows=None) -> Splits:
    rows = np.arange(n_rows) if rows is None else rows
    return split_rows(
        rows, method, test_split=test_split, validation_split=validation_split, seed=seed, by=by
    )


def n_held_out(n_rows: int, fraction: float) -> int:
    return n_rows - int(np.floor(n_rows * (1.0 - fraction)))


@settings(max_examples=300, deadline=None)
@given(
    method=st.sampled_from(METHODS),
    by=st.lists(st.integers(0, 9), min_size=3, max_size=80),
    test_split=FRACTIONS,
    validation_split=FRACTIONS,
    seed=st.integers(0, 2**32 - 1),
    gap=st.integers(1, 3),
)
def test_every_row_is_in_exactly_one_part(method, by, test_split, validation_split, seed, gap):
    rows, by = np.arange(len(by)) * gap + 5, np.array(by)
    settings = {"test_split": test_split, "validation_split": validation_split, "seed": seed, "rows": rows}
    given_by = by if method in ("group", "time") else None
    try:
        parts = split(len(rows), method, by=given_by, **settings)
    except DataError as error:
        assert "rows leaves" in str(error)
        return
    assert np.array_equal(np.sort(np.concatenate(list(vars(parts).values()))), rows)
    assert all((np.diff(part) > 0).all() for part in vars(parts).values())
    assert len(parts.train) > 0
    assert (len(parts.test) > 0) == (test_split > 0)
    assert (len(parts.validation) > 0) == (validation_split > 0)
    again = split(len(rows), method, by=given_by, **settings)
    assert all(np.array_equal(part, vars(again)[name]) for name, part in vars(parts).items())
    value = dict(zip(rows, by, strict=True))
    sides = [{value[row] for row in part} for part in (parts.train, parts.validation, parts.test)]
    if method == "group":
        assert not (sides[0] & sides[1] or sides[0] & sides[2] or sides[1] & sides[2])
    if method == "time":
        ordered = [side for side in sides if side]
        assert all(max(early) < min(late) for early, late in pairwise(ordered))
    if method in ("random", "ordered"):
        assert len(parts.test) == n_held_out(len(rows), test_split)
        assert len(parts.validation) == n_held_out(len(rows) - len(parts.test), validation_split)
    else:
        assert len(parts.test) >= n_held_out(len(rows), test_split)


def test_ordered_tests_on_the_last_rows_and_validates_on_those_before():
    parts = split(10, "ordered")
    assert [part.tolist() for part in (parts.train, parts.validation, parts.test)] == [
        [0, 1, 2, 3, 4, 5],
        [6, 7],
        [8, 9],
    ]


def test_time_takes_the_latest_rows_wherever_they_stand():
    moments = np.array(["2023-05", "2023-01", "2023-04", "2023-02", "2023-03"], dtype="datetime64[us]")
    parts = split(5, "time", by=moments, test_split=0.2, validation_split=0.25)
    assert [part.tolist() for part in (parts.train, parts.validation, parts.test)] == [[1, 3, 4], [2], [0]]


def test_rows_of_one_moment_stay_together_on_the_held_out_side():
    parts = split(6, "time", by=np.array([1, 2, 3, 3, 3, 3]), test_split=0.2, validation_split=0.0)
    assert parts.test.tolist() == [2, 3, 4, 5]


def test_random_draws_depend_on_the_seed_alone():
    first, other = split(200, "random", seed=1), split(200, "random", seed=2)
    assert np.array_equal(first.test, split(200, "random", seed=1).test)
    assert not np.array_equal(first.test, other.test)
    assert not np.array_equal(first.test, np.arange(160, 200))


def test_every_row_is_drawn_for_testing_as_often_as_any_other():
    drawn = np.zeros(20)
    for seed in range(600):
        drawn[split(20, "random", seed=seed).test] += 1
    # 600 draws at 0.2: mean 120, standard deviation 9.8.
    assert np.abs(drawn - 120).max() < 45


def test_test_rows_do_not_depend_on_the_validation_split():
    for method in ("random", "group"):
        by = np.arange(50) % 10
        parts = [split(50, method, by=by, validation_split=fraction) for fraction in (0.1, 0.5)]
        assert np.array_equal(parts[0].test, parts[1].test)


@pytest.mark.parametrize("by", [["a", "b", "a", "c"] * 10, list(range(40))], ids=["words", "numbers"])
def test_groups_are_drawn_whole(by):
    by = np.array(by, dtype=object)
    parts = split(40, "group", by=by, test_split=0.25, validation_split=0.3)
    assert not set(by[parts.test]) & set(by[parts.train])
    assert not set(by[parts.test]) & set(by[parts.validation])
    assert not set(by[parts.train]) & set(by[parts.validation])


@pytest.mark.parametrize(
    ("n_rows", "method", "fractions", "by", "counts"),
    [
        (1, "random", (0.2, 0.2), None, "0 training, 0 validation, 1 test"),
        (2, "ordered", (0.2, 0.2), None, "0 training, 1 validation, 1 test"),
        (1, "ordered", (0.0, 0.2), None, "0 training, 1 validation, 0 test"),
        (9, "group", (0.2, 0.0), ["a"] * 9, "0 training, 0 validation, 9 test"),
        (9, "time", (0.2, 0.0), [7] * 9, "0 training, 0 validation, 9 test"),
        (9, "random", (1e-18, 0.0), None, "9 training, 0 validation, 0 test"),
    ],
)
def test_an_empty_part_is_refused_with_the_counts(n_rows, method, fractions, by, counts):
    with pytest.raises(DataError) as caught:
        split(n_rows, method, *fractions, by=None if by is None else np.array(by))
    (fault,) = caught.value.faults
    assert f"split {method!r} of {n_rows:,} row" in fault.message
    assert counts in fault.message
    assert "data.test_split" in (fault.hint or "")


def test_one_row_trains_where_nothing_is_held_out():
    assert split(1, "random", test_split=0, validation_split=0).train.tolist() == [0]


@settings(max_examples=100, deadline=None)
@given(n_rows=st.integers(1, 5000), fraction=st.floats(0.001, 0.999))
def test_the_held_out_share_is_that_of_keras(n_rows, fraction):
    assume(int(np.floor(n_rows * (1.0 - fraction))) > 0)
    parts = split(n_rows, "random", test_split=0, validation_split=fraction)
    assert len(parts.train) == int(np.floor(n_rows * (1.0 - fraction)))


@pytest.mark.parametrize("method", ["random", "group"])
def test_folds_hold_every_row_once_and_keep_groups_whole(method):
    generator = np.random.default_rng(1)
    by = np.repeat(np.arange(20), 5)[generator.permutation(100)]
    folds = split_folds(100, method, 4, seed=1, by=by if method == "group" else None)
    parts = [fold.validation for fold in folds]
    assert sorted(np.concatenate(parts).tolist()) == list(range(100))
    assert max(map(len, parts)) - min(map(len, parts)) <= (5 if method == "group" else 1)
    for fold in folds:
        assert sorted([*fold.train, *fold.validation]) == list(range(100))
    if method == "group":
        assert sum(len(set(by[part])) for part in parts) == 20


@given(n_rows=st.integers(4, 200), n_folds=st.integers(2, 12), by_time=st.booleans(), seed=st.integers(0, 9))
def test_folds_that_go_forward_are_those_of_scikit_learn(n_rows, n_folds, by_time, seed):
    assume(n_rows >= 2 * n_folds)
    moments = np.random.default_rng(seed).permutation(n_rows)
    in_order = np.argsort(moments) if by_time else np.arange(n_rows)
    method = "time" if by_time else "ordered"
    folds = split_folds(n_rows, method, n_folds, seed=seed, by=moments if by_time else None)
    expected = list(TimeSeriesSplit(n_folds).split(np.zeros(n_rows)))
    assert len(folds) == len(expected)
    for fold, (train, validation) in zip(folds, expected, strict=True):
        assert sorted(in_order[train]) == fold.train.tolist()
        assert sorted(in_order[validation]) == fold.validation.tolist()
    assert go_forward(folds)


def test_rows_of_one_moment_stay_in_one_fold():
    by = np.repeat(np.arange(20), 5)[np.random.default_rng(1).permutation(100)]
    folds = split_folds(100, "time", 4, seed=1, by=by)
    for fold in folds:
        assert by[fold.train].max() < by[fold.validation].min()
        assert len(fold.validation) == 20
    assert all(by[low.validation].max() < by[high.validation].min() for low, high in pairwise(folds))


def test_folds_that_leave_each_other_out_do_not_go_forward():
    assert not go_forward(split_folds(61, "random", 5, seed=0))
    assert not go_forward(())


def test_too_few_rows_or_groups_for_the_folds_are_refused():
    with pytest.raises(DataError, match="leaves no 5 folds"):
        split_folds(9, "random", 5, seed=1)
    with pytest.raises(DataError, match="leaves no 5 folds"):
        split_folds(100, "group", 5, seed=1, by=np.repeat([0, 1], 50))
