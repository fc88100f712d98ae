"""Columns as numbers, moments and levels, and groups of rows by them."""

import numpy as np
import pytest

from dlreg.report.views import Levels, Numbers, group_rows, view_column
from dlreg.table.column import Column


def numbers(values, name="x"):
    return view_column(Column(name, "number"), np.array(values, dtype=float).reshape(-1, 1))


def levels(texts):
    return view_column(Column("zone", "category"), np.array(texts, dtype=object).reshape(-1, 1))


def test_dates_are_in_order_and_shown_as_their_format_has_them():
    column = Column("day", "date", "%d/%m/%Y")
    view = view_column(column, np.array([["31/12/2023"], [""], ["01/02/2024"]], dtype=object))
    assert isinstance(view, Numbers)
    assert view.is_missing.tolist() == [False, True, False] and view.values[0] < view.values[2]
    assert view.shown(view.values[2]) == "2024-02-01"
    time = view_column(Column("at", "date", "%H:%M"), np.array([["07:30"]], dtype=object))
    assert time.shown(time.values[0]) == "07:30"


def test_levels_are_counted_and_equally_frequent_ones_in_order():
    view = levels(["b", "a", "c", "c", ""])
    assert isinstance(view, Levels)
    assert view.names == ["c", "", "a", "b"]
    assert view.codes.tolist() == [3, 2, 0, 0, 1] and view.is_missing.tolist() == [False] * 4 + [True]


@pytest.mark.parametrize(
    ("values", "shown"), [([1999, 2024], "1999"), ([1999, 20240], "1,999"), ([0.5, 1999], "1999")]
)
def test_a_number_of_four_digits_may_be_a_year(values, shown):
    assert numbers(values).shown(1999.0) == shown


def test_groups_of_numbers_hold_about_as_many_rows_and_name_their_ends():
    values = np.random.default_rng(1).permutation(np.arange(100.0))
    codes, names = group_rows(numbers(values), 5)
    assert np.bincount(codes).tolist() == [20] * 5
    assert names == ["0 to 19", "20 to 39", "40 to 59", "60 to 79", "80 to 99"]
    assert (codes == values // 20).all()


def test_missing_numbers_and_many_zeros_have_groups_of_their_own():
    codes, names = group_rows(numbers([0] * 60 + list(range(1, 41)) + [np.nan] * 5), 5)
    assert names == ["0", "1 to 20", "21 to 40", "missing"]
    assert np.bincount(codes).tolist() == [60, 20, 20, 5]


def test_few_numbers_are_groups_by_themselves():
    assert group_rows(numbers([3, 1, 2, 3]), 5)[1] == ["1", "2", "3"]


@pytest.mark.parametrize("values", [[np.nan, np.nan], [5.0, 5.0], [5.0]])
def test_a_column_without_two_numbers_is_one_group(values):
    codes, names = group_rows(numbers(values), 5)
    assert set(codes) == {0} and len(names) == 1


def test_rare_levels_are_taken_together_but_one_alone_is_named():
    texts = ["a"] * 9 + ["b"] * 5 + ["c"] * 3 + ["d"] * 2
    assert group_rows(levels(texts), 3)[1] == ["a", "b", "c", "d"]
    codes, names = group_rows(levels(texts), 2)
    assert names == ["a", "b", "2 others"] and np.bincount(codes).tolist() == [9, 5, 5]
    assert group_rows(levels(["", "", "a"]), 3)[1] == ["missing", "a"]
