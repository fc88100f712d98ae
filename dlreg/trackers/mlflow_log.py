"""A run as MLflow keeps it: parameters, metrics by epoch and of the results, files, and a model to serve.

Where it is kept MLflow's own variables say: `MLFLOW_TRACKING_URI`, `MLFLOW_EXPERIMENT_NAME` and those of its
servers.
"""

import os
import time
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import mlflow
from mlflow.entities import Metric, Param
from mlflow.models import Model, ModelSignature
from mlflow.types import ColSpec, DataType, Schema, TensorSpec
from mlflow.utils.validation import (
    MAX_METRICS_PER_BATCH,
    MAX_PARAM_VAL_LENGTH,
    MAX_PARAMS_TAGS_PER_BATCH,
)

from dlreg.trackers import mlflow_model
from dlreg.trackers.told import Epoch, Finish, Opening

EXPERIMENT = "dlreg"
MODEL = "model"
ID_TAG = "dlreg.tracking_id"
_STATUS = {"interrupted": "KILLED", "failed": "FAILED"}
Item = TypeVar("Item")


class MlflowLog:
    """Keeps a run in MLflow.

    Args:
        opening: The run; one that goes on does so in the run of MLflow's that it began.
    """

    def __init__(self, opening: Opening) -> None:
        self._client = mlflow.MlflowClient()
        self._last_step = 0
        experiment = experiment_id(self._client)
        # Where the model is kept.
        mlflow.set_experiment(experiment_id=experiment)
        begun = self._client.search_runs([experiment], f"tags.`{ID_TAG}` = '{opening.tracking_id}'")
        if begun:
            self._id = begun[0].info.run_id
            self._client.update_run(self._id, status="RUNNING")
            steps = (metric.step for metric in self._client.get_metric_history(self._id, "loss"))
            refit_steps = (metric.step for metric in self._client.get_metric_history(self._id, "refit_loss"))
            self._last_step = max((*steps, *refit_steps), default=0)
            return
        path = Path(opening.path)
        tags = {**opening.tags, ID_TAG: opening.tracking_id, "dlreg.run_dir": opening.path}
        self._id = self._client.create_run(
            experiment, round(opening.started * 1000), tags, run_name=path.name
        ).info.run_id
        parameters = (
            Param(name, str(value)[:MAX_PARAM_VAL_LENGTH]) for name, value in opening.parameters.items()
        )
        for some in batches(parameters, MAX_PARAMS_TAGS_PER_BATCH):
            self._client.log_batch(self._id, params=some)

    def log_epochs(self, epochs: list[Epoch]) -> None:
        """Keeps the epochs that it does not have yet, of thousands some."""
        self._log_metrics(
            Metric(name, value, round(epoch.time * 1000), epoch.step)
            for epoch in epochs
            if epoch.step > self._last_step and is_kept(epoch.step)
            for name, value in epoch.values.items()
        )
        self._last_step = max([self._last_step, *(epoch.step for epoch in epochs)])

    def finish(self, finish: Finish) -> None:
        """Keeps the results, the files and the model."""
        now = round(time.time() * 1000)
        self._log_metrics(Metric(name, value, now, self._last_step) for name, value in finish.metrics.items())
        for file in finish.files:
            self._client.log_artifact(self._id, file)
        self._client.log_artifacts(self._id, finish.figures)
        self._log_model(Path(finish.pipeline), finish.example)
        self._client.set_terminated(self._id, "FINISHED", round(finish.finished * 1000))

    def stop(self, status: str) -> None:
        """Keeps how the run ended."""
        self._client.set_terminated(self._id, _STATUS[status])

    def _log_metrics(self, metrics: Iterable[Metric]) -> None:
        for some in batches(metrics, MAX_METRICS_PER_BATCH):
            self._client.log_batch(self._id, metrics=some)

    def _log_model(self, pipeline: Path, example: Mapping[str, Any]) -> None:
        import pandas as pd

        columns: list[ColSpec | TensorSpec] = [
            ColSpec(DataType.string if isinstance(cell, str) else DataType.double, name)
            for name, cell in example.items()
        ]
        signature = ModelSignature(
            Schema(columns), Schema([ColSpec(DataType.double, mlflow_model.PREDICTION)])
        )
        Model.log(
            artifact_path=None,
            name=MODEL,
            flavor=mlflow.pyfunc,
            run_id=self._id,
            python_model=mlflow_model.__file__,
            artifacts={mlflow_model.PIPELINE: str(pipeline)},
            signature=signature,
            input_example=pd.DataFrame([example]),
            pip_requirements=[
                f"{name}=={version(name)}" for name in ("mlflow", "numpy", "onnxruntime", "pandas")
            ],
        )


def experiment_id(client: mlflow.MlflowClient) -> str:
    """The experiment that MLflow's own variables name, else dlreg's, which is made where there is none."""
    if named := os.environ.get("MLFLOW_EXPERIMENT_ID"):
        return named
    name = os.environ.get("MLFLOW_EXPERIMENT_NAME", EXPERIMENT)
    experiment = client.get_experiment_by_name(name)
    return experiment.experiment_id if experiment else str(client.create_experiment(name))


def is_kept(step: int) -> bool:
    """Whether the metrics of an epoch are kept: of the first thousand all, then every tenth and so on.

    MLflow takes longer to keep an epoch than a small network to run it, and draws some hundred at most.
    """
    every = int(10 ** max(len(str(step - 1)) - 3, 0))
    return step % every == 0


def batches(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Items, so many at once as a server takes."""
    iterator = iter(items)
    while some := list(islice(iterator, size)):
        yield some
