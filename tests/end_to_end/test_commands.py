"""The real command line, in subprocesses: what a script sees."""

import csv
import io
import json
import os
import re
import signal
import subprocess
import sys
import zipfile

import keras
import numpy as np
import onnxruntime as ort
import pandas as pd
import pytest
import yaml
from sklearn.linear_model import LinearRegression
from support.command_line import run_cli
from support.tables import folder_with, plain_table

from dlreg.config.reading import load_config
from dlreg.evaluation.metrics import regression_metrics
from dlreg.features.preprocessing import fit_preprocessing
from dlreg.limits import INTERVAL_METRIC_NAMES, METRIC_NAMES
from dlreg.runs import names
from dlreg.steps.preparing import preprocessing_options
from dlreg.table.dataset import load_dataset

# Of a training of so many epochs without cross-validation, and but for what is there only while a run is
# unfinished or drawn when asked for.
RUN_FILES = names.FILES - {
    names.OUT_OF_FOLD,
    names.VALIDATION,
    names.CHECKPOINT,
    names.LOCK,
    names.PREDICTIONS_PLOT,
    names.RESIDUALS_PLOT,
    names.IMPORTANCE,
    names.CARD,
    names.REPORT,
    names.SIGNATURE,
}
TARGET = "소요 시간"


def read_json(path):
    return json.loads(path.read_text(encoding="utf-8"))


# ---------------------------------------------------------------- train


def test_train_writes_every_file_of_the_run_directory(project):
    assert {entry.name for entry in (project / "run").iterdir()} == RUN_FILES
    record = read_json(project / "run" / "run.json")
    assert record["status"] == "complete"
    assert set(record["files"]) == RUN_FILES - {"run.json", "loss_curve.png"}
    assert record["rows"] == {"train": 153, "validation": 39, "test": 48}
    assert (project / "run" / "loss_curve.png").read_bytes().startswith(b"\x89PNG")


def test_metrics_are_those_of_the_predictions_in_the_targets_units(project):
    metrics = read_json(project / "run" / "metrics.json")
    assert set(metrics) == {"train", "validation", "test", "baselines"}
    assert tuple(metrics["test"]) == METRIC_NAMES + INTERVAL_METRIC_NAMES
    predictions = pd.read_csv(project / "run" / "predictions.csv")
    table = pd.read_csv(project / "table.csv")
    assert list(predictions["y_true"]) == list(table[TARGET].iloc[predictions["row"]])
    expected = regression_metrics(predictions["y_true"], predictions["y_pred"])
    assert {name: metrics["test"][name] for name in METRIC_NAMES} == expected
    assert list(predictions["row"]) == read_json(project / "run" / "split.json")["test"]
    assert metrics["test"]["rmse"] < metrics["baselines"]["mean"]["rmse"]


def test_baselines_are_the_training_mean_and_scikit_learns_linear_regression(project):
    config = load_config(project / "config.yaml")
    dataset = load_dataset(config)
    train, test = dataset.parts["train"], dataset.parts["test"]
    preprocessing = fit_preprocessing(train, dataset.columns, **preprocessing_options(config))
    x, x_test = (preprocessing.transform(part.cells).astype(float) for part in (train, test))
    expected = LinearRegression().fit(x, train.y_true).predict(x_test)
    baselines = read_json(project / "run" / "metrics.json")["baselines"]
    assert baselines["linear"]["rmse"] == pytest.approx(
        np.sqrt(np.mean((expected - test.y_true) ** 2)), rel=1e-9
    )
    assert baselines["mean"]["mae"] == pytest.approx(np.mean(np.abs(test.y_true - train.y_true.mean())))


def test_history_has_the_shape_of_keras_history(project):
    history = read_json(project / "run" / "history.json")
    assert set(history) == {"loss", "mae", "val_loss", "val_mae", "learning_rate"}
    assert len({len(values) for values in history.values()}) == 1
    assert history["loss"][-1] < history["loss"][0]
    lines = (project / "run" / "history.csv").read_text().splitlines()
    assert lines[0] == ",".join(["epoch", *history])
    epochs = [list(map(float, line.split(","))) for line in lines[1:]]
    assert epochs == [[n + 1, *values] for n, values in enumerate(zip(*history.values(), strict=True))]
    best = read_json(project / "run" / "run.json")["best_epoch"]
    metrics = read_json(project / "run" / "metrics.json")
    assert history["val_mae"][best - 1] == pytest.approx(metrics["validation"]["mae"], rel=1e-4)


