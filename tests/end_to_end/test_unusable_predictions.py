"""A prediction that is no finite number is never used in silence, whoever made the pipeline."""

import csv
import json
import shutil

import numpy as np
import pandas as pd
import pytest
from support.runs import spoil_pipeline
from support.tables import make_table

FIRST = "found nan in row "


@pytest.fixture(scope="module")
def spoiled(project, tmp_path_factory):
    """The project with a run `spoiled`, whose predictions are NaN where the wind speed is missing."""
    folder = shutil.copytree(project, tmp_path_factory.mktemp("spoiled") / "project")
    shutil.copytree(folder / "run", folder / "spoiled")
    spoil_pipeline(folder / "spoiled", 0.0)
    return folder


@pytest.fixture(scope="module")
def rows_without_speed(project):
    missing = pd.read_csv(project / "table.csv")["Wind speed (m/s)"].isna().to_numpy()
    assert 2 < missing.sum() < len(missing) / 2
    return np.flatnonzero(missing).tolist()


def test_evaluate_has_no_metrics_and_fails(spoiled, cli):
    done = cli("evaluate", "spoiled", "--json", cwd=spoiled)
    assert done.returncode == 4
    for metrics in json.loads(done.stdout)["metrics"].values():
        assert metrics.pop("n") > 0
        assert set(metrics.values()) == {None}
    _, *faults = done.stderr.splitlines()
    for fault, part in zip(faults, ("train", "validation", "test"), strict=True):
        assert (
            f"table.csv: expected finite predictions of the {part} rows, none beyond 1e+150; {FIRST}" in fault
        )
        assert "do not trust the run" in fault
    done = cli("evaluate", "spoiled", cwd=spoiled)
    assert (done.returncode, done.stdout.split()[-4:]) == (4, ["–"] * 4)


def test_evaluate_names_the_rows_of_another_csv(spoiled, cli, rows_without_speed):
    done = cli("evaluate", "spoiled", "--data", "table.csv", cwd=spoiled)
    assert done.returncode == 4
    assert f"{FIRST}{rows_without_speed[0]}, nan in row {rows_without_speed[1]}, " in done.stderr


@pytest.mark.parametrize("expression", ["rmse>1", "rmse<1", "mae>=0", "coverage_90<0", "n<0", "r2<1"])
def test_no_gate_is_passed_by_what_cannot_be_measured(spoiled, cli, expression):
    done = cli("evaluate", "spoiled", "--json", "--fail-if", expression, cwd=spoiled)
    assert done.returncode == 4
    (gate,) = json.loads(done.stdout)["gates"]
    assert gate["passed"] == expression.startswith("n")
    assert ("gate failed" in done.stderr) != gate["passed"]


@pytest.mark.parametrize(("run", "baseline"), [("spoiled", "run"), ("run", "spoiled")])
def test_nothing_is_compared_with_what_cannot_be_measured(spoiled, cli, run, baseline):
    done = cli("evaluate", run, "--baseline", baseline, "--max-regression", "rmse=1000", cwd=spoiled)
    assert done.returncode == 4
    assert "gate passed" not in done.stdout
    assert ("the baseline spoiled: expected finite" in done.stderr) == (baseline == "spoiled")


@pytest.mark.parametrize("options", [(), ("--interval", "0.5")], ids=["alone", "interval"])
def test_predict_leaves_cells_empty_and_fails_once_all_is_written(spoiled, cli, rows_without_speed, options):
    done = cli("predict", "spoiled", "table.csv", "-o", "out.csv", "--json", *options, cwd=spoiled)
    assert done.returncode == 4
    report = json.loads(done.stdout)
    assert (report["rows"], report["unpredicted"]) == (240, len(rows_without_speed))
    assert (
        f"note: {len(rows_without_speed)} rows have no finite prediction: nothing is written" in done.stderr
    )
    assert f"table.csv: expected finite predictions, none beyond 1e+150; {FIRST}" in done.stderr
    with (spoiled / "out.csv").open(newline="") as file:
        _, *lines = csv.reader(file)
    assert [int(row) for row, *_ in lines] == list(range(240))
    assert [int(row) for row, *cells in lines if set(cells) == {""}] == rows_without_speed
    assert [int(row) for row, *cells in lines if "" in cells] == rows_without_speed


def test_predict_that_is_strict_writes_nothing(spoiled, cli):
    pd.read_csv(spoiled / "table.csv").dropna().to_csv(spoiled / "whole.csv", index=False)
    spoil = shutil.copytree(spoiled / "run", spoiled / "infinite")
    spoil_pipeline(spoil, float("inf"))
    done = cli("predict", "infinite", "whole.csv", "-o", "strict.csv", "--strict", "--json", cwd=spoiled)
    assert (done.returncode, done.stdout) == (4, "")
    assert "found inf in row 0" in done.stderr.replace("-inf", "inf")
    assert not (spoiled / "strict.csv").exists()


def test_explain_fails_and_draws_nothing(spoiled, cli):
    done = cli("explain", "spoiled", "--repeats", "1", "-o", "nothing.svg", cwd=spoiled)
    assert (done.returncode, done.stdout) == (4, "")
    assert "the run's rmse on its validation rows is not finite" in done.stderr
    assert not (spoiled / "nothing.svg").exists()


def test_a_value_that_is_not_finite_is_enough(spoiled, cli):
    """A run of dlreg's own extrapolates beyond what its single precision holds."""
    table = make_table(30, seed=8)
    table.loc[3, "Wind speed (m/s)"] = 1e90
    table.to_csv(spoiled / "far.csv", index=False)
    done = cli("predict", "run", "far.csv", cwd=spoiled)
    assert done.returncode == 4
    assert done.stdout.splitlines()[4] == "3,"
    assert " in row 3 (the first row is 0)" in done.stderr
    assert "far outside of the training range" in done.stderr


@pytest.mark.parametrize("row", [49, 39], ids=["test", "validation"])
def test_a_training_names_the_row_that_it_cannot_predict(forks, tmp_path, row):
    x = np.random.default_rng(0).normal(size=60)
    x[row] = 1e5
    y = np.exp(np.where(np.arange(60) == row, 0, x))
    lines = [f"{cell!r},{value!r}" for cell, value in zip(x.tolist(), y.tolist(), strict=True)]
    (tmp_path / "table.csv").write_text("\n".join(["x,y", *lines, ""]))
    (tmp_path / "config.yaml").write_text(
        "data: {path: table.csv, target: y, split: ordered}\npreprocessing: {target: log}\n"
        "model: {hidden_layers: []}\n"
        "training: {epochs: 30, learning_rate: 0.1, restore_best_weights: false, early_stopping: null}\n"
    )
    done = forks.run("train", "config.yaml", "--run-dir", "run", cwd=tmp_path)
    part = "test" if row == 49 else "validation"
    assert done.returncode == 4, done.stderr
    assert f"predictions of the {part} rows, none beyond 1e+150; found inf in row {row} (" in done.stderr
    assert json.loads((tmp_path / "run" / "run.json").read_text())["status"] == "failed"
    bounded = ("--set", "preprocessing.clip_predictions=true", "--overwrite")
    done = forks.run("train", "config.yaml", "--run-dir", "run", *bounded, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
