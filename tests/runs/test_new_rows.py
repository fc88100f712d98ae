"""New rows of any origin: the same predictions, the same refusals."""

import re
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from support.command_line import run_cli
from support.tables import make_table

from dlreg.config.sections.data import DataConfig
from dlreg.errors import DataError, UsageError
from dlreg.evaluation.intervals import Intervals
from dlreg.runs.new_rows import predict_table, refuse_level, table_of_frame
from dlreg.runs.trained_run import open_run
from dlreg.table.column import Column
from dlreg.table.dates import parse_column

WIND = "Wind speed (m/s)"


@pytest.fixture(scope="module")
def run(project):
    return open_run(project / "run")


@pytest.fixture(scope="module")
def frame(tmp_path_factory) -> pd.DataFrame:
    path = tmp_path_factory.mktemp("new") / "new.csv"
    make_table(60, seed=8).to_csv(path, index=False)
    return pd.read_csv(path)


def test_a_frame_is_predicted_as_its_csv_is(project, run, frame, tmp_path):
    frame.to_csv(tmp_path / "new.csv", index=False)
    done = run_cli("predict", project / "run", "new.csv", "--interval", "0.8", cwd=tmp_path)
    lines = [line.split(",") for line in done.stdout.splitlines()]
    expected = dict(zip(lines[0], np.array(lines[1:], dtype=float).T, strict=True))
    predicted = predict_table(run, table_of_frame(run, frame), interval=0.8)
    assert list(predicted.columns) == ["y_pred", "y_lower", "y_upper"]
    for name, values in predicted.columns.items():
        assert values.tobytes() == expected[name].tobytes(), name
    assert predicted.strange.as_json()["missing"][WIND] == frame[WIND].isna().sum()


def test_moments_are_read_in_the_format_of_the_run(run, frame):
    typed = frame.assign(
        moment=pd.to_datetime(frame["moment"]),
        day=pd.to_datetime(frame["day"], format="%d/%m/%Y").astype("datetime64[s]"),
        비=frame["비"] == "Yes",
    )
    expected, found = (predict_table(run, table_of_frame(run, cells)).columns for cells in (frame, typed))
    assert found["y_pred"].tobytes() == expected["y_pred"].tobytes()
    # One row alone, at midnight, as it happens.
    one = typed.head(1).assign(moment=pd.Timestamp("2024-01-02"))
    text = frame.head(1).assign(moment="2024-01-02 00:00")
    expected, found = (predict_table(run, table_of_frame(run, cells)).columns for cells in (text, one))
    assert found["y_pred"].tobytes() == expected["y_pred"].tobytes()


def test_moments_that_the_format_cannot_tell_are_refused(run, frame):
    moments = pd.Series(pd.to_datetime(frame["moment"]).ffill().bfill())
    seconds = frame.assign(moment=moments + pd.Timedelta("1s"))
    with pytest.raises(DataError, match=r"the data frame, row 1: column 'moment': .*cannot tell these"):
        table_of_frame(run, seconds)


MOMENTS = pd.Series(pd.date_range("2024-01-30 22:00", periods=4, freq="7h"))


def run_of_dates(date_format, time_zone=None):
    column = Column("moment", "date", date_format, None, time_zone)
    config = SimpleNamespace(data=DataConfig(path="table.csv", target="y", time_zone=time_zone))
    return SimpleNamespace(columns=(column,), config=config, text_columns=["moment"])


@pytest.mark.parametrize(
    ("date_format", "has_zone", "fragments"),
    [
        ("%Y-%m-%d %H:%M", True, ("without a time zone", "dt.tz_localize(None)")),
        ("%Y-%m-%d %H:%M:%S", True, ("without a time zone", "dt.tz_convert(ZONE)")),
        ("%d.%m.%Y", True, ("without a time zone",)),
        ("%Y-%m-%d %H:%M:%SZ", False, ("with a time zone", "dt.tz_localize(ZONE)")),
        ("%Y-%m-%d %H:%M +01", False, ("with a time zone",)),
        ("%Y-%m-%d %H:%M:%S%z", False, ("with a time zone",)),
        ("epoch_seconds", False, ("with a time zone",)),
    ],
)
@pytest.mark.bad_input("data")
def test_moments_are_refused_where_only_they_or_only_the_run_has_a_zone(date_format, has_zone, fragments):
    moments = MOMENTS.dt.tz_localize("America/New_York") if has_zone else MOMENTS
    frame = pd.DataFrame({"moment": [pd.NaT, *moments]})
    with pytest.raises(DataError) as caught:
        table_of_frame(run_of_dates(date_format), frame)
    for fragment in ("the data frame, row 2: column 'moment': expected", *fragments):
        assert fragment in str(caught.value)


