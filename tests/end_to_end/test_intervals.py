"""Prediction intervals from training to `predict` and `evaluate`."""

import io
import json
import math
import shutil

import numpy as np
import onnxruntime
import pandas as pd
import pytest
from support.command_line import run_cli

from dlreg import __version__
from dlreg.errors import RunDirError
from dlreg.runs.reading import record_json
from dlreg.runs.trained_run import open_run


@pytest.fixture(scope="module")
def uneven(tmp_path_factory):
    """A run on rows whose noise differs tenfold, of a target that is learnt as a logarithm."""
    folder = tmp_path_factory.mktemp("uneven")
    generator = np.random.default_rng(0)
    x, residual_scale = generator.normal(size=1500), generator.uniform(-1, 1, 1500)
    y = np.exp(0.5 * x + np.where(residual_scale > 0, 0.5, 0.05) * generator.normal(size=1500))
    table = pd.DataFrame({"x": x, "residual_scale": residual_scale, "y": y}).round(6)
    table.to_csv(folder / "table.csv", index=False)
    (folder / "config.yaml").write_text(
        "data: {path: table.csv, target: y}\npreprocessing: {target: log}\n"
        "model: {hidden_layers: [16]}\ntraining: {epochs: 15, batch_size: 64, validation_split: 0.4}\n"
    )
    done = run_cli("train", "config.yaml", "--run-dir", "run", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "Intervals at 90% hold" in done.stdout
    return folder


def read_json(path):
    return json.loads(path.read_text(encoding="utf-8"))


def test_predict_writes_intervals_that_hold_their_share(uneven):
    done = run_cli("predict", "run", "table.csv", "--interval", "0.9", "--keep", "y", cwd=uneven)
    assert done.returncode == 0, done.stderr
    table = pd.read_csv(io.StringIO(done.stdout))
    assert list(table) == ["row", "y", "y_pred", "y_lower", "y_upper"]
    test = table.iloc[read_json(uneven / "run" / "split.json")["test"]]
    metrics = read_json(uneven / "run" / "metrics.json")["test"]
    assert metrics["coverage_90"] == pytest.approx(test["y"].between(test["y_lower"], test["y_upper"]).mean())
    assert metrics["width_90"] == pytest.approx((test["y_upper"] - test["y_lower"]).mean())
    assert 0.85 < metrics["coverage_90"] < 0.95
    record = read_json(uneven / "run" / "intervals.json")
    assert (record["calibrated_on"], record["scale"], record["rows"]) == ("validation", "learned", 480)
    assert metrics["width_90"] < record["constant_width_90"]
    wider = run_cli("predict", "run", "table.csv", "--interval", "0.99", cwd=uneven)
    wider = pd.read_csv(io.StringIO(wider.stdout))
    assert (wider["y_upper"] > table["y_upper"]).all()


def test_the_pipeline_alone_says_what_it_predicts_and_gives_the_intervals_of_predict(uneven):
    session = onnxruntime.InferenceSession(uneven / "run" / "pipeline.onnx")
    told = session.get_modelmeta().custom_metadata_map
    assert told.pop("dlreg.version") == __version__
    assert told.pop("dlreg.name") == told.pop("dlreg.target") == "y"
    intervals = json.loads(told.pop("dlreg.intervals"))
    assert not told
    assert intervals == read_json(uneven / "run" / "intervals.json")
    table = pd.read_csv(uneven / "table.csv")
    y_pred, scale = session.run(None, {name: table[[name]].to_numpy() for name in ("x", "residual_scale")})
    # Errors of a target that is learnt as a logarithm reach further above.
    scores, place = intervals["signed_scores"], math.ceil((intervals["rows"] + 1) * 0.95) - 1
    done = run_cli("predict", "run", "table.csv", "--interval", "0.9", cwd=uneven)
    predicted = pd.read_csv(io.StringIO(done.stdout))
    assert np.array_equal(predicted["y_lower"], (y_pred + scale * scores[-1 - place])[:, 0])
    assert np.array_equal(predicted["y_upper"], (y_pred + scale * scores[place])[:, 0])


def test_evaluate_repeats_what_training_said_of_intervals(uneven):
    done = run_cli(
        "evaluate",
        "run",
        "--json",
        "--fail-if",
        "coverage_90<0.85",
        "--fail-if",
        "test.width_90>1e9",
        cwd=uneven,
    )
    assert done.returncode == 0, done.stderr
    result, expected = json.loads(done.stdout), read_json(uneven / "run" / "metrics.json")
    assert result["metrics"]["test"] == expected["test"]
    assert set(result["metrics"]["validation"]) == set(expected["validation"])
    assert [gate["passed"] for gate in result["gates"]] == [True, True]
    done = run_cli(
        "evaluate", "run", "--data", "table.csv", "--json", "--fail-if", "coverage_90<0.999", cwd=uneven
    )
    assert done.returncode == 8
    assert 0.85 < json.loads(done.stdout)["metrics"]["data"]["coverage_90"] < 0.95


def test_levels_that_cannot_be_held_are_refused(cli, uneven, project):
    done = cli("predict", "run", "table.csv", "--interval", "0.99", cwd=project)
    assert (done.returncode, done.stdout) == (2, "")
    assert "39" in done.stderr
    assert "at most 0.975" in done.stderr
    for level in ("0", "1", "90", "-1", "nan"):
        done = cli("predict", "run", "table.csv", "--interval", level, cwd=uneven)
        assert (done.returncode, done.stdout) == (2, "")
        assert "--interval 0.9" in done.stderr


def test_without_rows_to_calibrate_on_there_are_no_intervals(project):
    settings = ["--set", "training.validation_split=0", "--set", "training.epochs=2"]
    done = run_cli("train", "config.yaml", "--run-dir", "uncalibrated", *settings, cwd=project)
    assert done.returncode == 0, done.stderr
    metrics = read_json(project / "uncalibrated" / "metrics.json")["test"]
    assert (metrics["coverage_90"], metrics["width_90"]) == (None, None)
    done = run_cli("predict", "uncalibrated", "table.csv", "--interval", "0.5", cwd=project)
    assert (done.returncode, done.stdout) == (2, "")
    assert "validation_split" in done.stderr
    done = run_cli("evaluate", "uncalibrated", "--fail-if", "coverage_90<0.1", cwd=project)
    assert done.returncode == 8
    assert "null" in done.stderr


def test_a_run_of_before_there_were_intervals_still_predicts(cli, uneven, tmp_path):
    shutil.copytree(uneven / "run", tmp_path / "old")
    record = read_json(tmp_path / "old" / "run.json")
    del record["files"]["intervals.json"], record["sha256"]
    (tmp_path / "old" / "intervals.json").unlink()
    content = record_json(record)
    (tmp_path / "old" / "run.json").write_bytes(content)
    assert open_run(tmp_path / "old").intervals.n_rows == 0
    assert cli("verify", tmp_path / "old", cwd=uneven).returncode == 0
    assert cli("predict", tmp_path / "old", "table.csv", cwd=uneven).returncode == 0
    assert cli("predict", tmp_path / "old", "table.csv", "--interval", "0.9", cwd=uneven).returncode == 2


def test_damage_is_found(uneven, tmp_path):
    shutil.copytree(uneven / "run", tmp_path / "run")
    file = tmp_path / "run" / "intervals.json"
    file.write_bytes(file.read_bytes().replace(b"1", b"2", 1))
    with pytest.raises(RunDirError, match=r"intervals\.json"):
        open_run(tmp_path / "run")
