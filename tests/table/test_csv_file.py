"""The CSV reader: what it accepts is read exactly, block by block as at once."""

import csv
import io
import random

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.fuzzing import EXAMPLES
from support.tables import load, read, rows, stream_source

from dlreg.errors import DataError, DlregError
from dlreg.table import csv_scan
from dlreg.table.csv_file import MISSING_TEXTS
from dlreg.table.csv_format import CsvFormat
from dlreg.table.source import read_sample, read_table, stream_tables

# tests/support/fuzzing.py says how to try more.
fuzz = settings(max_examples=max(1, EXAMPLES // 50), deadline=None, suppress_health_check=list(HealthCheck))

GOOD = rows("x,y", *(f"{i},{i * i}" for i in range(12)))
KOREAN = rows("거리,y,지역", *(f"{i},{2 * i},{'서울' if i % 2 else '부산'}" for i in range(12)))


CLEAN = pd.DataFrame({"x": [1.5, -2.0, 3e-7], "이름": ["봄, 여름", 'say "hi"', "two\nlines"], "y": [1, 2, 3]})


@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["lf", "crlf"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", " ", ":"])
@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC])
def test_delimiters_quoting_and_line_ends(tmp_path, delimiter, newline, quoting):
    content = CLEAN.to_csv(index=False, sep=delimiter, lineterminator=newline, quoting=quoting)
    frame = read(tmp_path, content, CsvFormat(delimiter=delimiter)).frame
    pd.testing.assert_frame_equal(frame, CLEAN)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "cp949"])
def test_encodings(tmp_path, encoding):
    content = CLEAN.to_csv(index=False).encode(encoding)
    frame = read(tmp_path, content, CsvFormat(encoding=encoding)).frame
    pd.testing.assert_frame_equal(frame, CLEAN)


@pytest.mark.parametrize("decimal", [".", ","])
def test_decimal_marks(tmp_path, decimal):
    content = CLEAN.to_csv(index=False, sep=";", decimal=decimal)
    frame = read(tmp_path, content, CsvFormat(delimiter=";", decimal=decimal)).frame
    pd.testing.assert_frame_equal(frame, CLEAN)


@pytest.mark.parametrize(
    "content",
    [
        "\ufeffx,y\n1,2\n3,4\n",
        "x,y\n1,2\n3,4",
        "x,y\n1,2\n3,4\r",
        "\n\nx,y\n1,2\n3,4\n",
        "  \n\t\nx,y\n\n1,2\n   \n3,4\n\n\n",
        '"x","y"\r\n"1","2"\r\n"3","4"\r\n',
        "x,y\n 1 , 2\n3 ,\t4\n",
        "x,y\r\n1,2\n3,4\r\n",
        "x,y\n" + " " * 90 + "\n1,2\n3,4\n",
    ],
    ids=[
        "mark",
        "no-newline",
        "return-at-end",
        "blank-first",
        "blanks",
        "quoted",
        "padded",
        "mixed",
        "wide-blank",
    ],
)
def test_harmless_differences(tmp_path, content):
    pd.testing.assert_frame_equal(read(tmp_path, content).frame, pd.DataFrame({"x": [1, 3], "y": [2, 4]}))


def test_odd_names_are_kept(tmp_path):
    names = [
        " blanks ",
        "--help",
        "$x$",
        "=1+1",
        "\x1b[31m",
        "소요 시간",
        "a.b/c",
        "x\ny",
        "a",
        "A",
        "nan",
        "🚲",
    ]
    stream = io.StringIO()
    csv.writer(stream).writerows([names, range(len(names))])
    table = read(tmp_path, stream.getvalue())
    assert list(table.frame.columns) == names == list(read_sample(table.name, CsvFormat()))


@pytest.mark.parametrize("text", [*MISSING_TEXTS, "  ", " NA ", "?", " ? ", "-999"])
def test_missing_cells(tmp_path, text):
    csv_format = CsvFormat(missing_values=("?", "-999"))
    frame = read(tmp_path, rows("x,z,y", f"{text},{text},1", "2,b,2"), csv_format).frame
    assert frame.isna().to_numpy().tolist() == [[True, True, False], [False, False, False]]


def test_numbers_are_read_to_the_last_bit(tmp_path):
    generator = random.Random(5)
    numbers = [generator.uniform(-1, 1) * 10 ** generator.randint(-80, 80) for _ in range(2000)]
    frame = read(tmp_path, rows("x,y", *(f"{number!r},1" for number in numbers))).frame
    assert frame["x"].tolist() == numbers


def test_words_for_true_and_false_stay_as_they_are_written(tmp_path):
    frame = read(tmp_path, rows("a,b,y", "True,TRUE,1", "False,,2", "True,false,3")).frame
    assert frame["a"].tolist() == ["True", "False", "True"]
    assert frame["b"].fillna("").tolist() == ["TRUE", "", "false"]


def test_columns_can_be_kept_as_text(tmp_path):
    frame = read(tmp_path, rows("code,y", "007,1", "08,2"), text=["code"]).frame
    assert frame["code"].tolist() == ["007", "08"]


