"""`dlreg evaluate`: metrics, gates that are passed or fail, and baselines that cannot be compared with."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from support.command_line import run_cli
from support.tables import make_table

from dlreg.table import csv_scan

TARGET = "소요 시간"


def test_evaluate_repeats_the_metrics_of_the_run(project):
    done = run_cli("evaluate", "run", "--json", cwd=project)
    assert done.returncode == 0, done.stderr
    metrics = json.loads((project / "run" / "metrics.json").read_text())
    del metrics["baselines"]
    assert json.loads(done.stdout)["metrics"] == metrics


def test_evaluate_measures_another_csv_by_column_name(project):
    table = make_table(60, seed=5)
    table[sorted(table.columns)].assign(extra=1).to_csv(project / "other.csv", index=False)
    done = run_cli("evaluate", "run", "--data", "other.csv", "--json", cwd=project)
    metrics = json.loads(done.stdout)["metrics"]["data"]
    assert metrics["n"] == 60
    assert metrics["rmse"] < table[TARGET].std()


def test_it_is_said_where_the_rows_are_those_that_were_learnt(project, tmp_path):
    copy = tmp_path / "copy.csv"
    copy.write_bytes((project / "table.csv").read_bytes())
    done = run_cli("evaluate", "run", "--data", copy, cwd=project)
    assert "this very file is what the run was trained on" in " ".join(done.stderr.split())
    copy.write_text(copy.read_text() + copy.read_text().splitlines()[-1] + "\n")
    done = run_cli("evaluate", "run", "--data", copy, cwd=project)
    assert "this very file" not in done.stderr


def test_another_csv_is_measured_the_same_in_one_block_and_in_many(project, cli, monkeypatch, tmp_path):
    table = make_table(400, seed=6)
    # A block without any target, rows without one, levels that training had not.
    table.loc[[5, 350, *range(100, 180)], TARGET] = np.nan
    table.loc[[30, 390], "풍속 등급"] = ["odd", "rare"]
    table.to_csv(tmp_path / "other.csv", index=False)
    arguments = ("evaluate", "run", "--data", tmp_path / "other.csv", "--json")
    whole = cli(*arguments, cwd=project)
    assert whole.returncode == 0, whole.stderr
    assert "82 of 400 rows are left out" in whole.stderr
    assert "2 cells unseen in 풍속 등급" in whole.stderr
    monkeypatch.setattr(csv_scan, "BLOCK_BYTES", 1500)
    assert cli(*arguments, cwd=project) == whole
    worse = cli(*arguments, "--baseline", "run", "--max-regression", "rmse=0", cwd=project)
    assert worse.returncode == 0, worse.stderr
    strict = cli(*arguments, "--strict", cwd=project)
    assert (strict.returncode, "2 cells unseen in 풍속 등급" in strict.stderr) == (4, True)


def test_a_total_in_another_csv_is_found_in_one_block_and_in_many(project, cli, monkeypatch, tmp_path):
    table = make_table(200, seed=7)
    total = table.loc[[0]].assign(**{TARGET: table[TARGET].sum().round(2)})
    pd.concat([table, total]).to_csv(tmp_path / "other.csv", index=False)
    arguments = ("evaluate", "run", "--data", tmp_path / "other.csv", "--json")
    refused = cli(*arguments, cwd=project)
    assert (refused.returncode, "other.csv:202: no observation" in refused.stderr) == (4, True)
    done = cli(*arguments, "--set", "data.non_data_rows=exclude", cwd=project)
    assert json.loads(done.stdout)["metrics"]["data"]["n"] == 200
    monkeypatch.setattr(csv_scan, "BLOCK_BYTES", 1500)
    for given in ((), ("--set", "data.non_data_rows=exclude")):
        refused = cli(*arguments, *given, cwd=project)
        assert (refused.returncode, "other.csv:202: no observation" in refused.stderr) == (4, True)
        assert "--set 'data.non_data_rows=keep'" in refused.stderr
    done = cli(*arguments, "--set", "data.non_data_rows=keep", cwd=project)
    assert json.loads(done.stdout)["metrics"]["data"]["n"] == 201


def test_evaluate_refuses_data_that_changed_since(project, tmp_path):
    work = shutil.copytree(project, tmp_path / "work")
    done = run_cli("train", "config.yaml", "--run-dir", "mine", "--set", "training.epochs=1", cwd=work)
    assert done.returncode == 0, done.stderr
    with (work / "table.csv").open("a", encoding="utf-8") as file:
        file.write((work / "table.csv").read_text(encoding="utf-8").splitlines()[1] + "\n")
    changed = run_cli("evaluate", "mine", cwd=work)
    assert (changed.returncode, "has changed" in changed.stderr) == (5, True)
    (work / "table.csv").unlink()
    gone = run_cli("evaluate", "mine", cwd=work)
    assert (gone.returncode, "is gone" in gone.stderr) == (5, True)


# ---------------------------------------------------------------- gates


def train(forks, folder, name, *settings):
    """Trains the config of a folder into a run of that name."""
    options = [option for setting in settings for option in ("--set", setting)]
    done = forks.run("train", "config.yaml", "--run-dir", name, *options, cwd=folder)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def runs(project, forks):
    """The project with a run that is surely worse, `worse`, and one of another split, `other_split`."""
    train(forks, project, "worse", "training.epochs=1")
    train(forks, project, "other_split", "training.seed=7", "training.epochs=1")
    return project


def test_gates_that_are_passed(runs, cli):
    done = cli(
        "evaluate", "run", "--fail-if", "rmse>1000", "--fail-if", "validation.r2<-5", "--baseline", "worse",
        "--max-regression", "rmse=2%", "--json", cwd=runs,
    )  # fmt: skip
    assert done.returncode == 0
    assert done.stderr == f"note: reading {runs / 'table.csv'}, as the run's config says\n"
    printed = json.loads(done.stdout)
    assert list(printed) == ["schema_version", "run_dir", "metrics", "cells", "gates"]
    assert printed["cells"] is None
    assert printed["schema_version"] == 1
    first, second, third = printed["gates"]
    assert first == {
        "expression": "rmse>1000", "part": "test", "metric": "rmse",
        "value": printed["metrics"]["test"]["rmse"], "passed": True,
    }  # fmt: skip
    assert second["part"] == "validation"
    assert list(third) == [
        "expression", "part", "metric", "value", "baseline", "regression_percent", "interval_percent",
        "allowed_percent", "passed",
    ]  # fmt: skip
    assert third["regression_percent"] < 0


def test_gates_that_fail_say_why_and_leave_the_metrics_on_stdout(runs, cli):
    arguments = [
        "--fail-if",
        "rmse>0",
        "--fail-if",
        "mae<0",
        "--baseline",
        "run",
        "--max-regression",
        "rmse=2%",
    ]
    done = cli("evaluate", "worse", *arguments, cwd=runs)
    assert done.returncode == 8
    assert "rmse" in done.stdout.splitlines()[0]
    assert "gate passed: mae<0: test.mae is " in done.stdout
    _, first, second = done.stderr.splitlines()
    assert first.startswith("error: gate failed: rmse>0: test.rmse is ")
    assert second.startswith("error: gate failed: rmse=2%: test.rmse is ")
    assert "95% interval" in second
    done = cli("evaluate", "worse", *arguments, "--json", cwd=runs)
    assert done.returncode == 8
    assert [gate["passed"] for gate in json.loads(done.stdout)["gates"]] == [False, True, False]


def test_another_split_cannot_be_compared_without_other_rows(runs, cli):
    arguments = ["--baseline", "other_split", "--max-regression", "rmse=500"]
    done = cli("evaluate", "run", *arguments, cwd=runs)
    assert done.returncode == 5
    assert "--data" in done.stderr
    make_table(80, seed=99).to_csv(runs / "fresh.csv", index=False)
    done = cli("evaluate", "run", *arguments, "--data", "fresh.csv", "--json", cwd=runs)
    assert done.returncode == 0, done.stderr
    (gate,) = json.loads(done.stdout)["gates"]
    assert gate["part"] == "data"
    done = cli("evaluate", "run", *arguments, "--data", "table.csv", cwd=runs)
    assert done.returncode == 5
    assert "trained on" in done.stderr


def test_a_baseline_from_another_folder_is_compared_on_an_equal_table(runs, cli, forks, tmp_path):
    for name in ("table.csv", "config.yaml"):
        shutil.copy(runs / name, tmp_path)
    train(forks, tmp_path, "mine", "training.epochs=2")
    (runs / "table.csv").rename(runs / "hidden.csv")
    try:
        done = cli(
            "evaluate", "mine", "--baseline", runs / "run", "--max-regression", "rmse=1e6", cwd=tmp_path
        )
        assert done.returncode == 0, done.stderr
        assert cli("evaluate", runs / "run", cwd=tmp_path).returncode == 5
    finally:
        (runs / "hidden.csv").rename(runs / "table.csv")


@pytest.mark.bad_input("command line and run directory")
@pytest.mark.parametrize(
    ("arguments", "code", "fragment"),
    [
        (["evaluate", "run", "--fail-if", "rsme>3"], 2, "Did you mean rmse?"),
        (["evaluate", "nowhere", "--fail-if", "rsme>3"], 2, "Did you mean rmse?"),
        (["evaluate", "run", "--fail-if", "data.rmse>3"], 2, "--data"),
        (["evaluate", "run", "--fail-if"], 2, "--fail-if"),
        (["evaluate", "run", "--max-regression", "rmse=2"], 2, "--baseline"),
        (["evaluate", "run", "--baseline", "worse"], 2, "--max-regression"),
        (["evaluate", "run", "--baseline", "worse", "--max-regression", "rmse"], 2, "METRIC=PERCENT"),
        (["evaluate", "run", "--baseline", "nowhere", "--max-regression", "rmse=2"], 5, "nowhere"),
        (["evaluate", "run", "--baseline", ".", "--max-regression", "rmse=2"], 5, "run.json"),
        (["evaluate", "run", "--data", "absent.csv", "--fail-if", "rmse>3"], 4, "absent.csv"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_mistakes_with_gates(runs, cli, arguments, code, fragment):
    done = cli(*arguments, cwd=runs)
    assert (done.returncode, done.stdout) == (code, ""), done.stderr
    assert fragment in done.stderr
    assert "Traceback" not in done.stderr


def test_a_baseline_of_another_target_cannot_be_compared(runs, cli, forks, tmp_path):
    folder = shutil.copytree(runs, tmp_path / "copy")
    train(forks, folder, "wind", "data.target=Wind speed (m/s)", "training.epochs=1")
    make_table(80, seed=99).to_csv(folder / "fresh.csv", index=False)
    arguments = ["--baseline", "wind", "--max-regression", "rmse=1", "--data", "fresh.csv"]
    done = cli("evaluate", "run", *arguments, cwd=folder)
    assert done.returncode == 5
    assert "predicts 'Wind speed (m/s)'" in done.stderr
