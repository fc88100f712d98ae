"""What every released version has written is read by this one, to the same numbers.

`tests/corpus/add_version.py` makes the runs. A run names its table by an absolute path; where the table itself
is needed, the test works on a copy in which that path is the one of today, with hashes that agree.
"""

import json
import shutil
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import yaml
from corpus.add_version import CORPUS, HASHES, N_NEW, UNRELEASED, add_version, hash_of, runtime

from dlreg import __version__
from dlreg.config.presets import PRESETS
from dlreg.config.sections.data import SplitMethod
from dlreg.config.sections.preprocessing import NumericScaling, PreprocessingConfig
from dlreg.config.sections.training import Loss
from dlreg.files.hashing import sha256_of_file
from dlreg.runs.reading import record_json
from dlreg.runs.trained_run import open_run
from dlreg.table.columns import KINDS

FOLDERS = sorted(path.parent for path in CORPUS.glob("*/*/run"))
VERSIONS = sorted(
    {folder.parent for folder in FOLDERS},
    key=lambda folder: (
        folder.name == UNRELEASED,
        [int(part) for part in folder.name.split(".") if part.isdigit()],
    ),
)
MOST_BYTES = 2_000_000
# Of the target: differences of predictions are known as well as these are, and no better.
MAGNITUDE = 20


def name_of(folder: Path) -> str:
    return f"{folder.parent.name}/{folder.name}"


@pytest.fixture(params=FOLDERS, ids=name_of)
def old(request, tmp_path):
    """A copy of a folder of the corpus."""
    return shutil.copytree(request.param, tmp_path / "old")


def expectations(folder: Path) -> dict:
    return json.loads((folder / "expected.json").read_text(encoding="utf-8"))


@pytest.fixture
def moved(old):
    """The same, after its tables were moved to where they are now."""
    before, run = expectations(old)["folder"], old / "run"
    record = json.loads((run / "run.json").read_text(encoding="utf-8").replace(before, str(old)))
    record.pop("sha256")
    for name in ("config.yaml", "split.json"):
        (run / name).write_text(
            (run / name).read_text(encoding="utf-8").replace(before, str(old)), encoding="utf-8"
        )
        record["files"][name] = {"size": (run / name).stat().st_size, "sha256": sha256_of_file(run / name)}
    (run / "run.json").write_bytes(record_json(record))
    return old


def tolerance(expected) -> float:
    """None, where it is the same runtime on the same processor; another one rounds otherwise."""
    return 0.0 if expected["runtime"] == runtime() else 1e-6


def flat(value, name=""):
    """Numbers by dotted name, of whatever JSON holds them."""
    if isinstance(value, dict):
        return {key: leaf for part in value for key, leaf in flat(value[part], f"{name}.{part}").items()}
    return {name: value}


def assert_equal(found, expected, within):
    assert found.keys() >= expected.keys()
    for key, value in expected.items():
        assert found[key] == (
            pytest.approx(value, rel=within, abs=MAGNITUDE * within) if isinstance(value, float) else value
        ), key


def test_there_are_old_runs():
    assert len(FOLDERS) >= 16


def test_a_run_is_whole_and_predicts_new_rows_as_it_did(old, cli):
    assert cli("verify", "run", cwd=old).returncode == 0
    expected = (old / "expected.csv").read_text()
    spread = ["--spread"] if "y_spread" in expected else []
    done = cli("predict", "run", "inputs.csv", "-o", "now.csv", "--interval", "0.5", *spread, cwd=old)
    assert done.returncode == 0, done.stderr
    now = (old / "now.csv").read_text()
    within = tolerance(expectations(old))
    if not within:
        assert now == expected
    assert now.splitlines()[0] == expected.splitlines()[0]
    numbers, numbers_then = (
        np.loadtxt(text.splitlines(), delimiter=",", skiprows=1) for text in (now, expected)
    )
    assert len(numbers_then) == N_NEW and np.isfinite(numbers_then).all()
    assert numbers == pytest.approx(numbers_then, rel=within, abs=MAGNITUDE * within)


def test_it_is_measured_as_it_was_and_is_still_complete(moved, cli):
    expected = expectations(moved)
    within = tolerance(expected)
    done = cli("evaluate", "run", "--json", cwd=moved)
    assert done.returncode == 0, done.stderr
    assert_equal(flat(json.loads(done.stdout)["metrics"]), flat(expected["metrics"]), within)
    done = cli("evaluate", "run", "--data", "table.csv", "--json", cwd=moved)
    assert done.returncode == 0, done.stderr
    assert_equal(flat(json.loads(done.stdout)["metrics"]), flat(expected["metrics of the table"]), within)
    done = cli("train", "run", "--resume", "--json", cwd=moved)
    assert (done.returncode, done.stderr) == (0, "note: the run is complete already\n")
    trained = json.loads(done.stdout)["metrics"]
    recorded = json.loads((moved / "run" / "metrics.json").read_text(encoding="utf-8"))
    assert_equal(flat(trained), flat(recorded), 0)


