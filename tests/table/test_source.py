"""Several files are one table, with faults that name the file; a table that is known is not read again."""

from dataclasses import replace

import pandas as pd
import pytest
from support.forms import COMPRESS, arrow, excel, parquet
from support.tables import faults_of, make_table, read

from dlreg.errors import DataError
from dlreg.table.csv_format import CsvFormat
from dlreg.table.source import KnownTable, find_source, read_table, stream_tables


def csv_of(frame: pd.DataFrame) -> bytes:
    return frame.to_csv(index=False).encode()


@pytest.fixture
def frame(tmp_path):
    return read(tmp_path, csv_of(make_table(100))).frame


def cut(frame: pd.DataFrame, folder, *writers) -> None:
    folder.mkdir()
    size = len(frame) // len(writers)
    for number, write in enumerate(writers):
        (folder / f"part-{number + 8}").write_bytes(write(frame[size * number : size * (number + 1)]))


@pytest.mark.parametrize(
    "writers",
    [[csv_of] * 4, [csv_of, lambda frame: COMPRESS["zst"](csv_of(frame)), parquet, excel], [arrow, parquet]],
    ids=["csv", "mixed", "typed"],
)
def test_a_table_cut_into_files_is_the_same_table(tmp_path, frame, writers):
    cut(frame, tmp_path / "parts", *writers)
    for path in (tmp_path / "parts", tmp_path / "parts" / "part-*"):
        table = read_table(str(path), CsvFormat())
        pd.testing.assert_frame_equal(table.frame, frame)
        place = table.place(len(frame) // len(writers))
        assert place.path.endswith("part-9")
        assert (place.line or place.row) == (2 if place.line else 1)
        streamed = pd.concat([part.frame for part in stream_tables(find_source(str(path), CsvFormat()))])
        assert len(streamed) == len(frame)


def test_columns_that_read_differently_become_one(tmp_path):
    folder = tmp_path / "parts"
    folder.mkdir()
    (folder / "1.csv").write_text("x,y\n1,2\n")
    (folder / "2.csv").write_text("x,y\na,3\n")
    assert read_table(str(folder), CsvFormat()).frame["x"].tolist() == ["1", "a"]


@pytest.mark.bad_input("data")
@pytest.mark.parametrize(
    ("second", "found"),
    [("y,x\n1,2\n", "the same in another order"), ("x,z\n1,2\n", "without 'y' and with 'z'"),
     ("x,y,z\n1,2,3\n", "with 'z'"), ("x\n1\n", "without 'y'")],
)  # fmt: skip
def test_another_header_is_refused(tmp_path, second, found):
    folder = tmp_path / "parts"
    folder.mkdir()
    (folder / "1.csv").write_text("x,y\n1,2\n")
    (folder / "2.csv").write_text(second)
    with pytest.raises(DataError) as caught:
        read_table(str(folder), CsvFormat())
    (fault,) = caught.value.faults
    assert fault.message.endswith(found) and (fault.path, fault.line) == (f"{folder}/2.csv", 1) and fault.hint


@pytest.mark.bad_input("data")
def test_a_fault_names_the_file_and_its_line(tmp_path):
    folder = tmp_path / "parts"
    folder.mkdir()
    for number in (1, 2):
        rows = "".join(f"{i},{i}\n" for i in range(20))
        (folder / f"{number}.csv").write_text(f"x,y\n{rows}")
    (folder / "2.csv").write_text("x,y\n1,2\noops,3\n")
    (fault,) = faults_of(tmp_path, None or b"", data={"path": "parts", "types": {"x": "number"}})
    assert str(fault).startswith(f"{folder}/2.csv:3: column 'x'")
    (folder / "2.csv").write_text("x,y\n1,2\n3\n")
    (fault,) = faults_of(tmp_path, b"", data={"path": "parts/*.csv"})
    assert str(fault).startswith(f"{folder}/2.csv:3: expected 2 cells")


@pytest.mark.parametrize(
    ("changes", "texts", "is_known"),
    [
        ({}, set(), True),
        ({"time_zone": "UTC", "thousands": ","}, {"z"}, True),
        ({}, {"x"}, False),
        ({"missing_values": ("1",)}, set(), False),
        ({"decimal": ","}, set(), False),
    ],
)
def test_a_known_table_is_read_again_only_where_it_would_be_another(tmp_path, changes, texts, is_known):
    path = str(tmp_path / "t.csv")
    (tmp_path / "t.csv").write_text("x,y,z\n1,2,a\n1.5,4,b\n")
    known = KnownTable(path, read_table(path, CsvFormat()), set())
    csv_format = replace(CsvFormat(), **changes)
    table, again = known.read(path, csv_format, texts), read_table(path, csv_format, texts)
    assert (table.frame is known.table.frame) == is_known
    assert table.frame.equals(again.frame) and table.csv_format == again.csv_format
    assert table.describe_place(1) == again.describe_place(1) == "line 3"
    (tmp_path / "other.csv").write_text("x\n1\n")
    assert len(known.read(str(tmp_path / "other.csv"), CsvFormat()).frame) == 1
    kept = KnownTable(path, read_table(path, CsvFormat(), {"x"}), {"x"})
    assert kept.read(path, CsvFormat()).frame["x"].tolist() == [1.0, 1.5]
