"""Command lines and run directories that cannot be right: the exit code, the message, nothing written."""

import json
import os
import shutil

import pytest

COMMAND_LINES = {
    "option of another command": (["check", "config.yaml", "--quiet"], 2, "--quiet"),
    "one config too many": (["check", "config.yaml", "config.yaml"], 2, "config.yaml"),
    "no config to check": (["check"], 2, "CONFIG"),
    "unknown format": (["check", "config.yaml", "--format", "xml"], 2, "xml"),
    "a value for a flag": (["check", "config.yaml", "--strict=yes"], 2, "--strict"),
    "an option without its value": (["check", "config.yaml", "--set"], 2, "--set"),
    "no equals sign": (["check", "config.yaml", "--set", "training.epochs"], 2, "KEY=VALUE"),
    "no key": (["check", "config.yaml", "--set", "=3"], 2, "KEY=VALUE"),
    "a key with an empty part": (["train", "config.yaml", "--set", "training..epochs=3"], 2, "KEY=VALUE"),
    "init without a target": (["init", "table.csv"], 2, "--target"),
    "init without a table": (["init", "--target", "y"], 2, "CSV"),
    "init over its table": (["init", "table.csv", "--target", "year", "-o", "table.csv"], 2, "the CSV itself"),
    "schema of something": (["schema", "config.yaml"], 2, "config.yaml"),
    "evaluate nothing": (["evaluate"], 2, "RUN_DIR"),
    "evaluate two runs": (["evaluate", "run", "run"], 2, "run"),
    "plot without a kind": (["plot", "run", "--kind"], 2, "--kind"),
    "predict with a typo": (["predict", "run", "table.csv", "--kep", "id"], 2, "--kep"),
    "an unknown short option": (["train", "config.yaml", "-x"], 2, "-x"),
    "a config that is a table": (["train", "table.csv"], 3, "dlreg init table.csv --target COLUMN"),
    "a config of a run": (["evaluate", "config.yaml"], 5, "This is a config"),
    "new rows in a config": (["predict", "run", "config.yaml"], 4, "this is a config, not a table"),
    "a config to learn from": (["init", "config.yaml", "--target", "y"], 4, "this is a config, not a table"),
    "a config that is a folder": (["train", "run"], 3, "a directory"),
    "a config that is a figure": (["train", "run/loss_curve.png"], 3, "UTF-8"),
    "a section set to a number": (["train", "config.yaml", "--set", "training=3"], 3, "training must be a mapping"),
    "a key below a number": (["train", "config.yaml", "--set", "data.target.x=3"], 3, "data.target"),
    "values of --set that are no YAML": (["train", "config.yaml", "--set", "model.hidden_layers=[8"], 3, "a bracket"),
    "two bad values": (["train", "config.yaml", "--set", "model.l2=-1", "--set", "run.dir=[a]"], 3, "run.dir"),
    "a URL": (["train", "config.yaml", "--data", "https://x.org/t.csv"], 3, "on this machine"),
    "a table that is a run": (["train", "config.yaml", "--data", "run"], 4, "a directory"),
    "a table that is a config": (["train", "config.yaml", "--data", "config.yaml"], 4, "config.yaml"),
    "a table that is a figure": (["evaluate", "run", "--data", "run/loss_curve.png"], 4, "loss_curve.png"),
    "rows that are a model": (["predict", "run", "run/model.keras"], 4, "zip archive"),
    "a run that is a file": (["evaluate", "config.yaml"], 5, "config.yaml"),
    "a run that is missing": (["plot", "runs/none-1"], 5, "none-1"),
    "a run of the wrong folder": (["predict", "..", "table.csv"], 5, "run.json"),
    "output below a file": (["predict", "run", "table.csv", "-o", "table.csv/out.csv"], 6, "table.csv"),
    "output that is a folder": (["predict", "run", "table.csv", "-o", "run"], 6, "run"),
    "a run at the root": (["train", "config.yaml", "--run-dir", "/", "--overwrite"], 6, "the root"),
    "an empty name for a table": (["train", "config.yaml", "--data", ""], 3, "--set data.path"),
    "an empty name for rows": (["evaluate", "run", "--data", ""], 4, "found none"),
    "a name too long for a run": (["evaluate", "x" * 5000], 5, "no such run"),
    "a column kept twice": (["predict", "run", "table.csv", "--keep", "id", "--keep", "id"], 2, "two such columns"),
    "a column kept by the name of another": (["predict", "run", "table.csv", "--keep", "y_pred"], 2, "two such columns"),
    "a config that is nearly there": (["check", "confg.yaml"], 3, "Did you mean config.yaml?"),
    "output in no folder": (["predict", "run", "table.csv", "-o", "no/such/out.csv"], 6, "no/such/out.csv: no such file"),
    "a network of giants": (["check", "config.yaml", "--set", "model.hidden_layers=[65536, 65536]"], 3, "cannot be trained"),
    "a run below a file": (["train", "config.yaml", "--run-dir", "table.csv/run"], 6, "table.csv"),
    "a run that is a table": (["train", "config.yaml", "--run-dir", "table.csv"], 6, "table.csv"),
}  # fmt: skip


def everything(folder):
    return {str(path): path.lstat().st_mtime_ns for path in folder.rglob("*") if path.name != "runs"}


