"""Whether an unfinished run may go on: told from its config, its data and its versions."""

import hashlib
import json
from contextlib import nullcontext

import pytest

from dlreg.config.reading import parse_config
from dlreg.errors import DivergedError, RunDirError, UsageError
from dlreg.runs.contents import config_yaml
from dlreg.runs.directory import open_run_dir
from dlreg.runs.resuming import find_config, origin_of, read_complete, refuse_changes, threads_to_go_on_with

CONTENT = b"x,y\n1,2\n"


def config_of(folder, training="epochs: 5", threads="null"):
    text = f"data: {{path: table.csv, target: y}}\ntraining: {{{training}}}\nrun: {{threads: {threads}}}\n"
    return parse_config(text.encode(), str(folder / "config.yaml"))


def facts_of(folder, content=CONTENT, version="1.0", threads=2):
    entry = {
        "path": str(folder / "table.csv"),
        "size": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    versions = {"keras": version, "python": "3.11"}
    return {"data": {"data.path": entry}, "versions": versions, "threads": threads}


@pytest.fixture
def unfinished(tmp_path):
    (tmp_path / "table.csv").write_bytes(CONTENT)
    with open_run_dir(tmp_path / "run") as run:
        run.write("config.yaml", config_yaml(config_of(tmp_path)))
        run.write("checkpoint.safetensors", b"", hashed=False)
        run.set_status("interrupted", facts_of(tmp_path))
    return tmp_path / "run"


def test_the_origin_is_plain_json_and_the_same_with_more_epochs_or_another_python(tmp_path):
    origin = origin_of(config_of(tmp_path), facts_of(tmp_path))
    assert json.loads(json.dumps(origin)) == origin
    facts = facts_of(tmp_path)
    facts["versions"]["python"] = "3.13"
    assert origin_of(config_of(tmp_path, "epochs: 50"), facts) == origin


@pytest.mark.parametrize(
    ("training", "facts"),
    [
        ("epochs: 5, seed: 1", {}),
        ("epochs: 5", {"content": b"x,y\n1,3\n"}),
        ("epochs: 5", {"version": "2.0"}),
        ("epochs: 5", {"threads": 1}),
    ],
    ids=["config", "data", "versions", "threads"],
)
def test_another_config_table_version_or_number_of_threads_is_another_origin(tmp_path, training, facts):
    other = origin_of(config_of(tmp_path, training), facts_of(tmp_path, **facts))
    assert other != origin_of(config_of(tmp_path), facts_of(tmp_path))


def test_where_steps_depend_on_the_number_of_epochs_it_counts(tmp_path):
    few, many = (
        origin_of(config_of(tmp_path, f"schedule: cosine, epochs: {epochs}"), facts_of(tmp_path))
        for epochs in (5, 50)
    )
    assert few != many


@pytest.mark.parametrize(
    ("began", "goes_on", "is_refused"),
    [("epochs: 5", "epochs: 6", False), ("epochs: 5", "epochs: 4", True), ("epochs: 5", "epochs: auto", True),
     ("epochs: auto, refit: null", "epochs: 500, refit: null", False), ("epochs: auto", "epochs: 300", True),
     ("epochs: auto", "epochs: 500", True),
     ("epochs: auto, auto_steps: 90", "epochs: 500, auto_steps: 90", True)],
)  # fmt: skip
def test_a_run_may_go_on_for_more_epochs_than_it_began_with(tmp_path, began, goes_on, is_refused):
    (tmp_path / "table.csv").write_bytes(CONTENT)
    with open_run_dir(tmp_path / "run") as run:
        run.write("config.yaml", config_yaml(config_of(tmp_path, began)))
        run.set_status("interrupted", facts_of(tmp_path))
    expected = pytest.raises(RunDirError, match=r"training\.epochs was") if is_refused else nullcontext()
    with expected:
        refuse_changes(config_of(tmp_path, goes_on), tmp_path / "run", facts_of(tmp_path))


def test_a_run_directory_stands_for_its_config(unfinished, tmp_path):
    assert find_config(unfinished, None) == (unfinished / "config.yaml", unfinished)
    assert find_config(unfinished, unfinished) == (unfinished / "config.yaml", unfinished)
    assert find_config(tmp_path / "config.yaml", unfinished) == (tmp_path / "config.yaml", unfinished)
    with pytest.raises(UsageError, match="not both"):
        find_config(unfinished, tmp_path)
    with pytest.raises(RunDirError, match="nothing to resume"):
        find_config(tmp_path, None)


def test_an_unchanged_run_may_go_on(unfinished, tmp_path):
    with pytest.warns(UserWarning, match="as the run's config says"):
        assert read_complete(config_of(tmp_path, "epochs: 9"), unfinished) is None
    refuse_changes(config_of(tmp_path, "epochs: 9"), unfinished, facts_of(tmp_path))


def test_where_there_is_no_run_yet_nothing_is_refused(tmp_path):
    assert read_complete(config_of(tmp_path), tmp_path / "run") is None
    refuse_changes(config_of(tmp_path), tmp_path / "run", facts_of(tmp_path))
    with pytest.raises(UsageError, match="which run"):
        read_complete(config_of(tmp_path), None)


@pytest.mark.parametrize(
    ("training", "facts", "message"),
    [
        ("epochs: 4", {}, r"training\.epochs was 5, now it is 4"),
        ("epochs: 5, seed: 1", {}, r"training\.seed was 42, now it is 1"),
        ("epochs: 5", {"content": b"x,y\n1,3\n"}, "the file has changed since the run began"),
        ("epochs: 5", {"version": "2.0"}, "the run began with keras 1.0, this is 2.0"),
    ],
    ids=["fewer epochs", "a key", "data", "versions"],
)
def test_what_has_changed_is_named(unfinished, tmp_path, training, facts, message):
    with pytest.raises(RunDirError, match=message):
        refuse_changes(config_of(tmp_path, training), unfinished, facts_of(tmp_path, **facts))


@pytest.mark.filterwarnings("ignore:reading")
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "the file that the run began with is gone"),
        (b"x,y\n1,3\n", "the file has changed since the run began"),
    ],
)
def test_a_table_that_is_not_what_it_was_is_refused_before_it_is_read(unfinished, tmp_path, content, message):
    (tmp_path / "table.csv").unlink()
    if content:
        (tmp_path / "table.csv").write_bytes(content)
    with pytest.raises(RunDirError, match=message):
        read_complete(config_of(tmp_path), unfinished)


