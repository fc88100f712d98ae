"""What columns hold."""

import numpy as np
import pytest

from dlreg.report.profile import BINS, explained_alone, profile_column
from dlreg.table.column import Column
from dlreg.table.parts import Part


def profiled(column, cells, y=None):
    cells = np.array(cells, dtype=float if column.kind == "number" else object).reshape(-1, 1)
    y = np.arange(float(len(cells))) if y is None else np.asarray(y, dtype=float)
    train = Part(np.arange(len(cells)), {column.name: cells}, y)
    return profile_column(column, cells, train, explained_alone(column, train))


def test_a_histogram_counts_every_row_that_has_a_number():
    values = np.append(np.random.default_rng(1).normal(size=500), [np.nan] * 7)
    profile = profiled(Column("x", "number", unit="km"), values)
    assert len(profile.bars) == BINS and sum(n for _, n in profile.bars) == 500
    expected = np.histogram(values[:500], bins=BINS)[0]
    assert [n for _, n in profile.bars] == expected.tolist()
    assert (profile.n_missing, profile.n_rows, profile.unit) == (7, 507, "km")


def test_an_outlier_does_not_take_all_bars():
    values = np.append(np.random.default_rng(2).normal(size=1000), [1e6])
    profile = profiled(Column("x", "number"), values)
    assert max(n for _, n in profile.bars) < 300
    assert sum(n for _, n in profile.bars) == 1001 and profile.bars[-1][0].endswith("1,000,000")


def test_few_whole_numbers_have_a_bar_each():
    assert profiled(Column("x", "number"), [1, 1, 2, 3]).bars == [("1", 2), ("2", 1), ("3", 1)]
    values = np.repeat(np.arange(14), 3)
    bars = profiled(Column("x", "number"), values).bars
    assert bars == [(str(number), 3) for number in range(14)]


def test_levels_are_counted_without_missing_cells():
    profile = profiled(Column("zone", "category"), ["a", "b", "a", ""])
    assert (profile.summary, profile.bars, profile.n_missing) == ("2 levels", [("a", 2), ("b", 1)], 1)
    assert ("missing", 1, 3.0) in profile.means


def test_the_mean_target_is_that_of_each_group_of_training_rows():
    profile = profiled(Column("x", "number"), [1, 1, 2, 2], [10, 20, 40, 60])
    assert profile.means == [("1", 2, 15.0), ("2", 2, 50.0)]


@pytest.mark.parametrize(
    ("column", "cells", "summary"),
    [
        (Column("x", "number"), [5, 5, 5], "5"),
        (Column("x", "number"), [0, 1e15, np.nan], "0 to 1.000e+15"),
        (Column("zone", "category"), ["a", "a", "a"], "1 level"),
        (Column("day", "date", "%Y-%m-%d"), ["2024-02-01", "", "2024-01-01"], "2024-01-01 to 2024-02-01"),
    ],
)
def test_any_column_has_a_profile(column, cells, summary):
    profile = profiled(column, cells)
    assert profile.summary == summary and profile.bars and profile.means
