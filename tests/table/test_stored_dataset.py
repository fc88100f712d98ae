"""A table on disk has the cells of one in memory, divided by rule, with a sample and exact facts of training."""

import hashlib
import json
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from support.configs import load as load_config

from dlreg.errors import DataError
from dlreg.table import csv_scan, stored_dataset
from dlreg.table.cell_store import TABLE, UnstoredTable, open_stored
from dlreg.table.dataset import load_dataset
from dlreg.table.division import PARTS
from dlreg.table.row_stream import recognise_opening
from dlreg.table.stored_dataset import divide_stored
from dlreg.table.table_cache import folder_of, is_kept, stored_tables

N_ROWS = 600


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(csv_scan, "BLOCK_BYTES", 1500)


def frame(seed=0):
    generator = np.random.default_rng(seed)
    x = generator.normal(size=N_ROWS).round(3)
    days = pd.date_range("2020-01-01", periods=N_ROWS, freq="h").strftime("%Y-%m-%d %H:%M")
    table = pd.DataFrame(
        {
            "x": x,
            "kind": generator.choice(["oak", " elm ", "ash"], N_ROWS),
            "is_new": generator.choice(["yes", "no"], N_ROWS),
            "when": days,
            "y": (3 * x + generator.normal(size=N_ROWS)).round(4),
        }
    )
    table.loc[generator.random(N_ROWS) < 0.1, "x"] = np.nan
    table.loc[generator.random(N_ROWS) < 0.1, "kind"] = np.nan
    table.loc[[5, 300], "y"] = np.nan
    return table


def config(folder, table, more="", training=""):
    table.to_csv(folder / "table.csv", index=False)
    return load_config(
        folder,
        f"data:\n  path: table.csv\n  target: y\n  cache: {folder / 'kept'}\n{more}training:\n  seed: 3\n{training}",
    )


def all_rows(blocks):
    """For each part the rows of all its blocks, and the cells of each column."""
    parts = {name: ([], {}, []) for name in PARTS}
    for name, part in blocks:
        rows, cells, y_true = parts[name]
        rows += part.rows.tolist()
        y_true += part.y_true.tolist()
        for column, values in part.cells.items():
            cells.setdefault(column, []).extend(values[:, 0].tolist())
    return parts


def same(first, second):
    return len(first) == len(second) and all(
        a == b or (a != a and b != b) for a, b in zip(first, second, strict=True)
    )


@pytest.mark.parametrize(
    "more",
    ["", "  split: ordered\n", "  split: time\n  split_by: when\n", "  split: group\n  split_by: kind\n"],
)
def test_the_cells_are_those_of_a_table_in_memory(tmp_path, more):
    table = frame()
    if "group" in more:
        table["kind"] = np.random.default_rng(4).choice([f"place {n}" for n in range(40)], N_ROWS)
    settings = config(tmp_path, table, more)
    whole = load_dataset(settings)
    of_row = {
        row: {name: part.cells[name][place, 0] for name in part.cells} | {"y": part.y_true[place]}
        for part in whole.parts.values()
        for place, row in enumerate(part.rows.tolist())
    }
    with stored_tables(settings) as tables:
        assert tables[""].n_blocks > 5
        dataset = divide_stored(settings, tables)
        parts = all_rows(dataset.blocks(*PARTS))
    assert sorted(row for rows, _, _ in parts.values() for row in rows) == sorted(of_row)
    for rows, cells, y_true in parts.values():
        assert same(y_true, [of_row[row]["y"] for row in rows])
        for name, values in cells.items():
            assert same(values, [of_row[row][name] for row in rows])
    assert dataset.n_rows == {name: len(rows) for name, (rows, _, _) in parts.items()}
    if "ordered" in more or "time" in more:
        assert {name: rows for name, (rows, _, _) in parts.items()} == {
            name: part.rows.tolist() for name, part in whole.parts.items()
        }


def test_columns_and_notes_are_those_of_a_table_in_memory(tmp_path):
    settings = config(tmp_path, frame())
    whole = load_dataset(settings)
    with stored_tables(settings) as tables:
        dataset = divide_stored(settings, tables)
    assert dataset.columns == whole.columns
    assert dataset.notes == whole.notes
    assert any("cells are missing in column 'kind'" in note for note in dataset.notes)
    assert any("2 of 600 rows are left out" in note for note in dataset.notes)


