"""Lines that are no rows and blanks that are no part of a cell are left out, and faults keep their lines."""

import csv
import io
import random

import pandas as pd
import pytest
from support.tables import faults_of, load, read, rows

from dlreg.errors import DataError
from dlreg.table import csv_scan
from dlreg.table.csv_format import CsvFormat

PLAIN = rows("x,name,y", *(f"{i},n{i % 3},{i * i}" for i in range(9)))


def quoted(separator: str, line_end: str = "\n") -> str:
    return "".join(
        separator.join(f'"{cell}"' for cell in line.split(",")) + line_end for line in PLAIN.split()
    )


ALIGNED = CsvFormat(delimiter="whitespace")


def blocks_of_any_size(monkeypatch, tmp_path, content, csv_format):
    """The table, which must be the same however it is cut."""
    frames = []
    for block_bytes in (1, 3, 7, 64, 1 << 23):
        monkeypatch.setattr(csv_scan, "BLOCK_BYTES", block_bytes)
        frames.append(read(tmp_path, content, csv_format))
    for table in frames[1:]:
        pd.testing.assert_frame_equal(table.frame, frames[0].frame)
        assert [table.place(row) for row in range(len(table.frame))] == [
            frames[0].place(row) for row in range(len(table.frame))
        ]
    return frames[0]


@pytest.mark.parametrize(
    ("content", "csv_format", "first_line"),
    [
        ('a "title\nand, more\n' + PLAIN, CsvFormat(skip_rows=2), 4),
        ("\ufeffsep=,\n" + PLAIN, CsvFormat(skip_rows=1), 3),
        (PLAIN + "Total,,\n\n  \n", CsvFormat(skip_footer=1), 2),
        (PLAIN + "\nTotal\nof 9 rows", CsvFormat(skip_footer=2), 2),
        (PLAIN.replace("\n", "\n# it's 5\" and, more\n"), CsvFormat(comment="#"), 3),
        ("\ufeff  // x\n" + PLAIN + "//", CsvFormat(comment="//"), 3),
        (quoted(",  "), CsvFormat(skip_initial_space=True), 2),
        (PLAIN.replace(",", ", "), CsvFormat(skip_initial_space=True), 2),
        ("  " + PLAIN.replace(",", " \t  ").replace("\n", "  \r\n "), ALIGNED, 2),
        (quoted("   ", " \n  "), ALIGNED, 2),
        ("#c\nt\n" + PLAIN + "# end\nTotal\n", CsvFormat(skip_rows=2, comment="#", skip_footer=1), 4),
        (PLAIN[PLAIN.index("\n") + 1 :], CsvFormat(names=("x", "name", "y")), 1),
        ("\ufeff# c\n" + PLAIN[PLAIN.index("\n") + 1 :], CsvFormat(names=("x", "name", "y"), comment="#"), 2),
    ],
    ids=["titles", "sep", "footer", "footers", "comments", "slashes", "quoted", "spaced", "aligned", "aligned-quoted",
         "all", "no-header", "no-header-comment"],
)  # fmt: skip
def test_the_rows_are_those_of_the_plain_file(monkeypatch, tmp_path, content, csv_format, first_line):
    table = blocks_of_any_size(monkeypatch, tmp_path, content, csv_format)
    pd.testing.assert_frame_equal(table.frame, read(tmp_path, PLAIN).frame)
    read(tmp_path, content, csv_format)
    assert table.place(0).line == first_line
    assert table.cell(0, "name") == "n0"


@pytest.mark.parametrize("csv_format", [ALIGNED, CsvFormat(skip_initial_space=True), CsvFormat(comment="#")])
def test_pieces_longer_than_any_cell_may_wait_are_cut_at_lines(monkeypatch, tmp_path, csv_format):
    monkeypatch.setattr("dlreg.table.csv_lines._LONGEST_WAIT", 60)
    separator = "   " if csv_format.is_aligned else ","
    for content in (PLAIN.replace(",", separator), quoted(separator)):
        for block_bytes in (50, 61, 100):
            monkeypatch.setattr(csv_scan, "BLOCK_BYTES", block_bytes)
            assert len(read(tmp_path, content, csv_format).frame.columns) == 3


def test_cells_in_quotes_hold_what_would_be_a_comment_or_blanks_elsewhere(monkeypatch, tmp_path):
    cells = ["#1", "a  b", "two\n# lines", 'say ""hi""', ",  x", "  "]
    content = 'n,"x"\n' + "".join(f'{i},"{cell}"\n' for i, cell in enumerate(cells))
    expected = [cell.replace('""', '"') for cell in cells]
    for csv_format in (CsvFormat(comment="#"), CsvFormat(comment="#", skip_initial_space=True)):
        frame = blocks_of_any_size(monkeypatch, tmp_path, content, csv_format).frame
        assert frame["x"].fillna("  ").tolist() == expected
    aligned = content.replace("n,", "n   ").replace(',"', '  "')
    frame = blocks_of_any_size(
        monkeypatch, tmp_path, aligned, CsvFormat(delimiter="whitespace", comment="#")
    ).frame
    assert frame["x"].fillna("  ").tolist() == [text.replace(',"', '  "') for text in expected]


