"""`dlreg.check` says of a config, whatever form it has, what the command says."""

import pandas as pd
import pytest
from support.command_line import run_cli

import dlreg


def test_a_file_is_checked_as_by_the_command(project, monkeypatch):
    monkeypatch.chdir(project)
    report = dlreg.check("config.yaml")
    done = run_cli("check", "config.yaml", cwd=project)
    assert report.ok and report.plan["rows"]["train"] > 0
    assert repr(report).split() == done.stdout.split()


def test_a_mapping_is_checked_as_a_file(project, monkeypatch):
    monkeypatch.chdir(project)
    config = {
        "data": {"path": "table.csv", "target": "소요 시간", "exclude": ["id"], "dates": {"day": "%d/%m/%Y"}}
    }
    report = dlreg.check(config, {"training.epochs": 7, "model.hidden_layers": (4,)})
    assert report.ok and report.plan["epochs"] == 7


@pytest.mark.bad_input("config")
def test_all_faults_are_told_at_once_each_with_its_key(project, monkeypatch):
    monkeypatch.chdir(project)
    config = {"data": {"path": "table.csv", "target": "minutes"}, "training": {"epoch": 3}}
    report = dlreg.check(config, {"model.dropout": 2})
    told = repr(report)
    assert not report.ok and report.exit_code == 3
    for text in ("the config: ", "epoch", "Did you mean", "overrides['model.dropout']: ", "'minutes'"):
        assert text in told


def test_values_of_numpy_and_paths_are_those_of_python(project):
    import numpy as np

    data = {"path": project / "table.csv", "target": "year", "features": ("Wind speed (m/s)",)}
    values = {"training.learning_rate": np.float64(0.1), "model.hidden_layers": np.array([3, 4])}
    assert dlreg.check({"data": data}, values).ok


@pytest.mark.parametrize("call", [dlreg.check, dlreg.train])
def test_what_is_no_config_is_refused(call):
    for config in (None, [1], pd.DataFrame({"a": [1]})):
        with pytest.raises(dlreg.UsageError, match=r"^config takes the path of a YAML file, or a mapping"):
            call(config)
    with pytest.raises(dlreg.UsageError, match=r"^overrides takes a mapping .*; found a list"):
        call("config.yaml", overrides=["training.epochs=3"])


@pytest.mark.bad_input("config")
def test_values_that_yaml_has_not_are_refused_with_their_keys():
    table = pd.DataFrame({"a": [1.5] * 3})
    report = dlreg.check({"data": {"path": table, "target": "a", "exclude": {"b"}}})
    assert [str(fault) for fault in report.faults] == [
        "the config: data.path: expected text, a number, true or false, a list or a mapping; "
        "found a DataFrame. Give the path of a file; dlreg.Regressor takes data frames",
        "the config: data.exclude: expected text, a number, true or false, a list or a mapping; "
        "found a set. Give a list",
    ]
    config = {"data": {"path": "table.csv", "target": "a"}}
    assert "overrides['data.path']: expected" in repr(dlreg.check(config, {"data.path": table}))


def test_what_contains_itself_is_refused():
    config = {"data": {"path": "table.csv", "target": "y"}}
    config["data"]["types"] = config
    assert "nested deeper" in repr(dlreg.check(config))


def test_a_name_that_looks_like_a_number_counts_as_written():
    report = dlreg.check({"data": {"path": "none.csv", "target": 2020}})
    assert [fault.message for fault in report.faults] == ["no such file"]