def test_lines_and_cells_are_those_of_the_file(tmp_path):
    table = read(tmp_path, '\nx,"n\nm",y\r\n\n1.50,"a\r\nb\n""c""",2\n  \n1e2,d,3\n')
    assert [(table.place(row).line, table.cell(row, "x"), table.cell(row, "n\nm")) for row in (0, 1)] == [
        (5, "1.50", 'a\r\nb\n"c"'),
        (9, "1e2", "d"),
    ]
    # Who asks for a row has seen it there.
    with pytest.raises(DataError, match="the file changed while it was read"):
        table.place(2)


@pytest.mark.parametrize("block_bytes", [1, 7, 64])
@pytest.mark.parametrize("content", [GOOD, "\ufeff" + KOREAN, CLEAN.to_csv(index=False)])
def test_blocks_smaller_than_a_row_make_no_difference(tmp_path, monkeypatch, content, block_bytes):
    whole = read(tmp_path, content)
    lines = [whole.place(row).line for row in range(len(whole.frame))]
    monkeypatch.setattr(csv_scan, "BLOCK_BYTES", block_bytes)
    table = read(tmp_path, content)
    pd.testing.assert_frame_equal(table.frame, whole.frame)
    assert [table.place(row).line for row in range(len(table.frame))] == lines
    parts = list(stream_tables(stream_source(content.encode()), ["이름", "지역"]))
    frame = pd.concat([part.frame for part in parts], ignore_index=True)
    pd.testing.assert_frame_equal(frame, whole.frame, check_dtype=False)
    assert [part.place(row).line for part in parts for row in range(len(part.frame))] == lines


@pytest.mark.parametrize(
    ("cells", "read_as"),
    [
        (["1", "2", "3.5"], [1.0, 2.0, 3.5]),
        (["", "1", "NA"], [np.nan, 1.0, np.nan]),
        (["007", "8", "x"], ["007", "8", "x"]),
        (["", "NA", "x"], [np.nan, np.nan, "x"]),
        (["x", "", "1.50"], ["x", np.nan, "1.50"]),
        (["1", "True", "0"], ["1", "True", "0"]),
        (["1", "", "9007199254740993"], [1.0, np.nan, 9007199254740992.0]),
        (["1", "2", "9007199254740993"], [1, 2, 9007199254740993]),
    ],
)
def test_blocks_that_read_differently_become_one_column(tmp_path, monkeypatch, cells, read_as):
    content = rows("a,y", *(f"{cell},1" for cell in cells))
    whole = read(tmp_path, content).frame
    monkeypatch.setattr(csv_scan, "BLOCK_BYTES", 4)
    frame = read(tmp_path, content).frame
    pd.testing.assert_series_equal(frame["a"], pd.Series(read_as, name="a"))
    pd.testing.assert_frame_equal(frame, whole)


CELLS = st.one_of(
    st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=8),
    st.sampled_from(
        ['"', '""', "\n", "\r\n", "\r", " ", "a,b", "x;y", "\t", "|", " lead", "trail ", "é", "한글"]
    ),
)


@fuzz
@given(
    width=st.integers(1, 4),
    cells=st.lists(st.lists(CELLS, min_size=4, max_size=4), min_size=1, max_size=6),
    delimiter=st.sampled_from(",;\t| :"),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    newline=st.sampled_from(["\n", "\r\n"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32-be"]),
    block_bytes=st.sampled_from([1, 5, 64, 1 << 20]),
)
def test_what_python_writes_is_read_back(
    tmp_path, width, cells, delimiter, quoting, newline, encoding, block_bytes
):
    stream = io.StringIO()
    if any("\r" in cell for row in cells for cell in row):
        quoting = csv.QUOTE_ALL  # Python leaves such cells unquoted, though they look like ends of lines.
    writer = csv.writer(stream, delimiter=delimiter, quoting=quoting, lineterminator=newline)
    names = [f"column {index}" for index in range(width)]
    # A cell of blanks alone may be written unquoted, which makes a blank line of a row with one cell.
    table = [
        [f"={cell}" if width == 1 and not cell.strip() else cell for cell in row[:width]] for row in cells
    ]
    writer.writerows([names, *table])
    csv_format = CsvFormat(encoding=encoding, delimiter=delimiter)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_scan, "BLOCK_BYTES", block_bytes)
        frame = read(tmp_path, stream.getvalue().encode(encoding), csv_format, names).frame
    expected = [["" if cell.strip() in MISSING_TEXTS else cell for cell in row] for row in table]
    assert frame.fillna("").to_numpy().tolist() == expected


FORMATS = st.builds(
    CsvFormat,
    encoding=st.sampled_from(
        ["utf-8", "utf-16", "cp949", "latin-1", "utf-7", "idna", "shift_jis", "utf-8-sig"]
    ),
    delimiter=st.sampled_from(",;\t -"),
    decimal=st.sampled_from(".,"),
    thousands=st.sampled_from([None, ",", " ", "'"]),
)
NEARLY_CSV = st.lists(
    st.sampled_from([*'x1,;"\n\r\t .-é', "\0", "NA", "True", "1e999", "한", "\ufeff", "\n\n", "y\n"]),
    max_size=60,
).map(lambda parts: "".join(parts).encode())


@pytest.mark.parametrize("block_bytes", [3, 1 << 20])
@pytest.mark.parametrize(
    ("text", "cells"),
    [("x\n\ufeff\n", ["\ufeff"]), ("x\n1\n\ufeff\n", ["1", "\ufeff"]), ("x\n\ufeff5\n1\n", ["\ufeff5", "1"])],
)
def test_a_mark_below_the_header_is_a_part_of_its_cell_wherever_a_block_begins(
    tmp_path, monkeypatch, text, cells, block_bytes
):
    monkeypatch.setattr(csv_scan, "BLOCK_BYTES", block_bytes)
    assert read(tmp_path, text).frame["x"].astype(str).tolist() == cells


@fuzz
@given(
    content=st.one_of(st.binary(max_size=200), NEARLY_CSV, NEARLY_CSV.map(lambda text: b"x,y\n1,2\n" + text)),
    csv_format=FORMATS,
    block_bytes=st.sampled_from([3, 1 << 20]),
)
def test_any_bytes_end_in_a_table_or_a_fault(tmp_path, content, csv_format, block_bytes):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_scan, "BLOCK_BYTES", block_bytes)
        try:
            table = read(tmp_path, content, csv_format)
        except DlregError as error:
            assert str(error)
            return
    blocks = list(csv_scan.scan_blocks(io.BytesIO(content), "", csv_format))
    assert len(table.frame) == sum(int(block.filled.sum()) for block in blocks) > 0
    assert len(table.frame.columns) == len(blocks[0].header)


