"""Members that share their weights, from the command line: folds, blend, refit, and exports."""

import io
import json

import numpy as np
import pandas as pd
import pytest
from support.command_line import run_cli
from support.tables import table_of_kinds

CONFIG = """\
data: {path: table.csv, target: y}
preprocessing: {embedding: [none, piecewise_linear], categorical: embedding}
model: {hidden_layers: [8, 8], dropout: 0.1, ensemble: 4, ensemble_kind: shared, blend: [ridge, trees]}
training: {epochs: 12, batch_size: 64, validation_split: 0, cross_validation: 3, refit: {epochs_fraction: 0.5}}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shared")
    table_of_kinds().to_csv(folder / "table.csv", index=False)
    (folder / "config.yaml").write_text(CONFIG)
    done = run_cli("train", "config.yaml", "--run-dir", "run", "--json", cwd=folder)
    assert done.returncode == 0, done.stderr
    (folder / "summary.json").write_text(done.stdout)
    return folder


def test_each_fold_has_one_network_of_each_embedding(folder):
    summary = json.loads((folder / "summary.json").read_text())
    assert len(summary["best_epochs"]) == 2 * 3
    text = (folder / "run" / "summary.txt").read_text()
    assert "(None, 3)" in text
    assert summary["metrics"]["test"]["r2"] > 0.3


def test_predictions_intervals_and_contributions_are_those_of_the_run(folder):
    done = run_cli("predict", "run", "table.csv", "--interval", "0.9", "--spread", cwd=folder)
    assert done.returncode == 0, done.stderr
    predicted = pd.read_csv(io.StringIO(done.stdout))
    own = pd.read_csv(folder / "run" / "predictions.csv")
    np.testing.assert_allclose(predicted["y_pred"][own["row"]], own["y_pred"], rtol=1e-9)
    assert (predicted["y_lower"] < predicted["y_upper"]).all()
    for arguments in (["verify", "run"], ["explain", "run", "--json"], ["export", "run", "--format", "c"]):
        done = run_cli(*arguments, cwd=folder)
        assert done.returncode == 0, done.stderr


def test_a_spread_of_one_network_says_what_has_one(folder):
    settings = [
        "training.cross_validation=null",
        "training.refit=null",
        "model.blend=false",
        "preprocessing.embedding=none",
    ]
    options = [part for setting in settings for part in ("--set", setting)]
    done = run_cli("train", "config.yaml", "--run-dir", "one", *options, cwd=folder)
    assert done.returncode == 0, done.stderr
    done = run_cli("predict", "one", "table.csv", "--spread", cwd=folder)
    assert done.returncode == 2
    assert "ensemble_kind: independent" in done.stderr


def test_the_card_and_the_report_say_that_members_share_weights(folder):
    for command in ("card", "report"):
        done = run_cli(command, "run", cwd=folder)
        assert done.returncode == 0, done.stderr
    card = (folder / "run" / "README.md").read_text()
    assert "6 networks of 4 members that share weights each with hidden layers of 8, 8 units" in card
    (page,) = (folder / "run").glob("report.html")
    assert "An ensemble of 6 networks of 4 members that share weights each learned" in page.read_text()


def test_rows_on_disk_are_trained_on_as_well(folder):
    settings = [
        "training.learning_rate=0.02",
        "data.cache=kept",
        "training.refit=null",
        "model.blend=[]",
        "preprocessing.embedding=none",
    ]
    options = [part for setting in settings for part in ("--set", setting)]
    done = run_cli("train", "config.yaml", "--run-dir", "disk", *options, "--json", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["metrics"]["test"]["r2"] > 0.3
