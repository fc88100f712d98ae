"""Kept cells that a spreadsheet would run are told, and written as text where that is asked for."""

import csv
import json

import pandas as pd
import pytest
from support.tables import make_table

from dlreg.commands.formulas import Formulas, escaped, find_formulas, formulas_of_names

FORMULAS = [
    '=HYPERLINK("http://example.org","x")', "=1+1", "+1+1", "-1-1", "-E5", "-e5", "@SUM(A1)", "\t=1", "\r=1",
    "-1,2;=3", "+cmd|' /C calc'!A0", "--1", "-1 ", "-٣",
]  # fmt: skip
PLAIN = [
    "", "text", "1", "-1", "+1", "-1.5", "+.5", "-1,234.5", "-1e-5", "-2.5E+10", "-5%", "-", "+", "a=b", "'=1", " -1"
]  # fmt: skip


@pytest.mark.parametrize("cell", FORMULAS)
def test_what_a_spreadsheet_runs_is_escaped(cell):
    assert escaped([cell]) == [f"'{cell}"]
    assert find_formulas({"a": ["x", cell, cell]}, 1000) == Formulas({"a": 2}, {"a": "row 1,001"})


@pytest.mark.parametrize("cell", PLAIN)
def test_numbers_and_texts_stay_as_they_are(cell):
    assert escaped([cell]) == [cell]
    assert find_formulas({"a": [cell]}, 0) == Formulas()


def test_the_first_place_stays_where_more_rows_follow():
    blocks = [{"a": ["1"], "b": ["=1"]}, {"a": ["=2"], "b": ["=2"]}]
    found = formulas_of_names(["a", "=c"])
    for row, block in enumerate(blocks):
        found += find_formulas(block, row)
    assert found.counts == {"=c": 1, "a": 1, "b": 2}
    assert found.places == {"=c": "the header", "a": "row 1", "b": "row 0"}
    assert list(found.sentences)[1].startswith("2 cells of the kept column 'b', the first in row 0, may run")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("formulas")
    table = make_table(20).assign(**{"=note": "fine", "change": [f"{number - 9}" for number in range(20)]})
    table.loc[3, "id"] = '=HYPERLINK("http://example.org")'
    table.loc[[7, 9], "=note"] = "@x"
    table.to_csv(path / "new.csv", index=False)
    return path


KEPT = ("id", "=note", "change")


def predicted(cli, folder, project, *options):
    keep = [part for name in KEPT for part in ("--keep", name)]
    done = cli("predict", project / "run", "new.csv", "-o", "out.csv", *keep, *options, cwd=folder)
    assert done.returncode == 0, done.stderr
    with (folder / "out.csv").open(newline="") as file:
        return done, list(csv.DictReader(file))


def test_kept_formulas_are_told_and_copied_as_they_are(cli, folder, project):
    done, rows = predicted(cli, folder, project, "--json")
    told = [line for line in done.stderr.splitlines() if "--escape-formulas" in line]
    assert told == [
        "note: 3 cells of the kept column '=note', the first in the header, may run as formulas in a spreadsheet: "
        "--escape-formulas makes text of them",
        "note: 1 cell of the kept column 'id', in row 3, may run as formulas in a spreadsheet: "
        "--escape-formulas makes text of them",
    ]
    assert json.loads(done.stdout)["formulas"] == {"=note": 3, "id": 1}
    new = pd.read_csv(folder / "new.csv", dtype=str, keep_default_na=False)
    for name in KEPT:
        assert [row[name] for row in rows] == new[name].tolist()


def test_kept_formulas_are_escaped_where_that_is_asked_for(cli, folder, project):
    plain = predicted(cli, folder, project)[1]
    done, rows = predicted(cli, folder, project, "--escape-formulas", "--json")
    assert "--escape-formulas" not in done.stderr
    assert json.loads(done.stdout)["formulas"] == {"=note": 3, "id": 1}
    assert list(rows[0]) == ["row", "id", "'=note", "change", "y_pred"]
    assert rows[3]["id"] == '\'=HYPERLINK("http://example.org")'
    assert [rows[row]["'=note"] for row in (6, 7, 9)] == ["fine", "'@x", "'@x"]
    for before, after in zip(plain, rows, strict=True):
        assert (before["change"], before["y_pred"]) == (after["change"], after["y_pred"])


def test_a_table_without_formulas_is_written_in_silence(cli, folder, project):
    new = pd.read_csv(folder / "new.csv", dtype=str, keep_default_na=False)
    new.drop(columns="=note").assign(id="r1").to_csv(folder / "harmless.csv", index=False)
    keep = ("--keep", "id", "--keep", "change", "--json")
    done = cli("predict", project / "run", "harmless.csv", "-o", "out.csv", *keep, cwd=folder)
    assert json.loads(done.stdout)["formulas"] == {}
    assert "formulas" not in done.stderr
