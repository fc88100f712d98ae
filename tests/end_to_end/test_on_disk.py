"""A table that is trained from disk, through the real command line: the same files, and the same promises."""

import json
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from support.command_line import run_cli
from support.configs import load as load_config

from dlreg.errors import StorageError
from dlreg.memory import Room
from dlreg.preview import memory, opening, room
from dlreg.table import stored_dataset

N_ROWS = 3000
CONFIG = """\
data: {path: table.csv, target: y, cache: kept}
model: {hidden_layers: [16, 8]}
training: {epochs: 6, batch_size: 64, learning_rate: 0.01}
"""


def make_table():
    generator = np.random.default_rng(8)
    x = generator.normal(size=N_ROWS)
    kind = generator.choice(["oak", "elm", "ash"], N_ROWS)
    day = pd.Timestamp("2021-03-01") + pd.to_timedelta(generator.integers(0, 700, N_ROWS), unit="D")
    y = 3 * x + (kind == "elm") * 2 + generator.normal(0, 0.2, N_ROWS)
    table = pd.DataFrame({"x": x.round(4), "kind": kind, "day": day.strftime("%Y-%m-%d"), "y": y.round(4)})
    table.loc[generator.random(N_ROWS) < 0.05, "x"] = np.nan
    table.loc[:1, "y"] = np.nan
    return table


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("disk")
    make_table().to_csv(folder / "table.csv", index=False)
    (folder / "config.yaml").write_text(CONFIG)
    done = run_cli("train", "config.yaml", "--run-dir", "run", "--json", cwd=folder)
    assert done.returncode == 0, done.stderr
    (folder / "summary.json").write_text(done.stdout)
    return folder


def read(folder, name, run="run"):
    return json.loads((folder / run / name).read_text())


def test_the_split_is_written_as_a_rule(folder):
    split = read(folder, "split.json")
    assert split["rule"] == {"method": "random", "seed": 42, "test_split": 0.2, "validation_split": 0.2}
    assert sum(split["rows"].values()) == N_ROWS - 2
    assert split["rows"] == read(folder, "run.json")["rows"]


def test_the_network_learns_as_well_as_in_memory(folder):
    done = run_cli(
        "train", "config.yaml", "--run-dir", "memory", "--set", "data.cache=memory", "--json", cwd=folder
    )
    in_memory = json.loads(done.stdout)["metrics"]["test"]["rmse"]
    assert read(folder, "metrics.json")["test"]["rmse"] == pytest.approx(in_memory, rel=0.15)


def test_predictions_are_those_of_the_test_rows(folder):
    predictions = pd.read_csv(folder / "run" / "predictions.csv")
    assert len(predictions) == read(folder, "split.json")["rows"]["test"]
    assert predictions["y_true"].tolist() == make_table()["y"][predictions["row"]].tolist()
    rmse = float(np.sqrt(np.mean((predictions["y_true"] - predictions["y_pred"]) ** 2)))
    assert read(folder, "metrics.json")["test"]["rmse"] == pytest.approx(rmse, rel=1e-9)


def test_evaluate_measures_the_same_and_gates(folder):
    done = run_cli("evaluate", "run", "--json", "--fail-if", "test.rmse > 100", cwd=folder)
    assert done.returncode == 0, done.stderr
    metrics = json.loads(done.stdout)["metrics"]
    written = read(folder, "metrics.json")
    assert metrics == {name: written[name] for name in metrics}
    assert run_cli("evaluate", "run", "--fail-if", "test.rmse > 0", cwd=folder).returncode == 8


def test_a_run_is_compared_with_itself(folder):
    done = run_cli("evaluate", "run", "--baseline", "run", "--max-regression", "rmse=0", cwd=folder)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", [("verify", "run"), ("explain", "run", "--json"), ("plot", "run")])
def test_other_commands_read_the_run(folder, command):
    done = run_cli(*command, cwd=folder)
    assert done.returncode == 0, done.stderr


def test_predict_needs_nothing_of_the_cache(folder):
    done = run_cli("predict", "run", "table.csv", cwd=folder, env={"XDG_CACHE_HOME": "/nowhere"})
    assert len(done.stdout.splitlines()) == N_ROWS + 1


