"""The runs near a path that is none."""

import os
from pathlib import Path

import pytest

from dlreg.errors import RunDirError
from dlreg.runs.nearby import runs_in
from dlreg.runs.reading import read_record


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder `runs` whose newest run is `mine-2`."""
    for age, name in enumerate(("mine-2", "mine-10", "mine-1", "other")):
        (tmp_path / "runs" / name).mkdir(parents=True)
        record = tmp_path / "runs" / name / "run.json"
        record.write_text("{}")
        os.utime(record, (10**9 - age, 10**9 - age))
    (tmp_path / "runs" / "notes").mkdir()
    (tmp_path / "runs" / ".mine-1.new").mkdir()
    (tmp_path / "my.yaml").write_text("data: {}")
    for age, name in enumerate(("plain", "best")):
        (tmp_path / "study" / name).mkdir(parents=True)
        (tmp_path / "study" / name / "run.json").write_text("{}")
        os.utime(tmp_path / "study" / name / "run.json", (10**9 - age, 10**9 - age))
    (tmp_path / "study" / "study.json").write_text("{}")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_newest_run_comes_first(folder):
    assert [run.name for run in runs_in(Path("runs"))] == ["mine-2", "mine-10", "mine-1", "other"]
    assert runs_in(Path("absent")) == runs_in(Path("my.yaml")) == []


@pytest.mark.bad_input("command line and run directory")
@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("runs/mine", "Did you mean runs/mine-2?"),
        ("runs/othr", "Did you mean runs/other?"),
        ("study", "This is a study, its best run is study/best"),
        ("runs", "It holds 4 runs; the newest is runs/mine-2"),
        ("runs/notes", "Give the directory a dlreg train wrote"),
        ("absent", "Give the directory a dlreg train wrote"),
        ("my.yaml", "This is a config: dlreg train my.yaml makes a run of it"),
    ],
)
def test_the_run_that_was_meant_is_named(path, hint, folder):
    with pytest.raises(RunDirError) as caught:
        read_record(Path(path))
    assert caught.value.faults[0].hint == hint
