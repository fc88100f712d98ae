"""Preprocessing against scikit-learn fitted by hand, and fitted on training rows alone."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import (
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)
from support.tables import load, part_of

from dlreg.arrays import aligned, is_aligned
from dlreg.errors import DataError
from dlreg.features import preprocessing
from dlreg.features.calendar import calendar_features
from dlreg.features.preprocessing import describe, fit_preprocessing
from dlreg.table import dates
from dlreg.table.column import Column

N_ROWS = 90
SCALERS = {
    "standard": StandardScaler,
    "minmax": MinMaxScaler,
    "robust": RobustScaler,
    "quantile": lambda: QuantileTransformer(n_quantiles=N_ROWS),
}
COLUMNS = (
    Column("size", "number"),
    Column("=kind, of", "category"),
    Column("steps", "number"),
    Column("yes", "boolean"),
    Column("day", "date", "%d.%m.%Y"),
)


def make_cells(seed: int = 1) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(seed)
    size = generator.gamma(2.0, 100.0, N_ROWS)
    size[::9] = np.nan
    kind = generator.choice(["low", "high", "중간"], N_ROWS).astype(object)
    kind[::11] = ""
    days = pd.Timestamp("2020-01-01") + pd.to_timedelta(generator.integers(0, 900, N_ROWS), "D")
    cells = {
        "size": size,
        "=kind, of": kind,
        "steps": generator.integers(-5, 6, N_ROWS).astype(float),
        "yes": generator.choice(["Yes", "no"], N_ROWS).astype(object),
        "day": days.strftime("%d.%m.%Y").to_numpy(dtype=object),
    }
    return {name: values.reshape(-1, 1) for name, values in cells.items()}


CELLS = make_cells()
Y = np.random.default_rng(2).gamma(3.0, 10.0, N_ROWS)


def fit(cells=CELLS, y=Y, columns=COLUMNS, **settings):
    chosen = {"numeric": "standard", "missing": "median", "categorical": "onehot", "target": "standard"}
    return fit_preprocessing(part_of(cells, y), columns, **(chosen | settings))


def by_hand(numeric: str, missing: str, categorical: str) -> np.ndarray:
    """What scikit-learn makes of the same table, one column at a time, numbers before categories."""
    moments = dates.parse_dates(pd.Series(CELLS["day"][:, 0], dtype="str"), "%d.%m.%Y")
    numbers = [
        CELLS["size"],
        CELLS["steps"],
        *calendar_features(moments, "%d.%m.%Y").T.reshape(5, -1, 1),
    ]
    filled = [SimpleImputer(strategy=missing).fit_transform(column) for column in numbers]
    parts = [column if numeric == "none" else SCALERS[numeric]().fit_transform(column) for column in filled]
    for name in ("=kind, of", "yes"):
        if categorical == "onehot":
            parts.append(OneHotEncoder(sparse_output=False).fit_transform(CELLS[name]))
        else:
            codes = OrdinalEncoder().fit_transform(CELLS[name])
            parts.append(codes if numeric == "none" else SCALERS[numeric]().fit_transform(codes))
    return np.hstack(parts)


@pytest.mark.parametrize("categorical", ["onehot", "ordinal"])
@pytest.mark.parametrize("missing", ["median", "mean"])
@pytest.mark.parametrize("numeric", [*SCALERS, "none"])
def test_features_equal_scikit_learns(numeric, missing, categorical):
    preprocessing = fit(numeric=numeric, missing=missing, categorical=categorical)
    x = preprocessing.transform(CELLS)
    assert x.dtype == np.float32
    assert x.shape == (N_ROWS, len(preprocessing.feature_names))
    np.testing.assert_allclose(x, by_hand(numeric, missing, categorical), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("categorical", ["onehot", "ordinal"])
def test_rows_are_transformed_in_blocks_into_memory_that_tensorflow_can_share(monkeypatch, categorical):
    fitted = fit(categorical=categorical)
    whole = fitted.transform(CELLS)
    monkeypatch.setattr(preprocessing, "TRANSFORMED_AT_ONCE", 7)
    monkeypatch.setattr("dlreg.arrays.LARGE", 100)
    x = fitted.transform(CELLS)
    np.testing.assert_array_equal(x, whole)
    assert aligned(x) is x
    assert is_aligned(aligned(x[1:]))
    np.testing.assert_array_equal(aligned(x[1:]), x[1:])


def test_features_are_named_in_order():
    assert fit().feature_names == (
        "size",
        "steps",
        *(f"day.{part}" for part in ("elapsed_days", "year_sin", "year_cos", "week_sin", "week_cos")),
        "=kind, of=",
        "=kind, of=high",
        "=kind, of=low",
        "=kind, of=중간",
        "yes=Yes",
        "yes=no",
    )


def test_levels_that_training_never_saw():
    unseen = {name: cells[:1].copy() for name, cells in CELLS.items()}
    unseen["=kind, of"][:] = "new"
    features = dict(zip(fit().feature_names, fit().transform(unseen)[0], strict=True))
    assert [value for name, value in features.items() if name.startswith("=kind")] == [0, 0, 0, 0]
    ordinal = fit(categorical="ordinal", numeric="none")
    assert dict(zip(ordinal.feature_names, ordinal.transform(unseen)[0], strict=True))["=kind, of"] == -1


def test_no_rows_become_no_features():
    nothing = {name: cells[:0] for name, cells in CELLS.items()}
    assert fit().transform(nothing).shape == (0, len(fit().feature_names))


@pytest.mark.parametrize("numeric", list(SCALERS))
def test_a_constant_column_stays_finite(numeric):
    cells = CELLS | {"steps": np.full((N_ROWS, 1), 7.0)}
    assert np.isfinite(fit(cells, numeric=numeric).transform(cells)).all()
    json.dumps(describe(fit(cells, numeric=numeric)), allow_nan=False)


def test_missing_numbers_are_refused_when_asked_for():
    with pytest.raises(DataError, match=r"'size' has 10 missing cells.*missing: median"):
        fit(missing="error")
    cells = CELLS | {"size": np.nan_to_num(CELLS["size"])}
    preprocessing = fit(cells, missing="error")
    with pytest.raises(DataError, match="'size' has 10 missing cells"):
        preprocessing.transform(CELLS)


def test_every_column_without_a_value_is_refused_at_once():
    gone = {"size": np.full((N_ROWS, 1), np.nan), "day": np.full((N_ROWS, 1), "", dtype=object)}
    with pytest.raises(DataError) as caught:
        fit(CELLS | gone)
    assert ["'size'" in str(fault) or "'day'" in str(fault) for fault in caught.value.faults] == [True, True]


def test_numbers_beyond_single_precision_are_scaled_or_refused():
    cells = CELLS | {"size": CELLS["size"] * 1e39}
    assert np.isfinite(fit(cells).transform(cells)).all()
    with pytest.raises(DataError, match="'size' has a number too large for single precision"):
        fit(cells, numeric="none").transform(cells)


TABLE = [
    f"{n % 17}.5,{'' if n % 13 == 0 else n * 7 % 31},{'abc'[n % 3]},{'yes' if n % 4 else 'no'},2023-{n % 12 + 1:02}-10,{n * n % 97}"
    for n in range(60)
]
WILD = {
    "huge": "1e30,-1e30,a,no,2099-12-31,1e30",
    "tiny": "-1e30,1e30,b,yes,1900-01-01,-1",
    "gaps": ",,,,,5",
    "levels": "0,0,never seen,no,2023-01-01,3",
}


@pytest.mark.parametrize("wild", WILD.values(), ids=WILD)
@pytest.mark.parametrize(
    ("numeric", "categorical", "split"),
    [
        ("standard", "onehot", "random"),
        ("minmax", "ordinal", "ordered"),
        ("robust", "onehot", "ordered"),
        ("quantile", "ordinal", "random"),
        ("none", "ordinal", "random"),
    ],
)
def test_nothing_is_fitted_on_rows_held_out(tmp_path, wild, split, numeric, categorical):
    def fitted(lines: list[str]):
        dataset = load(tmp_path, "\n".join(["u,v,k,f,d,y", *lines]) + "\n", data={"split": split})
        settings = {"numeric": numeric, "missing": "mean", "categorical": categorical, "target": "standard"}
        preprocessing = fit_preprocessing(dataset.parts["train"], dataset.columns, **settings)
        return dataset, json.dumps(describe(preprocessing), allow_nan=False)

    dataset, clean = fitted(TABLE)
    held_out = {*dataset.parts["validation"].rows, *dataset.parts["test"].rows}
    assert len(held_out) == 22
    corrupted = [wild if row in held_out else line for row, line in enumerate(TABLE)]
    assert fitted(corrupted)[1] == clean
    # The same in a training row is seen, or the test above could not fail.
    first = dataset.parts["train"].rows[0]
    assert fitted([wild if row == first else line for row, line in enumerate(TABLE)])[1] != clean


def test_the_description_holds_the_fitted_numbers():
    described = describe(fit(numeric="robust", categorical="ordinal"))
    size = CELLS["size"][~np.isnan(CELLS["size"])]
    filled = np.where(np.isnan(CELLS["size"]), np.median(size), CELLS["size"])
    entry = described["columns"]["size"]["features"]["size"]
    assert entry["missing"] == np.median(size)
    assert entry["median"] == np.median(filled)
    assert entry["scale"] == pytest.approx(np.subtract(*np.percentile(filled, [75, 25])), rel=1e-12)
    assert described["columns"]["=kind, of"]["levels"] == ["", "high", "low", "중간"]
    assert described["columns"]["day"]["date_format"] == "%d.%m.%Y"
    assert described["target"] == {
        "method": "standard",
        "offset": pytest.approx(Y.mean()),
        "scale": pytest.approx(Y.std()),
    }
    for numeric in (*SCALERS, "none"):
        json.dumps(describe(fit(numeric=numeric)), allow_nan=False)


def test_ranges_are_those_of_numbers_and_of_dates_in_days_since_1970():
    days = pd.to_datetime(pd.Series(CELLS["day"][:, 0]), format="%d.%m.%Y") - pd.Timestamp("1970-01-01")
    columns = describe(fit())["columns"]
    assert {name: entry["range"] for name, entry in columns.items() if "range" in entry} == {
        "size": [np.nanmin(CELLS["size"]), np.nanmax(CELLS["size"])],
        "steps": [CELLS["steps"].min(), CELLS["steps"].max()],
        "day": [days.dt.days.min(), days.dt.days.max()],
    }
    # The hands of a clock are no date.
    times = {"at": np.array([["10:00"], ["11:30"], ["12:00"]], dtype=object)}
    fitted = fit(times, Y[:3], (Column("at", "date", "%H:%M"),))
    assert "range" not in describe(fitted)["columns"]["at"]
