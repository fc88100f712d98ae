"""`dlreg export`: a run in C and for TensorFlow, through the real command line."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from support.c_programs import CModel, needs_compiler
from support.command_line import run_cli

from dlreg.commands.export import export
from dlreg.errors import RunDirError, StorageError, UsageError
from dlreg.runs.trained_run import open_run


@needs_compiler
def test_c_predicts_what_predict_writes(project, tmp_path):
    done = run_cli("export", project / "run", "--format", "c", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "run.c\n", "")
    assert [path.name for path in tmp_path.iterdir()] == ["run.c"]
    told = run_cli("predict", project / "run", project / "table.csv", cwd=tmp_path)
    assert told.returncode == 0, told.stderr
    expected = pd.read_csv(pd.io.common.StringIO(told.stdout))["y_pred"].to_numpy()
    run = open_run(project / "run")
    model = CModel((tmp_path / "run.c").read_text(encoding="utf-8"), run.pipeline.inputs, tmp_path)
    table = pd.read_csv(project / "table.csv", dtype=str, keep_default_na=False)
    cells = {
        name: pd.to_numeric(table[name], errors="coerce").to_numpy(float)[:, None]
        if is_number
        else table[name].to_numpy(object)[:, None]
        for name, is_number in run.pipeline.inputs.items()
    }
    assert np.max(np.abs(model.predict(cells) - expected)) < 1e-5 * expected.std()


def test_json_tells_how_the_columns_are_called(project, tmp_path):
    done = run_cli(
        "export", project / "run", "--format", "c", "-o", "m.c", "--name", "rides", "--json", cwd=tmp_path
    )
    told = json.loads(done.stdout)
    assert (told["run_dir"], told["format"], told["output"]) == (str(project / "run"), "c", "m.c")
    source = (tmp_path / "m.c").read_text(encoding="utf-8")
    assert list(told["columns"]) == list(open_run(project / "run").pipeline.inputs)
    assert all(f" {name};" in source or f"*{name};" in source for name in told["columns"].values())
    assert "double rides_predict(const struct rides_row *row);" in source


def test_a_savedmodel_is_written_whole_and_replaced_only_if_asked_for(project, tmp_path):
    first = run_cli("export", project / "run", "--format", "savedmodel", cwd=tmp_path)
    assert (first.returncode, first.stdout, first.stderr) == (0, "run_savedmodel\n", "")
    assert [path.name for path in tmp_path.iterdir()] == ["run_savedmodel"]
    assert (tmp_path / "run_savedmodel" / "saved_model.pb").is_file()
    (tmp_path / "run_savedmodel" / "mine.txt").write_text("")
    again = run_cli("export", project / "run", "--format", "savedmodel", cwd=tmp_path)
    assert again.returncode == 6 and "--overwrite" in again.stderr
    assert (tmp_path / "run_savedmodel" / "mine.txt").exists()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "notes.txt").write_text("")
    with pytest.raises(StorageError, match="not empty"):
        export(project / "run", "savedmodel", tmp_path / "other", overwrite=True)
    export(project / "run", "savedmodel", tmp_path / "run_savedmodel", overwrite=True)
    assert not (tmp_path / "run_savedmodel" / "mine.txt").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other", "run_savedmodel"]


@pytest.mark.bad_input("command line")
def test_an_unknown_format_names_those_there_are(project):
    done = run_cli("export", "run", "--format", "onnx", cwd=project)
    assert done.returncode == 2 and "'c'" in done.stderr and "'savedmodel'" in done.stderr
    assert run_cli("export", "run", cwd=project).returncode == 2


@pytest.mark.parametrize("name", ["two words", "1st", "double", "", 'x"; int y', "NAN"])
def test_a_name_that_c_does_not_take_is_refused(project, tmp_path, name):
    with pytest.raises(UsageError, match="--name"):
        export(project / "run", "c", tmp_path / "m.c", name=name)
    with pytest.raises(UsageError, match="--name"):
        export(project / "run", "savedmodel", tmp_path / "m", name="fine")
    with pytest.raises(UsageError, match="C file"):
        export(project / "run", "c", tmp_path / "m.onnx")
    assert not list(tmp_path.iterdir())


def test_a_damaged_run_is_refused_and_nothing_written(project, tmp_path):
    run = shutil.copytree(project / "run", tmp_path / "run")
    (run / "pipeline.onnx").write_bytes(b"other")
    for form in ("c", "savedmodel"):
        with pytest.raises(RunDirError):
            export(run, form, tmp_path / "out.c")
    with pytest.raises(RunDirError):
        export(tmp_path / "none", "c", tmp_path / "out.c")
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
    done = run_cli("export", "run", "--format", "c", cwd=tmp_path)
    assert done.returncode == 5


def test_a_file_that_is_there_is_replaced_and_one_that_cannot_be_written_is_told(project, tmp_path):
    (tmp_path / "m.c").write_text("old")
    export(project / "run", "c", tmp_path / "m.c")
    first = (tmp_path / "m.c").read_bytes()
    export(project / "run", "c", tmp_path / "m.c")
    assert (tmp_path / "m.c").read_bytes() == first != b"old"
    with pytest.raises(StorageError):
        export(project / "run", "c", tmp_path / "none" / "m.c")
    with pytest.raises(StorageError):
        export(project / "run", "savedmodel", tmp_path / "none" / "m")
