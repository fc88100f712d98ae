"""Members that draw their values and are selected, from the command line: folds, blend, refit, disk, exports."""

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
model:
  hidden_layers: [8, 8]
  ensemble: 4
  ensemble_selection: greedy
  sample:
    learning_rate: {min: 0.00001, max: 0.03, distribution: log_uniform}
    weight_decay: {min: 0.001, max: 0.1, distribution: log_uniform}
    dropout: {min: 0.1, max: 0.4}
  blend: [ridge, trees]
training: {epochs: 60, learning_rate: 0.01, batch_size: 64, validation_split: 0, cross_validation: 3, refit: {epochs_fraction: 0.5}}
"""
ALONE = [
    "training.cross_validation=null",
    "training.validation_split=0.3",
    "training.refit=null",
    "model.blend=[]",
    "preprocessing.embedding=none",
]


def train(folder, name, *settings):
    options = [part for setting in settings for part in ("--set", setting)]
    done = run_cli("train", "config.yaml", "--run-dir", name, *options, "--json", cwd=folder)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sampled")
    table_of_kinds().to_csv(folder / "table.csv", index=False)
    (folder / "config.yaml").write_text(CONFIG)
    (folder / "summary.json").write_text(json.dumps(train(folder, "run")))
    return folder


def test_the_record_has_what_each_drew_and_its_weight(folder):
    summary = json.loads((folder / "summary.json").read_text())
    members = summary["members"]
    assert members == json.loads((folder / "run" / "run.json").read_text())["members"]
    assert len(members) == 2 * 3 * 4
    weights = np.array([member["weight"] for member in members]).reshape(2, 3, 4)
    assert (weights == weights[:, :1]).all(), "a network is its members of all folds"
    assert 0 < (weights > 0).sum() < 24
    rates = np.array([member["learning_rate"] for member in members]).reshape(2, 3, 4)
    assert (rates[:, :, 0] == 0.01).all()
    assert ((rates >= 0.00001) & (rates <= 0.03)).all()
    history = json.loads((folder / "run" / "history.json").read_text())
    assert [member["learning_rate"][0] for member in history["members"]] == pytest.approx(rates.ravel())


def test_those_that_are_not_selected_leave_the_model(folder):
    members = json.loads((folder / "summary.json").read_text())["members"]
    columns = sum(member["weight"] > 0 for member in members)
    done = run_cli("train", "config.yaml", "--run-dir", "told", cwd=folder)
    assert f"{columns} of 24 networks predict" in " ".join(done.stdout.split())
    train(folder, "everyone", "model.ensemble_selection=all")
    kept, whole = ((folder / name / "pipeline.onnx").stat().st_size for name in ("run", "everyone"))
    assert kept < whole
    for name in ("run", "told"):
        assert (folder / name / "pipeline.onnx").read_bytes() == (
            folder / "run" / "pipeline.onnx"
        ).read_bytes()


def test_selected_members_predict_rows_they_did_not_see_better(folder):
    summary = json.loads((folder / "summary.json").read_text())
    everyone = train(folder, "all", "model.ensemble_selection=all", "model.blend=[]")
    selected = train(folder, "selected", "model.blend=[]")
    for part in ("out_of_fold", "test"):
        assert selected["metrics"][part]["rmse"] < everyone["metrics"][part]["rmse"]
    assert summary["metrics"]["test"]["r2"] > 0.7


def test_predictions_intervals_and_exports_are_those_of_the_run(folder):
    done = run_cli("predict", "run", "table.csv", "--interval", "0.9", "--spread", cwd=folder)
    assert done.returncode == 0, done.stderr
    predicted = pd.read_csv(io.StringIO(done.stdout))
    own = pd.read_csv(folder / "run" / "predictions.csv")
    np.testing.assert_allclose(predicted["y_pred"][own["row"]], own["y_pred"], rtol=1e-9)
    for arguments in (
        ["verify", "run"],
        ["evaluate", "run"],
        ["export", "run", "--format", "c"],
    ):
        done = run_cli(*arguments, cwd=folder)
        assert done.returncode == 0, done.stderr


def test_the_card_and_the_report_count_those_that_predict(folder):
    for command in ("card", "report"):
        done = run_cli(command, "run", cwd=folder)
        assert done.returncode == 0, done.stderr
    members = json.loads((folder / "summary.json").read_text())["members"]
    count = sum(member["weight"] > 0 for member in members)
    assert f"{count} networks with hidden layers" in (folder / "run" / "README.md").read_text()
    assert f"An ensemble of {count} networks" in (folder / "run" / "report.html").read_text()


def test_validation_rows_select_where_there_are_no_folds(folder):
    members = train(folder, "alone", *ALONE)["members"]
    everyone = train(folder, "alone_all", *ALONE, "model.ensemble_selection=all")
    assert sum(member["weight"] for member in members) == pytest.approx(1)
    assert [member["weight"] for member in everyone["members"]] == [0.25] * 4
    for key in ("learning_rate", "weight_decay", "dropout"):
        assert [member[key] for member in members] == [member[key] for member in everyone["members"]]


def test_rows_on_disk_are_trained_on_as_well(folder):
    memory, disk = (
        train(folder, name, *ALONE, f"data.cache={cache}") for name, cache in (("m", "memory"), ("d", "kept"))
    )
    assert [member["learning_rate"] for member in disk["members"]] == [
        member["learning_rate"] for member in memory["members"]
    ]
    assert sum(member["weight"] for member in disk["members"]) == pytest.approx(1)
    assert disk["metrics"]["test"]["r2"] > 0.5
