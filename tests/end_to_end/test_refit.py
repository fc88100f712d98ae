"""In the end a network learns the rows that validated it, and what they told of it before is kept."""

import json

import numpy as np
import pandas as pd
import pytest
from support.command_line import run_cli

CONFIG = """\
data: {path: table.csv, target: y, split: ordered, test_split: 0.2}
model: {hidden_layers: [8]}
training: {validation_split: 0.25, batch_size: 32, learning_rate: 0.01}
"""
N_ROWS = 500
SAME = ("history.csv", "intervals.json", "loss_curve.png", "preprocessing.json", "split.json")


@pytest.fixture(scope="module", params=["memory", "disk"])
def folder(request, tmp_path_factory):
    """A run that is left to dlreg, `run`, and one that does not end with the validation rows, `plain`."""
    folder = tmp_path_factory.mktemp("refit")
    generator = np.random.default_rng(3)
    a, b = generator.normal(size=(2, N_ROWS))
    y = a * b + a + generator.normal(0, 0.3, N_ROWS)
    pd.DataFrame({"a": a, "b": b, "y": y}).to_csv(folder / "table.csv", index=False)
    (folder / "config.yaml").write_text(CONFIG)
    for name, options in (("run", ()), ("plain", ("--set", "training.refit=null"))):
        cache = ("--set", f"data.cache={request.param}")
        done = run_cli("train", "config.yaml", "--run-dir", name, "--json", *cache, *options, cwd=folder)
        assert done.returncode == 0, done.stderr
    return folder


def read(folder, name, run="run"):
    return json.loads((folder / run / name).read_text())


def test_what_the_validation_rows_told_is_that_of_a_network_that_did_not_know_them(folder):
    for name in SAME:
        assert (folder / "run" / name).read_bytes() == (folder / "plain" / name).read_bytes(), name
    run, plain = (read(folder, "metrics.json", name) for name in ("run", "plain"))
    assert run["validation"] == plain["validation"]
    assert run["test"] != plain["test"]
    history = read(folder, "history.json")
    refit = history.pop("refit")
    assert history == read(folder, "history.json", "plain")
    record = read(folder, "run.json")
    assert record["refit_epochs"] == [len(refit["loss"])] == [round(0.4 * record["best_epoch"])]
    assert max(refit["learning_rate"]) <= 0.01
    assert run["validation"]["mse"] == pytest.approx(
        min(history["val_loss"]) * read(folder, "preprocessing.json")["target"]["scale"] ** 2, rel=1e-5
    )


def test_its_predictions_are_kept_and_evaluate_measures_them(folder):
    kept, metrics = pd.read_csv(folder / "run" / "validation.csv"), read(folder, "metrics.json")
    assert list(kept["row"]) == list(range(300, 400))
    assert metrics["validation"]["rmse"] == pytest.approx(
        np.sqrt(np.mean((kept["y_true"] - kept["y_pred"]) ** 2)), rel=1e-9
    )
    done = run_cli("evaluate", "run", "--json", cwd=folder)
    measured = json.loads(done.stdout)["metrics"]
    assert measured == {name: metrics[name] for name in measured}
    assert measured["validation"]["n"] == 100
    assert not (folder / "plain" / "validation.csv").exists()


def test_the_network_has_learnt_them(folder):
    pd.read_csv(folder / "table.csv").iloc[300:400].to_csv(folder / "validation rows.csv", index=False)
    errors = []
    for name in ("run", "plain"):
        done = run_cli("evaluate", name, "--data", "validation rows.csv", "--json", cwd=folder)
        assert done.returncode == 0, done.stderr
        errors.append(json.loads(done.stdout)["metrics"]["data"]["rmse"])
    assert errors[0] < 0.98 * errors[1]


def test_what_it_is_compared_with_has_learnt_as_many_rows(folder):
    y = pd.read_csv(folder / "table.csv")["y"].to_numpy()
    for name, n_learnt in (("run", 400), ("plain", 300)):
        mean = read(folder, "metrics.json", name)["baselines"]["mean"]
        assert mean["rmse"] == pytest.approx(np.sqrt(np.mean((y[400:] - y[:n_learnt].mean()) ** 2)), rel=1e-9)
    shown = run_cli("explain", "run", cwd=folder).stdout
    assert f"rmse {read(folder, 'metrics.json')['test']['rmse']:.4g} on 100 test rows" in shown


