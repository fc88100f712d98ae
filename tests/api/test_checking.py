"""`dlreg.check` says of a config, whatever form it has, what the command says."""

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


def test_what_contains_itself_is_refused():
    config = {"data": {"path": "table.csv", "target": "y"}}
    config["data"]["types"] = config
    assert "nested deeper" in repr(dlreg.check(config))


def test_a_name_that_looks_like_a_number_counts_as_written():
    report = dlreg.check({"data": {"path": "none.csv", "target": 2020}})
    assert [fault.message for fault in report.faults] == ["no such file"]