def test_a_diverged_run_would_diverge_again(tmp_path):
    with open_run_dir(tmp_path / "run") as run:
        run.set_status("failed", {"exit_code": DivergedError.exit_code})
    with pytest.raises(DivergedError, match="the run diverged"):
        read_complete(config_of(tmp_path), tmp_path / "run")


def test_of_threads_the_number_counts_and_not_who_chose_it(unfinished, tmp_path):
    chosen = config_of(tmp_path, threads=2)
    assert origin_of(chosen, facts_of(tmp_path)) == origin_of(config_of(tmp_path), facts_of(tmp_path))
    refuse_changes(chosen, unfinished, facts_of(tmp_path))
    assert threads_to_go_on_with(chosen, unfinished, 2) == 2
    with pytest.warns(UserWarning, match="going on with run.threads 2, as the run began; here it would be 8"):
        assert threads_to_go_on_with(config_of(tmp_path), unfinished, 8) == 2
    with pytest.raises(RunDirError, match=r"run\.threads was 2, now it is 3.* --set run\.threads=2"):
        threads_to_go_on_with(config_of(tmp_path, threads=3), unfinished, 3)


def test_a_run_that_has_not_begun_takes_the_threads_of_this_machine(tmp_path):
    assert threads_to_go_on_with(config_of(tmp_path), tmp_path / "run", 8) == 8