def test_facts_are_those_of_all_training_rows_though_the_sample_is_small(tmp_path, monkeypatch):
    monkeypatch.setattr(stored_dataset, "SAMPLE_ROWS", 60)
    settings = config(tmp_path, frame())
    with stored_tables(settings) as tables:
        dataset = divide_stored(settings, tables)
        rows, cells, y_true = all_rows(dataset.blocks("train"))["train"]
    sizes = dataset.in_memory.n_rows
    assert 30 < sum(sizes.values()) < 100
    sampled = dataset.in_memory.parts["train"]
    assert set(sampled.rows.tolist()) < set(rows)
    x = np.array(cells["x"])
    assert dataset.facts.ranges == {"x": (np.nanmin(x), np.nanmax(x))}
    assert dataset.facts.levels == {name: Counter(cells[name]) for name in ("kind", "is_new")}
    assert dataset.facts.with_gaps == {"x"}
    assert dataset.facts.target_range == (min(y_true), max(y_true))


def test_the_digest_is_that_of_the_parts_of_all_rows(tmp_path):
    settings = config(tmp_path, frame())
    with stored_tables(settings) as tables:
        dataset = divide_stored(settings, tables)
        parts = all_rows(dataset.blocks(*PARTS))
    part_of_row = {row: code for code, name in enumerate(PARTS) for row in parts[name][0]}
    codes = bytes(part_of_row[row] for row in sorted(part_of_row))
    assert dataset.digest == hashlib.sha256(codes).hexdigest()


def test_folds_are_those_of_the_rule_in_the_sample_as_in_all_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr(stored_dataset, "SAMPLE_ROWS", 200)
    settings = config(tmp_path, frame(), training="  cross_validation: 3\n")
    with stored_tables(settings) as tables:
        dataset = divide_stored(settings, tables)
        fold_of_row = {
            row: fold
            for part, folds in dataset.folded_blocks()
            for row, fold in zip(part.rows.tolist(), folds.tolist(), strict=True)
        }
    assert sorted(Counter(fold_of_row.values()).items()) == list(enumerate(dataset.fold_sizes))
    assert dataset.rows_per_epoch == dataset.n_rows["train"] - min(dataset.fold_sizes)
    sampled, folds = dataset.in_memory.parts["train"].rows, dataset.in_memory.folds
    assert len(folds) == 3
    for fold, (train, validation) in enumerate(folds):
        assert {fold_of_row[row] for row in sampled[validation].tolist()} == {fold}
        assert sorted([*train, *validation]) == list(range(len(sampled)))
    assert any("or predicted out of fold" in note for note in dataset.notes)


def test_rows_of_a_file_of_their_own_are_a_part(tmp_path):
    frame(1).to_csv(tmp_path / "test.csv", index=False)
    settings = config(tmp_path, frame(), "  test_path: test.csv\n")
    whole = load_dataset(settings)
    with stored_tables(settings) as tables:
        dataset = divide_stored(settings, tables)
        rows, cells, _ = all_rows(dataset.blocks("test"))["test"]
    assert rows == whole.parts["test"].rows.tolist()
    assert same(cells["kind"], whole.parts["test"].cells["kind"][:, 0].tolist())
    assert dataset.notes == whole.notes


def test_a_level_that_training_never_sees_is_told_with_its_count(tmp_path):
    table = frame()
    table.loc[N_ROWS - 3 :, "kind"] = "yew"
    settings = config(tmp_path, table, "  split: ordered\n")
    with stored_tables(settings) as tables:
        dataset = divide_stored(settings, tables)
    assert "3 test cells of column 'kind' have a level that no training row has: 'yew'" in dataset.notes


def test_a_table_is_read_once(tmp_path, monkeypatch):
    settings = config(tmp_path, frame())
    assert not is_kept(settings)
    with stored_tables(settings) as tables:
        first = {name: (table.n_rows, table.notes) for name, table in tables.items()}
    assert is_kept(settings)
    monkeypatch.setattr("dlreg.table.table_cache.recognise_opening", None)
    # What only divides the rows makes no other table.
    fewer = settings.model_copy(update={"data": settings.data.model_copy(update={"test_split": 0.5})})
    with stored_tables(fewer) as tables:
        assert {name: (table.n_rows, table.notes) for name, table in tables.items()} == first
    other = settings.model_copy(update={"data": settings.data.model_copy(update={"exclude": ("x",)})})
    assert not is_kept(other)
    (tmp_path / "table.csv").write_bytes(
        (tmp_path / "table.csv").read_bytes() + b"1,oak,yes,2030-01-01 00:00,1\n"
    )
    assert not is_kept(settings)


