"""Headers that are refused: every fault at once, and in time."""

import pytest
from support.tables import faults_of, read

from dlreg.errors import DataError


def test_every_fault_of_a_header_is_named(tmp_path):
    assert len(faults_of(tmp_path, "x,x,z,z\n1,2,3,4\n")) == 2


def test_a_header_without_line_ends_does_not_fill_the_screen(tmp_path):
    faults = faults_of(tmp_path, ",".join(["1.5", "x", "2.5"] * 1000) + "\n1\n")
    assert len(faults) == 21
    assert "2,977 more columns" in faults[-1].message


def test_a_header_of_100_000_columns_is_read_in_time(tmp_path):
    names = [f"c{index}" for index in range(99_999)]
    content = ",".join([*names, "c7"]) + "\n"
    with pytest.raises(DataError, match="number 8 and 100000"):
        read(tmp_path, content + content)


def test_a_header_too_large_for_the_csv_module_is_refused(tmp_path):
    with pytest.raises(DataError, match="header cannot be read"):
        read(tmp_path, "x" * 200_000 + ",y\n1,2\n")
