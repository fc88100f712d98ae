"""New rows of any origin: the same predictions, the same refusals."""

import numpy as np
import pandas as pd
import pytest
from support.command_line import run_cli
from support.tables import make_table

from dlreg.errors import DataError, UsageError
from dlreg.evaluation.intervals import Intervals
from dlreg.runs.new_rows import predict_table, refuse_level, table_of_frame
from dlreg.runs.trained_run import open_run

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


def test_a_bad_cell_is_refused_with_its_row(run, frame):
    bad = frame.assign(day=[*frame["day"][:3], "soon", *frame["day"][4:]])
    with pytest.raises(DataError, match="the data frame, row 4: column 'day': expected dates"):
        predict_table(run, table_of_frame(run, bad))


def test_columns_that_are_missing_are_named_with_the_one_that_was_meant(run, frame):
    renamed = frame.rename(columns={WIND: "wind speed (m/s)"})
    with pytest.raises(DataError, match=r"no column 'Wind speed.*Did you mean 'wind speed"):
        predict_table(run, table_of_frame(run, renamed))


def test_columns_that_the_run_does_not_read_may_hold_anything(run, frame):
    further = frame.assign(further=[[1]] * len(frame))
    expected = predict_table(run, table_of_frame(run, frame)).columns["y_pred"]
    assert predict_table(run, table_of_frame(run, further)).columns["y_pred"].tobytes() == expected.tobytes()


@pytest.mark.parametrize(
    ("level", "found"), [(1.5, "takes a number between 0 and 1"), (0.99, "needs more rows .* at most 0.909")]
)
def test_levels_that_have_no_interval_are_refused(level, found):
    with pytest.raises(UsageError, match=f"interval.*{found}"):
        refuse_level(Intervals(10, np.arange(10.0)), level, name="interval=")
