"""`dlreg reproduce`: the same run again, and what is said where it is not."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
from support.runs import record_anew, rewrite_record

from dlreg.runs.names import CONFIG


@pytest.fixture
def copy(project, tmp_path) -> Path:
    """A folder with a run that may be changed; its table stands where it stood."""
    shutil.copytree(project / "run", tmp_path / "run")
    return tmp_path


def replace_file(run: Path, name: str, content: bytes) -> None:
    """Another content of a file, as if the run had been made so."""
    (run / name).write_bytes(content)
    record_anew(run, name)


def reproduce(forks, folder: Path, *options: str) -> tuple[int, dict, str]:
    done = forks.run("reproduce", "run", "--json", *options, cwd=folder)
    return done.returncode, json.loads(done.stdout) if done.stdout else {}, done.stderr


def test_the_same_machine_gives_the_same_bytes(project, forks, tmp_path):
    done = forks.run("reproduce", "run", cwd=project)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    record = json.loads((project / "run" / "run.json").read_text())
    n_files = len(record["files"]) - 1
    assert lines == [f"{n_files} of {n_files} files are equal to the byte", "Equal to the byte."]


def test_the_new_run_is_kept_where_that_is_asked_for(copy, project, forks):
    code, found, _ = reproduce(forks, copy, "--run-dir", "again")
    assert (code, found["equal"], found["new_run_dir"]) == (0, "byte", "again")
    assert found["files"] and all(found["files"].values()) and CONFIG not in found["files"]
    assert (copy / "again" / "model.keras").read_bytes() == (project / "run" / "model.keras").read_bytes()
    assert found["facts"] == {} and found["metrics"] == {} and found["difference"] == 0


def test_another_number_of_threads_is_named(copy, forks):
    rewrite_record(copy / "run", lambda record: record.__setitem__("threads", 3))
    code, found, _ = reproduce(forks, copy, "--threads", "1")
    assert code == 0 and found["facts"] == {"threads": [3, 1]}


def test_other_versions_and_another_machine_are_named(copy, forks):
    def change(record):
        record["versions"]["keras"] = "3.0.0"
        record["machine"]["processor"] = "abacus"

    rewrite_record(copy / "run", change)
    done = forks.run("reproduce", "run", cwd=copy)
    assert done.returncode == 0, done.stderr
    assert "versions.keras: 3.0.0 then, " in done.stdout and "machine.processor: abacus then, " in done.stdout


@pytest.mark.parametrize(("shift", "expected"), [(1e-7, "rounding"), (0.5, "no")])
def test_predictions_that_differ_are_equal_to_rounding_or_not_at_all(copy, forks, shift, expected):
    table = pd.read_csv(copy / "run" / "predictions.csv")
    spread = table["y_true"].std(ddof=0)
    table.loc[3, "y_pred"] += shift * spread
    replace_file(copy / "run", "predictions.csv", table.to_csv(index=False).encode())
    code, found, errors = reproduce(forks, copy)
    assert found["equal"] == expected and found["difference"] == pytest.approx(shift, rel=1e-3)
    assert [name for name, is_equal in found["files"].items() if not is_equal] == ["predictions.csv"]
    assert (code, "run is not reproduced" in errors) == ((0, False) if expected == "rounding" else (8, True))


def test_a_metric_that_differs_is_told(copy, forks):
    def change(record):
        record["metrics"]["test"]["rmse"] *= 1.01

    rewrite_record(copy / "run", change)
    content = json.loads((copy / "run" / "metrics.json").read_text())
    content["test"]["rmse"] *= 1.01
    replace_file(copy / "run", "metrics.json", json.dumps(content).encode())
    done = forks.run("reproduce", "run", cwd=copy)
    assert done.returncode == 8
    assert "other bytes: metrics.json" in done.stdout and "test.rmse: " in done.stdout
    assert "not recorded" in done.stdout and done.stdout.endswith("Not equal.\n")


def test_a_changed_table_is_refused_with_what_changed(copy, project, forks, tmp_path):
    content = (project / "table.csv").read_bytes()
    (tmp_path / "longer.csv").write_bytes(content + content.splitlines(keepends=True)[1])
    code, _, errors = reproduce(forks, copy, "--data", "longer.csv")
    assert code == 5 and f"{len(content):,} bytes then" in errors and "now" in errors
    (tmp_path / "other.csv").write_bytes(content.replace(b"low", b"mid"))
    code, _, errors = reproduce(forks, copy, "--data", "other.csv")
    assert code == 5 and "as many bytes" in errors
    code, _, errors = reproduce(forks, copy, "--data", "none.csv")
    assert code == 5 and "no such table any more" in errors and "--data" in errors


def test_a_table_that_was_moved_is_found_by_data(copy, project, forks, tmp_path):
    shutil.copy(project / "table.csv", tmp_path / "moved.csv")
    code, found, _ = reproduce(forks, copy, "--data", "moved.csv")
    assert (code, found["equal"]) == (0, "byte")


def test_a_run_that_is_not_complete_is_refused(copy, forks):
    rewrite_record(copy / "run", lambda record: record.__setitem__("status", "interrupted"))
    assert reproduce(forks, copy)[0] == 5


def test_a_run_whose_files_are_damaged_is_refused(copy, forks):
    with (copy / "run" / "pipeline.onnx").open("ab") as file:
        file.write(b"junk")
    code, _, errors = reproduce(forks, copy)
    assert code == 5 and "pipeline.onnx" in errors


def test_a_folder_that_is_there_is_not_written_into(copy, forks):
    (copy / "again").mkdir()
    code, _, errors = reproduce(forks, copy, "--run-dir", "again")
    assert code == 6 and "a --run-dir that is not there yet" in errors and "--overwrite" not in errors
