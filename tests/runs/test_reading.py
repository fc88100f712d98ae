"""A run directory is read with suspicion, and damage is named."""

import json
import os

import pytest
from support.runs import complete_run

from dlreg.errors import RunDirError
from dlreg.runs import reading
from dlreg.runs.directory import open_run_dir
from dlreg.runs.names import old_beside
from dlreg.runs.reading import read_file, read_record, read_together, record_json


def test_a_complete_run_is_read_back(tmp_path):
    path = complete_run(tmp_path / "run", rows=3)
    record = read_record(path)
    assert record["status"] == "complete"
    assert record["rows"] == 3
    assert read_file(path, record, "config.yaml") == b"a: 1\n"
    assert sorted(entry.name for entry in path.iterdir()) == ["config.yaml", "run.json"]


@pytest.mark.parametrize("position", range(0, 40, 3))
def test_a_flipped_bit_is_named(tmp_path, position):
    path = complete_run(tmp_path / "run", {"metrics.json": bytes(range(40))})
    content = bytearray((path / "metrics.json").read_bytes())
    content[position] ^= 1
    (path / "metrics.json").write_bytes(content)
    with pytest.raises(RunDirError, match=r"metrics\.json: the file is damaged"):
        read_file(path, read_record(path), "metrics.json")


def test_every_changed_byte_of_run_json_is_noticed(tmp_path):
    path = complete_run(tmp_path / "run")
    content = (path / "run.json").read_bytes()
    unnoticed = []
    for position in range(len(content)):
        changed = bytearray(content)
        changed[position] ^= 1
        (path / "run.json").write_bytes(changed)
        try:
            record = read_record(path)
            unnoticed.append((position, record))
        except RunDirError as error:
            assert error.exit_code == 5
    # A newline after the closing brace says nothing; everything else counts.
    assert [position for position, _ in unnoticed if position < len(content) - 1] == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda path: (path / "run.json").unlink(), "not a run directory"),
        (lambda path: (path / "run.json").write_bytes(b""), "damaged"),
        (lambda path: (path / "run.json").write_bytes(b"[" * 100_000), "damaged"),
        (lambda path: (path / "run.json").write_bytes(b"[]"), "damaged"),
        (lambda path: (path / "run.json").write_bytes(b"\xff\xfe"), "damaged"),
        (lambda path: (path / "config.yaml").unlink(), "missing"),
        (lambda path: (path / "config.yaml").write_bytes(b"a"), "damaged"),
    ],
)
def test_damage_is_a_run_dir_error(tmp_path, change, message):
    path = complete_run(tmp_path / "run")
    change(path)
    with pytest.raises(RunDirError, match=message):
        read_file(path, read_record(path), "config.yaml")


def test_a_newer_schema_names_both_versions(tmp_path):
    path = complete_run(tmp_path / "run")
    record = json.loads((path / "run.json").read_text()) | {"schema_version": 99}
    (path / "run.json").write_text(json.dumps(record))
    with pytest.raises(RunDirError, match=r"99.*reads up to 2"):
        read_record(path)


def test_a_run_of_an_older_schema_is_not_read_as_if_it_were_new(tmp_path):
    path = complete_run(tmp_path / "run")
    record = json.loads((path / "run.json").read_text()) | {"schema_version": 1}
    del record["sha256"]
    (path / "run.json").write_bytes(record_json(record))
    with pytest.raises(RunDirError, match=r"schema version 1.*Train again"):
        read_record(path)


@pytest.mark.parametrize("status", ["running", "interrupted", "failed"])
def test_an_unfinished_run_is_not_read(tmp_path, status):
    with open_run_dir(tmp_path / "run") as run:
        run.set_status(status)
    with pytest.raises(RunDirError, match=f"not complete but {status}"):
        read_record(tmp_path / "run")


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/etc/passwd")])
def test_links_and_pipes_are_not_followed(tmp_path, make):
    path = complete_run(tmp_path / "run")
    record = read_record(path)
    (path / "config.yaml").unlink()
    make(path / "config.yaml")
    with pytest.raises(RunDirError, match=r"plain file|missing"):
        read_file(path, record, "config.yaml")


def test_files_of_two_runs_are_never_read_together(tmp_path):
    path = complete_run(tmp_path / "run", {"config.yaml": b"a: 1\n"}, number=1)
    seen = []

    def read(record):
        if not seen:
            with open_run_dir(path, overwrite=True) as run:
                run.write("config.yaml", b"b: 2\n")
                run.set_status("complete", {"number": 2})
        seen.append(record["number"])
        return read_file(path, record, "config.yaml")

    assert read_together(path, read) == b"b: 2\n"
    assert seen == [1, 2]
    (path / "config.yaml").write_bytes(b"c: 3\n")
    with pytest.raises(RunDirError, match="damaged"):
        read_together(path, read)


def test_a_run_is_found_while_a_swap_moves_it(tmp_path, monkeypatch):
    path = complete_run(tmp_path / "run", number=1)
    real, moves = reading.readable_folder, iter([True])

    def readable_folder(place):
        folder = real(place)
        if next(moves, False):
            path.rename(old_beside(path))
        return folder

    monkeypatch.setattr(reading, "readable_folder", readable_folder)
    assert read_record(path)["number"] == 1
