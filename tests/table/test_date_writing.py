"""Dates are brought into another format, and refused where that cannot tell them."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlreg.errors import DataError
from dlreg.table.column import Column
from dlreg.table.csv_format import CsvFormat
from dlreg.table.date_writing import rewrite_dates
from dlreg.table.dates import parse_column
from dlreg.table.source import read_table
from dlreg.table.table import Table

FORMATS = [
    "%Y-%m-%d %H:%M:%S.%f", "%d/%m/%Y %I:%M:%S.%f %p", "%A, %d %B %Y %H:%M:%S.%f", "%a %d-%b-%Y %H%M%S.%f",
    "%j of %Y, %H:%M:%S.%f", "%Y년 %m월 %d일 %H시 %M분 %S.%f초",
]  # fmt: skip


def frame_table(*texts):
    return Table(pd.DataFrame({"day": pd.Series(texts, dtype="str")}), "table.csv", CsvFormat())


@settings(deadline=None)
@given(
    moments=st.lists(
        st.datetimes(pd.Timestamp("1700-01-01"), pd.Timestamp("2200-01-01")), min_size=1, max_size=5
    ),
    first=st.sampled_from(FORMATS),
    second=st.sampled_from(FORMATS),
)
def test_a_date_names_the_same_moment_in_the_other_format(moments, first, second):
    written, wanted = Column("day", "date", first), Column("day", "date", second)
    table = rewrite_dates(
        frame_table(*(f" {moment.strftime(first)}" for moment in moments)),
        Column("day", "date", first),
        wanted,
    )
    assert parse_column(table.frame["day"], wanted).tolist() == [pd.Timestamp(moment) for moment in moments]
    assert rewrite_dates(table, wanted, written).frame["day"].tolist() == [
        moment.strftime(first) for moment in moments
    ]


def test_missing_cells_stay_missing():
    table = frame_table("31.12.1999", None)
    rewritten = rewrite_dates(table, Column("day", "date", "%d.%m.%Y"), Column("day", "date", "%Y-%m-%d"))
    assert rewritten.frame["day"].isna().tolist() == [False, True]
    assert rewritten.frame["day"].iloc[0] == "1999-12-31"


@pytest.mark.parametrize(
    ("text", "written", "wanted", "message"),
    [
        ("1999-12-31 08:30", "%Y-%m-%d %H:%M", "%d/%m/%Y", "which cannot tell these; found '1999-12-31 08:30'"),
        ("1912-12-31", "%Y-%m-%d", "%d.%m.%y", "cannot tell these"),
        ("1999-12-31", "%Y-%m-%d", "epoch_seconds", "cannot tell these"),
        ("1999-12-31 08:30", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M %z", "cannot tell these"),
        ("31/12/1999", "%Y-%m-%d", "%d.%m.%Y", "expected dates of the form %Y-%m-%d"),
    ],
)  # fmt: skip
def test_what_cannot_be_told_is_refused_by_line(tmp_path, text, written, wanted, message):
    (tmp_path / "new.csv").write_text(f"day,x\n,1\n{text},2\n")
    table = read_table(str(tmp_path / "new.csv"), CsvFormat(), ["day"])
    with pytest.raises(DataError) as caught:
        rewrite_dates(table, Column("day", "date", written), Column("day", "date", wanted))
    (fault,) = caught.value.faults
    assert message in fault.message
    assert fault.line == 3
