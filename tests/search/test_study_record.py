"""What may change of a study that goes on, and what may not."""

import pytest
from support.configs import load

from dlreg.config.reading import load_config, trial_config
from dlreg.errors import RunDirError, UsageError
from dlreg.search.space import spelled_out
from dlreg.search.study_config import study_yaml
from dlreg.search.study_record import (
    StudyRecord,
    find_study,
    refuse_changes,
    resume_command,
    warn_of_versions,
)

CONFIG = """\
preset: fast
data: {path: table.csv, target: "2020"}
search: {trials: 5, parameters: {preset: {values: [fast, accurate]}, training.learning_rate: {min: 1e-4, max: 0.1}}}
"""
DATA = {"data.path": {"path": "/table.csv", "size": 3, "sha256": "a" * 64}}


def kept(folder, config):
    folder.mkdir(exist_ok=True)
    (folder / "config.yaml").write_bytes(study_yaml(config))
    return StudyRecord(schema_version=1, status="interrupted", data=DATA, versions={"keras": "3.1"})


@pytest.fixture
def config(tmp_path):
    return spelled_out(load(tmp_path, CONFIG), 100)


def test_the_config_of_a_study_is_read_back_as_it_was_given(tmp_path, config):
    kept(tmp_path / "study", config)
    again = load_config(tmp_path / "study" / "config.yaml")
    assert again == config
    assert again.data.target == "2020"
    for values in ({}, {"preset": "accurate"}, {"preset": "accurate", "training.learning_rate": 0.5}):
        assert trial_config(again, values) == trial_config(config, values)
    # Else another preset would change nothing.
    assert trial_config(again, {"preset": "accurate"}).model != trial_config(again, {}).model


def test_more_trials_and_another_time_are_no_change(tmp_path, config):
    record = kept(tmp_path / "study", config)
    more = spelled_out(
        load(
            tmp_path,
            CONFIG,
            "search.trials=50",
            "search.time_limit=10m",
            "run.log=[mlflow]",
            "gates=[rmse>3]",
        ),
        100,
    )
    refuse_changes(more, tmp_path / "study", record, DATA)


@pytest.mark.parametrize(
    "override",
    [
        "training.epochs=7",
        "search.method=random",
        "search.metric=out_of_fold.mae",
        "search.parameters.training.learning_rate.max=0.2",
        "training.seed=1",
        "search.prune=true",
    ],
)
def test_another_search_is_refused_and_named(tmp_path, config, override):
    record = kept(tmp_path / "study", config)
    other = spelled_out(load(tmp_path, CONFIG, override), 100)
    with pytest.raises(RunDirError, match=override.partition("=")[0]):
        refuse_changes(other, tmp_path / "study", record, DATA)


def test_another_table_is_refused(tmp_path, config):
    record = kept(tmp_path / "study", config)
    changed = {"data.path": {**DATA["data.path"], "sha256": "b" * 64}}
    with pytest.raises(RunDirError, match="changed since the study began"):
        refuse_changes(config, tmp_path / "study", record, changed)


def test_other_versions_are_told(tmp_path, config):
    record = kept(tmp_path / "study", config)
    warn_of_versions(record, {"keras": "3.1", "numpy": "2"})
    with pytest.warns(UserWarning, match=r"keras 3\.1, now 3\.2"):
        warn_of_versions(record, {"keras": "3.2"})


def test_a_study_is_found_by_its_directory_or_beside_its_config(tmp_path, config):
    kept(tmp_path / "study", config)
    (tmp_path / "study" / "study.json").write_text('{"schema_version": 1, "status": "running"}')
    source = tmp_path / "my.yaml"
    assert find_study(source, tmp_path / "study") == (source, tmp_path / "study")
    assert find_study(tmp_path / "study", None) == (tmp_path / "study" / "config.yaml", tmp_path / "study")
    for study, path in ((source, None), (tmp_path / "study", tmp_path / "other")):
        with pytest.raises(UsageError):
            find_study(study, path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(RunDirError, match="nothing to resume"):
        find_study(tmp_path / "empty", None)
    (tmp_path / "study" / "config.yaml").write_text("data: [")
    with pytest.raises(RunDirError):
        find_study(tmp_path / "study", None)


def test_the_command_to_go_on_can_be_pasted(tmp_path):
    command = resume_command(tmp_path / "my study", ["--engine", "ray"])
    assert command == f"dlreg tune '{tmp_path}/my study' --resume --engine ray"
