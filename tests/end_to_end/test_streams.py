"""Disks that fill up, pipes that close, and environments with little in them: no traceback, nothing half done."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from support.command_line import run_cli

TARGET = "소요 시간"


def limited(n_bytes):
    """Makes the system refuse files beyond a size, as a full disk does."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, n_bytes))


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (["predict", "run", "table.csv", "-o"], "out.csv"),
        (["plot", "run", "-o"], "out.png"),
    ],
    ids=["predict", "plot"],
)
def test_a_full_disk_leaves_the_old_file(project, tmp_path, arguments, name):
    (tmp_path / name).write_text("old")
    done = run_cli(*arguments, tmp_path / name, cwd=project, preexec_fn=limited(1000))
    assert done.returncode == 6, done.stderr
    assert "Traceback" not in done.stderr
    assert f"{name}: file too large" in done.stderr
    assert [(entry.name, entry.read_text()) for entry in tmp_path.iterdir()] == [(name, "old")]
    done = run_cli(*arguments, tmp_path / name, cwd=project)
    assert done.returncode == 0, done.stderr
    assert [entry.name for entry in tmp_path.iterdir()] == [name]


def test_a_bad_row_late_in_a_file_leaves_the_old_predictions(project, tmp_path):
    table = pd.read_csv(project / "table.csv", dtype=str)
    table.loc[len(table) - 1, "year"] = "twenty"
    table.to_csv(tmp_path / "bad.csv", index=False)
    (tmp_path / "out.csv").write_text("old")
    done = run_cli("predict", "run", tmp_path / "bad.csv", "-o", tmp_path / "out.csv", cwd=project)
    assert done.returncode == 4
    assert (tmp_path / "out.csv").read_text() == "old"
    assert {entry.name for entry in tmp_path.iterdir()} == {"bad.csv", "out.csv"}


@pytest.mark.parametrize(
    "arguments",
    [
        ["evaluate", "run"],
        ["evaluate", "run", "--json"],
        ["predict", "run", "table.csv"],
        ["--version"],
        ["--help"],
        ["train", "--help"],
    ],
    ids=" ".join,
)
class TestStandardOutput:
    def test_a_full_disk_is_a_storage_error(self, project, arguments):
        with Path("/dev/full").open("wb") as full:
            done = subprocess.run(
                [sys.executable, "-m", "dlreg", *arguments],
                cwd=project, stdout=full, stderr=subprocess.PIPE, text=True, check=False,
            )  # fmt: skip
        assert done.returncode == 6, done.stderr
        assert "standard output: no space left on device" in done.stderr
        assert "Traceback" not in done.stderr
        assert "Exception ignored" not in done.stderr

    def test_a_reader_that_is_gone_ends_it_quietly(self, project, arguments):
        reading, writing = os.pipe()
        os.close(reading)
        done = subprocess.run(
            [sys.executable, "-m", "dlreg", *arguments],
            cwd=project, stdout=writing, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
        os.close(writing)
        assert done.returncode == 0
        errors = [line for line in done.stderr.splitlines() if not line.startswith("note: ")]
        assert errors == []


@pytest.mark.parametrize(
    "environment",
    [
        {"PATH": os.environ["PATH"]},
        {"PATH": os.environ["PATH"], "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"PATH": os.environ["PATH"], "LC_ALL": "POSIX", "HOME": "/nonexistent", "PYTHONIOENCODING": "ascii"},
    ],
    ids=["no HOME, no LANG", "ASCII only", "POSIX"],
)
def test_names_of_any_script_are_written_as_utf8_in_any_locale(project, tmp_path, environment):
    environment = {**environment, "PYTHONPATH": os.environ.get("PYTHONPATH", "")}
    (tmp_path / "table.csv").symlink_to(project / "table.csv")
    table = pd.read_csv(project / "table.csv", dtype=str, keep_default_na=False)
    table.insert(0, "k", table.pop("풍속 등급"))
    table["풍속 등급"] = table["k"]
    table.drop(columns="비").to_csv(tmp_path / "lacking.csv", index=False)
    commands = {
        "predict": (["predict", "run", "table.csv", "--keep", TARGET], 0),
        "plot": (["plot", "run", "--kind", "predictions", "-o", str(tmp_path / "a.png")], 0),
        "lacking": (["predict", "run", str(tmp_path / "lacking.csv")], 4),
    }
    if "PYTHONUTF8" in environment:
        # There the words of the command line itself are not what was typed.
        commands["predict"] = (["predict", "run", "table.csv"], 0)
    for name, (arguments, code) in commands.items():
        done = subprocess.run(
            [sys.executable, "-m", "dlreg", *arguments],
            cwd=project, env=environment, capture_output=True, check=False,
        )  # fmt: skip
        assert done.returncode == code, done.stderr.decode()
        assert b"Traceback" not in done.stderr
        if name == "predict" and TARGET in arguments:
            assert done.stdout.decode().splitlines()[0] == f"row,{TARGET},y_pred"
        if name == "lacking":
            assert "'비'" in done.stderr.decode()
