"""Data frames: the cells are those of a CSV of the same table, whatever types hold them."""

import datetime as dt
import decimal

import numpy as np
import pandas as pd
import pytest
from support.tables import PLAIN, make_table, read

from dlreg.errors import DataError
from dlreg.table.csv_format import CsvFormat
from dlreg.table.frame_table import frame_block, frame_table

DAY, NOON = pd.Timestamp("2024-05-06"), pd.Timestamp("2024-05-06 12:00")


def cells(values, text=(), csv_format=PLAIN) -> list:
    """The cells of a column as a table has them; missing ones None."""
    column = pd.Series(values) if not isinstance(values, pd.Series) else values
    table = frame_table(frame_block(pd.DataFrame({"x": column}), csv_format), text)
    found = table.frame["x"]
    assert found.dtype in (np.float64, np.int64, pd.StringDtype(na_value=np.nan))
    return found.astype(object).where(found.notna(), None).tolist()


def test_a_frame_reads_as_its_csv_does(tmp_path):
    text = make_table(60).to_csv(index=False)
    (tmp_path / "other.csv").write_text(text)
    expected = read(tmp_path, text)
    frame = pd.read_csv(tmp_path / "other.csv").set_index(pd.Index(range(100, 160)))
    table = frame_table(frame_block(frame, PLAIN))
    pd.testing.assert_frame_equal(table.frame, expected.frame)
    (block,) = table.blocks()
    (expected_block,) = expected.blocks()
    pd.testing.assert_frame_equal(block.texts(["id", "day"]), expected_block.texts(["id", "day"]))
    assert list(block.sample(np.array([3, 5]))["id"]) == ["r0003", "r0005"]
    assert table.place(59).row == 60 and table.describe_place(0) == "row 1"
    assert table.cell(59, "id") == "r0059"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, 2, 3], [1, 2, 3]),
        (pd.array([1, None, 3], dtype="Int64"), [1.0, None, 3.0]),
        (np.array([1, 2**63], dtype=np.uint64), [1.0, 2.0**63]),
        (np.array([0.1, np.nan], dtype=np.float32), [float(np.float32(0.1)), None]),
        ([decimal.Decimal("0.10"), 3, None, np.float32(0.5)], [0.1, 3.0, None, 0.5]),
        ([None, None], [None, None]),
        ([True, False], ["True", "False"]),
        ([True, None, np.False_], ["True", None, "False"]),
        (pd.array([True, None], dtype="boolean"), ["True", None]),
        (["a", "", " NA ", None, " b"], ["a", None, None, None, " b"]),
        (["007", "08"], ["007", "08"]),
        ([1, "x", 2.5, None], ["1", "x", "2.5", None]),
        (pd.Categorical(["u", "v", None]), ["u", "v", None]),
        (pd.Categorical([3, 4, None]), [3.0, 4.0, None]),
        ([DAY, pd.NaT], ["2024-05-06", None]),
        ([DAY, NOON], ["2024-05-06 00:00:00", "2024-05-06 12:00:00"]),
        ([NOON, NOON + pd.Timedelta("5ms")], ["2024-05-06 12:00:00.000000", "2024-05-06 12:00:00.005000"]),
        ([NOON.tz_localize("Asia/Seoul")], ["2024-05-06 03:00:00Z"]),
        (pd.Series([dt.datetime(2024, 5, 6), None], dtype=object), ["2024-05-06", None]),
        (pd.Series([dt.date(2024, 5, 6), None], dtype=object), ["2024-05-06", None]),
        (pd.Series([dt.time(7, 30)], dtype=object), ["07:30:00"]),
        (pd.period_range("2024-05", periods=2, freq="M"), ["2024-05", "2024-06"]),
        (pd.arrays.SparseArray([0, 0, 1.5]), [0.0, 0.0, 1.5]),
    ],
)
def test_cells_of_every_type_become_numbers_or_the_text_of_a_csv(values, expected):
    assert cells(values) == expected


def test_numbers_are_written_as_the_format_says_where_text_is_wanted():
    assert cells([1.0, 2.5, np.nan], text=["x"], csv_format=CsvFormat(decimal=",")) == ["1", "2,5", None]
    assert cells([10**17 + 1, 2], text=["x"]) == ["100000000000000001", "2"]


LARGE = 2**53 + 1


@pytest.mark.parametrize(
    "values",
    [
        [LARGE, 2, 3],
        pd.Series([LARGE, None, 3], dtype=object),
        pd.array([LARGE, None, 3], dtype="Int64"),
        pd.Series([10**24 + 1, None, 3], dtype=object),
    ],
)
def test_whole_numbers_keep_every_digit_as_text(values):
    expected = [None if pd.isna(cell) else str(cell) for cell in values]
    assert cells(values, text=["x"]) == expected
    if str(10**24 + 1) not in expected:
        found = [None if cell is None else float(cell) for cell in cells(values)]
        assert found == [None if pd.isna(cell) else float(cell) for cell in values]


def test_missing_values_of_the_format_are_missing():
    csv_format = CsvFormat(missing_values=("-999", "?"))
    assert cells([1, -999], csv_format=csv_format) == [1.0, None]
    assert cells(["a", " ? "], csv_format=csv_format) == ["a", None]


def test_moments_are_told_with_the_format_that_they_are_written_in():
    frame = pd.DataFrame({"day": [DAY, DAY], "at": [NOON.tz_localize("UTC")] * 2, "text": ["2024-05-06"] * 2})
    assert frame_block(frame, PLAIN).moments == {"day": "%Y-%m-%d", "at": "%Y-%m-%d %H:%M:%S%z"}


def test_the_frame_is_not_changed():
    frame = pd.DataFrame({"x": [DAY, NOON], "n": [1, -999]}, index=[7, 9])
    before = frame.copy(deep=True)
    frame_table(frame_block(frame, CsvFormat(missing_values=("-999",))), ["n"])
    pd.testing.assert_frame_equal(frame, before)


@pytest.mark.parametrize(
    ("frame", "row", "found"),
    [
        (pd.DataFrame({"x": [1, [2]]}), 2, "'x': expected numbers.*found a list"),
        (pd.DataFrame({"x": [1j]}), None, "found complex128"),
        (pd.DataFrame({"x": [pd.Timedelta("1h")]}), None, "found timedelta64"),
        (pd.DataFrame([[1, 2]], columns=["x", "x"]), None, "2 columns are named 'x'"),
        (pd.DataFrame([[1, 2]], columns=["1", 1]), None, "2 columns are named '1'"),
    ],
)
def test_what_no_csv_could_hold_is_refused_with_its_place(frame, row, found):
    with pytest.raises(DataError, match=found) as caught:
        frame_block(frame, PLAIN)
    assert caught.value.faults[0].row == row and caught.value.faults[0].hint


def test_a_frame_without_rows_is_refused():
    with pytest.raises(DataError, match="no rows"):
        frame_table(frame_block(pd.DataFrame({"x": []}), PLAIN))
