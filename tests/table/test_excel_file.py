"""Excel: a sheet reads as the CSV of the same cells, and faults name its rows."""

import datetime as dt
import io
import random
import zipfile

import openpyxl
import pandas as pd
import pytest
from support.forms import excel
from support.tables import PLAIN, faults_of, load, make_table, read

from dlreg.errors import DataError, UsageError
from dlreg.table import excel_file
from dlreg.table.csv_format import CsvFormat


def workbook(*rows, **sheets) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    for name, lines in sheets.items():
        sheet = book.create_sheet(name)
        for line in lines:
            sheet.append(line)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def cells(folder, *values, text=(), csv_format=PLAIN) -> list:
    rows = [[value, index] for index, value in enumerate(values)]
    return read(folder, workbook(["x", "y"], *rows), csv_format, text).frame["x"].fillna("").tolist()


def test_a_sheet_reads_as_its_csv_does(tmp_path):
    frame = read(tmp_path, make_table(60).to_csv(index=False)).frame
    table = read(tmp_path, excel(frame, above=2))
    pd.testing.assert_frame_equal(table.frame, frame)
    assert table.place(0).row == 4 and table.cell(3, "moment") == frame["moment"].fillna("").iloc[3]


def test_cells_of_every_type(tmp_path):
    day, moment = dt.date(2024, 5, 6), dt.datetime(2024, 5, 6, 8, 15)
    assert cells(tmp_path, 1, 0.1, 1e-7, -3.0) == [1, 0.1, 1e-7, -3]
    assert cells(tmp_path, True, False, None) == ["True", "False", ""]
    assert cells(tmp_path, "a,b", 'q"q', " x ", "two\nlines") == ["a,b", 'q"q', " x ", "two\nlines"]
    assert cells(tmp_path, "n", 7030, 1.5) == ["n", "7030", "1.5"]
    assert cells(tmp_path, day, None, day) == ["2024-05-06", "", "2024-05-06"]
    assert cells(tmp_path, day, moment) == ["2024-05-06 00:00:00", "2024-05-06 08:15:00"]
    assert cells(tmp_path, dt.time(8, 15), dt.time(0, 1)) == ["08:15:00", "00:01:00"]
    assert cells(tmp_path, dt.timedelta(hours=30), dt.timedelta(minutes=61)) == ["30:00:00", "1:01:00"]
    assert cells(tmp_path, 1.5, "2,5", csv_format=CsvFormat(decimal=",")) == [1.5, 2.5]
    assert cells(tmp_path, 7, 8, text=["x"]) == ["7", "8"]


def test_a_sheet_is_chosen_by_name(tmp_path):
    content = workbook(["x", "y"], [1, 2], **{"Q 1": [["x", "y"], [3, 4]]})
    assert read(tmp_path, content).frame["x"].tolist() == [1]
    assert read(tmp_path, content, CsvFormat(sheet="Q 1")).frame["x"].tolist() == [3]
    with pytest.raises(DataError, match=r"there is no sheet 'Q1'.*Did you mean 'Q 1'"):
        read(tmp_path, content, CsvFormat(sheet="Q1"))


def test_rows_that_are_none_are_left_out(tmp_path):
    content = workbook(
        ["Prices of 2024"], [], ["# c"], ["x", "y"], [1, 2], ["two\nlines", 3], [], [5, 6], ["Total", 9]
    )
    table = read(tmp_path, content, CsvFormat(skip_rows=1, comment="#", skip_footer=1))
    assert table.frame["y"].tolist() == [2, 3, 6]
    assert [table.place(row).row for row in range(3)] == [5, 6, 8]


@pytest.mark.bad_input("data")
def test_a_fault_names_the_row(tmp_path):
    (fault, *_) = faults_of(tmp_path, workbook(["x", "x"], [1, 2]))
    assert (fault.line, fault.row) == (None, 1) and "two columns are named 'x'" in fault.message
    rows = [[f"a\nb{i % 3}", i] for i in range(20)]
    (fault,) = faults_of(tmp_path, workbook(["x", "y"], *rows, ["a", "oops"]))
    assert fault.row == 22 and "'oops' (row 22)" in fault.message


@pytest.mark.bad_input("data")
def test_a_cell_far_away_is_refused_before_memory_is_taken(tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["x", "y"])
    book.active["XFD1048576"] = 1
    stream = io.BytesIO()
    book.save(stream)
    (fault,) = faults_of(tmp_path, stream.getvalue())
    assert f"at most {excel_file.MAX_CELLS:,} cells" in fault.message


@pytest.mark.bad_input("data")
def test_a_damaged_workbook_is_refused(tmp_path):
    content = workbook(["x", "y"], *([i, i * i] for i in range(200)))
    for cut in (30, len(content) // 2, len(content) - 10):
        (fault,) = faults_of(tmp_path, content[:cut])
        assert "Excel workbook, but it is damaged" in fault.message and fault.hint
    generator = random.Random(3)
    for _ in range(40):
        place = generator.randrange(len(content) - 8)
        try:
            read(tmp_path, content[:place] + bytes(8) + content[place + 8 :])
        except DataError as error:
            assert error.faults[0].hint


@pytest.mark.bad_input("data")
def test_a_workbook_without_cells_or_without_sheets_is_refused(tmp_path):
    assert "no rows of data" in faults_of(tmp_path, workbook())[0].message
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    assert faults_of(tmp_path, stream.getvalue())[0].hint


@pytest.mark.bad_input("data")
def test_without_its_library_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "python_calamine", None)
    with pytest.raises(UsageError, match=r"not installed.*dlreg\[excel\]"):
        load(tmp_path, workbook(["x", "y"], [1, 2]))
