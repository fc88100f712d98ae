"""Parquet and Arrow: the cells are those of a CSV of the same table, whatever types hold them."""

import datetime as dt
import decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from support.forms import arrow, parquet
from support.tables import PLAIN, faults_of, load, make_table, read, stream_source

from dlreg.errors import DataError, UsageError
from dlreg.table import arrow_file
from dlreg.table.csv_format import CsvFormat
from dlreg.table.source import read_sample, stream_tables

FORMS = {"parquet": parquet, "arrow": arrow, "row groups": lambda table: parquet(table, row_group_size=7)}


def cells(tmp_path, values: pa.Array, form=parquet, text=(), csv_format=PLAIN) -> list:
    table = pa.table({"x": values, "y": pa.array(range(len(values)))})
    return (
        read(tmp_path, form(table), csv_format, text)
        .frame["x"]
        .astype(object)
        .where(lambda x: x.notna(), None)
        .tolist()
    )


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_table_reads_as_its_csv_does(tmp_path, monkeypatch, form):
    frame = read(tmp_path, make_table(60).to_csv(index=False)).frame
    pd.testing.assert_frame_equal(read(tmp_path, form(frame)).frame, frame)
    monkeypatch.setattr(arrow_file, "BATCH_CELLS", 50)
    table = read(tmp_path, form(frame))
    pd.testing.assert_frame_equal(table.frame, frame)
    assert [table.place(row).row for row in (0, 6, 59)] == [1, 7, 60]
    assert table.cell(59, "풍속 등급") == frame["풍속 등급"].fillna("").iloc[59]
    parts = list(stream_tables(stream_source(form(frame))))
    assert len(parts) >= 10 and parts[1].place(0).row == len(parts[0].frame) + 1
    assert list(read_sample(table.name, CsvFormat()).columns) == list(frame.columns)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (pa.array([1, None, 3], pa.int8()), [1.0, None, 3.0]),
        (pa.array([1, 2**63], pa.uint64()), [1.0, 2.0**63]),
        (pa.array([0.1, None], pa.float32()), [float(np.float32(0.1)), None]),
        (pa.array([1.5, np.nan], pa.float64()), [1.5, None]),
        (pa.array([decimal.Decimal("0.10"), decimal.Decimal("12.34"), None]), [0.1, 12.34, None]),
        (pa.array([None, None]), [None, None]),
        (pa.array([True, None, False]), ["True", None, "False"]),
        (pa.array(["a", "", " NA ", None, " b"]), ["a", None, None, None, " b"]),
        (pa.array(["007", "08"]), ["007", "08"]),
        (pa.array(["a", None, "b"]).dictionary_encode(), ["a", None, "b"]),
        (pa.array([3, None, 4]).dictionary_encode(), [3.0, None, 4.0]),
        (pa.array([b"a", "é".encode()]), ["a", "é"]),
        (pa.array(["a", None], pa.string_view()), ["a", None]),
        (pa.array([dt.date(1969, 2, 1), None]), ["1969-02-01", None]),
        (pa.array([dt.datetime(1969, 2, 1, 8, 15), None], pa.timestamp("ns")), ["1969-02-01 08:15:00", None]),
        (pa.array([dt.datetime(2024, 2, 1), dt.datetime(2024, 2, 1, 0, 0, 1)], pa.timestamp("s")),
         ["2024-02-01 00:00:00", "2024-02-01 00:00:01"]),
        (pa.array([dt.datetime(1969, 2, 1, 1, 1, 1, 250_000), dt.datetime(2024, 2, 1)], pa.timestamp("ms")),
         ["1969-02-01 01:01:01.250000", "2024-02-01 00:00:00.000000"]),
        (pa.array([dt.datetime(2024, 7, 1, 12), None], pa.timestamp("us", "Europe/Berlin")), ["2024-07-01 12:00:00Z", None]),
        (pa.array([dt.time(8, 15), None], pa.time64("us")), ["08:15:00", None]),
        (pa.array([dt.time(8, 15, 1, 500), None], pa.time64("ns")), ["08:15:01.000500", None]),
    ],
    ids=lambda given: str(given.type) if isinstance(given, pa.Array) else "",
)  # fmt: skip
@pytest.mark.parametrize("form", [parquet, arrow], ids=["parquet", "arrow"])
def test_cells_of_every_type(tmp_path, values, expected, form):
    assert cells(tmp_path, values, form) == expected


