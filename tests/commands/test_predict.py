"""`dlreg predict`: one line for each row, in order, whatever its size."""

import json
import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from support.command_line import run_cli
from support.tables import make_table

from dlreg.commands.predict import Options, predict
from dlreg.runs.trained_run import open_run
from dlreg.table import csv_scan

TARGET = "소요 시간"


def test_predict_needs_no_target_and_answers_every_row_in_order(project):
    table = make_table(50, seed=8).drop(columns=TARGET)
    table.to_csv(project / "new.csv", index=False)
    done = run_cli("predict", "run", "new.csv", "-o", "out.csv", "--keep", "id", "--keep", "비", cwd=project)
    assert (done.returncode, done.stdout) == (0, "")
    result = pd.read_csv(project / "out.csv")
    assert list(result.columns) == ["row", "id", "비", "y_pred"]
    assert list(result["row"]) == list(range(50))
    assert list(result["id"]) == list(table["id"])
    piped = run_cli("predict", "run", cwd=project, input=(project / "new.csv").read_text(encoding="utf-8"))
    assert [line.split(",")[-1] for line in piped.stdout.splitlines()[1:]] == [
        line.split(",")[-1] for line in (project / "out.csv").read_text(encoding="utf-8").splitlines()[1:]
    ]


def test_a_kept_number_that_is_read_as_a_feature_stays_as_it_is_written(project, tmp_path):
    table = pd.read_csv(project / "table.csv", dtype=str, keep_default_na=False).head(6).drop(columns=TARGET)
    name = "Wind speed (m/s)"
    table[name] = ["007", "1.50", "+2", "1e1", "NA", " 3"]
    table.to_csv(tmp_path / "odd.csv", index=False)
    done = run_cli("predict", project / "run", "odd.csv", "--keep", name, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    kept = [line.split(",")[1] for line in done.stdout.splitlines()[1:]]
    assert kept == ["007", "1.50", "+2", "1e1", "", " 3"]


def test_predict_gives_the_test_rows_what_training_gave_them(project):
    done = run_cli("predict", "run", "table.csv", cwd=project)
    y_pred = [float(line.split(",")[1]) for line in done.stdout.splitlines()[1:]]
    predictions = pd.read_csv(project / "run" / "predictions.csv")
    assert np.array(y_pred)[predictions["row"]] == pytest.approx(predictions["y_pred"].to_numpy(), rel=1e-9)


def test_unseen_levels_are_counted_and_predicted_as_unknown(project):
    table = make_table(20, seed=8)
    table.loc[5:, "풍속 등급"] = "hurricane"
    table.to_csv(project / "odd.csv", index=False)
    done = run_cli("predict", "run", "odd.csv", cwd=project)
    assert done.returncode == 0
    assert "15 cells unseen in 풍속 등급" in done.stderr
    assert "'hurricane'" in done.stderr
    assert len(done.stdout.splitlines()) == 21
    done = run_cli("evaluate", "run", "--data", "odd.csv", cwd=project)
    assert done.returncode == 0
    assert "15 cells unseen in 풍속 등급" in done.stderr


@pytest.mark.parametrize("command", [["predict", "run", "odd.csv"], ["evaluate", "run", "--data", "odd.csv"]])
def test_a_column_of_unseen_levels_alone_is_refused(project, command):
    table = make_table(20, seed=8)
    table["풍속 등급"] = ["gale", "storm"] * 10
    table.to_csv(project / "odd.csv", index=False)
    done = run_cli(*command, cwd=project)
    assert (done.returncode, done.stdout) == (4, "")
    assert "no cell is a level of the training rows; found 'gale' and 'storm'" in done.stderr
    assert "--max-unseen 1" in done.stderr
    done = run_cli(*command, "--max-unseen", "1", cwd=project)
    assert done.returncode == 0
    assert "20 cells unseen in 풍속 등급" in done.stderr


def test_max_unseen_is_a_share_of_each_column(project):
    table = make_table(20, seed=8)
    table.loc[15:, "비"] = "perhaps"
    table.to_csv(project / "odd.csv", index=False)
    assert run_cli("predict", "run", "odd.csv", "--max-unseen", "0.25", cwd=project).returncode == 0
    done = run_cli("predict", "run", "odd.csv", "-o", "refused.csv", "--max-unseen", "0.2", cwd=project)
    assert done.returncode == 4
    assert "5 of 20 cells are no level" in done.stderr
    assert not (project / "refused.csv").exists()


def test_what_predict_met_is_counted_and_refused_where_that_is_asked_for(project):
    table = make_table(20, seed=8)
    table["year"] = [*[20240, -2024], *table["year"][2:]]
    table.loc[3, "day"] = "05/01/2124"
    table.to_csv(project / "odd.csv", index=False)
    done = run_cli("predict", "run", "odd.csv", "-o", "out.csv", "--json", cwd=project)
    assert done.returncode == 0
    printed = json.loads(done.stdout)
    assert (printed["rows"], printed["output"]) == (20, "out.csv")
    assert printed["cells"]["outside"] == {"day": 1, "year": 2}
    assert "2 cells of 'year' are far outside of the training range" in done.stderr
    first, last = (
        pd.to_datetime(make_table()["day"], format="%d/%m/%Y").agg(end).year for end in ("min", "max")
    )
    said = rf"1 cell of 'day' is far outside of the training range, {first}-\d\d-\d\d to {last}-\d\d-\d\d"
    assert re.search(said, done.stderr)
    done = run_cli("predict", "run", "odd.csv", "-o", "strict.csv", "--strict", cwd=project)
    assert done.returncode == 4
    assert "leave --strict out" in done.stderr
    assert not (project / "strict.csv").exists()
    done = run_cli("predict", "run", "odd.csv", "--json", cwd=project)
    assert (done.returncode, done.stdout) == (2, "")


def test_a_file_written_otherwise_is_read_as_it_says(project):
    table = make_table(30, seed=8)
    table.to_csv(project / "plain.csv", index=False)
    wind = "Wind speed (m/s)"
    german = table.assign(**{wind: pd.to_numeric(table[wind], errors="coerce")})
    german.to_csv(project / "german.csv", index=False, sep=";", decimal=",", encoding="utf-16")
    done = run_cli("predict", "run", "german.csv", cwd=project)
    assert done.returncode == 4
    assert "--set 'data.encoding=utf-16'" in done.stderr
    options = [f"--set=data.{key}" for key in ("encoding=utf-16", "delimiter=;", "decimal=,")]
    german = run_cli("predict", "run", "german.csv", *options, cwd=project)
    assert german.returncode == 0
    assert german.stdout == run_cli("predict", "run", "plain.csv", cwd=project).stdout
    metrics = [
        json.loads(run_cli("evaluate", "run", "--json", "--data", *file, cwd=project).stdout)["metrics"]
        for file in (["plain.csv"], ["german.csv", *options])
    ]
    assert metrics[0] == metrics[1]


@pytest.mark.parametrize(
    "key", ["data.target=id", "training.epochs=3", "data.types={id: category}", "encoding=x"]
)
def test_only_how_a_file_is_written_can_be_set(project, key):
    done = run_cli("predict", "run", "table.csv", "--set", key, cwd=project)
    assert done.returncode == 2
    assert "data.encoding, data.delimiter" in done.stderr


def test_dates_of_another_format_are_the_same_moments(project):
    table = make_table(30, seed=8)
    table.to_csv(project / "plain.csv", index=False)
    day, moment = pd.to_datetime(table["day"], format="%d/%m/%Y"), pd.to_datetime(table["moment"])
    other = table.assign(
        day=day.dt.strftime("%A, %d %B %Y"), moment=moment.dt.strftime("%m/%d/%Y %I:%M %p").fillna("")
    )
    other.to_csv(project / "other.csv", index=False)
    done = run_cli("predict", "run", "other.csv", cwd=project)
    assert done.returncode == 4
    assert "--set data.dates" in done.stderr
    dates = 'data.dates={day: "%A, %d %B %Y", moment: "%m/%d/%Y %I:%M %p"}'
    done = run_cli(
        "predict", "run", "other.csv", "--set", dates, "-o", "dated.csv", "--keep", "day", cwd=project
    )
    assert done.returncode == 0, done.stderr
    dated = pd.read_csv(project / "dated.csv")
    assert dated["day"].tolist() == other["day"].tolist()
    run_cli("predict", "run", "plain.csv", "-o", "undated.csv", cwd=project)
    assert dated["y_pred"].tolist() == pd.read_csv(project / "undated.csv")["y_pred"].tolist()


def test_a_total_among_other_rows_is_not_measured_on(project):
    table = make_table(30, seed=8)
    table.to_csv(project / "plain.csv", index=False)
    total = {"풍속 등급": "Total", "소요 시간": table["소요 시간"].sum()}
    pd.concat([table, pd.DataFrame([total])]).to_csv(project / "totalled.csv", index=False)
    done = run_cli("evaluate", "run", "--data", "totalled.csv", cwd=project)
    assert done.returncode == 4
    assert "totalled.csv:32: no observation" in done.stderr
    assert "--set 'data.non_data_rows=exclude'" in done.stderr
    option = ["--set", "data.non_data_rows=exclude"]
    metrics = [
        json.loads(run_cli("evaluate", "run", "--json", "--data", *file, cwd=project).stdout)["metrics"]
        for file in (["plain.csv"], ["totalled.csv", *option])
    ]
    assert metrics[0] == metrics[1]
    done = run_cli("predict", "run", "totalled.csv", cwd=project)
    assert done.returncode == 0, done.stderr
    assert "predicted, but no observation: line 32" in done.stderr
    assert len(done.stdout.splitlines()) == 32
    assert run_cli("predict", "run", "totalled.csv", *option, cwd=project).returncode == 2


def test_a_total_that_is_no_date_is_pointed_at(project):
    table = make_table(30, seed=8)
    total = dict.fromkeys(table.columns) | {"day": "Total", "소요 시간": table["소요 시간"].sum()}
    pd.concat([table, pd.DataFrame([total])]).to_csv(project / "totalled.csv", index=False)
    done = run_cli("predict", "run", "totalled.csv", cwd=project)
    told = " ".join(done.stderr.split())
    assert (done.returncode, "leave out what is no observation (line 32" in told) == (4, True), told
    assert "at the end give --set 'data.skip_footer=1' does so" not in told
    assert "at the end --set 'data.skip_footer=1' does so" in told
    done = run_cli("predict", "run", "totalled.csv", "--set", "data.skip_footer=1", cwd=project)
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 31), done.stderr


def test_options_on_another_table_need_one(project):
    done = run_cli("evaluate", "run", "--strict", cwd=project)
    assert done.returncode == 2
    assert "--data" in done.stderr


def test_predict_streams_blocks_as_one_table(project, monkeypatch, capsys):
    run = open_run(project / "run")
    outputs = []
    for block_bytes in (1 << 23, 700):
        monkeypatch.setattr(csv_scan, "BLOCK_BYTES", block_bytes)
        report, faults = predict(run, str(project / "table.csv"), "-", Options(keep=["id"]))
        assert (report["rows"], report["unpredicted"], faults) == (240, 0, [])
        outputs.append(capsys.readouterr().out)
    first, second = (pd.read_csv(pd.io.common.StringIO(output)) for output in outputs)
    assert list(first["id"]) == list(second["id"])
    assert first["y_pred"].to_numpy() == pytest.approx(second["y_pred"].to_numpy(), rel=1e-6)


def test_a_reader_that_has_enough_causes_no_traceback(project):
    command = f"{sys.executable} -m dlreg predict run table.csv | head -n 1"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], cwd=project, capture_output=True, text=True, check=False
    )
    assert done.stdout == "row,y_pred\n"
    assert "Traceback" not in done.stderr
