"""Rows given as mappings are read as a data frame of them is, to the bit and to the word, but at once."""

import math
import tracemalloc
from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dlreg.config.sections.data import DataConfig
from dlreg.errors import DataError
from dlreg.runs import row_reader as module
from dlreg.runs.new_rows import predict_table, read_new_cells, table_of_frame
from dlreg.runs.row_reader import ROWS, row_predictor, row_reader
from dlreg.runs.trained_run import open_run
from dlreg.table.column import Column
from dlreg.table.columns import is_text

COLUMNS = (
    Column("area", "number"),
    Column("price", "number", unit="€"),
    Column("sales", "number", unit="k"),
    Column("town", "category"),
    Column("Town", "category", fold_case=True),
    Column("heated", "boolean"),
    Column("day", "date", "%Y-%m-%d"),
    Column("moment", "date", "%d/%m/%Y %H:%M:%S"),
    Column("hour", "date", "%H:%M"),
    Column("year", "date", "%d.%m.%y"),
    Column("short", "date", "%d.%m.%y", 2030),
    Column("doy", "date", "%Y%j"),
    Column("clock", "date", "%Y-%m-%d %H:%M%z"),
    Column("count", "date", "epoch_seconds"),
)
NUMBERS = st.one_of(
    st.floats(),
    st.integers(),
    st.sampled_from([0.0, -0.0, 1e100, 1.1e100, 2**53 + 1, -(2**63), 2**63, -999, -999.0, True]),
    st.sampled_from([np.float64(1.5), np.float32(0.1), np.int64(7), np.uint8(3), Decimal("1.5")]),
)
TEXTS = st.one_of(
    st.sampled_from(
        ["", " ", "NA", " nan ", "gone", "Elm", " elm ", "3", "3.0", "-0", "yes", "No", "1", "wahr"]
    ),
    st.text(max_size=4),
    st.sampled_from(["1.5", "1,5", "€5", "inf", "5k", "\ud800"]),
)
DATES = st.one_of(
    st.dates().map(str),
    st.datetimes().map(lambda moment: moment.strftime("%d/%m/%Y %H:%M:%S")),
    st.sampled_from(
        ["2024-02-30", " 2024-2-1 ", "0000-01-01", "24:00", "9:5", "31.12.68", "29.02.23", "2024366"]
    ),
    st.sampled_from(
        ["2023366", "2024-01-01 10:00+01:00", "2024-01-01 10:00", "1700000000", "01/01/2024 23:59:60"]
    ),
)
MISSING = st.sampled_from([None, math.nan, "", "NA"])
OTHERS = st.sampled_from(
    [date(2024, 1, 1), datetime(2024, 1, 1), pd.Timestamp("2024-01-01"), pd.NA, pd.NaT, [1], {}]
)
KINDS = {"number": NUMBERS, "category": TEXTS | NUMBERS, "boolean": st.booleans() | TEXTS, "date": DATES}


def run_of(columns, **data):
    config = SimpleNamespace(data=DataConfig(path="table.csv", target="y", **data))
    texts = [column.name for column in columns if is_text(column)]
    return SimpleNamespace(columns=columns, config=config, text_columns=texts)


def outcome(read):
    try:
        return {name: (column.dtype, column.shape, repr(column.tolist())) for name, column in read().items()}
    except DataError as error:
        return [str(fault) for fault in error.faults]


@st.composite
def rows_of_a_column(draw):
    column = draw(st.sampled_from(COLUMNS))
    usual = KINDS[column.kind]
    cells = draw(
        st.sampled_from([usual | MISSING, usual, NUMBERS | MISSING, usual | TEXTS | DATES | NUMBERS | OTHERS])
    )
    return column, draw(st.lists(cells, min_size=1, max_size=4))


