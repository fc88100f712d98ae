"""The features that columns become before they are scaled."""

import numpy as np
import pytest

from dlreg.errors import DataError
from dlreg.features.date_parts import MONTH_DAY, WEEKDAY
from dlreg.features.numbers import (
    columns_with_gaps,
    count_levels,
    count_numbers,
    fit_features,
    read_features,
)
from dlreg.table.column import Column

COLUMNS = (
    Column("size", "number"),
    Column("kind", "category"),
    Column("day", "date", "%Y-%m-%d"),
    Column("open", "boolean"),
)
CELLS = {
    "size": np.array([[1.0], [np.nan], [4.0], [10.0]]),
    "kind": np.array([["a"], [""], ["b"], ["a"]], dtype=object),
    "day": np.array([["1970-01-02"], ["1970-01-05"], [""], ["1970-01-03"]], dtype=object),
    "open": np.array([["yes"], ["no"], ["yes"], ["yes"]], dtype=object),
}


def test_numbers_are_filled_and_flagged_and_texts_stay():
    features = fit_features(CELLS, COLUMNS, "median", flagged=columns_with_gaps(CELLS, COLUMNS))
    assert [[feature.kind for feature in of_column] for of_column in features] == [
        ["number", "flag"],
        ["text"],
        ["number"] * 5 + ["flag"],
        ["text"],
    ]
    values = {feature.name: column.tolist() for feature, column in read_features(COLUMNS, features, CELLS)}
    assert values["size"] == [1, 4, 4, 10]
    assert values["size is missing"] == [0, 1, 0, 0]
    assert values["day.elapsed_days"] == [1, 4, 2, 2]
    assert values["day is missing"] == [0, 0, 1, 0]
    assert values["kind"] == ["a", "", "b", "a"]


@pytest.mark.parametrize(("missing", "fill"), [("median", 4.0), ("mean", 5.0)])
def test_missing_numbers_are_filled_with_an_average(missing, fill):
    assert fit_features(CELLS, COLUMNS, missing)[0][0].fill == fill


def test_features_are_counted_without_fitting():
    assert count_numbers(COLUMNS) == 6
    assert count_levels(COLUMNS, CELLS, {}) == [3, 2]
    assert count_levels(COLUMNS, CELLS, {"day": (WEEKDAY,)}) == [3, 4, 2]


def test_parts_of_dates_are_texts_after_their_numbers():
    features = fit_features(CELLS, COLUMNS, "median", flagged={"day"}, parts={"day": (WEEKDAY, MONTH_DAY)})[2]
    assert [feature.kind for feature in features] == ["number"] * 5 + ["flag", "text", "text"]
    values = dict(read_features([COLUMNS[2]], [features], CELLS))
    assert values[features[-2]].tolist() == ["Friday", "Monday", "", "Saturday"]
    assert values[features[-1]].tolist() == ["01-02", "01-05", "", "01-03"]


def test_missing_numbers_of_every_column_are_refused_at_once():
    with pytest.raises(DataError) as caught:
        fit_features(CELLS, COLUMNS, "error")
    assert ["'size'" in str(caught.value.faults[0]), "'day'" in str(caught.value.faults[1])] == [True, True]