def test_a_stored_table_is_plain_numbers_and_json(tmp_path):
    settings = config(tmp_path, frame())
    with stored_tables(settings) as tables:
        folder = tables[""].folder
        names = {entry.suffix for entry in folder.iterdir()}
        assert names == {".safetensors", ".json"}
        assert json.loads((folder / TABLE).read_text())["n_rows"] == 598
        assert sum(len(block.part.rows) for block in open_stored(folder).blocks()) == 598


def check_refused(folder, table, message, line, more=""):
    """A fault far behind the rows by which the columns are recognised, with its line; nothing is left."""
    settings = config(folder, table, more)
    with pytest.raises(DataError, match=message) as caught, stored_tables(settings):
        pass
    if line:
        assert caught.value.faults[0].line == line or f"line {line}" in str(caught.value)
    assert not any(entry.is_dir() for entry in folder_of(settings).iterdir())


def test_a_word_among_numbers_is_refused_at_its_line(tmp_path):
    table = frame().astype({"x": object})
    table.loc[550, "x"] = "abc"
    check_refused(tmp_path, table, "column 'x'.*'abc'", 552)


def test_a_word_in_the_target_is_refused_at_its_line(tmp_path):
    table = frame().astype({"y": object})
    table.loc[550, "y"] = "abc"
    check_refused(tmp_path, table, "column 'y'.*'abc'", 552)


def test_another_date_format_is_refused_at_its_line(tmp_path):
    table = frame()
    table.loc[550, "when"] = "01/02/2020"
    check_refused(tmp_path, table, "column 'when'", 552)


def test_too_many_levels_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("dlreg.table.cell_store.MAX_LEVELS", 20)
    table = frame()
    table.loc[300:, "kind"] = [f"kind {number // 5}" for number in range(300)]
    check_refused(tmp_path, table, "column 'kind' has over 20 different texts", None)


def test_the_sum_of_all_others_is_refused(tmp_path):
    table = frame().drop(columns=["kind", "is_new", "when"]).dropna()
    table["y"] = table["y"].abs().round(2)
    total = pd.DataFrame({"x": [1.0], "y": [table["y"].sum().round(2)]})
    table = pd.concat([table, total])
    check_refused(tmp_path, table, "the sum of all others", len(table) + 1)
    settings = config(tmp_path, table, "  non_data_rows: keep\n")
    with stored_tables(settings) as tables:
        assert tables[""].n_rows == len(table)


@pytest.mark.parametrize("place", [0, N_ROWS])
def test_a_first_or_last_row_that_is_the_mean_of_all_others_is_refused(tmp_path, place):
    table = frame().drop(columns=["kind", "is_new", "when"])
    table["x"] = table["x"].fillna(0)
    mean = pd.DataFrame({"x": [np.nan], "y": [table["y"].mean().round(4)]})
    table = pd.concat([table[:place], mean, table[place:]])
    check_refused(tmp_path, table, "the mean of all others.*beside empty cells", place + 2)
    # Without a gap it is as good as any other row.
    with stored_tables(config(tmp_path, table.fillna({"x": 0.5}))) as tables:
        assert tables[""].n_rows == N_ROWS - 1


def test_a_target_that_is_always_missing_is_refused(tmp_path):
    table = frame()
    table["y"] = np.nan
    check_refused(tmp_path, table, "missing in every row", None)


def test_a_target_that_does_not_vary_is_refused(tmp_path):
    table = frame()
    table["y"] = 2.0
    settings = config(tmp_path, table)
    with stored_tables(settings) as tables, pytest.raises(DataError, match="nothing to learn"):
        divide_stored(settings, tables)


@pytest.mark.parametrize("more", ["", "  split: ordered\n"])
def test_a_table_that_is_only_looked_at_is_divided_alike(tmp_path, more):
    settings = config(tmp_path, frame(), more)
    with stored_tables(settings) as tables:
        stored = divide_stored(settings, tables)
    unstored = UnstoredTable(settings, str(tmp_path / "table.csv"), recognise_opening(settings), 1000)
    dataset = divide_stored(settings, {"": unstored})
    assert (dataset.n_rows, dataset.digest, dataset.facts) == (stored.n_rows, stored.digest, stored.facts)
    assert dataset.notes == stored.notes
