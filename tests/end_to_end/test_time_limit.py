"""A training that is given a time chooses how large it is, and writes down what it chose."""

import json

import pytest
import yaml
from support.tables import make_table

CONFIG = """\
data: {path: table.csv, target: 소요 시간, exclude: [id], dates: {day: "%d/%m/%Y"}}
model: {hidden_layers: [4], ensemble: 2}
training: {epochs: 5, time_limit: 30s}
"""
FILES = ("pipeline.onnx", "history.json", "predictions.csv", "config.yaml")


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    folder = tmp_path_factory.mktemp("limited")
    make_table().to_csv(folder / "table.csv", index=False)
    (folder / "config.yaml").write_text(CONFIG, encoding="utf-8")
    return folder


def keys_of(run):
    config = yaml.safe_load((run / "config.yaml").read_text())
    training = config["training"]
    return training["epochs"], config["model"]["ensemble"], training["time_limit"], config["run"]["threads"]


@pytest.fixture(scope="module")
def limited(work, forks):
    done = forks.run("train", "config.yaml", "--run-dir", "limited", "--json", cwd=work)
    assert done.returncode == 0, done.stderr
    return work / "limited", json.loads(done.stdout)


def test_epochs_and_members_are_chosen_by_the_time_and_told(limited):
    run, summary = limited
    epochs, ensemble, time_limit, threads = keys_of(run)
    # Half a minute is far more than four times the epochs of eight times the members take.
    assert (epochs, ensemble, time_limit) == (20, 16, None)
    assert threads >= 1
    assert summary["epochs"] == 20
    (note,) = [note for note in summary["notes"] if "time_limit" in note]
    assert note.startswith(
        "training.time_limit 30s: training.epochs 20 and model.ensemble 16, as an epoch takes "
    )
    assert summary["seconds"] < 30


def test_training_from_what_was_chosen_is_the_same_run(work, limited, forks):
    done = forks.run("train", limited[0] / "config.yaml", "--run-dir", "again", cwd=work)
    assert done.returncode == 0, done.stderr
    for name in FILES:
        assert (work / "again" / name).read_bytes() == (limited[0] / name).read_bytes(), name


def test_a_complete_run_is_complete_for_the_config_with_the_limit_too(work, limited, cli):
    done = cli("train", "config.yaml", "--run-dir", limited[0], "--resume", cwd=work)
    assert done.returncode == 0, done.stderr
    done = cli(
        "train", "config.yaml", "--run-dir", limited[0], "--resume", "--set", "training.seed=3", cwd=work
    )
    assert (done.returncode, "training.seed was 42, now it is 3" in done.stderr) == (5, True)
    assert "epochs" not in done.stderr
    again = cli(
        "train", "config.yaml", "--run-dir", limited[0], "--resume", "--set", "run.threads=64", cwd=work
    )
    assert (again.returncode, "now it is 64" in again.stderr) == (5, True)


def test_a_time_that_is_too_short_is_one_epoch_and_no_fault(work, forks):
    done = forks.run(
        "train", "config.yaml", "--run-dir", "short", "--set", "training.time_limit=0.5", cwd=work
    )
    assert done.returncode == 0, done.stderr
    assert keys_of(work / "short")[:3] == (1, 2, None)
    assert "training.time_limit 0.5: training.epochs 1 and model.ensemble 2, as an epoch takes" in done.stderr
    long = ("--set", "training.epochs=50", "--set", "training.time_limit=0.5")
    done = forks.run("train", "config.yaml", "--run-dir", "shorter", *long, cwd=work)
    assert "Without a limit there would be 50: so few learn little" in " ".join(done.stderr.split())


def test_check_says_that_the_size_is_not_settled(work, cli):
    done = cli("check", "config.yaml", cwd=work)
    assert "time limit  30s: epochs and members are chosen by it" in done.stdout
    assert (
        json.loads(cli("check", "config.yaml", "--format", "json", cwd=work).stdout)["plan"]["time_limit"]
        == "30s"
    )


@pytest.mark.parametrize(
    ("command", "fragment"),
    [
        (("train", "config.yaml", "--set", "data.cache=disk"), "trained from disk"),
        (("tune", "config.yaml", "--trials", "2"), "a search has search.time_limit"),
        (("train", "config.yaml", "--set", "training.time_limit=soon"), "must be a time such as 90s"),
        (("train", "config.yaml", "--set", "training.time_limit=0"), "training.time_limit"),
    ],
    ids=["disk", "tune", "no time", "nothing"],
)
def test_where_a_limit_cannot_hold_it_is_refused(work, cli, command, fragment):
    done = cli(*command, cwd=work)
    assert done.returncode == 3, done.stderr
    assert fragment in done.stderr
    assert "time_limit" in done.stderr
