"""Rows are found where a reader of one character after the other finds them."""

import tracemalloc

import numpy as np
import pytest

from dlreg.table import row_places
from dlreg.table.row_places import find_rows


def read_one_by_one(text: bytes) -> list[tuple[int, int, int]]:
    """Start, end and number of cells of each row that holds more than blanks."""
    rows, start, n_cells, is_inside = [], 0, 1, False
    for place, byte in enumerate(text):
        is_inside ^= byte == ord('"')
        if is_inside or byte not in b",\n":
            continue
        if byte == ord(","):
            n_cells += 1
            continue
        if n_cells > 1 or text[start:place].strip(b" \t\r\n"):
            rows.append((start, place, n_cells))
        start, n_cells = place + 1, 1
    return rows


def test_rows_after_one_are_those_of_the_text_that_follows_it():
    text = b'a,b\n1,"2\n"\n3,4\n\n5,6\n'
    rows = find_rows(text, ",")
    for place, end in enumerate(rows.ends.tolist()):
        for after, found in zip(rows.after(place), find_rows(text[end + 1 :], ","), strict=True):
            np.testing.assert_array_equal(after, found)


@pytest.mark.parametrize("marks", ["a,\n", 'a",\n', 'ab"\r,\n ', "\n\r", " \n,", 'abcdefghij,\n"'])
@pytest.mark.parametrize("piece_bytes", [64, 192, 1 << 20])
def test_rows_are_those_of_a_reader_of_one_character_after_the_other(monkeypatch, marks, piece_bytes):
    monkeypatch.setattr(row_places, "PIECE_BYTES", piece_bytes)
    generator = np.random.default_rng(len(marks))
    n_rows = 0
    for size in generator.integers(0, 700, 60).tolist():
        text = "".join(generator.choice(list(marks), size)).encode()
        found = find_rows(text, ",")
        rows = [row for row in zip(*(places.tolist() for places in found), strict=True) if row[2]]
        assert rows == read_one_by_one(text)
        n_rows += len(rows)
    assert n_rows > 100 or set(marks) <= set("\r\n")


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_millions_of_blank_lines_take_little_memory(line_end):
    text = b"1,2\n" + line_end.encode() * 1_000_000 + b"3,4\n"
    tracemalloc.start()
    try:
        rows = find_rows(text, ",")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert np.count_nonzero(rows.lengths) == 2 and rows.lengths.size < 10
    assert peak < 6 * len(text)