def test_it_is_explained_drawn_and_described(moved, cli):
    expected = expectations(moved)
    done = cli("explain", "run", "--repeats", "2", "--json", "-o", "importance.svg", cwd=moved)
    assert done.returncode == 0, done.stderr
    found = {column["name"]: column for column in json.loads(done.stdout)["columns"]}
    assert_equal(
        flat(found), flat({column["name"]: column for column in expected["importances"]}), tolerance(expected)
    )
    kinds = (
        ["loss", "predictions", "residuals"]
        if (moved / "run" / "predictions.csv").stat().st_size > 20
        else ["loss"]
    )
    for kind in kinds:
        done = cli("plot", "run", "--kind", kind, "-o", f"{kind}.svg", cwd=moved)
        assert done.returncode == 0, done.stderr
    assert cli("card", "run", cwd=moved).returncode == 0
    assert cli("verify", "run", cwd=moved).returncode == 0


@pytest.mark.parametrize("old", FOLDERS[:1], indirect=True, ids=name_of)
def test_one_that_was_broken_off_goes_on_with_its_own_version_alone(moved, cli):
    record = json.loads((moved / "run" / "run.json").read_text(encoding="utf-8"))
    record.pop("sha256")
    record |= {"status": "interrupted", "versions": record["versions"] | {"dlreg": "0.0.9"}}
    (moved / "run" / "run.json").write_bytes(record_json(record))
    (moved / "run" / "checkpoint.safetensors").touch()
    done = cli("train", "run", "--resume", cwd=moved)
    assert done.returncode == 5
    assert f"the run began with dlreg 0.0.9, this is {__version__}" in done.stderr


@pytest.mark.parametrize("folder", VERSIONS, ids=lambda folder: folder.name)
def test_what_a_version_wrote_is_never_changed(folder):
    if folder.name != UNRELEASED:
        assert json.loads(HASHES.read_text())[folder.name] == hash_of(folder)
    assert sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) <= MOST_BYTES


def test_every_version_that_was_added_is_there():
    assert set(json.loads(HASHES.read_text())) == {folder.name for folder in VERSIONS} - {UNRELEASED}


def test_a_version_is_added_once():
    with pytest.raises(SystemExit, match="never changed"):
        add_version(VERSIONS[0].name, replaces=False)


def test_one_hash_tells_of_every_byte_and_name(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name / "sub").mkdir(parents=True)
        (tmp_path / name / "sub" / "file").write_text("1")
    before = hash_of(tmp_path / "a")
    assert before == hash_of(tmp_path / "b")
    (tmp_path / "b" / "sub" / "file").write_text("2")
    (tmp_path / "a" / "sub" / "file").rename(tmp_path / "a" / "sub" / "other")
    assert len({before, hash_of(tmp_path / "a"), hash_of(tmp_path / "b")}) == 3


def test_the_newest_runs_are_of_each_preset_loss_scaling_split_and_kind_of_column():
    """The first run of a kind that a config learns to ask for is added before it is released."""
    folders = [folder for folder in FOLDERS if folder.parent == VERSIONS[-1]]
    configs = [
        yaml.safe_load((folder / "run" / "config.yaml").read_text(encoding="utf-8")) for folder in folders
    ]
    preprocessing = ("numeric", "target", "missing", "categorical", "embedding")
    keys = [("training", "loss"), ("data", "split"), *(("preprocessing", key) for key in preprocessing)]
    asked = {key: {str(config[section][key]) for config in configs} for section, key in keys}
    assert {config["preset"] for config in configs} == set(PRESETS)
    assert asked["loss"] == set(get_args(Loss))
    assert asked["split"] == set(get_args(SplitMethod))
    assert asked["numeric"] == set(get_args(NumericScaling))
    for key in ("target", "missing", "categorical"):
        annotation = PreprocessingConfig.model_fields[key].annotation
        assert asked[key] >= set(get_args(annotation)) - {"error"}, key
    assert {"none", "periodic", "piecewise_linear"} <= asked["embedding"]
    runs = [open_run(folder / "run") for folder in folders]
    assert {column.kind for run in runs for column in run.columns} == set(KINDS)
    assert (
        {run.pipeline.has_residual_scale for run in runs}
        == {run.pipeline.has_spread for run in runs}
        == {True, False}
    )
