"""A run in Python says what the commands say of it, to the bit and to the word."""

import json
import math
import warnings

import numpy as np
import pandas as pd
import pytest
from support.command_line import run_cli

import dlreg

DATES = ("moment", "day")


@pytest.fixture(scope="module")
def run(project):
    return dlreg.load(project / "run")


@pytest.fixture(scope="module")
def frame(project):
    return pd.read_csv(project / "table.csv")


@pytest.fixture(scope="module")
def told(project):
    """What `dlreg predict` says of the run's own table."""
    done = run_cli("predict", "run", "table.csv", "--interval", "0.8", cwd=project)
    assert done.returncode == 0, done.stderr
    (project / "told.csv").write_text(done.stdout)
    return pd.read_csv(project / "told.csv"), done.stderr


def notes_of(call):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        value = call()
    assert {warning.filename for warning in caught} <= {__file__}
    assert all(warning.category is dlreg.DlregWarning for warning in caught)
    return value, [str(warning.message) for warning in caught]


def test_a_data_frame_is_predicted_as_by_the_command(run, frame, told):
    predicted, notes = notes_of(lambda: run.predict(frame, interval=0.8))
    for name in ("y_pred", "y_lower", "y_upper"):
        assert predicted[name].tolist() == told[0][name].tolist()
    assert [f"note: {note}" for note in notes] == told[1].splitlines()
    assert run.predict(frame).tolist() == told[0]["y_pred"].tolist()


def test_bounds_have_the_index_of_the_frame(run, frame):
    some = frame.iloc[5:2:-1]
    predicted = run.predict(some, interval=0.8)
    assert predicted.index.tolist() == [5, 4, 3]
    assert predicted["y_pred"].tolist() == run.predict(frame).tolist()[5:2:-1]


def test_the_warning_names_the_line_that_asked(run, frame):
    with pytest.warns(dlreg.DlregWarning, match="missing") as caught:
        run.predict(frame)
    assert {warning.filename for warning in caught} == {__file__}


def test_moments_and_categories_of_pandas_are_those_of_the_file(run, frame):
    typed = frame.assign(
        moment=pd.to_datetime(frame["moment"]),
        day=pd.to_datetime(frame["day"], format="%d/%m/%Y"),
        **{"풍속 등급": frame["풍속 등급"].astype("category"), "비": frame["비"] == "Yes"},
    )
    assert run.predict(typed).tolist() == run.predict(frame).tolist()


def test_a_mapping_is_one_row(run, frame):
    row, rows = frame.iloc[0].to_dict(), frame.to_dict("records")
    predicted = run.predict(frame, interval=0.8)
    assert run.predict(row) == predicted["y_pred"][0]
    assert run.predict(row, interval=0.8) == predicted.iloc[0].to_dict()
    pd.testing.assert_frame_equal(run.predict(rows, interval=0.8), predicted)
    assert run.predict(rows).tolist() == predicted["y_pred"].tolist()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"moment": "soon"}, "the data frame, row 3: column 'moment'"),
        ({"풍속 등급": [1]}, "the data frame, row 3: column '풍속 등급': .* found a list"),
        ({"year": math.inf}, "the data frame, row 3: column 'year'"),
    ],
)
@pytest.mark.bad_input("data")
def test_a_cell_that_is_none_of_its_column_is_refused_with_its_row(run, frame, change, message):
    spoilt = frame.astype(dict.fromkeys(change, object))
    for name, cell in change.items():
        spoilt.at[2, name] = cell
    with pytest.raises(dlreg.DataError, match=message):
        run.predict(spoilt)


@pytest.mark.bad_input("data")
def test_levels_of_another_table_are_refused_and_the_way_out_is_that_of_python(run, frame):
    other = frame.assign(**{"풍속 등급": "calm"})
    with pytest.raises(dlreg.DataError, match="max_unseen=1 takes it"):
        run.predict(other)
    with pytest.warns(dlreg.DlregWarning, match="unseen"):
        assert np.isfinite(run.predict(other, max_unseen=1)).all()


def test_an_interval_is_refused_as_an_argument(run, frame):
    with pytest.raises(dlreg.UsageError, match=r"^interval takes a number between 0 and 1; found 2"):
        run.predict(frame, interval=2)
    with pytest.raises(dlreg.UsageError, match=r"^interval=0\.999 needs more rows"):
        run.predict(frame, interval=0.999)


