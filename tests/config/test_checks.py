"""Paths, encodings, delimiters and date formats that no type tells right from wrong."""

from pathlib import Path

import pytest
from support.configs import HEAD, check_only_fault, load

BAD = [
    ("  encoding: utf-88", 4, 13, "data.encoding must be a text encoding"),
    ("  encoding: base64", 4, 13, "data.encoding must be a text encoding"),
    ("  delimiter: tab", 4, 14, "data.delimiter must be one character"),
    ("  delimiter: '\"'", 4, 14, "data.delimiter must be one character"),
    ("  delimiter: 가", 4, 14, "data.delimiter must be one character"),
    ('  dates: {a: "%d/%m"}', 4, 14, "data.dates.a must contain %Y or %y"),
    ('  dates: {a: "%Y%j"}', 4, 14, "data.dates.a may only use %Y"),
    ('  dates: {a: "%Y%"}', 4, 14, "data.dates.a may only use %Y"),
    ('  dates: {a: "%Y-%y"}', 4, 14, "must name the year once"),
    ('  dates: {a: "%Y %b%d"}', 4, 14, "must have a separator between %b and %d"),
    ("  test_path: http://x/t.csv", 4, 14, "data.test_path must be a path on this machine"),
    ('  test_path: "a\\0b"', 4, 14, "data.test_path must be a path"),
]


@pytest.mark.bad_input("config")
@pytest.mark.parametrize(("addition", "line", "column", "fragment"), BAD)
def test_fault_with_place_and_hint(
    tmp_path: Path, addition: str, line: int, column: int, fragment: str
) -> None:
    check_only_fault(tmp_path, addition, line, column, fragment)


@pytest.mark.parametrize("form", ["%Y%m%d", "%d/%m/%y", "%B %d, %Y %H:%M:%S.%f", "%Y"])
def test_date_formats(tmp_path: Path, form: str) -> None:
    assert load(tmp_path, f'{HEAD}  dates: {{a: "{form}"}}').data.dates == {"a": form}
