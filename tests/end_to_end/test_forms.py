"""Every command takes a table in every form, and what is learnt or predicted is the same to the bit."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from support.command_line import run_cli
from support.forms import COMPRESS, arrow, excel, json_lines, parquet

from dlreg.commands.init import init
from dlreg.config.reading import load_config
from dlreg.table.csv_format import csv_format_of
from dlreg.table.dataset import load_dataset
from dlreg.table.parts import Dataset
from dlreg.table.source import read_table

CASES = {path.stem: path for path in sorted((Path(__file__).parents[1] / "cases").glob("*.csv"))}
UNREADABLE = {"no_header"}
TARGETS = {"thousands_dot_only": "preis"}


def equal(one: Dataset, other: Dataset) -> bool:
    def same(first: np.ndarray, second: np.ndarray) -> bool:
        is_text = first.dtype == object
        return first.dtype == second.dtype and (
            first.tolist() == second.tolist() if is_text else first.tobytes() == second.tobytes()
        )

    return one.columns == other.columns and all(
        same(part.rows, other.parts[name].rows)
        and same(part.y_true, other.parts[name].y_true)
        and all(same(cells, other.parts[name].cells[column]) for column, cells in part.cells.items())
        for name, part in one.parts.items()
    )


def in_four(content: bytes, n_opening: int) -> list[bytes]:
    """A table of lines cut into four, each with what stands above the rows."""
    lines = content.splitlines(keepends=True)
    opening, rows = lines[:n_opening], lines[n_opening:]
    size = -(-len(rows) // 4)
    return [b"".join([*opening, *rows[start : start + size]]) for start in range(0, len(rows), size)]


def fits_excel(frame: pd.DataFrame) -> bool:
    """Whether no number has more digits than a workbook keeps."""
    numbers = frame.select_dtypes("number").to_numpy().ravel()
    return all(np.isnan(number) or float(f"{number:.16g}") == number for number in numbers)


@pytest.mark.parametrize("case", [case for case in CASES if case not in UNREADABLE])
def test_a_table_is_the_same_in_every_form(tmp_path, case):
    content = CASES[case].read_bytes()
    (tmp_path / "table.csv").write_bytes(content)
    text, _ = init(str(tmp_path / "table.csv"), TARGETS.get(case, "price"), tmp_path / "config.yaml")
    (tmp_path / "config.yaml").write_text(text, encoding="utf-8")
    config = load_config(tmp_path / "config.yaml")
    expected = load_dataset(config)
    csv_format = csv_format_of(config.data)
    texts = {name for name, kind in config.data.types.items() if kind != "number"}
    table = read_table(str(tmp_path / "table.csv"), csv_format, texts)
    forms = {f"table.{name}": compress(content) for name, compress in COMPRESS.items()}
    forms |= {"table.parquet": parquet(table.frame), "table.arrow": arrow(table.frame)}
    forms |= {
        "table.jsonl": json_lines(table.frame),
        "table.jsonl.gz": COMPRESS["gz"](json_lines(table.frame)),
    }
    if fits_excel(table.frame):
        forms["table.xlsx"] = excel(table.frame)
    (tmp_path / "parts").mkdir()
    for number, part in enumerate(in_four(content, (table.place(0).line or 0) - 1)):
        (tmp_path / "parts" / f"{number}.csv").write_bytes(part)
    for name, form in forms.items():
        (tmp_path / name).write_bytes(form)
    for name in [*forms, "parts", "parts/*.csv"]:
        # Lines above a header are those of a text.
        overrides = [f"data.path={tmp_path / name}"] + (["data.skip_rows=0"] if name.endswith("xlsx") else [])
        assert equal(load_dataset(load_config(tmp_path / "config.yaml", overrides)), expected), name


@pytest.fixture(scope="module")
def forms(project, tmp_path_factory) -> Path:
    """The table of the project in several forms."""
    folder = tmp_path_factory.mktemp("forms")
    content = (project / "table.csv").read_bytes()
    frame = pd.read_csv(project / "table.csv")
    for name, compress in COMPRESS.items():
        (folder / f"table.{name}").write_bytes(compress(content))
    (folder / "table.parquet").write_bytes(parquet(frame, row_group_size=50))
    (folder / "table.arrow").write_bytes(arrow(frame))
    (folder / "table.jsonl").write_bytes(json_lines(frame))
    (folder / "table.xlsx").write_bytes(excel(frame))
    (folder / "parts").mkdir()
    for number, part in enumerate(in_four(content, 1)):
        (folder / "parts" / f"{number}.csv").write_bytes(part)
    return folder


NAMES = [
    *(f"table.{name}" for name in COMPRESS),
    "table.parquet",
    "table.arrow",
    "table.jsonl",
    "table.xlsx",
    "parts",
    "parts/*.csv",
]


@pytest.mark.parametrize("name", NAMES)
def test_predictions_and_metrics_are_the_same_in_every_form(project, forms, cli, name):
    expected = cli("predict", "run", "table.csv", "--keep", "id", cwd=project)
    done = cli("predict", "run", forms / name, "--keep", "id", cwd=project)
    assert (done.returncode, done.stdout) == (0, expected.stdout)
    expected = cli("evaluate", "run", "--data", "table.csv", "--json", cwd=project)
    done = cli("evaluate", "run", "--data", forms / name, "--json", cwd=project)
    assert (done.returncode, done.stdout) == (0, expected.stdout)


@pytest.mark.parametrize("name", NAMES)
def test_init_writes_a_config_for_every_form_that_check_accepts(forms, cli, name):
    done = cli("init", name, "--target", "소요 시간", "-o", "config.yaml", cwd=forms)
    assert done.returncode == 0, done.stderr
    done = cli("check", "config.yaml", cwd=forms)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("form", ["csv", "gz", "zip", "parquet", "jsonl", "xlsx"])
def test_standard_input_holds_any_form(project, forms, form):
    content = ((forms / f"table.{form}") if form != "csv" else project / "table.csv").read_bytes()
    done = subprocess.run(
        [sys.executable, "-m", "dlreg", "predict", "run", "-"],
        cwd=project,
        input=content,
        capture_output=True,
        check=False,
    )
    expected = subprocess.run(
        [sys.executable, "-m", "dlreg", "predict", "run", "table.csv"],
        cwd=project,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == expected.stdout


def test_a_run_is_trained_from_standard_input(project, tmp_path):
    content = (project / "table.csv").read_text()
    done = run_cli("init", "-", "--target", "소요 시간", "-o", "config.yaml", cwd=tmp_path, input=content)
    assert done.returncode == 0, done.stderr
    given = ["--set", "preset=standard", "--set", "training.epochs=2"]
    done = run_cli("check", "config.yaml", *given, cwd=tmp_path, input=content)
    assert done.returncode == 0, done.stdout
    done = run_cli("train", "config.yaml", *given, "--run-dir", "run", cwd=tmp_path, input=content)
    assert done.returncode == 0, done.stderr
    assert "path: '-'" in (tmp_path / "run" / "config.yaml").read_text()
    done = run_cli("evaluate", "run", cwd=tmp_path, input=content)
    assert done.returncode == 5 and "trained from standard input" in done.stderr and "--data" in done.stderr
    done = run_cli("evaluate", "run", "--data", project / "table.csv", cwd=tmp_path)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("cache", "names"),
    [
        ("memory", ["table.gz", "table.parquet", "table.jsonl", "table.xlsx", "parts", "parts/*.csv", "-"]),
        ("kept", ["table.parquet", "table.jsonl", "parts", "-"]),
    ],
)
def test_a_training_is_the_same_in_every_form(project, forms, forks, tmp_path, cache, names):
    given = ["model.hidden_layers=[4]", "training.epochs=2", f"data.cache={cache}"]

    def train(name, path):
        options = [option for key in [f"data.path={path}", *given] for option in ("--set", key)]
        command = ["train", tmp_path / "config.yaml", "--run-dir", name, *options]
        done = forks.run(*command, cwd=tmp_path, stdin=project / "table.csv")
        assert done.returncode == 0, done.stderr
        files = ("predictions.csv", "history.json", "split.json")
        metrics = json.loads((tmp_path / name / "metrics.json").read_text())
        return [(tmp_path / name / file).read_bytes() for file in files], metrics

    shutil.copy(project / "config.yaml", tmp_path)
    files, metrics = train("csv", project / "table.csv")
    for number, form in enumerate(names):
        trained = train(f"run{number}", form if form == "-" else forms / form)
        assert trained == (files, metrics), form
