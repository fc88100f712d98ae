"""Which directory a run is written to, and what stands in its way."""

from pathlib import Path

import pytest
from support.runs import complete_run

from dlreg.errors import StorageError
from dlreg.runs.directory import next_run_dir, open_run_dir
from dlreg.runs.names import CHECKPOINT
from dlreg.runs.reading import read_record


def test_a_used_directory_is_left_untouched(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "thesis.txt").write_text("years")
    for overwrite in (False, True):
        with (
            pytest.raises(StorageError, match=r"not empty|holds no run"),
            open_run_dir(tmp_path / "run", overwrite=overwrite),
        ):
            pass
    assert [entry.name for entry in (tmp_path / "run").iterdir()] == ["thesis.txt"]


def test_a_run_that_may_go_on_is_not_to_be_overwritten(tmp_path):
    with open_run_dir(tmp_path / "run", overwrite=False) as run:
        run.set_status("interrupted")
    for has_checkpoint in (False, True):
        if has_checkpoint:
            (tmp_path / "run" / CHECKPOINT).write_bytes(b"")
        with (
            pytest.raises(StorageError) as caught,
            open_run_dir(tmp_path / "run", overwrite=False),
        ):
            pass
        assert ("Go on with it with --resume" in str(caught.value)) is has_checkpoint


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_directory_of_hidden_files_alone_counts_as_empty(tmp_path, overwrite):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / ".gitignore").write_text("/run.json\n")
    with open_run_dir(tmp_path / "run", overwrite=overwrite) as run:
        run.set_status("complete")
    assert {entry.name for entry in (tmp_path / "run").iterdir()} == {".gitignore", "run.json"}


def test_default_directories_are_numbered(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = [str(next_run_dir("diabetes")) for _ in range(3)]
    assert names == ["runs/diabetes-1", "runs/diabetes-2", "runs/diabetes-3"]
    assert str(next_run_dir("dia")) == "runs/dia-1"


@pytest.mark.parametrize("name", [".", "link", "sub/../run"])
def test_other_names_of_a_directory_are_one_directory(tmp_path, monkeypatch, name):
    complete_run(tmp_path / "run", number=1)
    (tmp_path / "sub").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "run")
    monkeypatch.chdir(tmp_path / "run" if name == "." else tmp_path)
    with (
        open_run_dir(tmp_path / "run", overwrite=True),
        pytest.raises(StorageError, match="in use by process"),
        open_run_dir(Path(name), overwrite=True),
    ):
        pass
    with open_run_dir(Path(name), overwrite=True) as run:
        run.set_status("complete", {"number": 2})
    assert read_record(tmp_path / "run")["number"] == 2
    assert (tmp_path / "link").is_symlink()
    assert {entry.name for entry in tmp_path.iterdir()} == {"run", "link", "sub"}
