"""Paths, encodings and delimiters that no type tells right from wrong."""

from pathlib import Path

import pytest
from support.configs import check_only_fault

from dlreg.config.checks import seconds_of

BAD = [
    ("  encoding: utf-88", 4, 13, "data.encoding must be a text encoding"),
    ("  encoding: base64", 4, 13, "data.encoding must be a text encoding"),
    ("  delimiter: tab", 4, 14, "data.delimiter must be one character"),
    ("  delimiter: '\"'", 4, 14, "data.delimiter must be one character"),
    ("  delimiter: 가", 4, 14, "data.delimiter must be one character"),
    ("  test_path: http://x/t.csv", 4, 14, "data.test_path must be a path on this machine"),
    ('  test_path: "a\\0b"', 4, 14, "data.test_path must be a path"),
]


@pytest.mark.bad_input("config")
@pytest.mark.parametrize(("addition", "line", "column", "fragment"), BAD)
def test_fault_with_place_and_hint(
    tmp_path: Path, addition: str, line: int, column: int, fragment: str
) -> None:
    check_only_fault(tmp_path, addition, line, column, fragment)


@pytest.mark.parametrize("seconds", [90, 0.5, 50 / 3, 1e-5, 1e16])
def test_a_number_of_seconds_is_taken_as_it_is(seconds):
    assert seconds_of(seconds) == seconds
