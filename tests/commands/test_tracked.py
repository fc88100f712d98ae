"""What trackers are told of a config and of results: plain values, by dotted names."""

from dlreg.commands.tracked import metrics_of, parameters_of
from dlreg.config.reading import parse_config

CONFIG = b"""\
data: {path: a.csv, target: y, types: {"a.b (%)": number}, missing_values: ["-"]}
model: {hidden_layers: [8, 4]}
training: {early_stopping: {patience: 7}}
run: {log: [mlflow]}
"""


def test_parameters_are_keys_of_the_config_and_no_names_of_columns():
    parameters = parameters_of(parse_config(CONFIG, "config.yaml"))
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
