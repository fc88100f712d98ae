"""What a command prints on stdout."""

import json
import os
import sys
from pathlib import Path

import pytest

from dlreg.cli.json_output import JSON_VERSION, print_json
from dlreg.cli.output import print_gates, print_metrics, print_path, print_run
from dlreg.evaluation.gates import Gate

PART = {"n": 40, "rmse": 3.25, "mae": 2.0, "mape": None, "r2": 0.5}
SUMMARY = {
    "run_dir": "runs/a-1",
    "metrics": {
        "train": PART, "validation": None, "test": PART | {"coverage_90": 0.875, "width_90": 12.5},
        "baselines": {"mean": PART | {"rmse": 6.5}, "linear": PART | {"rmse": 5.0}},
    },
    "features": 1234, "parameters": 5678, "epochs": 10, "best_epoch": 9,
    "verdict": {"sentence": "Converged.", "advice": "Nothing."},
}  # fmt: skip


def test_json_is_one_object_that_steers_no_terminal(capsys):
    print_json({"name": "\x1b[2J평균", "value": 1.5})
    printed = capsys.readouterr().out
    assert json.loads(printed) == {"schema_version": JSON_VERSION, "name": "\x1b[2J평균", "value": 1.5}
    assert all(c.isprintable() or c == "\n" for c in printed)
    assert "평균" in printed


ODD_NAME = b"runs/\x1b[31m\xff\n1"


def test_a_script_gets_a_path_as_it_is_whatever_bytes_it_has(capfdbinary):
    print_path(Path(os.fsdecode(ODD_NAME)))
    sys.stdout.flush()
    assert capfdbinary.readouterr().out == ODD_NAME + b"\n"


def test_a_person_gets_a_path_that_steers_no_terminal(monkeypatch, capsys):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    print_path(Path(os.fsdecode(ODD_NAME)))
    assert capsys.readouterr().out == "runs/\\x1b[31m\\udcff\\n1\n"


@pytest.mark.parametrize("form", ["json", "path", "text"])
def test_a_run_is_printed_for_a_script_or_for_a_person(capsys, form):
    print_run(SUMMARY, "y", form)
    printed = capsys.readouterr().out
    if form == "json":
        assert json.loads(printed)["run_dir"] == "runs/a-1"
    elif form == "path":
        assert printed == "runs/a-1\n"
    else:
        lines = printed.splitlines()
        assert lines[0] == "y (1,234 features, 5,678 parameters, best of 10 epochs: 9)"
        assert "The network beats a linear regression: its test RMSE is 35.0% lower." in lines
        assert "Intervals at 90% hold 87.5% of the test rows; their mean width is 12.5." in lines
        assert lines[-3:] == ["Converged.", "Next: Nothing.", "Run directory: runs/a-1"]


def test_what_networks_of_an_ensemble_have_in_a_prediction_is_told(capsys):
    members = [{"weight": 0.44}, {"weight": 0.0}]
    blend = {"networks": 0.44, "ridge": 0.51, "trees": 0.05}
    epochs = {"best_epochs": [1007, 36], "refit_epochs": [3, 9]}
    print_run(SUMMARY | epochs | {"members": members, "blend": blend}, "y", "text")
    printed = " ".join(capsys.readouterr().out.split())
    assert "best of 10 epochs: 36 to 1,007, refitted in 3 to 9, 1 of 2 networks predict)" in printed
    assert "A prediction is a blend: 44% networks, 51% ridge regression, 5% trees." in printed


def test_parts_without_rows_have_no_line(capsys):
    print_metrics({"train": PART, "validation": None})
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines] == [
        ["n", "rmse", "mae", "mape", "r2"],
        ["train", "40", "3.25", "2", "–", "0.5"],
    ]


def test_gates_that_are_passed_have_a_line(capsys):
    print_gates([Gate({"passed": True}, "good"), Gate({"passed": False}, "bad")])
    assert capsys.readouterr().out == "gate passed: good\n"


def test_no_line_ends_with_blanks(capsys):
    long = SUMMARY | {"verdict": {"sentence": "word " * 40, "advice": "and " * 30}}
    print_run(long, "y", "text")
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) > 10
    assert lines == [line.rstrip() for line in lines]
    assert lines[1].startswith("     ")
