"""Permutation importance: what a column is worth, known beforehand for a network known beforehand."""

import json

import numpy as np
import pytest
from support.command_line import run_cli

from dlreg.commands import explain as importance
from dlreg.commands.explain import permutation_importance
from dlreg.figures.plots import MAX_BARS, plot_importance
from dlreg.table.dataset import Part


def linear(cells):
    """3 a + b, whatever c is."""
    return 3 * cells["a"][:, 0] + cells["b"][:, 0]


@pytest.fixture(scope="module")
def rows():
    generator = np.random.default_rng(0)
    cells = {name: generator.normal(size=(4000, 1)) for name in ("c", "b", "a")}
    return cells, linear(cells) + generator.normal(size=4000)


def test_the_importance_is_the_error_that_a_permuted_column_adds(rows):
    """Permuted, a column of variance σ² and weight w adds 2 w² σ² to the mean squared error."""
    cells, y = rows
    value, found = permutation_importance(linear, cells, y, "mse", repeats=20)
    assert value == pytest.approx(np.mean((y - linear(cells)) ** 2))
    for name, weight in {"a": 3, "b": 1}.items():
        assert np.mean(found[name]) == pytest.approx(2 * weight**2 * cells[name].var(), rel=0.03)
    assert found["c"] == [0.0] * 20
    root, roots = permutation_importance(linear, cells, y, "rmse", repeats=20)
    assert np.add(roots["a"], root) ** 2 == pytest.approx(np.add(found["a"], value))
    share, falls = permutation_importance(linear, cells, y, "r2", repeats=20)
    assert share == pytest.approx(1 - value / y.var())
    assert np.array(falls["a"]) * y.var() == pytest.approx(np.array(found["a"]))


def test_permutations_are_the_same_every_time_and_for_every_column(rows):
    cells, y = rows
    first, again = (permutation_importance(linear, cells, y, "mae", repeats=3) for _ in range(2))
    assert first == again
    assert len(set(first[1]["a"])) == 3
    alone = permutation_importance(linear, {name: cells[name] for name in ("a", "b")}, y, "mae", repeats=3)
    assert alone[1]["a"] == first[1]["a"]


@pytest.mark.parametrize(
    ("sizes", "cross_validated", "expected"),
    [
        ((5, 3, 2), False, "validation"),
        ((5, 0, 2), False, "test"),
        ((5, 0, 0), False, "train"),
        ((5, 0, 2), True, "train"),
    ],
)
def test_the_rows_are_those_that_the_network_was_fitted_on_least(sizes, cross_validated, expected):
    parts = {
        name: Part(np.arange(size), {"x": np.zeros((size, 1))}, np.zeros(size))
        for name, size in zip(("train", "validation", "test"), sizes, strict=True)
    }
    name, part = importance._rows_to_measure(parts, cross_validated=cross_validated)
    assert name == expected
    assert part is parts[expected]


@pytest.mark.parametrize(("n_columns", "n_sampled"), [(3, 5000), (20, 2500), (1000, 1000)])
def test_of_many_rows_a_sample_is_taken(n_columns, n_sampled):
    n_rows = 12_000
    cells = dict.fromkeys(map(str, range(n_columns)), np.arange(float(n_rows)).reshape(-1, 1))
    sample = importance._sample(Part(np.arange(n_rows), cells, np.arange(float(n_rows))))
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


# ---------------------------------------------------------------- the figure


def report_of(names, **changes):
    columns = [{"name": name, "importance": 5.0 / (k + 1), "std": 0.1} for k, name in enumerate(names)]
    facts = {"metric": "rmse", "value": 3.2, "part": "validation", "n": 1234, "columns": columns}
    return facts | changes


def test_every_column_has_a_bar_with_its_deviation():
    names = ["Wind speed (m/s)", "풍속 등급", "$x_1$"]
    axes = plot_importance(report_of(names), target="소요 시간").axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == names
    assert [bar.get_width() for bar in axes.patches] == [5.0, 2.5, 5.0 / 3]
    (errors,) = axes.collections
    assert np.diff([segment[:, 0] for segment in errors.get_segments()]).ravel() == pytest.approx([0.2] * 3)
    assert axes.get_xlabel() == "increase of the RMSE when permuted"
    low, high = axes.get_ylim()
    assert low > high  # the first is on top


def test_only_the_longest_of_many_bars_are_drawn():
    axes = plot_importance(report_of(map(str, range(MAX_BARS + 12)), metric="r2"), target="y").axes[0]
    assert len(axes.patches) == MAX_BARS
    assert "12 columns" in axes.get_xlabel()
    assert axes.get_xlabel().startswith("decrease of the R²")
