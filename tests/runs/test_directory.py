"""The run directory: whole files or none, one process at a time, and damage is named."""

import json
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from dlreg.errors import RunDirError, StorageError
from dlreg.runs import directory as run_dir
from dlreg.runs import trained_run


def complete(path, files=None, **facts):
    with run_dir.open_run_dir(path) as run:
        for name, content in (files or {"config.yaml": b"a: 1\n"}).items():
            run.write(name, content)
        run.set_status("complete", facts)
    return path


def test_a_complete_run_is_read_back(tmp_path):
    path = complete(tmp_path / "run", rows=3)
    record = run_dir.read_record(path)
    assert record["status"] == "complete"
    assert record["rows"] == 3
    assert run_dir.read_file(path, record, "config.yaml") == b"a: 1\n"
    assert sorted(entry.name for entry in path.iterdir()) == ["config.yaml", "run.json"]


@pytest.mark.parametrize("position", range(0, 40, 3))
def test_a_flipped_bit_is_named(tmp_path, position):
    path = complete(tmp_path / "run", {"metrics.json": bytes(range(40))})
    content = bytearray((path / "metrics.json").read_bytes())
    content[position] ^= 1
    (path / "metrics.json").write_bytes(content)
    with pytest.raises(RunDirError, match=r"metrics\.json: the file is damaged"):
        run_dir.read_file(path, run_dir.read_record(path), "metrics.json")


def test_every_changed_byte_of_run_json_is_noticed(tmp_path):
    path = complete(tmp_path / "run")
    content = (path / "run.json").read_bytes()
    unnoticed = []
    for position in range(len(content)):
        changed = bytearray(content)
        changed[position] ^= 1
        (path / "run.json").write_bytes(changed)
        try:
            record = run_dir.read_record(path)
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
    path = complete(tmp_path / "run")
    change(path)
    with pytest.raises(RunDirError, match=message):
        run_dir.read_file(path, run_dir.read_record(path), "config.yaml")


def test_a_newer_schema_names_both_versions(tmp_path):
    path = complete(tmp_path / "run")
    record = json.loads((path / "run.json").read_text()) | {"schema_version": 99}
    (path / "run.json").write_text(json.dumps(record))
    with pytest.raises(RunDirError, match=r"99.*reads up to 1"):
        run_dir.read_record(path)


@pytest.mark.parametrize("status", ["running", "interrupted", "failed"])
def test_an_unfinished_run_is_not_read(tmp_path, status):
    with run_dir.open_run_dir(tmp_path / "run") as run:
        run.set_status(status)
    with pytest.raises(RunDirError, match=f"not complete but {status}"):
        run_dir.read_record(tmp_path / "run")


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/etc/passwd")])
def test_links_and_pipes_are_not_followed(tmp_path, make):
    path = complete(tmp_path / "run")
    record = run_dir.read_record(path)
    (path / "config.yaml").unlink()
    make(path / "config.yaml")
    with pytest.raises(RunDirError, match=r"plain file|missing"):
        run_dir.read_file(path, record, "config.yaml")


def test_a_used_directory_is_left_untouched(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "thesis.txt").write_text("years")
    for overwrite in (False, True):
        with (
            pytest.raises(StorageError, match=r"not empty|holds no run"),
            run_dir.open_run_dir(tmp_path / "run", overwrite=overwrite),
        ):
            pass
    assert [entry.name for entry in (tmp_path / "run").iterdir()] == ["thesis.txt"]


def test_overwriting_keeps_the_old_run_readable_until_the_new_one_is_complete(tmp_path):
    path = complete(tmp_path / "run", number=1)
    with run_dir.open_run_dir(path, overwrite=True) as run:
        run.write("config.yaml", b"b: 2\n")
        run.set_status("running")
        old = run_dir.read_record(path)
        assert (old["number"], run_dir.read_file(path, old, "config.yaml")) == (1, b"a: 1\n")
        run.set_status("complete", {"number": 2})
    new = run_dir.read_record(path)
    assert (new["number"], run_dir.read_file(path, new, "config.yaml")) == (2, b"b: 2\n")
    assert [entry.name for entry in tmp_path.iterdir()] == ["run"]


