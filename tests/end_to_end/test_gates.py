"""`gates` of a config: obeyed by `train`, by `--resume` and by `evaluate`."""

import json
import shutil

import pytest
from support.command_line import run_cli

GATES = "gates=[rmse>1e9, validation.r2<-1e9, mae>0]"


@pytest.fixture(scope="module")
def gated(project, tmp_path_factory):
    """A folder with a run that does not pass the last one of its gates."""
    folder = tmp_path_factory.mktemp("gated")
    for name in ("table.csv", "config.yaml"):
        shutil.copy(project / name, folder / name)
    arguments = ("--set", GATES, "--set", "training.epochs=2")
    done = run_cli("train", "config.yaml", "--run-dir", "run", *arguments, cwd=folder)
    assert done.returncode == 8, done.stderr
    (folder / "stdout.txt").write_text(done.stdout)
    (folder / "stderr.txt").write_text(done.stderr)
    return folder


def test_train_fails_once_the_run_is_complete_and_told(gated):
    assert json.loads((gated / "run" / "run.json").read_text())["status"] == "complete"
    told, errors = (gated / "stdout.txt").read_text(), (gated / "stderr.txt").read_text()
    assert "Run directory: run\ngate passed: rmse>1e9: test.rmse is" in told
    assert "gate passed: validation.r2<-1e9" in told
    assert errors.splitlines()[-1].startswith("error: gate failed: mae>0: test.mae is ")


@pytest.mark.parametrize("arguments", [(), ("--quiet",), ("--json",)], ids=["text", "quiet", "json"])
def test_a_complete_run_that_is_resumed_obeys_too(arguments, gated, cli):
    done = cli("train", "run", "--resume", *arguments, cwd=gated)
    assert done.returncode == 8
    assert "gate failed: mae>0" in done.stderr
    if arguments == ("--json",):
        gates = json.loads(done.stdout)["gates"]
        assert [(gate["expression"], gate["passed"]) for gate in gates] == [
            ("rmse>1e9", True), ("validation.r2<-1e9", True), ("mae>0", False)]  # fmt: skip
    elif arguments:
        assert done.stdout == "run\n"
    others = cli("train", "run", "--resume", "--set", "gates=[]", cwd=gated)
    assert others.returncode == 0, others.stderr


def test_evaluate_obeys_them_beside_those_it_is_given(gated, cli):
    done = cli("evaluate", "run", "--json", "--fail-if", "r2<-1e9", "--fail-if", "mae>0", cwd=gated)
    assert done.returncode == 8
    gates = json.loads(done.stdout)["gates"]
    assert [gate["expression"] for gate in gates] == ["rmse>1e9", "validation.r2<-1e9", "mae>0", "r2<-1e9"]


def test_on_another_table_those_that_name_no_part_are_about_it(gated, cli):
    done = cli("evaluate", "run", "--json", "--data", "table.csv", cwd=gated)
    assert done.returncode == 8
    gates = json.loads(done.stdout)["gates"]
    assert [(gate["expression"], gate["part"]) for gate in gates] == [("rmse>1e9", "data"), ("mae>0", "data")]
    note = "note: gates on the run's own rows are not judged with --data: validation.r2<-1e9"
    assert note in done.stderr.splitlines()
