"""Dates as people write them, from a draft of the config to predictions."""

import json

import numpy as np
import onnxruntime as ort
import pandas as pd
import pytest
from support.command_line import run_cli

N = 160
MOMENTS = pd.date_range("2021-01-01 00:30", periods=N, freq="137h")
OFFSETS = np.array(["", "Z", "+01:00", "-0330"])[np.arange(N) % 4]
HOURS_EAST = np.array([0, 0, 1, -3.5])[np.arange(N) % 4]


def in_zone(hours):
    """Each moment as clocks so many hours east of UTC show it, with the offset; the first kind has none."""
    return [
        f"{moment + pd.Timedelta(hours=shift):%Y-%m-%d %H:%M:%S}{offset}"
        for moment, shift, offset in zip(MOMENTS, hours, OFFSETS, strict=True)
    ]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The folder of a table with many habits, whose drafted config is trained for a few epochs."""
    folder = tmp_path_factory.mktemp("dates")
    seconds = (MOMENTS - pd.Timestamp(0)) // pd.Timedelta("1ms")
    table = pd.DataFrame(
        {
            "twelve": MOMENTS.strftime("%m/%d/%Y %I:%M %p"),
            "offsets": in_zone(HOURS_EAST),
            "built": (MOMENTS - pd.Timedelta(days=27_000)).strftime("%d-%b-%y"),
            "german": MOMENTS.strftime("%d.%m.%y"),
            "korean": [f"{day.year}년 {day.month}월 {day.day}일" for day in MOMENTS],
            "named": MOMENTS.strftime("%A, %d %B %Y"),
            "clock": MOMENTS.strftime("%H:%M:%S"),
            "counted": seconds,
            "y": MOMENTS.hour + MOMENTS.day_of_year / 10 + np.arange(N) % 3,
        }
    )
    table.to_csv(folder / "table.csv", index=False)
    done = run_cli("init", "table.csv", "--target", "y", "-o", "config.yaml", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "years of two digits in column 'built'" in done.stderr
    assert "'offsets' has dates of several offsets" in done.stderr
    # What `init` points out, but does not decide.
    assert 'set data.dates: {counted: "epoch_milliseconds"}' in " ".join(done.stderr.split())
    more = ("--set", "data.dates.counted=epoch_milliseconds", "--set", "data.types.counted=date")
    more = (*more, "--set", "preprocessing.dates=calendar")
    done = run_cli(
        "train", "config.yaml", "--run-dir", "run", *more, "--set", "training.epochs=3", cwd=folder
    )
    assert done.returncode == 0, done.stderr
    return folder


def test_parts_of_the_calendar_that_hardly_repeat_are_left_out_and_told(run):
    columns = json.loads((run / "run/preprocessing.json").read_text())["columns"]
    assert [*columns["german"]["parts"]] == ["weekday"]
    assert [*columns["counted"]["parts"]] == ["weekday", "hour"]
    assert columns["counted"]["parts"]["hour"]["levels"] == [f"{hour:02}" for hour in range(24)]
    notes = json.loads((run / "run/run.json").read_text())["notes"]
    assert any("'german'" in note and "days of the year" in note for note in notes), notes
    checked = run_cli("check", "config.yaml", "--set", "preprocessing.dates=calendar", cwd=run)
    assert "hardly repeat" in " ".join(checked.stdout.split())


def predictions(folder, table):
    table.to_csv(folder / "new.csv", index=False)
    done = run_cli("predict", "run", "new.csv", cwd=folder)
    assert done.returncode == 0, done.stderr
    return [line.partition(",")[2] for line in done.stdout.splitlines()[1:]]


def test_every_column_is_a_date_and_is_read_again(run):
    columns = json.loads((run / "run" / "preprocessing.json").read_text())["columns"]
    assert {name: entry["kind"] for name, entry in columns.items()} == dict.fromkeys(columns, "date")
    assert len(columns) == 8
    # The oldest house is from 1947, the youngest from 1949: as years to come they would be about 36,000.
    elapsed = columns["built"]["features"]["built.elapsed_days"]["missing"]
    assert -9000 < elapsed < -7000
    assert list(columns["clock"]["features"]) == ["clock.seconds_of_day", "clock.day_sin", "clock.day_cos"]
    done = run_cli("evaluate", "run", "--data", "table.csv", cwd=run)
    assert done.returncode == 0, done.stderr


def test_the_same_moments_written_otherwise_are_predicted_the_same(run):
    table = pd.read_csv(run / "table.csv", dtype=str)
    expected = predictions(run, table)
    otherwise = table.assign(
        twelve=" " + table["twelve"].str.lower() + "  ",
        built=table["built"].str.upper(),
        named=table["named"].str.lower(),
        offsets=[f"{moment:%Y-%m-%d %H:%M:%S} +0000" for moment in MOMENTS],
        counted=table["counted"] + ".0",
    )
    assert predictions(run, otherwise) == expected
    assert predictions(run, table.assign(offsets=in_zone(HOURS_EAST + 1))) != expected


def test_the_graph_alone_reads_the_cells_of_the_file(run):
    table = pd.read_csv(run / "table.csv", dtype=str)
    session = ort.InferenceSession(str(run / "run" / "pipeline.onnx"))
    cells = {name: " " + table[[name]].to_numpy(dtype=object) for name in table if name != "y"}
    predicted = session.run(None, cells)[0][:, 0]
    assert predicted == pytest.approx([float(text) for text in predictions(run, table)], rel=1e-12)


def test_a_date_that_is_none_is_named(run):
    table = pd.read_csv(run / "table.csv", dtype=str)
    table.loc[3, "twelve"] = "01/29/2022 13:00 PM"
    table.to_csv(run / "new.csv", index=False)
    done = run_cli("predict", "run", "new.csv", cwd=run)
    assert done.returncode == 4
    assert "expected dates of the form %m/%d/%Y %I:%M %p; found '01/29/2022 13:00 PM' (line 5)" in done.stderr


def test_unscaled_days_are_no_internal_error(run):
    options = (
        "--set",
        "preprocessing.numeric=none",
        "--set",
        "data.exclude=[counted]",
        "--run-dir",
        "unscaled",
    )
    done = run_cli("train", "config.yaml", *options, cwd=run)
    assert done.returncode == 0, done.stderr
    assert "preprocessing.numeric is none" in done.stderr