def test_a_failed_overwrite_leaves_the_old_run(tmp_path):
    path = complete(tmp_path / "run", number=1)
    with pytest.raises(ZeroDivisionError), run_dir.open_run_dir(path, overwrite=True) as run:
        run.write("config.yaml", b"half")
        raise ZeroDivisionError
    assert run_dir.read_record(path)["number"] == 1


def test_a_second_process_is_told_who_holds_the_directory(tmp_path):
    with run_dir.open_run_dir(tmp_path / "run") as run:
        run.set_status("running", {"process": os.getpid()})
        script = (
            "import sys; from pathlib import Path; from dlreg.runs import directory as run_dir\n"
            "try:\n    run_dir.open_run_dir(Path(sys.argv[1]), overwrite=True).__enter__()\n"
            "except run_dir.StorageError as error:\n    print(error); sys.exit(error.exit_code)"
        )
        command = [sys.executable, "-c", script, str(tmp_path / "run")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 6
    assert f"in use by process {os.getpid()}" in done.stdout


def test_default_directories_are_numbered(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = [str(run_dir.next_run_dir("diabetes")) for _ in range(3)]
    assert names == ["runs/diabetes-1", "runs/diabetes-2", "runs/diabetes-3"]
    assert str(run_dir.next_run_dir("dia")) == "runs/dia-1"


def test_a_failed_write_leaves_the_old_file_and_no_rest(tmp_path, monkeypatch):
    run_dir.write_atomically(tmp_path / "file", b"old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match="no space left"), run_dir.reporting_storage_errors(tmp_path):
        run_dir.write_atomically(tmp_path / "file", b"new")
    assert (tmp_path / "file").read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_json_is_readable_and_has_no_nan():
    assert run_dir.to_json({"평균": [1.5, None]}) == '{\n  "평균": [\n    1.5,\n    null\n  ]\n}\n'.encode()
    with pytest.raises(ValueError, match="not JSON compliant"):
        run_dir.to_json({"loss": float("nan")})


def test_files_are_readable_by_others_as_the_umask_says(tmp_path):
    run_dir.write_atomically(tmp_path / "file", b"")
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o666 & ~umask


def test_a_run_replaced_while_it_is_opened_is_opened_anew(project, tmp_path, monkeypatch):
    path, newer = (shutil.copytree(project / "run", tmp_path / name) for name in ("run", "newer"))
    config = (newer / "config.yaml").read_bytes().replace(b"seed: 42", b"seed: 43")
    with run_dir.open_run_dir(tmp_path / "other") as run:
        for file in run_dir.REQUIRED:
            run.write(file, config if file == "config.yaml" else (newer / file).read_bytes())
        run.set_status("complete", {"data": run_dir.read_record(path)["data"]})
    read = run_dir.read_record

    def read_then_replace(given):
        record = read(given)
        if (tmp_path / "other").exists():
            path.rename(tmp_path / "old")
            (tmp_path / "other").rename(path)
        return record

    monkeypatch.setattr(run_dir, "read_record", read_then_replace)
    assert trained_run.open_run(path).config.training.seed == 43


@pytest.mark.parametrize("name", [".", "link", "sub/../run"])
def test_other_names_of_a_directory_are_one_directory(tmp_path, monkeypatch, name):
    complete(tmp_path / "run", number=1)
    (tmp_path / "sub").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "run")
    monkeypatch.chdir(tmp_path / "run" if name == "." else tmp_path)
    with (
        run_dir.open_run_dir(tmp_path / "run", overwrite=True),
        pytest.raises(StorageError, match="in use by process"),
        run_dir.open_run_dir(Path(name), overwrite=True),
    ):
        pass
    with run_dir.open_run_dir(Path(name), overwrite=True) as run:
        run.set_status("complete", {"number": 2})
    assert run_dir.read_record(tmp_path / "run")["number"] == 2
    assert (tmp_path / "link").is_symlink()
    assert {entry.name for entry in tmp_path.iterdir()} == {"run", "link", "sub"}
