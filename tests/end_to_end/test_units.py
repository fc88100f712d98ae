"""Numbers with units, from `init` to predictions: each step reads them as training did, or says where it cannot."""

import json

import numpy as np
import pandas as pd
import pytest

N = 90
GENERATOR = np.random.default_rng(41)
SHARE, CHANGE = GENERATOR.uniform(1, 90, N).round(1), GENERATOR.normal(0, 50, N).round(2)
PRICE = (1000 + 40 * SHARE + CHANGE).round(2)


def write(
    path,
    share="{:.1f}%",
    price="${:,.2f}",
    change=lambda value: f"({-value:.2f})" if value < 0 else f"{value}",
):
    frame = {
        "share": [share.format(value) for value in SHARE],
        "change": [change(value) for value in CHANGE],
        "price": [price.format(value) for value in PRICE],
    }
    pd.DataFrame(frame).to_csv(path, index=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory, forks):
    """A folder with a table, the config that `init` drafts for it, and a run."""
    folder = tmp_path_factory.mktemp("units")
    write(folder / "t.csv")
    done = forks.run("init", "t.csv", "--target", "price", "-o", "t.yaml", cwd=folder)
    assert done.returncode == 0, done.stderr
    done = forks.run("train", "t.yaml", "--run-dir", "run", "--set", "training.epochs=3", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "column 'share' holds numbers in '%'" in done.stderr
    return folder


def rmse(done):
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["metrics"]["data"]["rmse"]


def test_the_run_records_the_units(folder):
    preprocessing = json.loads((folder / "run" / "preprocessing.json").read_text())
    assert {name: column["unit"] for name, column in preprocessing["columns"].items()} == {
        "share": "%",
        "change": "",
    }
    assert preprocessing["target"]["unit"] == "$"


def test_another_spelling_of_the_same_numbers_is_measured_the_same(folder, cli):
    expected = rmse(cli("evaluate", "run", "--data", "t.csv", "--json", cwd=folder))
    write(folder / "spelt.csv", "{:.1f} ％", "{:.2f} $", lambda value: f"{value:.2f}".replace("-", "−"))
    done = cli("evaluate", "run", "--data", "spelt.csv", "--json", cwd=folder)
    assert (rmse(done), "unit" in done.stderr) == (expected, False)
    write(folder / "bare.csv", "{:.1f}", "{:.2f}", str)
    done = cli("evaluate", "run", "--data", "bare.csv", "--json", cwd=folder)
    assert rmse(done) == expected
    assert "90 of 90 cells have no unit in column 'share', taken as '%'" in done.stderr
    assert "90 of 90 cells have no unit in column 'price', taken as '$'" in done.stderr


@pytest.mark.bad_input("data")
@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ({"share": "{:.1f} kg"}, "column 'share': expected numbers in one unit, '%'; found"),
        ({"price": "€{:.2f}"}, "column 'price': expected numbers in one unit, '$'; found"),
        ({"change": "{} kg".format}, "column 'change': expected numbers without a unit; found"),
    ],
)
def test_another_unit_is_refused_by_line(folder, cli, cells, message):
    write(folder / "other.csv", **cells)
    done = cli("evaluate", "run", "--data", "other.csv", cwd=folder)
    assert (done.returncode, done.stdout) == (4, "")
    assert f"other.csv:2: {message}" in done.stderr
    done = cli("predict", "run", "other.csv", cwd=folder)
    assert done.returncode == (0 if "price" in cells else 4)
    assert ("price" in cells) or message in done.stderr


def test_predictions_are_the_same_with_and_without_units(folder, cli):
    write(folder / "bare.csv", "{:.1f}", "{:.2f}", str)
    expected = cli("predict", "run", "t.csv", cwd=folder)
    done = cli("predict", "run", "bare.csv", cwd=folder)
    assert (done.returncode, done.stdout) == (0, expected.stdout)
    assert done.stderr == "note: 90 cells have no unit in column 'share', taken as in training\n"


def test_what_is_said_of_units_is_counted_over_all_blocks(folder, cli, monkeypatch):
    write(folder / "some.csv", price="{:.2f}")
    whole = cli("evaluate", "run", "--data", "some.csv", "--json", cwd=folder)
    assert "90 of 90 cells have no unit in column 'price', taken as '$'" in whole.stderr
    count = int((CHANGE < 0).sum())
    assert f"{count} cells of column 'change' are negative as in accounts" in whole.stderr
    monkeypatch.setattr("dlreg.table.csv_scan.BLOCK_BYTES", 500)
    assert cli("evaluate", "run", "--data", "some.csv", "--json", cwd=folder) == whole
