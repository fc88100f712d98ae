"""What may change of a study that goes on, and what may not."""

import warnings

import pytest
from support.configs import load

from dlreg.config.reading import load_config, trial_config
from dlreg.errors import RunDirError, UsageError
from dlreg.search.space import spelled_out
from dlreg.search.study_config import study_yaml
from dlreg.search.study_record import (
    MOST_CHANGES,
    StudyRecord,
    find_study,
    refuse_changes,
    refuse_study_as_config,
    resume_command,
    warn_of_versions,
    with_kept_length,
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
        "search.method=random",
        "training.clip_norm=3",
        "model.activation=tanh",
    ],
)
def test_another_search_is_refused_and_named(tmp_path, config, override):
    record = kept(tmp_path / "study", config)
    other = spelled_out(load(tmp_path, CONFIG, override), 100)
    with pytest.raises(RunDirError, match=override.partition("=")[0]):
        refuse_changes(other, tmp_path / "study", record, DATA)


def test_of_many_changes_some_are_named_and_the_way_out_once(tmp_path, config):
    record = kept(tmp_path / "study", config)
    more = [
        "model.dropout=0.3",
        "model.l2=0.1",
        "training.seed=9",
        "training.batch_size=7",
        "search.prune=true",
        "search.method=random",
        "training.clip_norm=3",
        "model.activation=tanh",
    ]
    other = spelled_out(load(tmp_path, CONFIG.replace("fast\ndata", "accurate\ndata"), *more), 100)
    with pytest.raises(RunDirError) as refused:
        refuse_changes(other, tmp_path / "study", record, {"data.path": {**DATA["data.path"], "sha256": "b"}})
    *others, last = refused.value.faults
    assert len(others) == MOST_CHANGES + 1 and others[-1].message.startswith("and ")
    assert [fault.hint for fault in others] == [None] * len(others)
    assert "--overwrite" in last.hint and "changed since the study began" in last.message


@pytest.mark.parametrize(
    ("overrides", "trials", "time_limit", "notes"),
    [
        ([], 12, None, []),
        (["search.trials=12"], 12, None, []),
        (["search.trials=30"], 30, None, ["was to have 12 trials, now it is to have 30 trials"]),
        (["search.time_limit=10m"], 12, "10m", []),
        (["search={trials: null, time_limit: 60}"], None, 60, ["now it is to have as many trials as the time lets"]),
    ],
)  # fmt: skip
def test_a_study_keeps_the_length_it_was_given_unless_another_is_given(
    tmp_path, overrides, trials, time_limit, notes
):
    bare = CONFIG.partition("search")[0]
    kept(tmp_path / "study", spelled_out(load(tmp_path, bare, "search.trials=12"), 100))
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        search = with_kept_length(load(tmp_path, bare, *overrides), tmp_path / "study").search
    assert (search.trials, search.time_limit) == (trials, time_limit)
    assert len(told) == len(notes)
    assert all(note in str(each.message) for note, each in zip(notes, told, strict=True))


def test_a_study_is_no_config_of_a_new_search(tmp_path, config):
    kept(tmp_path / "study", config)
    refuse_study_as_config(tmp_path / "study")
    (tmp_path / "study" / "study.json").write_text('{"schema_version": 1, "status": "running"}')
    with pytest.raises(UsageError, match=r"this is a study.* dlreg tune .*/study --resume"):
        refuse_study_as_config(tmp_path / "study")


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
    with pytest.raises(RunDirError, match="there is no such study"):
        find_study(tmp_path / "studies" / "nope", None)
    (tmp_path / "empty").mkdir()
    with pytest.raises(RunDirError, match="nothing to resume"):
        find_study(tmp_path / "empty", None)
    (tmp_path / "study" / "config.yaml").write_text("data: [")
    with pytest.raises(RunDirError):
        find_study(tmp_path / "study", None)


def test_the_command_to_go_on_can_be_pasted(tmp_path):
    command = resume_command(tmp_path / "my study", ["--engine", "ray"])
    assert command == f"dlreg tune '{tmp_path}/my study' --resume --engine ray"