def test_a_target_that_is_hard_to_learn_is_told_before_the_training_and_in_its_verdict(tmp_path):
    table = plain_table()
    path = folder_with(tmp_path, table.assign(y=10 ** (3 * table["a"])), "training: {epochs: 8}\n")
    done = run_cli("train", path, "--run-dir", "run", "--json", cwd=tmp_path)
    summary = json.loads(done.stdout)
    assert any("is skewed" in note and "preprocessing.target: log" in note for note in summary["notes"])
    verdict = summary["verdict"]
    assert (verdict["kind"], verdict["advice"]) == ("hard to judge", "Set preprocessing.target: log.")
    assert read_json(tmp_path / "run" / "run.json")["verdict"] == verdict
    followed = run_cli(
        "train", path, "--run-dir", "log", "--json", "--set", "preprocessing.target=log", cwd=tmp_path
    )
    summary = json.loads(followed.stdout)
    assert summary["notes"] == []
    assert summary["verdict"]["kind"] != "hard to judge"


def test_stock_keras_loads_the_model_in_safe_mode_and_predicts_the_same(project):
    run, config = project / "run", load_config(project / "config.yaml")
    dataset = load_dataset(config)
    train = dataset.parts["train"]
    preprocessing = fit_preprocessing(train, dataset.columns, **preprocessing_options(config))
    x = preprocessing.transform(dataset.parts["test"].cells)
    script = (
        "import sys, numpy as np, keras\n"
        "model = keras.saving.load_model(sys.argv[1], safe_mode=True)\n"
        "np.save(sys.argv[3], model.predict(np.load(sys.argv[2]), verbose=0))\n"
        "assert not any(name.startswith('dlreg') for name in sys.modules)"
    )
    np.save(project / "x.npy", x)
    command = [
        sys.executable,
        "-c",
        script,
        str(run / "model.keras"),
        str(project / "x.npy"),
        str(project / "y.npy"),
    ]
    subprocess.run(command, check=True, capture_output=True, cwd=project)
    predicted = preprocessing.target.inverse(np.load(project / "y.npy")[:, 0].astype(float))
    assert predicted == pytest.approx(pd.read_csv(run / "predictions.csv")["y_pred"].to_numpy(), rel=1e-5)


def test_onnx_runtime_alone_predicts_from_the_cells_of_the_csv(project):
    session = ort.InferenceSession(project / "run" / "pipeline.onnx")
    with (project / "table.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    feed = {}
    for column in session.get_inputs():
        texts = [row[column.name] for row in rows]
        numbers = (
            np.array([float(text or "nan") for text in texts]) if column.type == "tensor(double)" else None
        )
        feed[column.name] = (np.array(texts, dtype=object) if numbers is None else numbers).reshape(-1, 1)
    predictions = pd.read_csv(project / "run" / "predictions.csv")
    predicted = session.run(None, feed)[0][:, 0][predictions["row"]]
    assert predicted == pytest.approx(predictions["y_pred"].to_numpy(), rel=1e-6)


@pytest.mark.parametrize("number", range(10 if os.environ.get("DLREG_LONG_TESTS") else 1))
def test_the_same_config_gives_the_same_bytes(project, number):
    for name in (f"again{number}", f"from_resolved{number}"):
        config = "config.yaml" if name.startswith("again") else "run/config.yaml"
        done = run_cli("train", config, "--run-dir", name, "--quiet", cwd=project)
        assert (done.returncode, done.stdout) == (0, f"{name}\n"), done.stderr
        for file in RUN_FILES - {"run.json"}:
            assert (project / name / file).read_bytes() == (project / "run" / file).read_bytes(), file


def test_train_tells_a_script_what_happened_as_json(project):
    done = run_cli("train", "config.yaml", "--set", "training.epochs=2", "--json", cwd=project)
    assert (done.returncode, done.stderr) == (0, "")
    summary = json.loads(done.stdout)
    assert summary["run_dir"] == "runs/config-1"
    assert summary["epochs"] == 2
    assert summary["metrics"] == read_json(project / "runs/config-1" / "metrics.json")
    resolved = yaml.safe_load((project / "runs/config-1/config.yaml").read_text(encoding="utf-8"))
    assert resolved["training"]["epochs"] == 2
    assert resolved["run"]["dir"] is None


def test_results_go_to_stdout_and_the_rest_to_stderr(project):
    stdout, stderr = ((project / f"{name}.txt").read_text() for name in ("stdout", "stderr"))
    assert "rmse" in stdout
    assert stdout.endswith("Run directory: run\n")
    assert "cells are missing in column 'moment'" in stderr
    assert re.search(r"^epoch [0-9]+/30  loss ", stderr, re.MULTILINE)
    assert "\x1b" not in stdout + stderr
    assert max(map(len, stdout.splitlines())) <= 80
    assert not re.search("tensorflow|cuda|onednn", stdout + stderr, re.IGNORECASE)


def test_a_bar_is_shown_on_a_terminal_only(project):
    script = f"import pty, sys; sys.exit(pty.spawn({[sys.executable, '-m', 'dlreg', 'train', 'config.yaml', '-q']!r}))"
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "80"}
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=project,
        env=environment,
        capture_output=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert b"\x1b[" not in done.stdout, "quiet is quiet"
    script = script.replace(", '-q'", "")
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=project,
        env=environment,
        capture_output=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert b"\x1b[" in done.stdout
    assert b"importing TensorFlow" in done.stdout


