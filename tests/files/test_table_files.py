"""The files of a table: in the order of their numbers, the same by all their bytes."""

import hashlib
import io
import sys
import tempfile
from pathlib import Path

import pytest

from dlreg.errors import DataError, StorageError
from dlreg.files.table_files import STANDARD_INPUT, file_states, fingerprint, has_fingerprint, table_files


@pytest.fixture
def parts(tmp_path):
    folder = tmp_path / "parts"
    folder.mkdir()
    for number in (10, 2, 1):
        (folder / f"part-{number}.csv").write_text(f"x\n{number}\n")
    (folder / "_SUCCESS").touch()
    (folder / ".hidden").touch()
    return folder


def names(path) -> list[str]:
    return [file.rpartition("/")[2] for file in table_files(path)]


def test_numbers_in_names_count_as_numbers(parts):
    expected = ["part-1.csv", "part-2.csv", "part-10.csv"]
    assert names(parts) == names(parts / "*.csv") == names(parts.parent / "p*" / "part-?*.csv") == expected
    assert names(parts / "part-[12].csv") == ["part-1.csv", "part-2.csv"]
    assert names(parts.parent / "**" / "*.csv") == expected


def test_a_file_of_the_very_name_comes_before_a_pattern(parts):
    (parts / "part-*.csv").write_text("x\n0\n")
    assert names(parts / "part-*.csv") == ["part-*.csv"]


def test_the_hash_is_that_of_all_bytes_in_order(parts):
    content = b"x\n1\nx\n2\nx\n10\n"
    expected = (len(content), hashlib.sha256(content).hexdigest())
    assert tuple(fingerprint(parts)) == expected
    assert has_fingerprint(parts / "*.csv", *expected)
    (parts / "part-3.csv").write_text("x\n3\n")
    assert not has_fingerprint(parts / "*.csv", *expected)


def test_a_file_that_joins_or_leaves_is_a_change(parts):
    before = file_states(parts)
    (parts / "part-3.csv").touch()
    assert file_states(parts) != before
    (parts / "part-3.csv").unlink()
    assert file_states(parts) == before


@pytest.mark.bad_input("data")
def test_what_names_no_files_is_refused(parts):
    with pytest.raises(DataError, match="no file fits this pattern"):
        table_files(parts / "*.parquet")
    (parts / "more").mkdir()
    with pytest.raises(DataError, match="found a folder in it, 'more'"):
        table_files(parts)
    with pytest.raises(DataError, match="the folder has no files"):
        table_files(parts / "more")


def test_standard_input_is_kept_once(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"x\n1\n")))
    assert table_files(STANDARD_INPUT) == table_files(STANDARD_INPUT)
    assert fingerprint(STANDARD_INPUT).size == 4


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere it has a name until the process ends")
def test_nothing_of_standard_input_lies_in_a_folder(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"x\n2\n")))
    (path,) = table_files(STANDARD_INPUT)
    assert Path(path).read_bytes() == Path(path).read_bytes() == b"x\n2\n"
    assert not list(tmp_path.iterdir())


@pytest.mark.bad_input("data")
def test_closed_standard_input_is_told(monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(StorageError, match="standard input: cannot be kept"):
        table_files(STANDARD_INPUT)