def test_a_series_is_a_row_and_a_generator_is_a_list(run, frame):
    predicted = run.predict(frame.head(3)).tolist()
    assert run.predict(frame.iloc[0]) == predicted[0]
    assert run.predict(row for row in frame.head(3).to_dict("records")).tolist() == predicted
    assert run.predict([row for _, row in frame.head(3).iterrows()]).tolist() == predicted


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (np.ones((2, 3)), r"^rows takes a data frame, .*; found a ndarray\. Name its columns"),
        (None, "; found None$"),
        (3, "; found an int$"),
        ("table.csv", "; found a str$"),
        (pd.Series([1, 2], index=["year", "year"]), "several cells of a row are named 'year'"),
    ],
)
def test_what_is_no_rows_is_refused(run, rows, message):
    with pytest.raises(dlreg.UsageError, match=message):
        run.predict(rows)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"interval": "0.9"}, "^interval takes a number between 0 and 1; found '0.9'"),
        ({"max_unseen": "1"}, "^max_unseen takes a number from 0 to 1; found '1'"),
        ({"max_unseen": 100}, "^max_unseen takes a number from 0 to 1; found 100"),
    ],
)
def test_shares_are_numbers(run, frame, arguments, message):
    for rows in (frame, frame.iloc[0].to_dict()):
        with pytest.raises(dlreg.UsageError, match=message):
            run.predict(rows, **arguments)


def test_a_prediction_that_is_no_number_is_nan(run, frame):
    far = frame.assign(**{"Wind speed (m/s)": 1e99})
    predicted, notes = notes_of(lambda: run.predict(far))
    usable = np.isfinite(predicted)
    assert usable.all() or any("no finite prediction" in note for note in notes)


def test_metrics_history_and_config_are_those_of_the_files(project, run):
    assert run.metrics == json.loads((project / "run" / "metrics.json").read_text())
    history = json.loads((project / "run" / "history.json").read_text())
    assert {name: values.tolist() for name, values in run.history.items()} == history
    assert run.history.index.name == "epoch" and run.history.index[0] == 1
    assert run.config["training"]["epochs"] == 30


def test_the_importance_is_that_of_the_command(project, run):
    done = run_cli("explain", "run", "--json", "-o", "importance.png", cwd=project)
    columns = json.loads(done.stdout)["columns"]
    importance, notes = notes_of(lambda: run.explain())
    assert importance.index.tolist() == [column["name"] for column in columns]
    assert importance["importance"].tolist() == [column["importance"] for column in columns]
    assert not (project / "run" / "importance.png").exists()
    assert any("reading" in note for note in notes)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"metric": "foo"}, "there is no metric 'foo'. Choose one of rmse, mse, mae, r2"),
        ({"metric": "rsme"}, "there is no metric 'rsme'. Did you mean 'rmse'?"),
        ({"metric": None}, "there is no metric None. Choose one of rmse, mse, mae, r2"),
        ({"repeats": 0}, "repeats takes a whole number from 1 to 1,000; found 0"),
        ({"repeats": 1001}, "repeats takes a whole number from 1 to 1,000; found 1001"),
        ({"repeats": 2.5}, "repeats takes a whole number from 1 to 1,000; found 2.5"),
    ],
)
def test_what_the_command_would_not_explain_is_refused(run, arguments, message):
    with pytest.raises(dlreg.UsageError) as caught:
        run.explain(**arguments)
    assert str(caught.value) == message


def test_a_figure_is_no_window(run):
    import sys

    from matplotlib.figure import Figure

    # As by scikit-learn, in a test that came before.
    was_imported = "matplotlib.pyplot" in sys.modules
    assert all(isinstance(run.plot(kind), Figure) for kind in ("loss", "predictions", "residuals"))
    # What a notebook shows of it.
    assert run.plot()._repr_png_().startswith(b"\x89PNG")
    assert ("matplotlib.pyplot" in sys.modules) == was_imported
    with pytest.raises(dlreg.UsageError, match="Choose one of loss, predictions, residuals"):
        run.plot("losses")


def test_a_notebook_shows_the_metrics_of_every_part(run):
    shown = run._repr_html_()
    assert "소요 시간" in shown and all(
        f"<th>{part}</th>" in shown for part in ("train", "validation", "test")
    )
    assert "test rmse" in repr(run) and "소요 시간" in repr(run)


def test_what_is_no_run_is_refused(tmp_path):
    with pytest.raises(dlreg.RunDirError, match="no such run directory"):
        dlreg.load(tmp_path / "none")
    with pytest.raises(dlreg.UsageError, match=r"path takes a path, .*; found None"):
        dlreg.load(None)
