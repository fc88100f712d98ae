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
    parts = Division("random", 5, 0.2, 0.25).parts_of(ROWS, None)
    # Of so many rows, four standard deviations.
    assert np.bincount(parts) == pytest.approx([60_000, 20_000, 20_000], abs=4 * 160)


def test_a_row_keeps_its_part_when_others_are_added_or_left_out():
    division = Division("random", 5, 0.2, 0.25)
    whole = division.parts_of(ROWS, None)
    assert division.parts_of(ROWS[500:700], None).tolist() == whole[500:700].tolist()


def test_a_group_is_in_one_part():
    groups = np.random.default_rng(1).integers(0, 2000, len(ROWS)) * 977
    parts = Division("group", 5, 0.2, 0.25).parts_of(ROWS, groups)
    of_group = {group: set(parts[groups == group].tolist()) for group in np.unique(groups)[:300]}
    assert all(len(found) == 1 for found in of_group.values())
    assert {part for found in of_group.values() for part in found} == {TRAIN, VALIDATION, TEST}


@pytest.mark.parametrize("seed", range(3))
def test_the_last_rows_are_those_of_a_table_in_memory(seed):
    n_rows = int(np.random.default_rng(seed).integers(50, 1000))
    order = np.arange(n_rows)
    parts = forward_division("ordered", order, seed=seed, **FRACTIONS).parts_of(order, order)
    expected = split_rows(order, "ordered", seed=seed, **FRACTIONS)
    assert {name: np.flatnonzero(parts == code).tolist() for code, name in enumerate(PARTS)} == {
        name: rows.tolist() for name, rows in vars(expected).items()
    }


@pytest.mark.parametrize("seed", range(3))
def test_the_latest_rows_are_those_of_a_table_in_memory_and_moments_stay_whole(seed):
    moments = np.random.default_rng(seed).integers(0, 60, 1000).astype(float)
    parts = forward_division("time", moments, seed=seed, **FRACTIONS).parts_of(np.arange(1000), moments)
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
        assert division.parts_of(order, order).tolist() == [TRAIN] * 10


def test_an_empty_part_is_refused_if_it_was_asked_for():
    refuse_empty_parts(Division("random", 0, 0.0, 0.1), {"train": 1, "validation": 1, "test": 0})
    with pytest.raises(DataError, match="leaves 1 train, 0 validation, 0 test rows"):
        refuse_empty_parts(Division("random", 0, 0.0, 0.1), {"train": 1, "validation": 0, "test": 0})
