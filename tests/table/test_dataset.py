"""From a config to parts: columns that are named, missing, constant or suspicious, and the rows of each part."""

import json
import tracemalloc

import numpy as np
import pandas as pd
import pytest
from support.tables import faults_of, load, rows

from dlreg.config.reading import load_config
from dlreg.config.sections.data import DataConfig
from dlreg.errors import DataError
from dlreg.runs.contents import split_json
from dlreg.table import csv_scan
from dlreg.table.csv_format import CsvFormat
from dlreg.table.dataset import load_dataset, read_part
from dlreg.table.source import read_table

DATA = DataConfig(path="table.csv", target="y")
TABLE = rows("a,b,name,y", *(f"{n},{n * n % 7},{'uv'[n % 2]},{n}.5" for n in range(1, 41)))


def test_parts_hold_the_rows_of_the_file(tmp_path):
    dataset = load(tmp_path, TABLE)
    frame = pd.read_csv(tmp_path / "table.csv")
    assert [column.name for column in dataset.columns] == ["a", "b", "name"]
    assert {name: part.rows.size for name, part in dataset.parts.items()} == {
        "train": 25,
        "validation": 7,
        "test": 8,
    }
    for part in dataset.parts.values():
        assert np.array_equal(part.y_true, frame["y"][part.rows])
        assert all(np.array_equal(part.cells[name][:, 0], frame[name][part.rows]) for name in part.cells)
        assert all(cells.shape == (part.rows.size, 1) for cells in part.cells.values())
    assert dataset.notes == ()


def test_features_keep_the_order_of_the_file(tmp_path):
    assert [column.name for column in load(tmp_path, TABLE, data={"features": ["name", "a"]}).columns] == [
        "a",
        "name",
    ]
    assert [column.name for column in load(tmp_path, TABLE, data={"exclude": ["a"]}).columns] == ["b", "name"]


def test_a_table_of_cp949_with_hangul_names(tmp_path):
    content = rows("거리,날씨,y", *(f"{n},{['맑음', '흐림'][n % 2]},{n}" for n in range(30)))
    data = {"encoding": "cp949", "target": "y", "features": ["거리", "날씨"]}
    dataset = load(tmp_path, content.encode("cp949"), data=data)
    assert [column.name for column in dataset.columns] == ["거리", "날씨"]
    assert set(dataset.parts["train"].cells["날씨"][:, 0]) == {"맑음", "흐림"}


def test_a_table_that_is_read_as_one_column_makes_one_fault(tmp_path):
    (fault,) = faults_of(tmp_path, TABLE.replace(",", "^"))
    assert "'^'" in str(fault)