def test_numbers_are_text_where_that_is_asked_for(tmp_path):
    assert cells(tmp_path, pa.array([7030, None]), text=["x"]) == ["7030", None]
    assert cells(tmp_path, pa.array([1.5, 2.0]), text=["x"], csv_format=CsvFormat(decimal=",")) == [
        "1,5",
        "2",
    ]


def test_texts_that_mean_missing_also_hold_for_numbers(tmp_path):
    csv_format = CsvFormat(missing_values=("-999", "?"))
    assert cells(tmp_path, pa.array([1.0, -999.0]), csv_format=csv_format) == [1.0, None]
    assert cells(tmp_path, pa.array(["a", "?"]), csv_format=csv_format) == ["a", None]


def test_moments_are_learnt_from(tmp_path):
    moments = pd.date_range("2024-01-01", periods=40, freq="7h")
    table = pd.DataFrame({"when": moments, "zone": moments.tz_localize("UTC"), "y": range(40)})
    dataset = load(tmp_path, parquet(table), data={"time_zone": "Europe/Berlin"})
    assert [column.kind for column in dataset.columns] == ["date", "date"]


@pytest.mark.bad_input("data")
@pytest.mark.parametrize(
    ("table", "fragments"),
    [
        (pa.table({"y": [1.0], "l": [[1, 2]], "s": [{"a": 1}]}), ["'l' holds list<", "'s' holds struct<"]),
        (pa.table({"y": [1.0], "d": pa.array([1], pa.duration("s"))}), ["'d' holds duration[s]"]),
        (pa.table([[1], [2]], names=["y", "y"]), ["2 columns are named 'y'"]),
        (pa.table({"x": pa.array([], pa.int64()), "y": pa.array([], pa.int64())}), ["no rows of data"]),
    ],
    ids=["nested", "duration", "twice", "empty"],
)
def test_what_is_no_table_of_cells_is_refused(tmp_path, table, fragments):
    faults = faults_of(tmp_path, arrow(table) if "named" in fragments[0] else parquet(table))
    assert len(faults) == len(fragments)
    for fault, fragment in zip(faults, fragments, strict=True):
        assert fragment in fault.message and fault.hint


@pytest.mark.bad_input("data")
def test_an_index_that_pandas_wrote_has_no_name(tmp_path):
    table = pa.Table.from_pandas(
        pd.DataFrame({"x": range(30), "y": range(30)}).sample(frac=1, random_state=0)
    )
    (fault,) = faults_of(tmp_path, parquet(table))
    assert "has no name, like an index" in fault.message


@pytest.mark.bad_input("data")
def test_a_fault_names_the_row(tmp_path):
    table = pd.DataFrame({"x": [f"{i}" for i in range(40)], "y": np.arange(40.0)})
    table.loc[16, "x"] = "oops"
    (fault,) = faults_of(tmp_path, parquet(table))
    assert str(fault).startswith(f"{tmp_path / 'table.csv'}, row 17: column 'x'")
    assert "'oops' (row 17)" in fault.message


@pytest.mark.bad_input("data")
@pytest.mark.parametrize("form", [parquet, arrow], ids=["parquet", "arrow"])
def test_a_damaged_file_is_refused(tmp_path, form):
    content = form(pd.DataFrame({"x": np.arange(4000.0), "y": np.arange(4000.0)}))
    for cut in (8, 20, 100, len(content) // 2, len(content) - 3):
        (fault,) = faults_of(tmp_path, content[:cut])
        assert "damaged" in fault.message and fault.hint
    for place in range(10, len(content), len(content) // 40):
        broken = content[:place] + bytes(64) + content[place + 64 :]
        try:
            read(tmp_path, broken)
        except DataError as error:
            assert error.faults[0].hint


@pytest.mark.bad_input("data")
def test_without_pyarrow_the_extra_is_named(tmp_path, monkeypatch):
    content = parquet(pd.DataFrame({"x": [1], "y": [2]}))
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(UsageError, match="a library that is not installed") as caught:
        read(tmp_path, content)
    assert "pip install 'dlreg[parquet]'" in str(caught.value)