@pytest.mark.parametrize("offset", ["Z", " UTC", "+01:00", " -0330", "+09"])
def test_moments_with_a_zone_come_to_the_offset_of_the_run(offset):
    moments = MOMENTS.dt.tz_localize("America/New_York")
    date_format = f"%Y-%m-%d %H:%M{offset}"
    table = table_of_frame(run_of_dates(date_format), pd.DataFrame({"moment": moments}))
    read = pd.to_datetime(table.frame["moment"], utc=True, format="mixed")
    assert read.tolist() == moments.dt.tz_convert("UTC").tolist()
    assert table.frame["moment"].str.endswith(offset).all()


@pytest.mark.parametrize("date_format", ["%Y-%m-%dT%H:%M%z", "%Y/%m/%d %H:%M %z", "%Y-%m-%d %H:%M:%S%z"])
@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
def test_moments_with_a_zone_are_read_by_a_run_that_reads_any_offset(date_format, zone):
    moments, run = MOMENTS.dt.tz_localize("America/New_York"), run_of_dates(date_format, zone)
    read = parse_column(table_of_frame(run, pd.DataFrame({"moment": moments})).frame["moment"], *run.columns)
    assert read.tolist() == moments.dt.tz_convert(zone or "UTC").dt.tz_localize(None).tolist()


def test_moments_that_are_all_missing_have_no_zone():
    frame = pd.DataFrame({"moment": pd.Series([pd.NaT]).dt.tz_localize("UTC")})
    assert table_of_frame(run_of_dates("%Y-%m-%d %H:%M"), frame).frame["moment"].isna().all()


def test_a_bad_cell_is_refused_with_its_row(run, frame):
    bad = frame.assign(day=[*frame["day"][:3], "soon", *frame["day"][4:]])
    with pytest.raises(DataError, match="the data frame, row 4: column 'day': expected dates"):
        predict_table(run, table_of_frame(run, bad))


def test_columns_that_are_missing_are_named_with_the_one_that_was_meant(run, frame):
    renamed = frame.rename(columns={WIND: "wind speed (m/s)"})
    with pytest.raises(DataError, match=r"no column 'Wind speed.*Did you mean 'wind speed"):
        predict_table(run, table_of_frame(run, renamed))


@pytest.mark.bad_input("data")
def test_columns_of_one_name_are_counted(run, frame):
    twice = pd.concat([frame, frame[["year", "id", "id"]]], axis=1)
    with pytest.raises(DataError) as caught:
        table_of_frame(run, twice)
    assert [fault.message for fault in caught.value.faults] == ["2 columns are named 'year'"]


def test_columns_that_the_run_does_not_read_may_hold_anything(run, frame):
    further = frame.assign(further=[[1]] * len(frame))
    expected = predict_table(run, table_of_frame(run, frame)).columns["y_pred"]
    assert predict_table(run, table_of_frame(run, further)).columns["y_pred"].tobytes() == expected.tobytes()


@pytest.mark.parametrize("n_rows", [1, 2, 9, 10, 998, 999, 1000, 2999, 123_456, 10**9])
def test_the_highest_level_that_is_told_has_an_interval(n_rows):
    intervals = Intervals(n_rows, np.arange(10.0))
    with pytest.raises(UsageError) as caught:
        refuse_level(intervals, 1 - 1e-12)
    told = float(re.search(r"at most ([0-9.]+),", str(caught.value)).group(1))
    refuse_level(intervals, told)
    assert intervals.factors(told) is not None
    assert told > intervals.highest_level - 0.001


@pytest.mark.parametrize(
    ("level", "found"), [(1.5, "takes a number between 0 and 1"), (0.99, "needs more rows .* at most 0.909")]
)
def test_levels_that_have_no_interval_are_refused(level, found):
    with pytest.raises(UsageError, match=f"interval.*{found}"):
        refuse_level(Intervals(10, np.arange(10.0)), level, name="interval=")
