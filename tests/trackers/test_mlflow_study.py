"""What MLflow has of a study, in a local store."""

import pytest

mlflow = pytest.importorskip("mlflow", reason="mlflow is not installed")

from dlreg.trackers.mlflow_log import EXPERIMENT  # noqa: E402
from dlreg.trackers.mlflow_study import MlflowStudy  # noqa: E402
from dlreg.trackers.told import StudyFinish, StudyOpening, ToldTrial  # noqa: E402

OPENING = StudyOpening(
    "/studies/a",
    "b" * 32,
    {"search.metric": "validation.rmse"},
    {"data.path.sha256": "ab"},
    1e9,
    "validation.rmse",
    {},
)
TRIALS = [
    ToldTrial(
        n,
        state,
        {"model.dropout": n / 10},
        {"validation.rmse": 5.0 - n} if n < 3 else {},
        1e9,
        1e9 + n,
        n < 3,
    )
    for n, state in enumerate(["complete", "complete", "complete", "failed", "pruned"])
]


@pytest.fixture
def client(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_EXPERIMENT_ID", raising=False)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    return mlflow.MlflowClient()


def runs_of(client):
    """The study, and its trials by number."""
    experiment = client.get_experiment_by_name(EXPERIMENT).experiment_id
    runs = client.search_runs([experiment])
    (study,) = [run for run in runs if "mlflow.parentRunId" not in run.data.tags]
    trials = [run for run in runs if run.data.tags.get("mlflow.parentRunId") == study.info.run_id]
    assert len(trials) == len(runs) - 1
    return study, sorted(trials, key=lambda run: int(run.data.tags["dlreg.trial"]))


def test_each_trial_is_nested_in_the_study_and_none_is_there_twice(client, tmp_path):
    study = MlflowStudy(OPENING)
    study.log_trials(TRIALS[:3])
    study.stop("interrupted")
    assert runs_of(client)[0].info.status == "KILLED"
    (tmp_path / "trials.csv").write_text("number\n")
    again = MlflowStudy(OPENING)
    again.log_trials(TRIALS)
    again.finish(StudyFinish({"test.rmse": 2.5}, [str(tmp_path / "trials.csv")], 1e9 + 9))
    study, trials = runs_of(client)
    assert (study.info.run_name, study.info.status) == ("a", "FINISHED")
    assert study.data.params == {"search.metric": "validation.rmse"}
    assert study.data.metrics == {"test.rmse": 2.5, "best.validation.rmse": 3.0}
    history = client.get_metric_history(study.info.run_id, "best.validation.rmse")
    assert [(metric.step, metric.value) for metric in history] == [(0, 5.0), (1, 4.0), (2, 3.0)]
    assert [artifact.path for artifact in client.list_artifacts(study.info.run_id)] == ["trials.csv"]
    assert [run.info.run_name for run in trials] == [f"trial-{n}" for n in range(5)]
    assert [run.info.status for run in trials] == [*["FINISHED"] * 3, "FAILED", "KILLED"]
    assert trials[1].data.params == {"model.dropout": "0.1"}
    assert trials[1].data.metrics == {"validation.rmse": 4.0}