def test_each_command_says_what_the_validation_rows_were(folder):
    said = "validation rows are measured by what the network predicted before it learned them, too"
    assert said in run_cli("evaluate", "run", cwd=folder).stderr
    assert said not in run_cli("evaluate", "plain", cwd=folder).stderr
    assert run_cli("card", "run", cwd=folder).returncode == 0
    assert "it learned from the validation rows, too" in (folder / "run" / "README.md").read_text()
    page = run_cli("report", "run", "--md", cwd=folder).stdout
    assert "went on with 100 validation rows after these had measured it" in page


def test_a_file_of_validation_rows_that_was_learnt_is_no_measure(tmp_path):
    rows = np.random.default_rng(2).normal(size=(90, 2)).round(3)
    for name, part in (("table", rows[:60]), ("validation", rows[60:])):
        pd.DataFrame(part, columns=["a", "y"]).to_csv(tmp_path / f"{name}.csv", index=False)
    (tmp_path / "config.yaml").write_text(
        "data: {path: table.csv, target: y, validation_path: validation.csv}\n"
        "training: {epochs: 2, refit: {}}\n"
    )
    trained = run_cli("train", "config.yaml", "--run-dir", "run", cwd=tmp_path)
    assert "The validation rows were measured before the network learned them, too." in trained.stdout
    done = run_cli("evaluate", "run", "--data", "validation.csv", cwd=tmp_path)
    assert "most rows were learnt" in done.stderr


def test_a_network_that_refitting_makes_worse_stays_as_it_was(folder):
    (folder / "wild.yaml").write_text("data: {path: table.csv, target: y}\ntraining: {learning_rate: 0.3}\n")
    said = {}
    for name, refit in (("taken back", "{learning_rate_fraction: 10}"), ("wild", "null")):
        options = ("--set", f"training.refit={refit}", "--run-dir", name)
        done = run_cli("train", "wild.yaml", *options, cwd=folder)
        assert done.returncode == 0, done.stderr
        said[name] = done.stdout.replace(name, "")
        told = "higher loss on the rows learned than there was before: the network stays" in done.stderr
        assert told is (refit != "null")
    assert said["taken back"] == said["wild"]
    assert read(folder, "metrics.json", "taken back") == read(folder, "metrics.json", "wild")
    assert read(folder, "run.json", "taken back")["refit_epochs"] == [0]
    assert read(folder, "history.json", "taken back")["refit"]["loss"]
    assert not (folder / "taken back" / "validation.csv").exists()
    page = run_cli("report", "taken back", "--md", cwd=folder).stdout
    assert "went on with" not in page


def test_predictions_of_other_rows_are_an_error(folder):
    run, record = folder / "run", read(folder, "run.json")
    content = (run / "validation.csv").read_bytes()
    try:
        for changed, said in (
            (content.replace(b"\n300,", b"\n30000,", 1), "SHA-256"),
            (content[:40], "size"),
        ):
            (run / "validation.csv").write_bytes(changed)
            done = run_cli("evaluate", "run", cwd=folder)
            assert done.returncode == 5, said
            assert "validation.csv" in done.stderr
    finally:
        (run / "validation.csv").write_bytes(content)
    assert "validation.csv" in record["files"]


@pytest.mark.parametrize("cache", ["memory", "disk"])
def test_a_refitted_line_is_that_of_least_squares_over_both(tmp_path, cache):
    """The rows that validate lie above the others: a line that has learnt both is between them."""
    x = np.random.default_rng(5).normal(size=400)
    y = 2 * x + np.where(np.arange(400) >= 300, 3.0, 0.0)
    pd.DataFrame({"x": x, "y": y}).to_csv(tmp_path / "table.csv", index=False)
    (tmp_path / "config.yaml").write_text(
        "data: {path: table.csv, target: y, split: ordered, test_split: 0}\n"
        "model: {hidden_layers: []}\n"
        "training: {validation_split: 0.25, epochs: 60, learning_rate: 0.02, early_stopping: null,\n"
        "  refit: {epochs_fraction: 5, learning_rate_fraction: 1}}\n"
    )
    options = ("--run-dir", "run", "--set", f"data.cache={cache}", "--quiet")
    assert run_cli("train", "config.yaml", *options, cwd=tmp_path).returncode == 0
    done = run_cli("predict", "run", "-", cwd=tmp_path, input="x\n0\n1\n")
    at_0, at_1 = (float(line.split(",")[1]) for line in done.stdout.splitlines()[1:])
    slope, intercept = np.polyfit(x, y, 1)
    assert (at_0, at_1 - at_0) == pytest.approx((intercept, slope), abs=0.05)
