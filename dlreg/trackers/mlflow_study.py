"""A study as MLflow keeps it: a run of its own, and each trial as a run nested in it."""

import time
from pathlib import Path

import mlflow
from mlflow.entities import Metric, Param, RunTag
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID
from mlflow.utils.validation import MAX_PARAM_VAL_LENGTH, MAX_PARAMS_TAGS_PER_BATCH

from dlreg.trackers.mlflow_log import ID_TAG, batches, experiment_id
from dlreg.trackers.told import StudyFinish, StudyOpening, ToldTrial

TRIAL_TAG = "dlreg.trial"
_STATUS = {"complete": "FINISHED", "pruned": "KILLED", "failed": "FAILED"}
_STUDY_STATUS = {"interrupted": "KILLED", "failed": "FAILED"}
_MOST_FOUND = 1000


class MlflowStudy:
    """Keeps a study in MLflow.

    Args:
        opening: The study; one that goes on does so in the run of MLflow's that it began.
    """

    def __init__(self, opening: StudyOpening) -> None:
        self._client, self._metric = mlflow.MlflowClient(), opening.metric
        self._experiment = experiment_id(self._client)
        begun = self._client.search_runs([self._experiment], f"tags.`{ID_TAG}` = '{opening.tracking_id}'")
        if begun:
            self._id = begun[0].info.run_id
            self._client.update_run(self._id, status="RUNNING")
            self._known = self._find_trials()
            return
        self._known = set()
        tags = {**opening.tags, ID_TAG: opening.tracking_id, "dlreg.study_dir": opening.path}
        started = round(opening.started * 1000)
        name = Path(opening.path).name
        self._id = self._client.create_run(self._experiment, started, tags, name).info.run_id
        for some in batches(_params(opening.parameters), MAX_PARAMS_TAGS_PER_BATCH):
            self._client.log_batch(self._id, params=some)

    def log_trials(self, trials: list[ToldTrial]) -> None:
        """Keeps the trials that it does not have yet, and the best so far by the number of its trial."""
        for trial in trials:
            if str(trial.number) not in self._known:
                self._log_trial(trial)
                self._known.add(str(trial.number))

    def finish(self, finish: StudyFinish) -> None:
        """Keeps the results of the best run, and the files of the study."""
        now = round(time.time() * 1000)
        metrics = [Metric(name, value, now, 0) for name, value in finish.metrics.items()]
        self._client.log_batch(self._id, metrics=metrics)
        for file in finish.files:
            self._client.log_artifact(self._id, file)
        self._client.set_terminated(self._id, "FINISHED", round(finish.finished * 1000))

    def stop(self, status: str) -> None:
        """Keeps how the search ended."""
        self._client.set_terminated(self._id, _STUDY_STATUS[status])

    def _log_trial(self, trial: ToldTrial) -> None:
        began, ended = round(trial.began * 1000), round(trial.ended * 1000)
        tags = {MLFLOW_PARENT_RUN_ID: self._id}
        name = f"trial-{trial.number}"
        run = self._client.create_run(self._experiment, began, tags, name).info.run_id
        metrics = [Metric(name, value, ended, 0) for name, value in trial.metrics.items()]
        # The number comes last of all, so that a trial which it stands on is kept whole.
        tag = RunTag(TRIAL_TAG, str(trial.number))
        self._client.log_batch(run, metrics, list(_params(trial.values)), [tag])
        self._client.set_terminated(run, _STATUS[trial.state], ended)
        if trial.is_best and self._metric in trial.metrics:
            value = trial.metrics[self._metric]
            self._client.log_metric(self._id, f"best.{self._metric}", value, ended, trial.number)

    def _find_trials(self) -> set[str]:
        """The numbers of the trials that are nested in the study."""
        found: set[str] = set()
        token = None
        while True:
            wanted = f"tags.`{MLFLOW_PARENT_RUN_ID}` = '{self._id}'"
            page = self._client.search_runs([self._experiment], wanted, 1, _MOST_FOUND, page_token=token)
            found |= {run.data.tags[TRIAL_TAG] for run in page if TRIAL_TAG in run.data.tags}
            token = page.token
            if not token:
                return found


def _params(values: dict[str, object]) -> list[Param]:
    return [Param(name, str(value)[:MAX_PARAM_VAL_LENGTH]) for name, value in values.items()]
