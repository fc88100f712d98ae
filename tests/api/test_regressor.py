"""The estimator is one of scikit-learn's, for tables as people have them."""

import pickle
import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import check_estimator
from support.tables import make_table

import dlreg
from dlreg.engine import epoch

# By the name of the check, each with its reason.
EXPECTED_FAILURES: dict[str, str] = {}
pytestmark = pytest.mark.filterwarnings("ignore::dlreg.errors.DlregWarning")


def typed(frame):
    """Numbers with gaps, a category, true and false, moments, and what is predicted."""
    cells = pd.DataFrame(
        {
            "speed": pd.to_numeric(frame["Wind speed (m/s)"]),
            "level": frame["풍속 등급"].replace("", None).astype("category"),
            "rain": frame["비"] == "Yes",
            "moment": pd.to_datetime(frame["moment"]),
            "year": frame["year"].astype(str).astype("category"),
        }
    )
    return cells, frame["소요 시간"]


@pytest.fixture(scope="module")
def table():
    return typed(make_table())


@pytest.fixture(scope="module")
def fitted(table):
    return dlreg.Regressor(epochs=30, batch_size=16, hidden_layers=(16, 8)).fit(*table)


def test_scikit_learn_takes_it_for_an_estimator():
    results = check_estimator(dlreg.Regressor(epochs=20), expected_failed_checks=EXPECTED_FAILURES)
    assert sum(result["status"] == "passed" for result in results) >= 45
    assert {result["check_name"] for result in results if result["status"] == "xfail"} == set(
        EXPECTED_FAILURES
    )


def test_it_learns_from_categories_dates_and_gaps(table, fitted):
    x, y = table
    assert fitted.score(x, y) > 0.5
    assert list(fitted.feature_names_in_) == list(x) and fitted.n_features_in_ == 5
    assert set(fitted.metrics_) == {"train", "validation"}
    assert fitted.metrics_["train"]["n"] + fitted.metrics_["validation"]["n"] == len(y)
    assert len(fitted.history_) <= 30 and fitted.history_.index[0] == 1
    kinds = {name: entry["kind"] for name, entry in fitted.preprocessing_["columns"].items()}
    # Categories of pandas are categories, even if their names are numbers.
    expected = {
        "speed": "number",
        "level": "category",
        "rain": "boolean",
        "moment": "date",
        "year": "category",
    }
    assert kinds == expected


def test_it_is_the_training_of_the_command_line(table, fitted, tmp_path, monkeypatch):
    x, y = table
    monkeypatch.chdir(tmp_path)
    x.assign(minutes=y).to_csv("table.csv", index=False)
    data = {
        "path": "table.csv",
        "target": "minutes",
        "test_split": 0,
        "types": {"level": "category", "year": "category"},
    }
    settings = {"model": {"hidden_layers": [16, 8]}, "training": {"epochs": 30, "batch_size": 16}}
    run = dlreg.train({"data": data, **settings})
    assert run.history.equals(fitted.history_)
    assert {name: run.metrics[name]["rmse"] for name in fitted.metrics_} == {
        name: values["rmse"] for name, values in fitted.metrics_.items()
    }
    assert run.predict(x).tolist() == fitted.predict(x).tolist()


def test_intervals_hold_the_share_of_new_rows(fitted):
    x, y = typed(make_table(400, seed=12))
    bounds = fitted.predict_interval(x, level=0.8)
    assert bounds.shape == (len(y), 2)
    inside = (bounds[:, 0] <= y) & (y <= bounds[:, 1])
    assert inside.mean() == pytest.approx(0.8, abs=0.1)
    assert (fitted.predict_interval(x)[:, 1] > bounds[:, 1]).all()
    with pytest.raises(dlreg.UsageError, match=r"^level takes a number"):
        fitted.predict_interval(x, level=1)


def test_it_is_searched_and_validated_and_stands_in_a_pipeline(table):
    x, y = table
    few = dlreg.Regressor(epochs=2, hidden_layers=[4])
    assert len(cross_val_score(few, x, y, cv=2)) == 2
    piped = make_pipeline(FunctionTransformer(lambda frame: frame.drop(columns="year")), few).fit(x, y)
    assert np.isfinite(piped.predict(x)).all()
    search = GridSearchCV(few, {"learning_rate": [0.001, 0.1], "early_stopping": [None, False]}, cv=2).fit(
        x, y
    )
    assert search.best_params_["learning_rate"] == 0.1
    copy = clone(search.best_estimator_)
    assert copy.get_params() == search.best_estimator_.get_params()
    assert not hasattr(copy, "pipeline_")


def test_processes_share_the_trials(table):
    x, y = table
    search = GridSearchCV(dlreg.Regressor(epochs=2), {"seed": [1, 2]}, cv=2, n_jobs=2, error_score="raise")
    alone = GridSearchCV(dlreg.Regressor(epochs=2), {"seed": [1, 2]}, cv=2)
    scores = [each.fit(x, y).cv_results_["mean_test_score"] for each in (search, alone)]
    np.testing.assert_allclose(*scores)


def test_a_further_fit_of_the_same_shape_compiles_nothing(table):
    x, y = table
    few = dlreg.Regressor(epochs=2, hidden_layers=[6])
    few.fit(x.head(200), y.head(200))
    before = epoch.compiled_epoch.cache_info()
    other = clone(few).set_params(seed=3, learning_rate=0.05, epochs=3).fit(x.tail(200), y.tail(200))
    after = epoch.compiled_epoch.cache_info()
    assert (after.misses, after.hits) == (before.misses, before.hits + 1)
    assert np.isfinite(other.predict(x)).all()


