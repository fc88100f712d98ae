"""A training told to a real MLflow server, and its pipeline served by MLflow to who posts records."""

import csv
import io
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.command_line import run_cli

from dlreg.runs.reading import read_record
from dlreg.runs.results import names

mlflow = pytest.importorskip("mlflow", reason="mlflow is not installed")


@contextmanager
def serving(*command, ready, cwd, **variables):
    """Runs a server of MLflow's on a free port of this machine alone, and gives its address."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    log = cwd / f"server-{port}.log"
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "mlflow", *command, "--host", "127.0.0.1", "--port", str(port)],
            cwd=cwd,
            stdout=stream,
            stderr=stream,
            env={**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true", **variables},
            start_new_session=True,
        )
    try:
        for _ in range(300):
            assert process.poll() is None, log.read_text()
            try:
                urllib.request.urlopen(f"{address}{ready}", timeout=5).close()
                break
            except OSError:
                time.sleep(0.2)
        yield address
    finally:
        os.killpg(process.pid, 15)
        process.wait()


@pytest.fixture(scope="module")
def tracked(project, tmp_path_factory):
    """A run told to a server and to TensorBoard, and a client of the server."""
    folder = tmp_path_factory.mktemp("server")
    store = (
        "--backend-store-uri",
        f"sqlite:///{folder}/m.db",
        "--artifacts-destination",
        str(folder / "kept"),
    )
    with serving("server", *store, "--workers", "1", ready="/health", cwd=folder) as address:
        done = run_cli(
            "train", "config.yaml", "--run-dir", "told/소요", "--log", "mlflow", "--log", "tensorboard", cwd=project,
            env={"MLFLOW_TRACKING_URI": address},
        )  # fmt: skip
        assert (done.returncode, "note: mlflow" in done.stderr) == (0, False), done.stderr
        client = mlflow.MlflowClient(address)
        (experiment,) = [e for e in client.search_experiments() if e.name == "dlreg"]
        (run,) = client.search_runs([experiment.experiment_id])
        (model,) = client.search_logged_models([experiment.experiment_id])
        # Not for the whole process: other tests would wait for a server that is gone.
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("MLFLOW_TRACKING_URI", address)
            uri = f"models:/{model.model_id}"
            served = Path(mlflow.artifacts.download_artifacts(uri, dst_path=str(folder / "served")))
        yield project / "told" / "소요", client, run, served


def test_the_server_has_parameters_epochs_results_and_files(tracked):
    path, client, run, _ = tracked
    record = read_record(path)
    assert (run.info.run_name, run.info.status) == ("소요", "FINISHED")
    assert run.data.params["training.batch_size"] == "16"
    assert run.data.metrics["test.rmse"] == pytest.approx(record["metrics"]["test"]["rmse"])
    history = client.get_metric_history(run.info.run_id, "val_loss")
    losses = json.loads((path / names.HISTORY).read_text())["val_loss"]
    assert [metric.value for metric in history] == pytest.approx(losses)
    assert run.data.tags["data.path.sha256"] == record["data"]["data.path"]["sha256"]
    kept = {file.path for file in client.list_artifacts(run.info.run_id)}
    assert {names.CONFIG, names.METRICS, names.PIPELINE, names.LOSS_CURVE, names.RESIDUALS_PLOT} <= kept
    assert names.PREDICTIONS not in kept


def test_the_run_is_the_one_without_trackers(tracked, project):
    path, *_ = tracked
    for name in (names.MODEL, names.PIPELINE, names.METRICS, names.HISTORY, names.PREDICTIONS):
        assert (path / name).read_bytes() == (project / "run" / name).read_bytes(), name
    done = run_cli("verify", "told/소요", cwd=project)
    assert done.returncode == 0, done.stderr


def test_the_events_stand_beside_the_run(tracked):
    path, *_ = tracked
    (events,) = (path.parent / ".tensorboard" / "소요").iterdir()
    assert events.stat().st_size > 1000


def test_nothing_of_the_model_is_pickled(tracked):
    *_, served = tracked
    files = {file.name for file in served.rglob("*") if file.is_file()}
    assert {"MLmodel", "mlflow_model.py", "pipeline.onnx"} <= files
    assert not {name for name in files if name.endswith((".pkl", ".joblib", ".pickle"))}


def test_mlflow_serves_records_with_missing_cells_as_predict_has_them(tracked, project):
    path, _, _, served = tracked
    columns = list(json.loads((path / names.PREPROCESSING).read_text())["columns"])
    numbers = {
        c["name"]
        for c in json.loads(mlflow.models.Model.load(served).signature.to_dict()["inputs"])
        if c["type"] == "double"
    }
    with (project / "table.csv").open(encoding="utf-8", newline="") as file:
        rows = [{name: row[name] for name in columns} for row in csv.DictReader(file)][:40]
    for place, name in enumerate(columns):
        rows[place][name] = ""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns)
    writer.writeheader()
    writer.writerows(rows)
    (project / "served.csv").write_text(text.getvalue(), encoding="utf-8")
    predicted = run_cli("predict", "told/소요", "served.csv", cwd=project)
    expected = [float(line.split(",")[1]) for line in predicted.stdout.splitlines()[1:]]
    cells = [
        {
            name: None if cell in ("", "NA") else float(cell) if name in numbers else cell
            for name, cell in row.items()
        }
        for row in rows
    ]
    bodies = [
        {"dataframe_records": cells},
        {"dataframe_split": {"columns": columns, "data": [list(row.values()) for row in cells]}},
    ]
    assert len(numbers) < len(columns)
    with serving(
        "models", "serve", "-m", str(served), "--env-manager", "local", ready="/ping", cwd=project
    ) as address:
        for body in bodies:
            request = urllib.request.Request(
                f"{address}/invocations", json.dumps(body).encode(), {"Content-Type": "application/json"}
            )
            with urllib.request.urlopen(request, timeout=60) as answer:
                predictions = json.load(answer)["predictions"]
            assert [row["y_pred"] for row in predictions] == pytest.approx(expected, rel=1e-6)