BAD_TABLES = {
    "target-constant": (rows("x,y", "1,3", "2,3", times=9), {}, "'y' is 3 in every training row", "target"),
    "target-constant-float": (rows("x,y", "1,0.1", "2,0.1", times=9), {}, "'y' is 0.1 in every", "target"),
    "target-missing": (rows("x,y", "1,", "2,NA", times=9), {}, "'y' is missing in every row", "target"),
    "target-blank": (rows("x,y", "1,  ", "2,  ", times=9), {}, "'y' is missing in every row", "target"),
    "target-text": (rows("x,y", "1,a", "2,b", times=9), {}, "'a' (line 2), 'b' (line 3)", "only numbers"),
    "target-decimal-comma": (
        rows("x;y", "1;2,5", "2;3,5", times=9),
        {"delimiter": ";"},
        "'2,5' (line 2)",
        'Set data.decimal: ","',
    ),
    "target-boolean": (rows("x,y", "1,True", "2,False", times=9), {}, "'True' (line 2)", "Mend"),
    "target-date": (rows("x,y", "1,2023-01-01", times=9), {}, "'2023-01-01' (line 2)", "Mend"),
    "only-a-target": (rows("y", "1", "2", times=9), {}, "no column is left", "'y'"),
    "all-excluded": (rows("x,y", "1,2", "2,3", times=9), {"exclude": ["x"]}, "no column is left", "'x', 'y'"),
    "feature-missing": (rows("x,z,y", "1,,1", "2,,2", times=9), {}, "'z' has no value", "data.exclude"),
    "feature-blank": (rows("x,z,y", "1,  ,1", "2, NA,2", times=9), {}, "'z' has no value", "data.exclude"),
    "one-row": ("x,y\n1,2\n", {}, "of 1 rows leaves 0 training", "test_split"),
    "two-rows": ("x,y\n1,2\n3,4\n", {}, "of 2 rows leaves 0 training", "test_split"),
    "one-row-with-a-target": (
        rows("x,y", "1,2", *["2,"] * 9),
        {},
        "of 1 rows leaves 0 training",
        "more rows",
    ),
    "one-group": (
        rows("g,x,y", "a,1,2", "a,2,3", times=9),
        {"split": "group", "split_by": "g"},
        "split 'group' of 18 rows leaves 0 training",
        "more rows",
    ),
    "group-missing": (
        rows("g,x,y", "a,1,2", "b,2,3", ",4,5", times=9),
        {"split": "group", "split_by": "g"},
        "'g' is missing in 9 rows",
        "Fill",
    ),
    "time-is-text": (
        rows("t,x,y", "a,1,2", "b,2,3", times=9),
        {"split": "time", "split_by": "t"},
        "neither numbers nor dates",
        "data.dates",
    ),
    "time-missing": (
        rows("t,x,y", "2023-01-01,1,2", "2023-01-02,2,3", ",3,4", times=9),
        {"split": "time", "split_by": "t"},
        "'t' is missing in 9 rows",
        "Fill",
    ),
}


@pytest.mark.bad_input("data")
@pytest.mark.parametrize(("content", "data", "message", "hint"), BAD_TABLES.values(), ids=BAD_TABLES)
def test_a_table_nothing_can_be_learned_from_is_refused(tmp_path, content, data, message, hint):
    fault = faults_of(tmp_path, content, data=data)[0]
    assert message in fault.message
    assert hint in (fault.hint or "")
    assert (fault.path or "").endswith(("table.csv", "config.yaml"))


def test_rows_without_a_target_are_left_out_and_counted(tmp_path):
    content = rows("x,y", *(f"{-n},{'' if n % 4 == 0 else n}" for n in range(40)))
    dataset = load(tmp_path, content)
    assert sorted(np.concatenate([part.rows for part in dataset.parts.values()])) == [
        n for n in range(40) if n % 4
    ]
    assert dataset.notes == ("10 of 40 rows are left out: they have no 'y'",)


def test_missing_cells_are_counted(tmp_path):
    content = rows(
        "x,z,y", *(f"{'' if n % 8 == 0 else n},{'NA' if n % 10 == 0 else 'uv'[n % 2]},{n}" for n in range(40))
    )
    dataset = load(tmp_path, content)
    assert dataset.notes == (
        "5 of 40 cells are missing in column 'x'",
        "4 of 40 cells are missing in column 'z'",
    )
    values = {
        row: x
        for part in dataset.parts.values()
        for row, x in zip(part.rows, part.cells["x"][:, 0], strict=True)
    }
    assert all(np.isnan(x) if row % 8 == 0 else x == row for row, x in values.items())
    assert {z for part in dataset.parts.values() for z in part.cells["z"][:, 0]} == {"", "u", "v"}


@pytest.mark.parametrize("fraction", [0.2, 0.5])
def test_groups_stay_on_one_side(tmp_path, fraction):
    content = rows("g,x,y", *(f"g{n % 9},{n},{n}" for n in range(90)))
    dataset = load(tmp_path, content, data={"split": "group", "split_by": "g", "test_split": fraction})
    assert [column.name for column in dataset.columns] == ["x"]
    sides = [{row % 9 for row in part.rows} for part in dataset.parts.values()]
    assert sum(map(len, sides)) == len(set().union(*sides)) == 9
    assert dataset.parts["test"].rows.size >= 90 * fraction


