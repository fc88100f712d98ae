"""What is written into the files of a run directory is what is read of them."""

import json

import numpy as np
import pytest
from support.runs import complete_run

from dlreg.config.reading import parse_config
from dlreg.config.sections.data import DataConfig
from dlreg.errors import RunDirError
from dlreg.evaluation.calibration import Calibration
from dlreg.evaluation.intervals import Intervals
from dlreg.runs import contents
from dlreg.runs.reading import read_record
from dlreg.table.parts import Dataset, Part
from dlreg.table.splits import leaving_out
from dlreg.training.members import Member


def run_of(path, name, content, **facts):
    path = complete_run(path / "run", {name: content}, **facts)
    return path, read_record(path)


def test_the_config_is_read_back(tmp_path):
    config = parse_config(b"data: {path: table.csv, target: y}\n", str(tmp_path / "config.yaml"))
    path, record = run_of(tmp_path, "config.yaml", contents.config_yaml(config))
    assert contents.read_config(path, record) == config
    assert contents.read_unfinished_config(path) == config


def test_a_faulty_config_is_the_directorys_fault(tmp_path):
    path, record = run_of(tmp_path, "config.yaml", b"data: {path: table.csv}\n")
    for read in (lambda: contents.read_config(path, record), lambda: contents.read_unfinished_config(path)):
        with pytest.raises(RunDirError, match=r"config\.yaml"):
            read()


def test_history_holds_null_for_what_is_not_finite():
    content = contents.history_json({"loss": [1.5, float("inf")], "mae": [2.0, float("nan")]})
    assert json.loads(content) == {"loss": [1.5, None], "mae": [2.0, None]}


def test_history_tells_members_apart_where_there_are_several():
    history, member = {"loss": [1.0]}, {"loss": [2.0]}
    assert json.loads(contents.history_json(history, [member])) == history
    several = json.loads(contents.history_json(history, [member, member], refit={"loss": []}))
    assert several == {"loss": [1.0], "members": [member, member], "refit": {"loss": []}}


def test_history_is_a_table_of_epochs_too():
    history = {"loss": [1.5, float("inf"), 0.1], "val_loss": [2.0, float("nan"), 1e-7]}
    text = contents.history_csv(history).decode()
    assert text == "epoch,loss,val_loss\n1,1.5,2.0\n2,,\n3,0.1,1e-07\n"


def test_history_is_read_back(tmp_path):
    history = {"loss": [3.0, 2.0], "val_loss": [4.0, 3.5], "mae": [1.0, 1.0]}
    path, record = run_of(tmp_path, "history.json", contents.history_json(history), best_epoch=2)
    assert contents.read_history(path, record) == history


def test_a_best_epoch_beyond_the_history_is_refused(tmp_path):
    path, record = run_of(tmp_path, "history.json", contents.history_json({"loss": [1.0]}), best_epoch=2)
    with pytest.raises(RunDirError, match="does not fit"):
        contents.read_history(path, record)


def test_intervals_are_read_back(tmp_path):
    calibration = Calibration(Intervals(3, np.array([0.5, 1.0, 2.0])), None, None)
    path, record = run_of(tmp_path, "intervals.json", contents.intervals_json(calibration, "validation"))
    intervals = contents.read_intervals(path, record)
    assert intervals
    assert (intervals.calibrated_on, intervals.rows, intervals.scale) == ("validation", 3, "constant")
    assert intervals.scores == [0.5, 1.0, 2.0]


def test_a_run_of_before_there_were_intervals_has_none(tmp_path):
    assert contents.read_intervals(*run_of(tmp_path, "metrics.json", b"{}\n")) is None


DATA = DataConfig(path="table.csv", target="y")


def dataset_of(folds=()):
    def part(*rows):
        return Part(np.array(rows, dtype=np.int32), {}, np.zeros(len(rows)))

    return Dataset((), {"train": part(0, 3, 4), "validation": part(1), "test": part(2)}, (), folds)


def test_the_split_names_every_row():
    split = json.loads(contents.split_json(dataset_of(), DATA))
    assert split == {"train": [0, 3, 4], "validation": [1], "test": [2], "test_path": None}


def test_the_split_names_the_rows_of_each_fold_and_the_fold_of_each_member(tmp_path):
    folds = leaving_out([np.array([1]), np.array([0, 2])])
    members = [Member(0, "none", 0), Member(0, "none", 1)]
    split = json.loads(
        contents.split_json(
            dataset_of(folds), DATA.model_copy(update={"test_path": tmp_path / "시험.csv"}), members
        )
    )
    assert split["test_path"] == str(tmp_path / "시험.csv")
    assert split["folds"] == [[3], [0, 4]]
    assert [member["validation_fold"] for member in split["members"]] == [0, 1]


def test_blocks_of_rows_change_nothing_in_the_split(monkeypatch):
    whole = contents.split_json(dataset_of(), DATA)
    monkeypatch.setattr(contents, "ROWS_PER_BLOCK", 2)
    assert contents.split_json(dataset_of(), DATA) == whole


def test_another_split_is_refused(tmp_path):
    content = contents.split_json(dataset_of(), DATA)
    path, record = run_of(tmp_path, "split.json", content)
    contents.check_split(path, record, content, 5)
    with pytest.raises(RunDirError, match="the split differs"):
        contents.check_split(path, record, content + b" ", 5)