@settings(max_examples=600, deadline=None)
@given(rows_of_a_column(), st.sampled_from(["plain", "German", "gaps"]))
@example((COLUMNS[3], [2**53 + 1, 0.5]), "plain")
@example((COLUMNS[3], [1.5, "a"]), "German")
@example((COLUMNS[3], [1.5, 2.5]), "German")
@example((COLUMNS[5], [True, None]), "gaps")
@example((COLUMNS[5], [True, False]), "gaps")
@example((COLUMNS[0], [-999, 1]), "gaps")
@example((COLUMNS[3], [-999, 1]), "gaps")
@example((COLUMNS[8], ["24:00", "9:5"]), "plain")
@example((COLUMNS[0], [0, pd.NaT]), "plain")
@example((COLUMNS[0], [0.5, pd.NaT, None]), "plain")
def test_rows_are_read_as_a_data_frame_of_them(drawn, style):
    column, cells = drawn
    data = {
        "plain": {},
        "German": {"decimal": ",", "thousands": "."},
        "gaps": {"missing_values": ["-999", "gone", "True"], "time_zone": "Europe/Berlin"},
    }[style]
    run, rows = run_of((column,), **data), [{column.name: cell, "other": 1} for cell in cells]

    def expected():
        return read_new_cells(run, table_of_frame(run, pd.DataFrame(rows), ROWS))

    if any("\ud800" in cell for cell in cells if isinstance(cell, str)):
        with pytest.raises(DataError, match="half of a character"):
            row_reader(run)(rows)
        return
    assert outcome(lambda: row_reader(run)(rows)) == outcome(expected)


PLAIN = {
    "area": [1.5, 2, None, math.nan, np.float64(3)],
    "town": ["Elm", " Oak ", "3.0", None, ""],
    "heated": [True, False, None, "yes", "no"],
    "day": ["2024-02-29", "1999-12-31", None, "NA", " 2024-01-01 "],
    "moment": ["01/02/2024 10:11:12", None, None, "", "31/12/1999 00:00:00"],
    "hour": ["9:05", "23:59", "", None, "00:00"],
}


def test_plain_rows_need_no_pandas(monkeypatch):
    monkeypatch.setattr(module, "_read_by_pandas", lambda *_: pytest.fail("pandas was asked"))
    columns = [column for column in COLUMNS if column.name in PLAIN]
    rows = [dict(zip(PLAIN, cells, strict=True)) for cells in zip(*PLAIN.values(), strict=True)]
    cells = row_reader(run_of(columns))(rows)
    assert cells["town"][:, 0].tolist() == ["Elm", "Oak", "3", "", ""]
    assert cells["heated"][:, 0].tolist() == ["true", "false", "", "true", "false"]


@pytest.mark.parametrize(
    ("rows", "fragment"),
    [
        ([], "there are no rows"),
        ([{"town": "Elm"}], "no column 'area'"),
        ([{"area": 1.0}, {"area": "one"}], "the rows, row 2: column 'area': expected finite numbers"),
        ([{"area": 1.0}, [1.0]], "the rows, row 2: expected a mapping from columns to cells, found a list"),
        ([{"area": math.inf}], "the rows, row 1: column 'area'"),
        ([{"are\ud800": 1.0}], "half of a character"),
        (
            [{"area": datetime(2024, 1, 1)}, {"area": datetime(2024, 1, 1, tzinfo=UTC)}],
            "the rows, row 2: column 'area': .*moments with a time zone and others without. Give all",
        ),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(rows, fragment):
    with pytest.raises(DataError, match=fragment):
        row_reader(run_of(COLUMNS[:1]))(rows)


def test_a_moment_with_a_zone_is_refused_where_the_run_has_none():
    read = row_reader(run_of(COLUMNS[7:8]))
    assert read([{"moment": datetime(2024, 1, 2, 3)}])["moment"].tolist() == [["02/01/2024 03:00:00"]]
    with pytest.raises(DataError, match="the rows, row 1: column 'moment': expected moments without a time"):
        read([{"moment": datetime(2024, 1, 2, 3, tzinfo=UTC)}])


def test_long_texts_of_strangers_are_not_kept():
    read = row_reader(run_of([Column("town", "category"), Column("day", "date", "%Y-%m-%d")]))
    tracemalloc.start()
    for number in range(200):
        read([{"town": f"{number}" * 10_000, "day": None}])
        with suppress(DataError):
            read([{"town": None, "day": f"{number}" * 10_000}])
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 1e6


def test_a_column_that_some_rows_lack_is_missing_there():
    cells = row_reader(run_of(COLUMNS[:1]))([{"area": 1.0}, {}])
    np.testing.assert_array_equal(cells["area"], [[1.0], [np.nan]])


def test_rows_are_predicted_as_their_table(project):
    run = open_run(project / "run")
    frame = pd.read_csv(project / "table.csv")
    rows = frame.to_dict("records")
    told, one_by_one = predict_table(run, table_of_frame(run, frame), interval=0.9), row_predictor(run)
    for name, values in told.columns.items():
        alone = [one_by_one([row], 0.9).columns[name][0] for row in rows]
        assert alone == values.tolist()
    together = one_by_one(rows)
    assert together.columns["y_pred"].tolist() == told.columns["y_pred"].tolist()
    assert together.strange == told.strange