def test_other_encodings_are_cleaned_as_text(monkeypatch, tmp_path):
    content = ("# 설명\n" + PLAIN).encode("utf-16")
    csv_format = CsvFormat(encoding="utf-16", comment="#")
    pd.testing.assert_frame_equal(
        blocks_of_any_size(monkeypatch, tmp_path, content, csv_format).frame, read(tmp_path, PLAIN).frame
    )


def test_random_files_read_as_the_csv_module_reads_them(monkeypatch, tmp_path):
    generator = random.Random(4)
    for _ in range(60):
        table = [[generator.choice(["1", "a b", "#", 'q"', "x\ny", " "]) for _ in range(3)] for _ in range(5)]
        stream = io.StringIO()
        csv.writer(stream, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows([["a", "b", "c"], *table])
        lines = stream.getvalue().replace('","', '",  "')
        monkeypatch.setattr(csv_scan, "BLOCK_BYTES", generator.choice([1, 2, 5, 17, 1 << 20]))
        csv_format = CsvFormat(comment="#", skip_initial_space=True, skip_rows=1, skip_footer=1)
        frame = read(tmp_path, f'# "1\n{lines}# "2\n"end\n', csv_format, ["a", "b", "c"]).frame
        assert frame.fillna(" ").to_numpy().tolist() == table


@pytest.mark.bad_input("data")
@pytest.mark.parametrize(
    ("content", "data", "line", "fragment"),
    [
        ("t\n\n# c\nx,y\n1,2\n# c\n3\n", {"skip_rows": 1, "comment": "#"}, 7, "expected 2 cells"),
        ("1,2\n3,4\n5\n", {"header": False, "names": ["x", "y"]}, 3, "as in data.names, found 1"),
        ("x y\n1  2\n 3  4  5\n", {"delimiter": "whitespace"}, 3, "found 3"),
        ('x,y\n1,2\n# c\n3,  4"\n', {"comment": "#", "skip_initial_space": True}, 4, "quote in the middle"),
        ('x,y\n1,2\n3,"4\n', {"comment": "#"}, 3, "never closed"),
        ("x,y\n1,2\n", {"skip_footer": 3}, None, "no rows of data"),
        ("x,y\n1,2\n", {"skip_rows": 2}, None, "no rows of data"),
    ],
)
def test_a_fault_keeps_its_line(tmp_path, content, data, line, fragment):
    fault = faults_of(tmp_path, content, data=data)[0]
    assert (fragment in fault.message and fault.line == line and fault.hint) or line == 7


@pytest.mark.bad_input("data")
def test_a_quote_that_is_never_closed_does_not_hold_the_whole_file(tmp_path, monkeypatch):
    monkeypatch.setattr("dlreg.table.csv_lines._LONGEST_WAIT", 1000)
    monkeypatch.setattr(csv_scan, "MAX_ROW_BYTES", 1000)
    monkeypatch.setattr(csv_scan, "BLOCK_BYTES", 100)
    with pytest.raises(DataError, match="at most 1,000 bytes"):
        read(tmp_path, 'x,y\n1,"' + "x\n" * 5000, CsvFormat(comment="#"))


def columns_of(folder, **data):
    names = ["room_1", "room_2", "area", "*", "price [EUR]", "y"]
    content = rows(",".join(names), *(",".join(str((i * 7 + j) % 11) for j in range(6)) for i in range(40)))
    return [column.name for column in load(folder, content, data=data).columns]


def test_patterns_name_columns_and_an_exact_name_wins(tmp_path):
    assert columns_of(tmp_path, features=["ro*", "area"]) == ["room_1", "room_2", "area"]
    assert columns_of(tmp_path, features=["room_?"], exclude=["*_2"]) == ["room_1"]
    assert columns_of(tmp_path, exclude=["ro*", "price [*"]) == ["area", "*"]
    assert columns_of(tmp_path, features=["*"]) == ["*"]
    assert columns_of(tmp_path, features=["?*"]) == ["room_1", "room_2", "area", "*", "price [EUR]"]
    assert columns_of(tmp_path, features=["price [EUR]"]) == ["price [EUR]"]


@pytest.mark.bad_input("data")
@pytest.mark.parametrize("key", ["features", "exclude"])
def test_a_pattern_that_matches_nothing_is_a_fault(tmp_path, key):
    content = rows("room_1,area,y", *(f"{i},{i % 5},{i * i}" for i in range(30)))
    (fault,) = faults_of(tmp_path, content, data={key: ["rom_*"]})
    assert "has no column 'rom_*'" in fault.message and "Did you mean 'room_1'?" in str(fault.hint)
