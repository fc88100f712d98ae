"""A table on disk is divided by a rule that looks at one row at a time."""

import numpy as np
import pytest

from dlreg.errors import DataError
from dlreg.table.division import (
    PARTS,
    TEST,
    TRAIN,
    VALIDATION,
    Division,
    forward_division,
    refuse_empty_parts,
)
from dlreg.table.splits import split_rows

ROWS = np.arange(100_000)
FRACTIONS = {"test_split": 0.2, "validation_split": 0.25}


def test_random_parts_have_the_sizes_asked_for():
    parts = Division("random", 5, 0.2, 0.25).divide(ROWS, None).parts
    # Of so many rows, four standard deviations.
    assert np.bincount(parts) == pytest.approx([60_000, 20_000, 20_000], abs=4 * 160)


def test_a_row_keeps_its_part_when_others_are_added_or_left_out():
    division = Division("random", 5, 0.2, 0.25)
    whole = division.divide(ROWS, None).parts
    assert division.divide(ROWS[500:700], None).parts.tolist() == whole[500:700].tolist()


def test_a_group_is_in_one_part():
    groups = np.random.default_rng(1).integers(0, 2000, len(ROWS)) * 977
    parts = Division("group", 5, 0.2, 0.25).divide(ROWS, groups).parts
    of_group = {group: set(parts[groups == group].tolist()) for group in np.unique(groups)[:300]}
    assert all(len(found) == 1 for found in of_group.values())
    assert {part for found in of_group.values() for part in found} == {TRAIN, VALIDATION, TEST}


@pytest.mark.parametrize("seed", range(3))
def test_the_last_rows_are_those_of_a_table_in_memory(seed):
    n_rows = int(np.random.default_rng(seed).integers(50, 1000))
    order = np.arange(n_rows)
    parts = forward_division("ordered", order, seed=seed, **FRACTIONS).divide(order, order).parts
    expected = split_rows(order, "ordered", seed=seed, **FRACTIONS)
    assert {name: np.flatnonzero(parts == code).tolist() for code, name in enumerate(PARTS)} == {
        name: rows.tolist() for name, rows in vars(expected).items()
    }


@pytest.mark.parametrize("seed", range(3))
def test_the_latest_rows_are_those_of_a_table_in_memory_and_moments_stay_whole(seed):
    moments = np.random.default_rng(seed).integers(0, 60, 1000).astype(float)
    parts = forward_division("time", moments, seed=seed, **FRACTIONS).divide(np.arange(1000), moments).parts
    expected = split_rows(np.arange(1000), "time", seed=seed, by=moments, **FRACTIONS)
    assert {name: np.flatnonzero(parts == code).tolist() for code, name in enumerate(PARTS)} == {
        name: rows.tolist() for name, rows in vars(expected).items()
    }


def test_a_fraction_of_zero_holds_nothing_out():
    order = np.arange(10)
    for division in (
        Division("random", 0, 0.0, 0.0),
        forward_division("ordered", order, seed=0, test_split=0.0, validation_split=0.0),
    ):
        assert division.divide(order, order).parts.tolist() == [TRAIN] * 10


def test_an_empty_part_is_refused_if_it_was_asked_for():
    refuse_empty_parts(Division("random", 0, 0.0, 0.1), {"train": 1, "validation": 1, "test": 0}, ())
    with pytest.raises(DataError, match="leaves 1 train, 0 validation, 0 test rows"):
        refuse_empty_parts(Division("random", 0, 0.0, 0.1), {"train": 1, "validation": 0, "test": 0}, ())


def test_folds_are_of_about_one_size_and_have_nothing_to_do_with_the_parts():
    parts, folds = Division("random", 5, 0.2, 0.0, n_folds=5).divide(ROWS, None)
    assert parts.tolist() == Division("random", 5, 0.2, 0.0).divide(ROWS, None).parts.tolist()
    # Of so many rows, four standard deviations.
    assert np.bincount(folds[parts == TRAIN]) == pytest.approx([16_000] * 5, abs=4 * 116)


def test_a_group_is_in_one_fold():
    groups = np.random.default_rng(1).integers(0, 2000, len(ROWS)) * 977
    folds = Division("group", 5, 0.2, 0.0, n_folds=3).divide(ROWS, groups).folds
    assert all(len(set(folds[groups == group].tolist())) == 1 for group in np.unique(groups)[:300])
    assert set(folds.tolist()) == {0, 1, 2}


def test_an_empty_fold_is_refused():
    with pytest.raises(DataError, match="split 'group' leaves folds of 4, 0, 3 rows"):
        refuse_empty_parts(Division("group", 0, 0.0, 0.0, n_folds=3), {"train": 7}, (4, 0, 3))
