"""JSON Lines: objects of cells, and what is no such thing is refused by line."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.tables import PLAIN, read, stream_source

from dlreg.errors import DataError
from dlreg.table import json_lines
from dlreg.table.csv_file import MISSING_TEXTS
from dlreg.table.source import read_sample, stream_tables

CELLS = st.one_of(
    st.none(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-(2**53), 2**53),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(
        lambda text: text.strip() not in MISSING_TEXTS
    ),
)


def lines(*objects, **options) -> bytes:
    return "".join(json.dumps(row, **options) + "\n" for row in objects).encode()


def frame_of(content: bytes) -> pd.DataFrame:
    (table,) = stream_tables(stream_source(content))
    return table.frame


@given(st.lists(st.fixed_dictionaries({"a": CELLS, "ä b": CELLS}), min_size=1, max_size=5))
def test_every_cell_is_read_as_it_was_written(rows):
    frame = frame_of(lines(*rows))
    for name in ("a", "ä b"):
        given_cells = [row[name] for row in rows]
        if any(isinstance(cell, str) for cell in given_cells):
            expected = [None if cell is None else str(cell) for cell in given_cells]
            assert [None if pd.isna(cell) else cell for cell in frame[name]] == expected
        else:
            expected = [np.nan if cell is None else float(cell) for cell in given_cells]
            np.testing.assert_array_equal(frame[name].astype(float), expected)


def test_keys_that_are_not_there_are_missing_cells():
    frame = frame_of(lines({"a": 1}, {"b": "x"}, {"b": None, "a": 2.5}))
    assert list(frame.columns) == ["a", "b"]
    assert frame["a"].isna().tolist() == [False, True, False] and frame["b"].isna().tolist() == [
        True,
        False,
        True,
    ]


def test_blank_lines_are_no_rows_and_places_are_lines(tmp_path):
    table = read(tmp_path, b'\xef\xbb\xbf\n{"a": 1}\n\n  \n{"a": true, "b": "x"}')
    assert [table.place(row).line for row in (0, 1)] == [2, 5]
    assert table.cell(1, "b") == "x" and table.cell(0, "b") == ""


def test_blocks_are_one_table(tmp_path, monkeypatch):
    content = lines(*({"n": number, "t": f"t{number}"} for number in range(25)))
    monkeypatch.setattr(json_lines, "MOST_BLOCK_ROWS", 4)
    parts = list(stream_tables(stream_source(content)))
    assert [len(part.frame) for part in parts] == [4] * 6 + [1]
    assert parts[-1].place(0).line == 25
    table = read(tmp_path, content)
    assert table.frame["n"].tolist() == list(range(25)) and table.place(24).line == 25
    assert len(read_sample(str(tmp_path / "table.csv"), PLAIN)) == 4


def test_a_key_that_comes_later_would_be_a_lost_column(monkeypatch):
    monkeypatch.setattr(json_lines, "MOST_BLOCK_ROWS", 2)
    with pytest.raises(DataError, match="key 'b' comes first here") as caught:
        list(stream_tables(stream_source(lines({"a": 1}, {"a": 2}, {"a": 3}, {"a": 4, "b": 5}))))
    assert caught.value.faults[0].line == 4


@pytest.mark.parametrize(
    ("second", "found"),
    [
        (b"[1, 2]", r"expected an object of JSON on each line, found '\[1, 2\]'"),
        (b"a,1", "no JSON"),
        (b'{"a": 1,}', "no JSON"),
        (b'{"a": 1} {"a": 2}', "no JSON: Extra data"),
        (b'{"a": 1, "a": 2}', "key 'a' stands twice"),
        (b'{"a": [1]}', "found a list"),
        (b'{"a": {"b": 1}}', "found a dict"),
        (b'{"a": "\xff"}', "0xff is not"),
        (b'{"a": ' + b"[" * 100_000, "nested too deeply"),
    ],
)
def test_what_is_no_row_is_refused_by_line(second, found):
    with pytest.raises(DataError, match=found) as caught:
        frame_of(b'{"a": 1}\n' + second + b"\n")
    assert caught.value.faults[0].line == 2 and caught.value.faults[0].hint


def test_an_endless_line_is_refused(monkeypatch):
    monkeypatch.setattr(json_lines, "MAX_LINE_BYTES", 100)
    with pytest.raises(DataError, match="the line has more than"):
        frame_of(b'{"a": 1}\n{"a": "' + b"x" * 1000)


@pytest.mark.parametrize("rows", [[{"a": 1, "b": 2, "c": 3, "d": 4}], [{"a": 1, "b": 2}, {"c": 3, "d": 4}]])
def test_more_columns_than_a_table_may_have_are_refused(monkeypatch, rows):
    monkeypatch.setattr(json_lines, "MAX_COLUMNS", 3)
    with pytest.raises(DataError, match="at most 3 columns, found 4"):
        frame_of(lines(*rows, separators=(",", ":")))


def test_numbers_too_large_for_a_float_are_no_crash():
    frame = frame_of(b'{"a": 1e999, "b": 1e30}\n')
    assert np.isinf(frame["a"][0]) and frame["b"][0] == 1e30


def test_long_whole_numbers_are_names_to_the_last_digit():
    content = lines({"k": 2**53 + 1, "n": 10**30 + 1}, {"k": 2**53, "n": None}, {"k": None, "n": 7})
    (table,) = stream_tables(stream_source(content), ["k", "n"])
    assert table.frame["k"].fillna("").tolist() == [str(2**53 + 1), str(2**53), ""]
    assert table.frame["n"].fillna("").tolist() == [str(10**30 + 1), "", "7"]