def test_a_fitted_estimator_is_plain_values(table, fitted):
    x, _ = table
    again = pickle.loads(pickle.dumps(fitted))
    assert again.predict(x).tolist() == fitted.predict(x).tolist()
    kept = pickle.loads(
        pickle.dumps({name: getattr(fitted, name) for name in ("pipeline_", "intervals_", "config_")})
    )
    assert type(kept["pipeline_"]) is bytes


def test_another_fit_predicts_by_itself(table):
    x, y = table
    one = dlreg.Regressor(epochs=1, hidden_layers=[4]).fit(x, y)
    first = one.predict(x)
    assert (one.set_params(epochs=5).fit(x, y).predict(x) != first).any()


def test_a_model_is_fitted_in_one_process_and_used_in_another_without_tensorflow(table, fitted, tmp_path):
    x, _ = table
    (tmp_path / "model").write_bytes(pickle.dumps((fitted, x)))
    code = (
        "import pickle, sys\nmodel, x = pickle.load(open('model', 'rb'))\n"
        "print(model.predict(x).tolist() if 'tensorflow' not in sys.modules else 'TensorFlow')"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == str(fitted.predict(x).tolist())


def test_what_training_never_saw_is_warned_of(table, fitted):
    x, _ = table
    strange = x.assign(level="storm", speed=1e4)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fitted.predict(strange)
    told = " ".join(str(warning.message) for warning in caught)
    assert "unseen in level" in told and "far outside" in told
    assert {warning.category for warning in caught} == {dlreg.DlregWarning}
    assert {warning.filename for warning in caught} == {__file__}


def test_an_array_and_a_list_are_numbers():
    x = np.random.default_rng(0).normal(size=(60, 2))
    x[3, 0] = np.nan
    y = x[:, 1] * 2
    model = dlreg.Regressor(epochs=3).fit(x, y)
    assert model.predict(x.tolist()).tolist() == model.predict(x).tolist()
    assert not hasattr(model, "feature_names_in_")


@pytest.mark.bad_input("config")
def test_a_wrong_parameter_is_told_with_its_key(table):
    with pytest.raises(dlreg.ConfigError, match=r"training\.optimizer.*Did you mean"):
        dlreg.Regressor(optimizer="adamm", epochs=2).fit(*table)


@pytest.mark.bad_input("data")
def test_a_column_that_cannot_be_used_is_told_with_its_row(table):
    x, y = table
    with pytest.raises(dlreg.DataError, match=r"X, row 2: column 'rain': .* found a list"):
        dlreg.Regressor().fit(x.assign(rain=[1.0, [2], *[3.0] * (len(x) - 2)]), y)


ROWS = 60
WORDS = [f"w{number}" for number in range(ROWS)]


@pytest.mark.parametrize(
    ("cells", "hints"),
    [
        (WORDS, ["Drop the column, or make it a category with astype"]),
        ([*range(ROWS - 1), "one"], ["make the texts NaN", 'astype("category")']),
        ([np.nan] * ROWS, ["Drop the column"]),
        (["05/13/2024", "05/14/2024"] * 30, ['pandas.to_datetime(…, format="%m/%d/%Y")', "a category"]),
        (["05/03/2024", "05/04/2024"] * 30, ['format="%m/%d/%Y"', 'format="%d/%m/%Y"']),
        (
            ["2024-01-01 10:00Z", "2024-01-02 10:00+01:00"] * 30,
            ["Make it moments with pandas.to_datetime(…, utc=True)", "a category"],
        ),
        ([f"{number},5" for number in range(ROWS)], ['numbers, with a point for ","']),
        ([f"1.{number:03},5" for number in range(ROWS)], ['a point for "," and nothing for "."']),
        ([f"{number}.5 kg" for number in range(ROWS)], ["make it numbers, without their unit"]),
    ],
)
@pytest.mark.bad_input("data")
def test_hints_are_for_those_who_have_a_frame_and_no_config(cells, hints):
    x = pd.DataFrame({"training.data": cells, "number": np.arange(float(ROWS))})
    with pytest.raises(dlreg.DataError) as caught:
        dlreg.Regressor(epochs=1).fit(x, np.arange(float(ROWS)))
    (fault,) = caught.value.faults
    assert "'training.data'" in fault.message
    for hint in hints:
        assert hint in fault.hint
    assert "data." not in fault.hint and fault.hint[0].isupper()


@pytest.mark.bad_input("data")
def test_moments_have_a_zone_in_all_rows_or_in_none(table):
    x, y = table
    zoned = x.assign(moment=x["moment"].dt.tz_localize("America/New_York"))
    for trained, asked, fragment in ((x, zoned, "without a time zone"), (zoned, x, "with a time zone")):
        model = dlreg.Regressor(epochs=1, hidden_layers=[4]).fit(trained, y)
        assert np.isfinite(model.predict(trained)).all()
        with pytest.raises(dlreg.DataError, match=rf"X, row \d+: column 'moment': expected .*{fragment}"):
            model.predict(asked)


def test_a_target_has_a_name_of_its_own():
    x = pd.DataFrame({"y": np.arange(40.0), "y_": np.arange(40.0)[::-1] ** 2})
    model = dlreg.Regressor(epochs=1).fit(x, x["y"] + 1)
    assert model.config_["data"]["target"] == "y__"


def test_nothing_is_written(table, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    dlreg.Regressor(epochs=1).fit(*table)
    assert list(tmp_path.iterdir()) == []