@pytest.mark.parametrize(
    ("write", "data"),
    [
        (lambda n: f"2023-01-{n + 1:02}", {}),
        (lambda n: f"{n + 1:02}/01/2023", {"dates": {"t": "%d/%m/%Y"}}),
        (lambda n: str(n - 15), {}),
    ],
    ids=["iso", "format", "number"],
)
def test_time_splits_train_on_the_past(tmp_path, write, data):
    order = np.random.default_rng(3).permutation(30)
    content = rows("t,x,y", *(f"{write(n)},{n % 5},{n}" for n in order))
    dataset = load(tmp_path, content, data={"split": "time", "split_by": "t", **data})
    train, validation, test = (dataset.parts[name].y_true for name in ("train", "validation", "test"))
    assert train.max() < validation.min() <= validation.max() < test.min()


def test_a_missing_group_does_not_matter_where_the_target_is_missing_too(tmp_path):
    content = rows("g,x,y", *(f"g{n % 5},{n},{n}" for n in range(30))) + ",1,\n"
    dataset = load(tmp_path, content, data={"split": "group", "split_by": "g"})
    assert sum(part.rows.size for part in dataset.parts.values()) == 30


def test_a_test_file_of_its_own(tmp_path):
    (tmp_path / "test.csv").write_text(rows("extra,y,name,b,a", "1,2,u,3,4", "1,,u,3,4", "0,5,w,,7"))
    dataset = load(tmp_path, TABLE, data={"test_path": "test.csv"})
    assert {name: part.rows.size for name, part in dataset.parts.items()} == {
        "train": 32,
        "validation": 8,
        "test": 2,
    }
    test = dataset.parts["test"]
    assert test.rows.tolist() == [0, 2]
    assert test.y_true.tolist() == [2, 5]
    assert test.cells["a"][:, 0].tolist() == [4, 7]
    assert test.cells["name"][:, 0].tolist() == ["u", "w"]
    assert dataset.notes == (
        f"{tmp_path}/test.csv: 1 of 3 rows are left out: they have no 'y'",
        f"{tmp_path}/test.csv: 1 of 3 cells are missing in column 'b'",
        "1 test cells of column 'name' have a level that no training row has: 'w'",
    )
    record = json.loads(split_json(dataset, DATA.model_copy(update={"test_path": tmp_path / "test.csv"})))
    assert record["test"] == [0, 2]
    assert record["test_path"] == str(tmp_path / "test.csv")


def test_validation_rows_may_have_a_file_of_their_own(tmp_path):
    (tmp_path / "later.csv").write_text(rows("b,y,name,a", "1,2,u,4", "2,,w,5", "3,5, w ,7"))
    dataset = load(tmp_path, TABLE, data={"validation_path": "later.csv"})
    assert {name: part.rows.size for name, part in dataset.parts.items()} == {
        "train": 32,
        "validation": 2,
        "test": 8,
    }
    assert dataset.parts["validation"].y_true.tolist() == [2, 5]
    assert dataset.parts["validation"].cells["name"][:, 0].tolist() == ["u", "w"]
    assert dataset.notes == (
        f"{tmp_path}/later.csv: 1 of 3 rows are left out: they have no 'y'",
        "1 validation cells of column 'name' have a level that no training row has: 'w'",
    )
    data = DATA.model_copy(update={"validation_path": tmp_path / "later.csv"})
    record = json.loads(split_json(dataset, data))
    assert record["validation"] == [0, 2]
    assert record["validation_path"] == str(tmp_path / "later.csv")


def test_faults_of_every_file_are_told_at_once(tmp_path):
    (tmp_path / "later.csv").write_text(rows("a,b,name,y", "1,x,u,3"))
    (tmp_path / "test.csv").write_text(rows("a,b,y", "1,2,3"))
    own = {"validation_path": "later.csv", "test_path": "test.csv"}
    faults = faults_of(tmp_path, TABLE, data=own)
    assert [fault.path for fault in faults] == [f"{tmp_path}/later.csv", f"{tmp_path}/test.csv"]


