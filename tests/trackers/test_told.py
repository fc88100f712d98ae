"""What trackers are told: plain values, by dotted names."""

import numpy as np

from dlreg.config.reading import parse_config
from dlreg.trackers.told import epochs_of, metrics_of, parameters_of
from dlreg.training.progress import Progress, Refit

CONFIG = b"""\
data: {path: a.csv, target: y, types: {"a.b (%)": number}, missing_values: ["-"]}
model: {hidden_layers: [8, 4]}
training: {early_stopping: {patience: 7}}
run: {log: [mlflow]}
"""


def test_parameters_are_keys_of_the_config_and_no_names_of_columns():
    config = parse_config(CONFIG, "config.yaml").model_dump(mode="json")
    parameters = parameters_of(config)
    assert parameters["training.early_stopping.patience"] == 7
    assert parameters["training.learning_rate"] == 0.001
    assert parameters["model.hidden_layers"] == "[8, 4]"
    assert parameters["data.types"] == '{"a.b (%)": "number"}'
    assert parameters["data.test_path"] == "null"
    assert parameters["data.header"] is True
    assert all(isinstance(value, str | int | float) for value in parameters.values())


def test_metrics_are_the_numbers_that_there_are():
    results = {"test": {"rmse": 2.0, "r2": None}, "baselines": {"mean": {"n": 3}}, "notes": ["x"], "ok": True}
    assert metrics_of(results) == {"test.rmse": 2.0, "baselines.mean.n": 3}


def test_epochs_of_refitting_go_on_counting_under_names_of_their_own():
    progress = Progress(["loss", "val_loss"], 1, epochs=2, refit=Refit(1.0, 0.1))
    for number in range(3):
        progress.record(np.full((2, 1), float(number)))
    first, second, third = epochs_of(progress, [5.0, 6.0, 7.0], 0)
    assert first == (1, 5.0, {"loss": 0.0, "val_loss": 0.0})
    assert second == (2, 6.0, {"loss": 1.0, "val_loss": 1.0})
    assert third == (3, 7.0, {"refit_loss": 2.0})
    assert epochs_of(progress, [5.0, 6.0, 7.0], 2) == [third]
