"""Whether the CSV that a run was trained on is still the same."""

import hashlib
import os
import time
import warnings

import pytest

from dlreg.config.reading import parse_config
from dlreg.errors import DataError, RunDirError
from dlreg.runs.own_table import files_of_data, find_change, reading_once, recorded_file, warn_of_reading

CONTENT = b"x,y\n1,2\n"
ENTRY = {"size": len(CONTENT), "sha256": hashlib.sha256(CONTENT).hexdigest()}


@pytest.mark.parametrize(
    ("content", "change"),
    [(CONTENT, None), (CONTENT + b"3,4\n", "changed"), (b"x,y\n1,3\n", "changed"), (None, "gone")],
)
def test_a_change_is_found_by_size_and_hash(tmp_path, content, change):
    if content is not None:
        (tmp_path / "table.csv").write_bytes(content)
    assert find_change(tmp_path / "table.csv", ENTRY) == change


def test_a_link_to_the_same_table_is_no_change(tmp_path):
    (tmp_path / "table.csv").write_bytes(CONTENT)
    (tmp_path / "link.csv").symlink_to(tmp_path / "table.csv")
    assert find_change(tmp_path / "link.csv", ENTRY) is None


def test_what_is_not_recorded_is_a_fault_of_the_record(tmp_path):
    assert recorded_file(tmp_path, {"data": {"data.path": ENTRY}}, "data.path") == ENTRY
    for record in ({}, {"data": {}}):
        with pytest.raises(RunDirError, match=r"run\.json: the file says nothing of data\.path"):
            recorded_file(tmp_path, record, "data.path")


@pytest.mark.parametrize(
    ("options", "keys"), [("", ["data.path"]), (", test_path: b.csv", ["data.path", "data.test_path"])]
)
def test_files_are_named_by_their_keys(tmp_path, options, keys):
    text = f"data: {{path: a.csv, target: y{options}}}\n"
    files = files_of_data(parse_config(text.encode(), str(tmp_path / "config.yaml")))
    assert list(files) == keys
    assert files["data.path"] == tmp_path / "a.csv"


def test_the_file_that_is_read_is_named(tmp_path):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warn_of_reading(tmp_path / "a.csv")
    assert [str(warning.message) for warning in caught] == [
        f"reading {tmp_path}/a.csv, as the run's config says"
    ]


def replaced_for_a_while(file):
    file.rename(file.with_name("aside"))
    file.write_bytes(b"x,y\n9,9\n")
    file.with_name("aside").replace(file)


def written_and_dated_back(file):
    times = file.stat()
    # The clock that dates files goes in steps of some milliseconds.
    time.sleep(0.02)
    file.write_bytes(b"x,y\n9,9\n")
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))


@pytest.mark.parametrize(
    "change",
    [
        lambda file: file.write_bytes(CONTENT[:-2]),
        lambda file: file.unlink(),
        replaced_for_a_while,
        written_and_dated_back,
        lambda file: (file.with_name("b.csv").write_bytes(CONTENT), file.with_name("b.csv").replace(file)),
    ],
    ids=["cut", "removed", "replaced", "replaced for a while", "dated back"],
)
@pytest.mark.parametrize("error", [None, IndexError])
def test_a_table_that_is_written_while_it_is_read_is_a_fault(tmp_path, change, error):
    file = tmp_path / "table.csv"
    file.write_bytes(CONTENT)
    config = parse_config(f"data: {{path: {file}, target: y}}".encode(), "config.yaml")
    with (
        pytest.raises(DataError, match=r"table\.csv: the file changed while it was read"),
        reading_once(config),
    ):
        change(file)
        if error:
            raise error
    # Whatever else goes wrong stays what it is.
    with pytest.raises(IndexError), reading_once(config):
        raise IndexError