def test_one_file_for_two_parts_is_said(tmp_path):
    (tmp_path / "other.csv").write_text(TABLE)
    own = {"validation_path": "other.csv", "test_path": "other.csv"}
    assert "the test rows choose the best epoch" in load(tmp_path, TABLE, data=own).notes[-1]
    notes = load(tmp_path, TABLE, data={"validation_path": "table.csv"}).notes
    assert notes == (
        "data.validation_path is data.path: the validation rows are those the model learns from",
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (rows("a,b,y", "1,2,3"), "no column 'name'"),
        (rows("a,b,name", "1,2,u"), "no column 'y'"),
        (rows("a,b,name,y", "1,x,u,3"), "'x' (line 2)"),
        (rows("a,b,name,y", "1,2,u,"), "'y' is missing in every row"),
        (rows("a,b,name,y", "1,2,u"), "expected 4 cells"),
        ("a,b,name,y\n", "no rows"),
        (None, "no such file"),
    ],
)
def test_faults_of_the_test_file_name_it(tmp_path, content, message):
    if content is not None:
        (tmp_path / "test.csv").write_text(content)
    fault = faults_of(tmp_path, TABLE, data={"test_path": "test.csv"})[0]
    assert message in fault.message
    assert (fault.path or "").endswith("test.csv")
    assert fault.hint


def test_testing_on_the_training_file_is_pointed_out(tmp_path):
    dataset = load(tmp_path, TABLE, data={"test_path": "table.csv"})
    assert "the test rows are those the model learns from" in dataset.notes[0]


def test_the_split_is_recorded_and_comes_out_the_same_again(tmp_path):
    first = load(tmp_path, TABLE)
    again = load_dataset(load_config(tmp_path / "config.yaml"))
    assert split_json(first, DATA) == split_json(again, DATA)
    record = json.loads(split_json(first, DATA))
    assert sorted(record["train"] + record["validation"] + record["test"]) == list(range(40))
    assert record["test_path"] is None
    other = load(tmp_path, TABLE, training={"seed": 7})
    assert json.loads(split_json(other, DATA)) != record


@pytest.mark.parametrize("fractions", [(0, 0.2), (0.2, 0), (0, 0)])
def test_parts_can_be_left_out(tmp_path, fractions):
    dataset = load(
        tmp_path, TABLE, data={"test_split": fractions[0]}, training={"validation_split": fractions[1]}
    )
    assert [dataset.parts[name].rows.size for name in ("test", "validation")] == [
        8 * (f > 0) for f in fractions
    ]


def test_another_table_may_have_more_columns_in_any_order(tmp_path):
    columns = load(tmp_path, TABLE).columns
    (tmp_path / "other.csv").write_text(rows("name,new,y,b,a", "w,1,2,3,4"))
    table = read_table(str(tmp_path / "other.csv"), CsvFormat(), ["name"])
    data = DataConfig(path="other.csv", target="y")
    part, notes = read_part(table, columns, data)
    assert notes == []
    assert {name: cells.tolist() for name, cells in part.cells.items()} == {
        "a": [[4]],
        "b": [[3]],
        "name": [["w"]],
    }
    table = read_table(str(tmp_path / "table.csv"), CsvFormat())
    with pytest.raises(DataError, match="no column 'q'"):
        read_part(table, columns, data.model_copy(update={"target": "q"}))


def test_a_few_rows_are_enough_where_nothing_is_held_out(tmp_path):
    dataset = load(
        tmp_path, rows("x,y", "1,2", "3,5"), data={"test_split": 0}, training={"validation_split": 0}
    )
    assert dataset.parts["train"].rows.tolist() == [0, 1]


def test_a_large_table_is_not_held_twice(tmp_path, monkeypatch):
    monkeypatch.setattr(csv_scan, "BLOCK_BYTES", 1 << 18)
    n_rows, n_columns = 20_000, 20
    values = np.random.default_rng(0).normal(size=(n_rows, n_columns)).round(3)
    table = pd.DataFrame(values, columns=[*map(str, range(n_columns - 1)), "y"]).to_csv(index=False)
    load(tmp_path, table)
    tracemalloc.start()
    try:
        load_dataset(load_config(tmp_path / "config.yaml"))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1.8 * values.nbytes
