"""What the network is compared with does not depend on how the network reads its rows."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression
from support.configs import load

from dlreg.evaluation.baselines import fit_linear
from dlreg.steps.measuring import read_plainly
from dlreg.steps.preparing import prepare, preprocess
from dlreg.table.dataset import load_dataset

N_ROWS = 300


@pytest.fixture
def table(tmp_path):
    generator = np.random.default_rng(0)
    days = pd.date_range("2022-01-01", periods=N_ROWS)
    frame = pd.DataFrame(
        {
            "x": generator.standard_t(2, N_ROWS),
            "level": generator.choice(list("abc"), N_ROWS),
            "town": [f"town {number}" for number in generator.integers(0, 20, N_ROWS)],
            "day": days.strftime("%Y-%m-%d"),
        }
    )
    frame["y"] = 3 * frame.x + np.arange(N_ROWS) / 50 + frame.level.map({"a": 0, "b": 4, "c": -4})
    frame["y"] += generator.normal(size=N_ROWS)
    frame.to_csv(tmp_path / "table.csv", index=False)
    return frame


@pytest.mark.parametrize("preset", ["standard", "fast", "accurate"])
def test_the_linear_baseline_is_one_regression_whatever_the_preset(tmp_path, table, preset):
    config = load(tmp_path, f"preset: {preset}\ndata: {{path: table.csv, target: y}}\n")
    dataset = load_dataset(config)
    preprocessing, x = read_plainly(dataset, prepare(config, preprocess(config, dataset)), config)
    linear = fit_linear(x, dataset.parts["train"].y_true, preprocessing.embedded_levels)
    test = dataset.parts["test"]
    y_pred = linear.predict(preprocessing.transform(test.cells))

    angle = 2 * np.pi * (pd.to_datetime(table.day).dt.day_of_week / 7)
    months = 2 * np.pi * ((pd.to_datetime(table.day).dt.day_of_year - 1) / 365)
    features = pd.concat(
        [
            table.x,
            pd.get_dummies(table[["level", "town"]], dtype=float),
            pd.Series(np.arange(N_ROWS), name="days"),
        ],
        axis=1,
    )
    cycles = {"a": np.sin(angle), "b": np.cos(angle), "c": np.sin(months), "d": np.cos(months)}
    features = features.assign(**cycles)
    # Without cross-validation a fifth validates.
    train = dataset.parts["train"].rows
    reference = LinearRegression().fit(features.iloc[train], table.y.iloc[train])
    expected = reference.predict(features.iloc[test.rows])
    assert np.sqrt(np.mean((y_pred - expected) ** 2)) < 0.2 * np.std(expected - test.y_true)