@fuzz
@given(
    position=st.integers(0, len(KOREAN.encode()) - 1),
    insert=st.one_of(
        st.binary(max_size=2), st.sampled_from([b",", b'"', b"\n", b"\r", b"\0", b",,", b"x", b"\xff"])
    ),
    n_removed=st.integers(0, 3),
    encoding=st.sampled_from(["utf-8", "cp949"]),
)
def test_a_damaged_table_ends_in_a_dataset_or_a_fault(tmp_path, position, insert, n_removed, encoding):
    content = KOREAN.encode(encoding)
    content = content[:position] + insert + content[position + n_removed :]
    try:
        dataset = load(tmp_path, content, data={"encoding": encoding})
    except DlregError as error:
        assert all(fault.path for fault in error.faults)
        return
    assert sum(part.rows.size for part in dataset.parts.values()) in (11, 12, 13)
    assert all(np.isfinite(part.y_true).all() for part in dataset.parts.values())


@fuzz
@given(st.lists(st.text(alphabet="0123456789.,eE+-_' $%xinfa\u00a0١", max_size=7), min_size=2, max_size=5))
def test_a_number_is_what_python_calls_one(tmp_path, cells):
    """Nothing is read as a number that Python's float, blanks aside, would read otherwise or not at all."""
    stream = io.StringIO()
    csv.writer(stream).writerows([["x", "y"], *([cell, 1] for cell in cells)])
    frame = read(tmp_path, stream.getvalue()).frame
    if pd.api.types.is_numeric_dtype(frame["x"]):
        for cell, number in zip(cells, frame["x"], strict=True):
            assert np.isnan(number) if cell.strip() in MISSING_TEXTS else float(cell) == number


def test_pandas_makes_no_series_of_each_column_of_each_block(tmp_path, monkeypatch):
    """A block of a wide table has few rows, and a series takes longer than they do."""
    n_columns, made = 500, []
    make = pd.Series.__init__
    monkeypatch.setattr(
        pd.Series, "__init__", lambda self, *args, **kwargs: made.append(1) or make(self, *args, **kwargs)
    )
    row = ",".join(["1.5"] * n_columns)
    (tmp_path / "wide.csv").write_text(",".join(f"c{place}" for place in range(n_columns)) + f"\n{row}" * 9)
    monkeypatch.setattr(csv_scan, "BLOCK_BYTES", len(row))
    assert read_table(str(tmp_path / "wide.csv"), CsvFormat()).frame.shape == (9, n_columns)
    assert len(made) < n_columns


@pytest.mark.parametrize(
    ("cell", "other"), [("1", "word"), ("1", "True"), ("True", ""), ("", "word"), ("1", "2.5")]
)
def test_a_column_that_turns_late_in_a_block_is_read_as_one(tmp_path, cell, other):
    # pandas reads a block of so many rows in several pieces.
    n_rows = 300_000
    content = "x,y\n" + f"{cell},1\n" * n_rows + f"{other},2\n"
    column = read(tmp_path, content).frame["x"]
    if (cell, other) == ("1", "2.5"):
        assert column.dtype == float and column.iloc[[0, -1]].tolist() == [1.0, 2.5]
    else:
        assert str(column.dtype) == "str"
        assert column.iloc[[0, -1]].fillna("").tolist() == [cell, other]
