"""What MLflow has of a run, in a local store."""

import sqlite3

import pytest

mlflow = pytest.importorskip("mlflow", reason="mlflow is not installed")

from mlflow.utils.validation import MAX_PARAM_VAL_LENGTH  # noqa: E402

from dlreg.trackers.mlflow_log import EXPERIMENT, MlflowLog, is_kept  # noqa: E402
from dlreg.trackers.told import Epoch, Opening  # noqa: E402

PARAMETERS = {f"data.key_{n}": n for n in range(150)} | {"data.types": "x" * 20_000}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A store with its tables made, which takes a second."""
    folder = tmp_path_factory.mktemp("mlflow")
    uri = f"sqlite:///{folder}/mlflow.db"
    mlflow.MlflowClient(uri).create_experiment("another", artifact_location=str(folder / "another"))
    yield uri
    sqlite3.connect(folder / "mlflow.db").close()


@pytest.fixture
def client(store, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    # `mlflow.set_experiment` sets it for the whole process; put back afterwards.
    monkeypatch.setenv("MLFLOW_EXPERIMENT_ID", "0")
    monkeypatch.delenv("MLFLOW_EXPERIMENT_ID")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store)
    return mlflow.MlflowClient()


def opening(name):
    return Opening(f"/runs/{name}", name * 8, PARAMETERS, {"data.path.sha256": "ab12"}, 1_700_000_000.0)


def epochs(*steps):
    return [Epoch(n, 1e9 + n, {"loss": 1 / n, "val_loss": float("nan")}) for n in steps]


def run_of(client, name, experiment=EXPERIMENT):
    number = client.get_experiment_by_name(experiment).experiment_id
    (run,) = client.search_runs([number], f"tags.`dlreg.tracking_id` = '{name * 8}'")
    return run


def test_parameters_tags_and_epochs_are_kept_in_many_batches(client):
    log = MlflowLog(opening("a"))
    assert run_of(client, "a").info.status == "RUNNING"
    log.log_epochs(epochs(*range(1, 601)))
    log.stop("failed")
    run = run_of(client, "a")
    assert (run.info.run_name, run.info.status) == ("a", "FAILED")
    assert len(run.data.params) == len(PARAMETERS)
    assert run.data.params["data.key_149"] == "149"
    assert run.data.params["data.types"] == "x" * MAX_PARAM_VAL_LENGTH
    assert run.data.tags["data.path.sha256"] == "ab12"
    assert run.data.tags["dlreg.run_dir"] == "/runs/a"
    history = client.get_metric_history(run.info.run_id, "loss")
    assert [(metric.step, metric.value) for metric in history] == [(n, 1 / n) for n in range(1, 601)]
    assert history[0].timestamp == (1e9 + 1) * 1000


def test_a_run_that_goes_on_does_so_in_the_same_run_without_an_epoch_twice(client):
    log = MlflowLog(opening("b"))
    log.log_epochs(epochs(1, 2))
    log.stop("interrupted")
    assert run_of(client, "b").info.status == "KILLED"
    log = MlflowLog(opening("b"))
    assert run_of(client, "b").info.status == "RUNNING"
    log.log_epochs(epochs(1, 2, 3))
    log.log_epochs([Epoch(4, 1e9, {"refit_loss": 3.0})])
    log.stop("interrupted")
    MlflowLog(opening("b")).log_epochs([*epochs(1, 2, 3), Epoch(4, 1e9, {"refit_loss": 3.0})])
    run = run_of(client, "b")
    assert [metric.step for metric in client.get_metric_history(run.info.run_id, "loss")] == [1, 2, 3]
    assert len(client.get_metric_history(run.info.run_id, "refit_loss")) == 1


def test_the_experiment_is_the_one_that_the_environment_names(client, monkeypatch):
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "another")
    MlflowLog(opening("c")).stop("failed")
    assert run_of(client, "c", "another")
    monkeypatch.setenv("MLFLOW_EXPERIMENT_ID", client.get_experiment_by_name("another").experiment_id)
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "ignored")
    MlflowLog(opening("d")).stop("failed")
    assert run_of(client, "d", "another")


def test_of_thousands_of_epochs_some_are_kept():
    kept = [step for step in range(1, 20_001) if is_kept(step)]
    assert kept[:1000] == list(range(1, 1001))
    assert kept[1000:1900] == list(range(1010, 10_001, 10))
    assert kept[1900:] == list(range(10_100, 20_001, 100))