def test_a_model_without_hidden_layers_and_every_other_option_trains(project):
    options = {
        "model.hidden_layers": "[]", "preprocessing.numeric": "quantile", "preprocessing.categorical": "ordinal",
        "preprocessing.target": "log", "training.loss": "huber", "training.optimizer": "sgd",
        "training.momentum": "0.9", "training.schedule": "{name: cosine, warmup_epochs: 1}",
        "training.validation_split": "0", "data.test_split": "0", "training.epochs": "3",
    }  # fmt: skip
    settings = [part for key, value in options.items() for part in ("--set", f"{key}={value}")]
    done = run_cli("train", "config.yaml", "--run-dir", "linear", *settings, cwd=project)
    assert done.returncode == 0, done.stderr
    metrics = read_json(project / "linear" / "metrics.json")
    assert metrics["validation"] is None
    assert metrics["test"] is None
    assert (project / "linear" / "predictions.csv").read_text() == "row,y_true,y_pred\n"
    assert "Total params: 17" in (project / "linear" / "summary.txt").read_text().replace("\xa0", " ")


def test_an_ensemble_is_one_stock_model_and_one_pipeline(project):
    settings = ["--set", "model.ensemble=3", "--set", "training.early_stopping.patience=2"]
    done = run_cli("train", "config.yaml", "--run-dir", "three", *settings, "--json", cwd=project)
    assert done.returncode == 0, done.stderr
    summary, history = json.loads(done.stdout), read_json(project / "three" / "history.json")
    members = history.pop("members")
    assert len(members) == len(summary["best_epochs"]) == 3
    assert max(len(member["loss"]) for member in members) == len(history["loss"]) == summary["epochs"]
    for member, best_epoch in zip(members, summary["best_epochs"], strict=True):
        assert best_epoch == int(np.argmin(member["val_loss"])) + 1
        assert set(member) == set(history)
    first = np.mean([member["val_loss"][0] for member in members])
    assert history["val_loss"][0] == pytest.approx(first, rel=1e-12)
    lines = (project / "three" / "summary.txt").read_text().splitlines()
    assert any("view_1 (Functional)" in line and "(None, 3)" in line for line in lines)
    done = run_cli("predict", "three", "table.csv", "--spread", cwd=project)
    assert done.returncode == 0, done.stderr
    predictions = pd.read_csv(io.StringIO(done.stdout))
    assert list(predictions) == ["row", "y_pred", "y_spread"]
    assert (predictions["y_spread"] > 0).all()


# ---------------------------------------------------------------- mistakes

