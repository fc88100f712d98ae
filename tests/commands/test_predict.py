"""`dlreg predict`: one line for each row, in order, whatever its size."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from support.command_line import run_cli
from support.tables import make_table

from dlreg.commands.predict import predict
from dlreg.runs.trained_run import open_run
from dlreg.table import csv_scan

TARGET = "소요 시간"


def test_predict_needs_no_target_and_answers_every_row_in_order(project):
    table = make_table(50, seed=8).drop(columns=TARGET)
    table.to_csv(project / "new.csv", index=False)
    done = run_cli("predict", "run", "new.csv", "-o", "out.csv", "--keep", "id", "--keep", "비", cwd=project)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    result = pd.read_csv(project / "out.csv")
    assert list(result.columns) == ["row", "id", "비", "y_pred"]
    assert list(result["row"]) == list(range(50))
    assert list(result["id"]) == list(table["id"])
    piped = run_cli("predict", "run", cwd=project, input=(project / "new.csv").read_text(encoding="utf-8"))
    assert [line.split(",")[-1] for line in piped.stdout.splitlines()[1:]] == [
        line.split(",")[-1] for line in (project / "out.csv").read_text(encoding="utf-8").splitlines()[1:]
    ]


def test_predict_gives_the_test_rows_what_training_gave_them(project):
    done = run_cli("predict", "run", "table.csv", cwd=project)
    y_pred = [float(line.split(",")[1]) for line in done.stdout.splitlines()[1:]]
    predictions = pd.read_csv(project / "run" / "predictions.csv")
    assert np.array(y_pred)[predictions["row"]] == pytest.approx(predictions["y_pred"].to_numpy(), rel=1e-9)


def test_unseen_levels_are_counted_and_predicted_as_unknown(project):
    table = make_table(20, seed=8)
    table["풍속 등급"] = "hurricane"
    table.to_csv(project / "odd.csv", index=False)
    done = run_cli("predict", "run", "odd.csv", cwd=project)
    assert done.returncode == 0
    assert "20 cells unseen in 풍속 등급" in done.stderr
    assert len(done.stdout.splitlines()) == 21
    done = run_cli("evaluate", "run", "--data", "odd.csv", cwd=project)
    assert done.returncode == 0
    assert "20 cells unseen in 풍속 등급" in done.stderr


def test_predict_streams_blocks_as_one_table(project, monkeypatch, capsys):
    run = open_run(project / "run")
    outputs = []
    for block_bytes in (1 << 23, 700):
        monkeypatch.setattr(csv_scan, "BLOCK_BYTES", block_bytes)
        counts = predict(run, str(project / "table.csv"), "-", ["id"])
        assert counts == {"rows": 240}
        outputs.append(capsys.readouterr().out)
    first, second = (pd.read_csv(pd.io.common.StringIO(output)) for output in outputs)
    assert list(first["id"]) == list(second["id"])
    assert first["y_pred"].to_numpy() == pytest.approx(second["y_pred"].to_numpy(), rel=1e-6)


def test_a_reader_that_has_enough_causes_no_traceback(project):
    command = f"{sys.executable} -m dlreg predict run table.csv | head -n 1"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], cwd=project, capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("row,y_pred\n", "")
