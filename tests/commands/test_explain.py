"""`dlreg explain`: which rows it measures on, what it prints and what it draws."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from support.command_line import run_cli

from dlreg.commands import explain as importance
from dlreg.table.parts import Part


@pytest.mark.parametrize(
    ("sizes", "cross_validated", "knows_validation", "expected"),
    [
        ((5, 3, 2), False, False, "validation"),
        ((5, 0, 2), False, False, "test"),
        ((5, 0, 0), False, False, "train"),
        ((5, 0, 2), True, False, "train"),
        ((5, 3, 2), False, True, "test"),
        ((5, 3, 0), False, True, "train"),
    ],
)
def test_the_rows_are_those_that_the_network_was_fitted_on_least(
    sizes, cross_validated, knows_validation, expected
):
    parts = {
        name: Part(np.arange(size), {"x": np.zeros((size, 1))}, np.zeros(size))
        for name, size in zip(("train", "validation", "test"), sizes, strict=True)
    }
    training = SimpleNamespace(cross_validation=5 if cross_validated else None)
    files = {"validation.csv": {}} if knows_validation else {}
    run = SimpleNamespace(config=SimpleNamespace(training=training), record={"files": files})
    name, part = importance.rows_to_measure(run, parts)
    assert name == expected
    assert part is parts[expected]


@pytest.mark.parametrize(("n_columns", "n_sampled"), [(3, 5000), (20, 2500), (1000, 1000)])
def test_of_many_rows_a_sample_is_taken(n_columns, n_sampled):
    n_rows = 12_000
    cells = dict.fromkeys(map(str, range(n_columns)), np.arange(float(n_rows)).reshape(-1, 1))
    sample = importance.sample_rows(Part(np.arange(n_rows), cells, np.arange(float(n_rows))))
    assert len(sample.rows) == n_sampled == len(set(sample.rows))
    assert (sample.cells["0"][:, 0] == sample.rows).all()
    assert (sample.y_true == sample.rows).all()


# ---------------------------------------------------------------- the command line


def test_explain_prints_one_object_and_draws_a_figure(cli, project):
    done = cli("explain", "run", "--json", "--repeats", "4", "-o", "importance.svg", cwd=project)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["schema_version"] == 1
    assert {key: report[key] for key in ("run_dir", "figure", "part", "n", "n_part", "metric", "repeats")} == {
        "run_dir": "run", "figure": "importance.svg", "part": "validation", "n": 39, "n_part": 39, "metric": "rmse",
        "repeats": 4,
    }  # fmt: skip
    metrics = json.loads((project / "run" / "metrics.json").read_text())
    assert report["value"] == pytest.approx(metrics["validation"]["rmse"], rel=1e-9)
    columns = report["columns"]
    assert {column["name"] for column in columns} == {
        "Wind speed (m/s)",
        "풍속 등급",
        "비",
        "moment",
        "day",
        "year",
    }
    values = [column["importance"] for column in columns]
    assert values == sorted(values, reverse=True)
    assert columns[0]["name"] == "Wind speed (m/s)"
    assert columns[0]["importance"] > 1
    assert all(column["std"] >= 0 for column in columns)
    assert (project / "importance.svg").read_bytes().startswith(b"<?xml")
    assert "note: reading" in done.stderr


def test_explain_shows_a_table_and_draws_into_the_run_directory(cli, project):
    done = cli("explain", "run", "--metric", "r2", "--repeats", "1", cwd=project)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["column", "decrease", "of", "r2", "±"]
    assert "Wind speed (m/s)" in lines[1]
    assert lines[-2].startswith("r2 0.")
    assert lines[-2].endswith("on 39 validation rows; 1 repeats")
    assert lines[-1] == "Figure: run/importance.png"
    assert (project / "run" / "importance.png").read_bytes().startswith(b"\x89PNG")
    assert cli("verify", "run", cwd=project).returncode == 0
    (project / "run" / "importance.png").unlink()


@pytest.mark.parametrize(
    ("arguments", "code", "fragment"),
    [
        (["explain", "run", "-o", "a.gif"], 2, ".svg"),
        (["explain", "run", "--metric", "n"], 2, "rmse"),
        (["explain", "run", "--repeats", "0"], 2, "repeats"),
        (["explain", "nowhere"], 5, "nowhere"),
        (["explain", "run", "-o", "absent/a.png"], 6, "absent"),
    ],
)
def test_mistakes_have_their_exit_codes(cli, project, arguments, code, fragment):
    done = cli(*arguments, cwd=project)
    assert (done.returncode, done.stdout) == (code, "")
    assert fragment in done.stderr


def test_a_metric_without_a_value_is_refused(project, tmp_path):
    lines = ["x,y", *(f"{number},{number % 7 if number < 30 else 5}" for number in range(40))]
    (tmp_path / "table.csv").write_text("\n".join(lines) + "\n")
    (tmp_path / "config.yaml").write_text(
        "data: {path: table.csv, target: y, split: ordered, test_split: 0}\n"
        "model: {hidden_layers: []}\ntraining: {epochs: 2}\n"
    )
    done = run_cli("train", "config.yaml", "--run-dir", "run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    done = run_cli("explain", "run", "--metric", "r2", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "--metric rmse" in done.stderr
    assert run_cli("explain", "run", "--metric", "mae", cwd=tmp_path).returncode == 0
