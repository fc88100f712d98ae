"""What a preset makes of a table, by the real command line."""

import json

import numpy as np
import pytest
import yaml
from support.command_line import run_cli

from dlreg.config.presets import PRESETS
from dlreg.config.reading import load_config
from dlreg.training.members import (
    members_of,
)

CONFIG = """\
preset: accurate
data: {path: table.csv, target: 소요 시간, exclude: [id], dates: {day: "%d/%m/%Y"}}
model: {hidden_layers: [16]}
training: {auto_steps: 320, cross_validation: 3}
"""


@pytest.fixture(scope="module")
def accurate(project, tmp_path_factory):
    """A run of the preset, small and short."""
    folder = tmp_path_factory.mktemp("accurate")
    (folder / "table.csv").write_bytes((project / "table.csv").read_bytes())
    (folder / "config.yaml").write_text(CONFIG, encoding="utf-8")
    done = run_cli("train", "config.yaml", "--run-dir", "run", "--json", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder


def test_a_preset_is_a_set_of_values_and_the_file_wins(accurate):
    resolved = yaml.safe_load((accurate / "run" / "config.yaml").read_text())
    assert resolved["preset"] == "accurate"
    assert resolved["model"]["hidden_layers"] == [16]
    assert resolved["model"]["activation"] == PRESETS["accurate"]["model"]["activation"]
    assert resolved["training"]["learning_rate_factors"]["feature_scale"] == 6.0
    assert resolved["training"]["validation_split"] == 0.0
    overrides = ["training.learning_rate_factors.biases=0.7", "preset=fast"]
    config = load_config(accurate / "config.yaml", overrides)
    factors = config.training.learning_rate_factors
    assert (factors.biases, factors.embeddings, factors.weights_by_fan_in) == (0.7, 0.1, True)
    fast = load_config(accurate / "config.yaml", ["preset=fast", "training.cross_validation=5"])
    assert [member.embedding for member in members_of(fast)] == ["piecewise_linear"] * 5
    # The same without a preset's name: nothing hides behind it.
    spelled_out = load_config(accurate / "run" / "config.yaml", ["preset=standard"])
    named = load_config(accurate / "run" / "config.yaml")
    assert spelled_out.model_copy(update={"preset": "accurate"}) == named


def test_cross_validation_is_recorded_and_honest(accurate):
    run = accurate / "run"
    split = json.loads((run / "split.json").read_text())
    assert sorted(row for fold in split["folds"] for row in fold) == split["train"]
    assert split["validation"] == []
    assert [member["validation_fold"] for member in split["members"]] == [0, 1, 2, 0, 1, 2]
    assert {member["embedding"] for member in split["members"]} == {"periodic", "piecewise_linear"}
    metrics = json.loads((run / "metrics.json").read_text())
    table = np.genfromtxt(run / "out_of_fold.csv", delimiter=",", names=True)
    assert table["row"].astype(int).tolist() == split["train"]
    rmse = float(np.sqrt(np.mean((table["y_true"] - table["y_pred"]) ** 2)))
    assert metrics["out_of_fold"]["rmse"] == pytest.approx(rmse)
    assert metrics["validation"] is None
    assert metrics["train"]["rmse"] < metrics["out_of_fold"]["rmse"]
    assert json.loads((run / "intervals.json").read_text())["calibrated_on"] == "out_of_fold"


def test_evaluate_and_gates_know_the_out_of_fold_rows(accurate):
    done = run_cli("evaluate", "run", "--json", "--fail-if", "out_of_fold.rmse>1e9", cwd=accurate)
    assert done.returncode == 0, done.stderr
    evaluated, recorded = json.loads(done.stdout), json.loads((accurate / "run" / "metrics.json").read_text())
    assert evaluated["metrics"]["out_of_fold"] == pytest.approx(recorded["out_of_fold"])
    assert evaluated["metrics"]["test"]["rmse"] == pytest.approx(recorded["test"]["rmse"])
    failed = run_cli("evaluate", "run", "--fail-if", "out_of_fold.rmse>0", cwd=accurate)
    assert failed.returncode == 8


def test_the_resolved_config_gives_the_same_run_again(accurate):
    done = run_cli("train", "run/config.yaml", "--run-dir", "again", cwd=accurate)
    assert done.returncode == 0, done.stderr
    for name in (
        "metrics.json",
        "history.json",
        "predictions.csv",
        "out_of_fold.csv",
        "pipeline.onnx",
        "model.keras",
    ):
        assert (accurate / "again" / name).read_bytes() == (accurate / "run" / name).read_bytes(), name


def test_refitting_changes_the_prediction_and_nothing_that_was_validated(accurate):
    run, plain = accurate / "run", accurate / "plain"
    done = run_cli("train", "config.yaml", "--run-dir", "plain", "--set", "training.refit=null", cwd=accurate)
    assert done.returncode == 0, done.stderr
    for name in ("out_of_fold.csv", "intervals.json", "loss_curve.png"):
        assert (run / name).read_bytes() == (plain / name).read_bytes(), name
    assert (run / "predictions.csv").read_bytes() != (plain / "predictions.csv").read_bytes()
    record, history = (json.loads((run / name).read_text()) for name in ("run.json", "history.json"))
    assert record["refit_epochs"] == [max(1, round(0.6 * best)) for best in record["best_epochs"]]
    refit = history.pop("refit")
    assert history == json.loads((plain / "history.json").read_text())
    assert {name: len(values) for name, values in refit.items()} == dict.fromkeys(
        ("loss", "mae", "learning_rate"), max(record["refit_epochs"])
    )
    assert refit["loss"][-1] < refit["loss"][0]


def test_check_counts_what_the_preset_trains(accurate):
    done = run_cli("check", "config.yaml", "--format", "json", cwd=accurate)
    plan = json.loads(done.stdout)["plan"]
    record = json.loads((accurate / "run" / "run.json").read_text())
    assert plan["features"] == record["features"]
    assert plan["parameters"] == record["parameters"]
    assert plan["epochs"] == record["epochs"] == 64
    assert plan["refit_epochs"] == 38 >= max(record["refit_epochs"])
    shown = run_cli("check", "config.yaml", cwd=accurate).stdout
    assert "at most 64 epochs, then at most 38 to refit" in shown


def test_check_warns_of_keys_that_overrule_a_preset(accurate):
    done = run_cli("check", "config.yaml", "--format", "json", cwd=accurate)
    warnings = [warning for warning in json.loads(done.stdout)["warnings"] if "preset" in warning["message"]]
    assert [(entry["message"].split()[0], entry["line"], entry["column"]) for entry in warnings] == [
        ("model.hidden_layers", 3, 24),
        ("training.auto_steps", 4, 24),
        ("training.cross_validation", 4, 47),
    ]


def test_predictions_stay_within_the_training_targets(accurate):
    predictions = np.genfromtxt(accurate / "run" / "predictions.csv", delimiter=",", names=True)
    targets = np.genfromtxt(accurate / "run" / "out_of_fold.csv", delimiter=",", names=True)["y_true"]
    assert targets.min() - 1e-9 <= predictions["y_pred"].min()
    assert predictions["y_pred"].max() <= targets.max() + 1e-9
