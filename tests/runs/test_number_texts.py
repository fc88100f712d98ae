"""Numbers become the text that Python writes for each of them, whatever their size."""

import csv
import io
import json

import numpy as np
import pytest

from dlreg.runs.number_texts import lines_of_numbers, listed_numbers, number_texts

GENERATOR = np.random.default_rng(18)
FLOATS = np.concatenate(
    [
        GENERATOR.normal(size=20_000) * 10.0 ** GENERATOR.integers(-300, 300, 20_000),
        GENERATOR.normal(size=20_000) * 10.0 ** GENERATOR.integers(-6, 20, 20_000),
        np.ldexp(1.0, np.arange(-1074, 1024)),
        np.nextafter(10.0 ** np.arange(-9, 20), 0),
        10.0 ** np.arange(-9, 20),
        [0.0, -0.0, np.nan, np.inf, -np.inf, 5e-324, 1.7976931348623157e308, 123456789012345680.0],
    ]
)


@pytest.mark.parametrize("values", [FLOATS, -FLOATS, FLOATS[::-3], FLOATS[:0]], ids=len)
def test_floats_are_written_as_python_writes_them(values):
    assert number_texts(values) == [repr(value) for value in values.tolist()]


def test_floats_of_single_precision_are_written_as_the_doubles_they_are():
    values = GENERATOR.normal(size=1000).astype(np.float32)
    assert number_texts(values) == [repr(value) for value in values.tolist()]


@pytest.mark.parametrize("dtype", [np.int32, np.int64, np.uint32])
def test_whole_numbers_are_written_in_full(dtype):
    values = np.array([0, 1, 2**31 - 1, 1_000_000], dtype=dtype)
    assert number_texts(values) == ["0", "1", "2147483647", "1000000"]
    assert listed_numbers(values[::-1]) == json.dumps(values[::-1].tolist())[1:-1].encode()


def test_lines_are_those_of_the_standard_writer_of_csv():
    rows = np.arange(len(FLOATS))
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(zip(rows.tolist(), FLOATS.tolist(), strict=True))
    assert lines_of_numbers([rows, FLOATS]) == text.getvalue()
    assert lines_of_numbers([rows[:0], FLOATS[:0]]) == ""