@pytest.mark.bad_input("command line and run directory")
@pytest.mark.parametrize(("arguments", "code", "fragment"), COMMAND_LINES.values(), ids=COMMAND_LINES.keys())
def test_a_bad_command_line(project, cli, record_property, arguments, code, fragment):
    before = everything(project / "run") | {name.name: 0 for name in project.iterdir()}
    done = cli(*arguments, cwd=project)
    assert done.returncode == code, done.stderr
    assert fragment in done.stderr.replace("\n", " ") + done.stdout
    record_property("suggestion", "Try 'dlreg" in done.stderr)
    assert "Traceback" not in done.stderr
    assert everything(project / "run") | {name.name: 0 for name in project.iterdir()} == before


def without(name):
    return lambda run: (run / name).unlink()


def with_content(name, content):
    return lambda run: (run / name).write_bytes(content)


def truncated(name):
    return lambda run: (run / name).write_bytes((run / name).read_bytes()[:-7])


def swapped(first, second):
    def swap(run):
        content = (run / first).read_bytes()
        (run / first).write_bytes((run / second).read_bytes())
        (run / second).write_bytes(content)

    return swap


def linked(name):
    def link(run):
        shutil.move(run / name, run / "elsewhere")
        (run / name).symlink_to("elsewhere")

    return link


def piped(name):
    def pipe(run):
        (run / name).unlink()
        os.mkfifo(run / name)

    return pipe


def edited(**changes):
    def edit(run):
        record = json.loads((run / "run.json").read_text())
        (run / "run.json").write_text(json.dumps(record | changes))

    return edit


DAMAGE = {
    "no record": (without("run.json"), ["evaluate"], "run.json"),
    "no pipeline": (without("pipeline.onnx"), ["predict"], "pipeline.onnx"),
    "no config": (without("config.yaml"), ["evaluate"], "config.yaml"),
    "no preprocessing": (without("preprocessing.json"), ["evaluate"], "preprocessing.json"),
    "no split": (without("split.json"), ["evaluate"], "split.json"),
    "no history": (without("history.json"), ["plot"], "history.json"),
    "no predictions": (without("predictions.csv"), ["plot", "--kind", "residuals"], "predictions.csv"),
    "half a pipeline": (truncated("pipeline.onnx"), ["predict"], "pipeline.onnx"),
    "half a config": (truncated("config.yaml"), ["predict"], "config.yaml"),
    "half a record": (truncated("run.json"), ["evaluate"], "run.json"),
    "an empty record": (with_content("run.json", b""), ["evaluate"], "run.json"),
    "a record that is a list": (with_content("run.json", b"[1]"), ["predict"], "run.json"),
    "a record of nulls": (with_content("run.json", b'{"sha256": null}'), ["predict"], "run.json"),
    "another config": (with_content("config.yaml", b"data: {path: /etc/passwd, target: y}\n"), ["evaluate"], "config.yaml"),
    "another pipeline": (with_content("pipeline.onnx", b"\x08\x0a"), ["predict"], "pipeline.onnx"),
    "files swapped": (swapped("preprocessing.json", "split.json"), ["evaluate"], "preprocessing.json"),
    "a pipeline elsewhere": (linked("pipeline.onnx"), ["predict"], "pipeline.onnx"),
    "a config elsewhere": (linked("config.yaml"), ["evaluate"], "config.yaml"),
    "a pipe for a split": (piped("split.json"), ["evaluate"], "split.json"),
    "a pipe for a record": (piped("run.json"), ["evaluate"], "run.json"),
    "a newer version": (edited(schema_version=3), ["evaluate"], "version 3"),
    "a record made up": (edited(status="complete", rows={"train": 1}), ["evaluate"], "run.json"),
    "no files listed": (edited(files={}), ["predict"], "run.json"),
}  # fmt: skip


@pytest.mark.bad_input("command line and run directory")
@pytest.mark.parametrize(("damage", "command", "fragment"), DAMAGE.values(), ids=DAMAGE.keys())
def test_a_bad_run_directory(project, tmp_path, cli, damage, command, fragment):
    run = shutil.copytree(project / "run", tmp_path / "run")
    damage(run)
    name, *options = command
    output = {
        "predict": [project / "table.csv", "-o", tmp_path / "out.csv"],
        "plot": ["-o", tmp_path / "a.png"],
    }
    done = cli(name, "run", *output.get(name, []), *options, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (5, ""), done.stderr
    assert fragment in done.stderr
    assert "Traceback" not in done.stderr
    assert [entry.name for entry in tmp_path.iterdir()] == ["run"]


def test_a_table_that_moved_is_told_from_one_that_changed(project, tmp_path, cli):
    moved = cli("evaluate", project / "run", "--data", tmp_path / "gone.csv", cwd=tmp_path)
    assert (moved.returncode, "no such file" in moved.stderr) == (4, True)


def test_nothing_but_the_run_directory_is_printed_for_a_script(project, tmp_path, cli):
    done = cli(
        "train",
        project / "config.yaml",
        "--set",
        "training.epochs=1",
        "--quiet",
        "--run-dir",
        "r",
        cwd=tmp_path,
    )
    assert (done.returncode, done.stdout) == (0, "r\n")
