"""The lines that `dlreg predict` writes: a CSV, or JSON Lines."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from support.command_line import run_cli
from support.forms import json_lines
from support.tables import make_table

from dlreg.runs.prediction_lines import Kept, line_writer

TARGET, WIND = "소요 시간", "Wind speed (m/s)"


@pytest.fixture(scope="module")
def new_rows(project, tmp_path_factory):
    """New rows in both forms."""
    folder = tmp_path_factory.mktemp("lines")
    table = make_table(40, seed=8).drop(columns=TARGET)
    table.to_csv(folder / "new.csv", index=False)
    (folder / "new.jsonl").write_bytes(json_lines(pd.read_csv(folder / "new.csv")))
    return folder


def parsed(text: str) -> list[dict]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize("source", ["new.csv", "new.jsonl"])
def test_json_lines_hold_what_the_csv_holds(project, new_rows, source):
    given = ["predict", project / "run", source, "--keep", "id", "--interval", "0.9"]
    in_csv = run_cli(*given, cwd=new_rows)
    in_json = run_cli(*given, "--format", "jsonl", cwd=new_rows)
    assert (in_csv.returncode, in_json.returncode) == (0, 0), in_json.stderr
    assert in_csv.stderr == in_json.stderr
    header, *lines = in_csv.stdout.splitlines()
    names = header.split(",")
    assert names == ["row", "id", "y_pred", "y_lower", "y_upper"]
    rows = parsed(in_json.stdout)
    assert [list(row) for row in rows] == [names] * 40
    # The digits are the same, too.
    assert [line.split(",") for line in lines] == [
        [cell if isinstance(cell, str) else repr(cell) for cell in row.values()] for row in rows
    ]


def test_a_file_says_by_its_name_what_is_written(project, new_rows, tmp_path):
    for name in ("out.jsonl", "out.NDJSON"):
        done = run_cli("predict", project / "run", new_rows / "new.csv", "-o", name, cwd=tmp_path)
        assert done.returncode == 0 and len(parsed((tmp_path / name).read_text())) == 40
    done = run_cli(
        "predict", project / "run", new_rows / "new.csv", "-o", "o.jsonl", "--format", "csv", cwd=tmp_path
    )
    assert (tmp_path / "o.jsonl").read_text().startswith("row,y_pred\n")


def test_kept_cells_keep_their_type_and_their_text(project, new_rows, tmp_path):
    table = pd.read_csv(new_rows / "new.csv", dtype=str, keep_default_na=False).head(4)
    table[WIND] = ["007", "1.50", "", "1e1"]
    table["code"] = ["0815", "1", 'x"y', ""]
    table.to_csv(tmp_path / "odd.csv", index=False)
    given = ["predict", project / "run", "odd.csv", "--keep", WIND, "--keep", "code", "--format", "jsonl"]
    done = run_cli(*given, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    # What is no number in JSON stays as it is written.
    assert '"Wind speed (m/s)": 1.50, "code": "1"' in done.stdout
    assert [row[WIND] for row in parsed(done.stdout)] == ["007", 1.5, None, 10.0]
    assert [row["code"] for row in parsed(done.stdout)] == ["0815", "1", 'x"y', None]


def test_numbers_of_json_stay_numbers(project, new_rows, tmp_path):
    rows = [
        row | {"count": number, "tag": str(number)}
        for number, row in enumerate(parsed((new_rows / "new.jsonl").read_text()))
    ]
    (tmp_path / "new.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = run_cli(
        "predict",
        project / "run",
        "new.jsonl",
        "--keep",
        "count",
        "--keep",
        "tag",
        "-o",
        "out.jsonl",
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert [(row["count"], row["tag"]) for row in parsed((tmp_path / "out.jsonl").read_text())] == [
        (n, str(n)) for n in range(40)
    ]


def test_a_row_without_a_prediction_is_null():
    writer = line_writer("jsonl", ["k"], ["y_pred"])
    text = writer.lines(np.arange(2), [Kept(["a", ""], are_numbers=False)], [np.array([1.5, np.inf])])
    assert (
        writer.header == ""
        and text == '{"row": 0, "k": "a", "y_pred": 1.5}\n{"row": 1, "k": null, "y_pred": null}\n'
    )


def test_formulas_are_for_a_csv(project, new_rows):
    done = run_cli(
        "predict", project / "run", "new.csv", "--format", "jsonl", "--escape-formulas", cwd=new_rows
    )
    assert done.returncode == 2 and "--escape-formulas is for a CSV" in done.stderr


@pytest.mark.parametrize("name", ["out.json", "out.parquet", "out.csv.gz"])
def test_a_name_that_promises_another_form_is_refused(project, new_rows, tmp_path, name):
    given = ["predict", project / "run", new_rows / "new.csv", "-o", name]
    done = run_cli(*given, cwd=tmp_path)
    assert done.returncode == 2 and "predict writes a CSV or JSON Lines" in done.stderr
    assert not (tmp_path / name).exists()
    assert run_cli(*given, "--format", "csv", cwd=tmp_path).returncode == 0


def test_no_output_replaces_what_is_read(project, new_rows, tmp_path):
    folder = tmp_path / "own"
    shutil.copytree(project, folder)
    shutil.copy(new_rows / "new.csv", folder)
    (folder / "link.csv").symlink_to("new.csv")
    table, file = "a table that is read", "a file of the run"
    outputs = {"new.csv": table, "link.csv": table, "run/pipeline.onnx": file, project / "table.csv": table}
    for output, found in outputs.items():
        before = (folder / output).read_bytes()
        done = run_cli("predict", "run", "new.csv", "-o", output, cwd=folder)
        assert done.returncode == 2 and f"would replace {found}" in done.stderr
        assert (folder / output).read_bytes() == before