MISTAKES = {
    "no config": (["train", "absent.yaml"], 3, "absent.yaml"),
    "unknown key": (["train", "config.yaml", "--set", "training.epoch=3"], 3, "training.epochs"),
    "no equals sign": (["train", "config.yaml", "--set", "training.epochs"], 2, "KEY=VALUE"),
    "unknown option": (["train", "config.yaml", "--epochs", "3"], 2, "--epochs"),
    "unknown command": (["trian"], 2, "trian"),
    "no argument": (["train"], 2, "CONFIG"),
    "unknown kind": (["plot", "run", "--kind", "pie"], 2, "pie"),
    "unknown suffix": (["plot", "run", "-o", "a.gif"], 2, ".svg"),
    "no CSV": (["train", "config.yaml", "--data", "tabel.csv"], 4, "Did you mean table.csv"),
    "no target": (["train", "config.yaml", "--set", "data.target=소요시간"], 4, "소요 시간"),
    "no such excluded": (["train", "config.yaml", "--set", "data.exclude=[idd]"], 4, "'id'"),
    "no run": (["evaluate", "nowhere"], 5, "nowhere"),
    "not a run": (["predict", ".", "table.csv"], 5, "run.json"),
    "no columns": (["predict", "run", "run/predictions.csv"], 4, "Wind speed (m/s)"),
    "no kept column": (["predict", "run", "table.csv", "--keep", "nome"], 4, "nome"),
    "occupied": (["train", "config.yaml", "--run-dir", "run"], 6, "--overwrite"),
    "unwritable": (["predict", "run", "table.csv", "-o", "absent/out.csv"], 6, "absent"),
    "a spread of one": (["predict", "run", "table.csv", "--spread"], 2, "model.ensemble"),
    "no members": (["train", "config.yaml", "--set", "model.ensemble=0"], 3, "model.ensemble"),
    "no such preset": (["train", "config.yaml", "--set", "preset=exact"], 3, "preset"),
}


@pytest.mark.parametrize(("arguments", "code", "fragment"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_has_its_exit_code_and_no_traceback(project, arguments, code, fragment):
    before = {entry.name for entry in project.iterdir()}
    done = run_cli(*arguments, cwd=project)
    assert done.returncode == code, done.stderr
    assert fragment in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert {entry.name for entry in project.iterdir()} == before


def test_all_mistakes_of_a_config_are_told_at_once_with_their_places(project):
    (project / "bad.yaml").write_text(
        "data:\n  path: table.csv\n  target: a\n  test_split: 1.5\nmodel:\n  activation: rellu\ntraining:\n  epochs: many\n  learning_rte: 1e-3\n"
    )
    done = run_cli("train", "bad.yaml", cwd=project)
    assert done.returncode == 3
    places = re.findall(r"bad\.yaml:(\d+):(\d+): ", done.stderr)
    # The third line is at odds with the table.
    assert places == [("3", "11"), ("4", "15"), ("6", "15"), ("8", "11"), ("9", "3")]


def test_debug_shows_where_an_error_came_from(project):
    done = run_cli("evaluate", "nowhere", "--debug", cwd=project)
    assert done.returncode == 5
    assert "Traceback" in done.stderr


def test_divergence_has_a_code_of_its_own_and_keeps_the_history(project):
    arguments = [
        "--set",
        "training.optimizer=sgd",
        "--set",
        "training.learning_rate=1e9",
        "--run-dir",
        "diverged",
    ]
    done = run_cli("train", "config.yaml", *arguments, cwd=project)
    assert done.returncode == 7
    assert "training.learning_rate" in done.stderr
    assert read_json(project / "diverged" / "run.json")["status"] == "failed"
    assert None in read_json(project / "diverged" / "history.json")["loss"]
    done = run_cli("evaluate", "diverged", cwd=project)
    assert (done.returncode, "train again with another config" in done.stderr) == (5, True)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_stops_training_and_marks_the_run(project, number, code):
    name = f"stopped-{code}"
    command = [sys.executable, "-m", "dlreg", "train", "config.yaml", "--run-dir", name]
    options = ["--set", "training.epochs=1000000", "--set", "training.early_stopping=null"]
    process = subprocess.Popen([*command, *options], cwd=project, stderr=subprocess.PIPE, text=True)
    assert process.stderr
    for line in process.stderr:
        if line.startswith("epoch"):
            break
    process.send_signal(number)
    assert process.wait(timeout=10) == code
    assert "Traceback" not in process.stderr.read()
    assert read_json(project / name / "run.json")["status"] == "interrupted"


def test_saved_models_do_not_depend_on_the_time_of_saving(project):
    with zipfile.ZipFile(project / "run" / "model.keras") as file:
        assert json.loads(file.read("metadata.json"))["keras_version"] == keras.__version__
        assert {entry.date_time for entry in file.infolist()} == {(1980, 1, 1, 0, 0, 0)}
