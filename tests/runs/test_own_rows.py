"""The rows that a run was split into are read anew only while they are what they were."""

import hashlib
import json
import shutil

import numpy as np
import pandas as pd
import pytest

from dlreg.errors import RunDirError
from dlreg.runs.own_rows import measure_own_rows, read_own_rows
from dlreg.runs.reading import record_json
from dlreg.runs.trained_run import open_run


@pytest.fixture
def copy(project, tmp_path):
    """A copy of the run, of its own table."""
    shutil.copytree(project / "run", tmp_path / "run")
    shutil.copy(project / "table.csv", tmp_path)
    config = tmp_path / "run" / "config.yaml"
    config.write_text(config.read_text().replace(f"{project}/table.csv", f"{tmp_path}/table.csv"))
    return tmp_path / "run"


def reseal(path, change):
    """Changes `run.json`, and makes its hashes agree."""
    record = json.loads((path / "run.json").read_text())
    del record["sha256"]
    change(record)
    (path / "run.json").write_bytes(record_json(record))


def seal_config(path):
    """Takes the config as it stands for the one that was written."""
    content = (path / "config.yaml").read_bytes()
    entry = {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    reseal(path, lambda record: record["files"].update({"config.yaml": entry}))


def test_the_rows_are_those_of_the_split_and_the_file_is_named(project):
    run = open_run(project / "run")
    with pytest.warns(UserWarning, match=r"reading .*table\.csv, as the run's config says"):
        parts = read_own_rows(run).parts
    split = json.loads((project / "run" / "split.json").read_text())
    assert {name: part.rows.tolist() for name, part in parts.items()} == {
        name: split[name] for name in ("train", "validation", "test")
    }


@pytest.mark.filterwarnings("ignore:reading")
def test_predictions_are_those_that_were_written(project):
    sums, parts = measure_own_rows(open_run(project / "run"), keep=["test"])
    assert list(sums) == ["train", "validation", "test"]
    metrics = json.loads((project / "run" / "metrics.json").read_text())
    assert {name: part.metrics(name) for name, part in sums.items()} == {name: metrics[name] for name in sums}
    written = pd.read_csv(project / "run" / "predictions.csv")
    assert parts["test"].y_true.tolist() == written["y_true"].tolist()
    assert np.allclose(parts["test"].y_pred, written["y_pred"], rtol=1e-9)
    assert parts["test"].margins.shape == (*parts["test"].y_true.shape, 2)


@pytest.mark.filterwarnings("ignore:reading")
def test_a_table_of_another_place_may_be_read_while_it_is_the_same(copy):
    seal_config(copy)
    assert set(read_own_rows(open_run(copy)).parts) == {"train", "validation", "test"}


@pytest.mark.filterwarnings("ignore:reading")
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda path: (path.parent / "table.csv").unlink(), r"the run's data\.path is gone"),
        (
            lambda path: (path.parent / "table.csv").write_text("x,y\n1,2\n"),
            "has changed since the run was made",
        ),
        (lambda path: reseal(path, lambda record: record.pop("data")), r"says nothing of data\.path"),
    ],
    ids=["gone", "changed", "not recorded"],
)
def test_another_table_is_refused(copy, change, message):
    seal_config(copy)
    change(copy)
    with pytest.raises(RunDirError, match=message):
        read_own_rows(open_run(copy))
