"""The cells in the code of a card are cells that the columns may have."""

import math

import pandas as pd
import pytest
from support.pipelines import DATE_FORMATS

from dlreg.commands.card_code import example_cell, python_code
from dlreg.runs.shapes import ColumnEntry
from dlreg.table.dates import parse_dates


@pytest.mark.parametrize("date_format", [*DATE_FORMATS.values(), "epoch_milliseconds"])
def test_a_date_is_one_of_its_format(date_format):
    cell = example_cell(ColumnEntry(kind="date", date_format=date_format))
    assert parse_dates(pd.Series([cell], dtype="str"), date_format).notna().all(), cell


@pytest.mark.parametrize(
    ("ends", "expected"),
    [
        ((1.0, 4.0), 2.0),
        ((0.64, 29.68), 15.16),
        ((0.123456, 0.123457), 0.123457),
        ((-1e150, 1e150), 0.0),
        ((5.0, 5.0), 5.0),
    ],
)
def test_a_number_is_in_the_middle_of_the_training_range(ends, expected):
    cell = example_cell(ColumnEntry(kind="number", range=ends))
    assert cell == expected
    assert ends[0] <= cell <= ends[1]


def test_what_training_never_knew_is_missing():
    assert math.isnan(example_cell(ColumnEntry(kind="number")))
    assert example_cell(ColumnEntry(kind="category", levels=[""])) == ""
    assert example_cell(ColumnEntry(kind="boolean", levels=["", "true"])) == "true"


def test_without_intervals_nothing_is_imported_for_them():
    code = python_code({"x": ColumnEntry(kind="number")}, with_interval=False, scaled=False)
    assert "'x': np.nan," in code
    assert "json" not in code and "math" not in code