def test_a_second_training_is_the_same_to_the_byte_and_reads_what_is_kept(folder):
    before = {entry.name: entry.stat().st_ino for entry in (folder / "kept").iterdir()}
    done = run_cli("train", "run/config.yaml", "--run-dir", "again", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert {entry.name: entry.stat().st_ino for entry in (folder / "kept").iterdir()} == before
    for name in ("metrics.json", "history.json", "pipeline.onnx", "predictions.csv", "split.json"):
        assert (folder / "again" / name).read_bytes() == (folder / "run" / name).read_bytes()
    # And without it.
    assert run_cli("cache", "--clear", "--folder", "kept", cwd=folder).returncode == 0
    assert not list((folder / "kept").iterdir())
    run_cli("train", "run/config.yaml", "--run-dir", "again", "--overwrite", cwd=folder)
    for name in ("metrics.json", "history.json", "pipeline.onnx", "predictions.csv", "split.json"):
        assert (folder / "again" / name).read_bytes() == (folder / "run" / name).read_bytes()


def test_the_kept_tables_are_listed(folder):
    run_cli("train", "config.yaml", "--run-dir", "again", "--overwrite", cwd=folder)
    listed = json.loads(run_cli("cache", "--folder", "kept", "--json", cwd=folder).stdout)
    assert [entry["kind"] for entry in listed["kept"]] == ["preprocessed rows", "cells of a table"]
    assert all(entry["bytes"] > 1000 for entry in listed["kept"])
    text = run_cli("cache", "--folder", "kept", cwd=folder).stdout
    assert [line.split()[3:] for line in text.splitlines()] == [
        ["preprocessed", "rows", "table.csv"],
        ["cells", "of", "a", "table", "table.csv"],
    ]
    assert all(len(line) <= 80 for line in text.splitlines())
    assert run_cli("cache", "--folder", "empty", cwd=folder).stdout == "nothing is kept in empty\n"


def test_a_changed_table_is_refused(tmp_path):
    table, run = tmp_path / "table.csv", tmp_path / "run"
    make_table().to_csv(table, index=False)
    (tmp_path / "config.yaml").write_text(CONFIG)
    done = run_cli("train", "config.yaml", "--run-dir", "run", "--set", "training.epochs=1", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    table.write_text(table.read_text() + "1,oak,2021-01-01,2\n")
    done = run_cli("evaluate", run, cwd=tmp_path)
    assert (done.returncode, "has changed since the run was made" in done.stderr) == (5, True)


def test_a_damaged_table_on_disk_is_refused_with_a_way_out(tmp_path):
    make_table().to_csv(tmp_path / "table.csv", index=False)
    config = load_config(tmp_path, CONFIG)
    with opening.open_dataset(config, lambda _: None):
        pass
    (block,) = (tmp_path / "kept").glob("table-*/*.safetensors")
    content = block.read_bytes()
    # Cut off, and of the same size but no such file.
    for damaged in (content[:-8], bytes(len(content))):
        block.write_bytes(damaged)
        check_damaged(config)


def check_damaged(config):
    with (
        pytest.raises(StorageError, match=r"is damaged\. Clear it with dlreg cache --clear"),
        opening.open_dataset(config, lambda _: None),
    ):
        pass


def test_damaged_preprocessed_rows_are_refused_with_a_way_out(folder):
    run_cli("train", "config.yaml", "--run-dir", "again", "--overwrite", cwd=folder)
    (rows,) = (folder / "kept").glob("rows-*/train-0.x.f32")
    rows.write_bytes(rows.read_bytes()[:-4])
    done = run_cli("train", "config.yaml", "--run-dir", "again", "--overwrite", cwd=folder)
    assert done.returncode == 6
    assert f"is damaged. Clear it with dlreg cache --clear --folder {folder / 'kept'}" in done.stderr
    assert run_cli("cache", "--clear", "--folder", "kept", cwd=folder).returncode == 0
    done = run_cli("train", "config.yaml", "--run-dir", "again", "--overwrite", cwd=folder)
    assert done.returncode == 0, done.stderr


def test_a_sample_is_said_to_be_one(tmp_path, monkeypatch):
    make_table().to_csv(tmp_path / "table.csv", index=False)
    config = load_config(tmp_path, CONFIG)
    with opening.open_dataset(config, lambda _: None) as dataset:
        assert not any("a sample" in note for note in dataset.notes)
    monkeypatch.setattr(stored_dataset, "SAMPLE_ROWS", 500)
    with opening.open_dataset(config, lambda _: None) as dataset:
        assert any("of 2,998 rows, a sample" in note for note in dataset.notes)


def test_a_disk_that_fills_up_is_named_by_its_folder_and_leaves_nothing(folder, tmp_path):
    """A limit on the size of files ends the shuffle, whose file is larger than that of any block."""
    (tmp_path / "config.yaml").write_text(CONFIG.replace("table.csv", str(folder / "table.csv")))
    limit = ["bash", "-c", 'ulimit -f 40; trap "" XFSZ; exec "$0" -m dlreg train config.yaml --run-dir run']
    done = subprocess.run([*limit, sys.executable], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 6, done.stderr
    assert "kept" in done.stderr
    assert "Traceback" not in done.stderr
    assert not [entry for entry in (tmp_path / "kept").iterdir() if entry.suffix != ".lock"]


def test_folds_that_go_forward_are_refused_with_a_way_out(folder):
    options = ("--set", "training.cross_validation=5", "--set", "data.split=ordered")
    done = run_cli("check", "config.yaml", *options, cwd=folder)
    assert done.returncode == 3
    assert "Set training.cross_validation to null, or data.cache to memory" in done.stderr + done.stdout


@pytest.fixture(scope="module")
def folded(folder):
    """A run with cross-validation and refitting, and what it said."""
    options = ("--set", "training.cross_validation=3", "--set", "training.refit.epochs_fraction=0.5")
    done = run_cli("train", "config.yaml", "--run-dir", "folded", "--json", *options, cwd=folder)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_cross_validation_predicts_every_training_row_by_members_that_left_it_out(folder, folded):
    split = read(folder, "split.json", "folded")
    n_train = split["rows"]["train"]
    assert split["rule"]["n_folds"] == 3
    assert [member["validation_fold"] for member in split["members"]] == [0, 1, 2]
    out_of_fold = pd.read_csv(folder / "folded" / "out_of_fold.csv")
    assert len(out_of_fold) == n_train
    rmse = float(np.sqrt(np.mean((out_of_fold["y_true"] - out_of_fold["y_pred"]) ** 2)))
    metrics = folded["metrics"]
    assert metrics["out_of_fold"]["rmse"] == pytest.approx(rmse, rel=1e-9)
    # As far off as for rows that nobody has seen, and no less.
    assert metrics["out_of_fold"]["rmse"] == pytest.approx(metrics["test"]["rmse"], rel=0.2)
    done = run_cli("evaluate", "folded", "--json", cwd=folder)
    assert done.returncode == 0, done.stderr
    measured = json.loads(done.stdout)["metrics"]
    assert measured == {name: metrics[name] for name in measured}
    assert "out_of_fold" in measured


def test_cross_validation_learns_as_well_as_in_memory(folder, folded):
    in_memory = run_cli(
        "train",
        "folded/config.yaml",
        "--run-dir",
        "folded memory",
        "--set",
        "data.cache=memory",
        "--json",
        cwd=folder,
    )
    metrics = json.loads(in_memory.stdout)["metrics"]
    for part in ("out_of_fold", "test"):
        assert folded["metrics"][part]["rmse"] == pytest.approx(metrics[part]["rmse"], rel=0.15)


def test_a_table_that_does_not_fit_goes_to_disk_and_says_so(tmp_path, monkeypatch):
    from support.configs import load as load_config

    from dlreg.preview import opening, room

    make_table().to_csv(tmp_path / "table.csv", index=False)
    monkeypatch.setattr(room, "SMALL", 1000)
    tight = Room("the container", "memory", 10_000_000, 20_000_000, "Raise its limit")
    monkeypatch.setattr(memory, "rooms", lambda: [tight])
    config = load_config(tmp_path, "data: {path: table.csv, target: y}\n")
    with pytest.warns(
        UserWarning,
        match=r"needs about 930 MB of memory, and the container leaves 30 MB: rows are kept on disk",
    ):
        assert opening.settle_cache(config).data.cache == "disk"
    folds = "data: {path: table.csv, target: y, split: %s}\ntraining: {cross_validation: 5}\n"
    with pytest.warns(UserWarning, match="rows are kept on disk"):
        assert opening.settle_cache(load_config(tmp_path, folds % "random")).data.cache == "disk"
    folded = load_config(tmp_path, folds % "ordered")
    with pytest.raises(StorageError, match=r"set training\.cross_validation to null to train from disk"):
        opening.settle_cache(folded)
    monkeypatch.setattr(memory, "rooms", lambda: [tight._replace(left=10**12)])
    assert opening.settle_cache(config).data.cache == "memory"


def test_a_disk_that_is_too_small_is_refused_before_anything_is_written(tmp_path, monkeypatch):
    make_table().to_csv(tmp_path / "table.csv", index=False)
    monkeypatch.setattr(room, "SMALL", 1000)
    monkeypatch.setattr(opening.shutil, "disk_usage", lambda _: SimpleNamespace(free=10))
    config = load_config(tmp_path, CONFIG)
    with (
        pytest.raises(StorageError, match="of disk, 0 MB are free"),
        opening.open_dataset(config, lambda _: None),
    ):
        pass
    assert not (tmp_path / "kept").exists()
