"""The cells in the code of a card are cells that the columns may have."""

import math

import numpy as np
import pandas as pd
import pytest
from support.pipelines import DATE_FORMATS

from dlreg.commands.card_code import example_cell, python_code
from dlreg.evaluation.intervals import calibrated_intervals
from dlreg.runs.shapes import ColumnEntry, IntervalsRecord
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
    code = python_code({"x": ColumnEntry(kind="number")}, None)
    assert "'x': np.nan," in code
    assert "json" not in code and "math" not in code


@pytest.mark.parametrize("scale", ["learned", "constant"])
@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("n_rows", [9, 10, 18, 19, 20, 25, 200, 20_011])
def test_the_code_makes_the_intervals_of_the_run(n_rows, signed, scale):
    intervals = calibrated_intervals(np.random.default_rng(n_rows).normal(1, 1, n_rows), signed=signed)
    scores = {"signed_scores" if signed else "scores": intervals.scores.tolist()}
    record = IntervalsRecord(
        calibrated_on="validation", rows=n_rows, scale=scale, constant_width_90=None, **scores
    )
    _, _, code = python_code({"x": ColumnEntry(kind="number")}, record).rpartition("custom_metadata_map")
    _, _, code = code.partition("\n")
    names = {"intervals": record.model_dump(), "math": math, "outputs": [np.ones(1), np.full(1, 3.0)]}
    exec(code, names | {"prediction": 5.0, "print": lambda *values: names.update(values=values)})
    factor = np.array([3.0 if scale == "learned" else 1.0])
    ((below, above),) = intervals.margins(0.9, 1, factor)
    assert names["values"] == pytest.approx((5, 5 - below, 5 + above), rel=1e-12)


def test_a_moment_is_in_the_middle_of_the_training_range():
    days = [19_000.0, 19_010.5]
    assert (
        example_cell(ColumnEntry(kind="date", date_format="%d.%m.%Y %H:%M", range=days)) == "13.01.2022 06:00"
    )
    endless = ColumnEntry(kind="date", date_format="%Y", range=[-1e100, 1e140])
    assert example_cell(endless) == "2024"
    counted = ColumnEntry(kind="date", date_format="epoch_seconds", range=days)
    assert int(example_cell(counted)) == 19_005.25 * 86_400
