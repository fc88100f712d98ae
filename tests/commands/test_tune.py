"""A search from its config to its directory, with an engine that trains nothing: what is kept, and refused."""

import json
import signal
import warnings
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from support.configs import load

from dlreg.commands import tune_finish
from dlreg.commands.tune import tune
from dlreg.commands.tune_search import Execution
from dlreg.config.reading import load_config, trial_config
from dlreg.errors import (
    ClusterError,
    ConfigError,
    DivergedError,
    RunDirError,
    StoppedError,
    StorageError,
    UsageError,
)
from dlreg.runs.interruption import Interruption
from dlreg.search.trials import TrialResult

CONFIG = """\
data: {path: table.csv, target: y}
search:
  trials: 12
  parameters: {training.learning_rate: {min: 1e-4, max: 0.1}, model.dropout: {values: [0.0, 0.1, 0.2]}}
"""


class Listener:
    def __init__(self):
        self.stages, self.searched = [], []

    def on_stage(self, stage):
        self.stages.append(stage)

    def on_epoch(self, progress):
        raise AssertionError(f"nothing is trained: {progress}")

    def on_search(self, progress):
        self.searched.append(progress)


class Engine:
    """Results of a formula, the last submitted first."""

    n_jobs = 2

    def __init__(self, outcome):
        self.outcome, self.waiting, self.ran = outcome, [], []

    def submit(self, trial):
        self.waiting.append(trial)

    def wait(self, seconds):
        assert seconds > 0
        trial = self.waiting.pop()
        self.ran.append(trial.number)
        return [self.outcome(trial)]


def outcome(trial):
    if trial.number in (3, 4):
        return TrialResult(trial.number, "failed", message="the loss is not finite")
    value = 1 + abs(trial.values["training.learning_rate"] - 0.03) + trial.values["model.dropout"]
    return TrialResult(trial.number, "complete", value, {"validation": {"rmse": value}}, 9, 4, seconds=0.5)


@pytest.fixture
def config(tmp_path):
    draw = np.random.default_rng(0)
    pd.DataFrame({"x": draw.random(60), "y": draw.random(60)}).to_csv(tmp_path / "table.csv", index=False)
    return load(tmp_path, CONFIG)


@pytest.fixture
def trained(monkeypatch):
    """Which configs are trained to runs, in place of a training; and no runs are compared."""
    configs = {}

    def train_run(config, path, *_):
        path.mkdir(exist_ok=True)
        configs[path.name] = config
        value = outcome_of(config)
        return {"metrics": {"validation": {"n": 12, "rmse": value}, "test": None}}, ["a note of the training"]

    def outcome_of(config):
        return 1 + abs(config.training.learning_rate - 0.03) + config.model.dropout

    monkeypatch.setattr(tune_finish, "train_run", train_run)
    monkeypatch.setattr(tune_finish, "measure_gain", lambda *_: (None, None))
    return configs


@pytest.fixture
def engine(monkeypatch):
    engine = Engine(outcome)

    @contextmanager
    def opened(*_):
        yield engine
        engine.waiting.clear()

    monkeypatch.setattr("dlreg.commands.tune_search._open_engine", opened)
    return engine


def search(config, path, *, interruption=None, listener=None, overwrite=False, resume=False):
    with warnings.catch_warnings(record=True) as notes:
        warnings.simplefilter("always")
        summary = tune(
            config,
            path,
            name="my",
            overwrite=overwrite,
            resume=resume,
            execution=Execution(n_jobs=2),
            interruption=interruption or Interruption(),
            listener=listener or Listener(),
        )
    return summary, [str(note.message) for note in notes]


def record_of(path):
    return json.loads((path / "study.json").read_text())


@pytest.mark.usefixtures("engine")
def test_a_study_keeps_its_trials_its_best_config_and_what_it_found(tmp_path, config, trained):
    listener = Listener()
    summary, notes = search(config, tmp_path / "study", listener=listener)
    names = {entry.name for entry in (tmp_path / "study").iterdir()}
    assert names == {
        "study.json", "config.yaml", "journal.log", "trials.csv", "search.png", "best.yaml", "best", "plain",
    }  # fmt: skip
    table = pd.read_csv(tmp_path / "study" / "trials.csv")
    assert table["number"].tolist() == list(range(12))
    best = table.loc[table["value"].idxmin()]
    assert summary.best.number == best["number"] != 0
    assert trained["best"].training == trial_config(config, summary.best.values).training
    assert trained["best"].model.dropout == summary.best.values["model.dropout"]
    assert trained["best"] == load_config(tmp_path / "study" / "best.yaml")
    assert (trained["plain"].training, trained["plain"].model) == (config.training, config.model)
    assert "search" not in (tmp_path / "study" / "best.yaml").read_text()
    record = record_of(tmp_path / "study")
    assert record["status"] == "complete"
    assert record["trials"] == {"finished": 12, "complete": 10, "pruned": 0, "failed": 2}
    assert record["failures"] == [{"message": "the loss is not finite", "count": 2, "number": 3}]
    assert record["best"]["value"] == best["value"]
    assert record["best"]["values"]["training.learning_rate"] == best["training.learning_rate"]
    assert record["plain"]["number"] == 0
    assert {"versions", "machine", "data", "window", "engine", "seconds", "started", "finished"} <= set(
        record
    )
    told, path = json.loads(json.dumps(summary.as_json())), str(tmp_path / "study")
    assert (told["study_dir"], told["best_config"]) == (path, f"{path}/best.yaml")
    assert [told[name]["run_dir"] for name in ("best", "plain")] == [f"{path}/best", f"{path}/plain"]
    # A study may be moved.
    assert path not in (tmp_path / "study" / "study.json").read_text().partition('"failures"')[2]
    for name in ("best", "plain"):
        assert {**told[name], "run_dir": name} == record[name]
    others = told.keys() - {"study_dir", "best_config", "best", "plain"}
    assert {key: told[key] for key in others} == {key: record[key] for key in others}
    # The config's own values and the best one warn of the same.
    assert notes.count("a note of the training") == 1
    assert [progress.finished for progress in listener.searched] == list(range(1, 13))
    assert listener.searched[-1].best[0].trial.number == summary.best.number


@pytest.mark.usefixtures("trained")
def test_a_study_that_a_signal_breaks_off_goes_on_to_the_same_end(tmp_path, config, engine):
    search(config, tmp_path / "whole")
    interruption = Interruption()

    class Interrupting(Listener):
        def on_search(self, progress):
            super().on_search(progress)
            if progress.finished == 5:
                interruption.handle(signal.SIGTERM)

    engine.ran.clear()
    with pytest.raises(StoppedError, match=r"dlreg tune .*broken --resume --jobs 2") as stopped:
        search(config, tmp_path / "broken", interruption=interruption, listener=Interrupting())
    assert stopped.value.exit_code == 143
    assert record_of(tmp_path / "broken")["status"] == "interrupted"
    assert len(pd.read_csv(tmp_path / "broken" / "trials.csv")) == 5
    assert not (tmp_path / "broken" / "best.yaml").exists()
    search(load_config(tmp_path / "broken" / "config.yaml"), tmp_path / "broken", resume=True)
    assert sorted(engine.ran) == list(range(12))
    for name in ("trials.csv", "best.yaml", "search.png"):
        assert (tmp_path / "broken" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


@pytest.mark.usefixtures("trained")
def test_a_complete_study_is_told_again_or_given_more_trials(tmp_path, config, engine):
    first, _ = search(config, tmp_path / "study")
    engine.ran.clear()
    again, notes = search(config, tmp_path / "study", resume=True)
    assert engine.ran == [] and "the search is complete already" in notes
    assert again.best == first.best
    more = load(tmp_path, CONFIG, "search.trials=15")
    search(more, tmp_path / "study", resume=True)
    assert sorted(engine.ran) == [12, 13, 14]
    assert load_config(tmp_path / "study" / "config.yaml").search.trials == 15


@pytest.mark.usefixtures("trained")
@pytest.mark.parametrize("storage", [None, "sqlite"])
def test_a_study_under_cross_validation_goes_on_although_no_rows_are_left_for_validation(
    tmp_path, config, engine, storage
):
    keys = ["training.cross_validation=2", "search.trials=2"]
    keys += [f"search.storage=sqlite:///{tmp_path}/studies.db"] if storage else []
    engine.outcome = lambda trial: replace(
        outcome(trial), metrics={"validation": None, "out_of_fold": {"rmse": outcome(trial).value}}
    )
    search(load(tmp_path, CONFIG, *keys), tmp_path / "study")
    keys[1] = "search.trials=3"
    # Another number of trials is no other search.
    search(load(tmp_path, CONFIG, *keys), tmp_path / "study", resume=True)
    assert sorted(engine.ran) == [0, 1, 2]


@pytest.mark.usefixtures("trained")
def test_a_study_that_goes_on_by_its_config_keeps_the_trials_it_was_given(tmp_path, config, engine):
    _, notes = search(config, tmp_path / "study", resume=True)
    assert f"{tmp_path / 'study'}: there is no study yet, it begins" in notes
    bare = CONFIG.replace("  trials: 12\n", "")
    _, notes = search(load(tmp_path, bare), tmp_path / "study", resume=True)
    assert sorted(engine.ran) == list(range(12)) and "the search is complete already" in notes
    _, notes = search(load(tmp_path, bare, "search.trials=3"), tmp_path / "study", resume=True)
    assert "12 trials are done and 3 are asked for: nothing is left to do" in notes
    assert len(engine.ran) == 12


@pytest.mark.usefixtures("trained")
def test_another_search_or_table_is_refused_and_the_study_stays(tmp_path, config, engine):
    search(config, tmp_path / "study")
    before = record_of(tmp_path / "study")
    engine.ran.clear()
    other = load(tmp_path, CONFIG.replace("0.1, 0.2", "0.1, 0.3"))
    with pytest.raises(RunDirError, match=r"search\.parameters\.model\.dropout"):
        search(other, tmp_path / "study", resume=True)
    with pytest.raises(StorageError, match="not empty"):
        search(config, tmp_path / "study")
    with (tmp_path / "table.csv").open("a") as file:
        file.write("0.1,0.2\n")
    with pytest.raises(RunDirError, match="changed since the study began"):
        search(config, tmp_path / "study", resume=True)
    assert (engine.ran, record_of(tmp_path / "study")) == ([], before)
    search(other, tmp_path / "study", overwrite=True)
    assert len(engine.ran) == 12


@pytest.mark.usefixtures("trained")
def test_where_the_config_is_best_as_it_is_it_is_trained_once(tmp_path, config, engine, trained):
    engine.outcome = lambda trial: TrialResult(trial.number, "complete", 1.0 + trial.number, {}, 1, 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        summary, _ = search(config, tmp_path / "study")
    assert set(trained) == {"best"}
    assert summary.best.number == 0 and summary.plain.run_dir == summary.best.run_dir


@pytest.mark.parametrize(
    ("keys", "kept"), [("", 0), ("  parameters: {model.dropout: {values: [0.0, 0.1]}}\n", 1)]
)
def test_in_a_space_of_dlregs_own_few_rows_keep_the_own_values_also_when_it_goes_on(
    tmp_path, config, engine, trained, keys, kept
):
    config = load(tmp_path, "data: {path: table.csv, target: y}\nsearch:\n  trials: 2\n" + keys)

    def outcome(trial):
        value, interval = (1.0, (0.7, 1.3)) if trial.number == 0 else (0.8, None)
        metrics = {"validation": {"rmse": value}}
        return TrialResult(trial.number, "complete", value, metrics, 1, 1, interval=interval)

    engine.outcome = outcome
    summary, _ = search(config, tmp_path / "study")
    assert summary.best.number == kept
    passed_over = record_of(tmp_path / "study")["passed_over"]
    assert (passed_over and passed_over["number"]) == (None if kept else 1)
    assert set(trained) == ({"best", "plain"} if kept else {"best"})
    if not kept:
        assert (trained["best"].training, trained["best"].model) == (config.training, config.model)
    again, _ = search(config, tmp_path / "study", resume=True)
    assert (again.best.number, again.passed_over) == (kept, summary.passed_over)


def test_a_run_that_is_not_what_its_trial_was_is_told(tmp_path, config, engine, trained):
    engine.outcome = lambda trial: TrialResult(trial.number, "complete", 0.5, {}, 1, 1)
    _, notes = search(config, tmp_path / "study")
    assert [note for note in notes if "in trial 0 it was 0.5" in note]
    assert set(trained) == {"best"}


@pytest.mark.usefixtures("trained")
def test_without_a_trial_trained_to_its_end_there_is_no_best_config(tmp_path, config, engine):
    engine.outcome = lambda trial: TrialResult(trial.number, "failed", message="the loss is not finite")
    with pytest.raises(DivergedError, match="no trial was trained to its end: the loss is not finite"):
        search(config, tmp_path / "study")
    record = record_of(tmp_path / "study")
    assert (record["status"], record["exit_code"], record["trials"]["failed"]) == ("failed", 7, 12)
    assert (tmp_path / "study" / "search.png").exists()


@pytest.mark.usefixtures("trained")
def test_a_cluster_that_is_lost_leaves_a_study_to_go_on_with(tmp_path, config, engine):
    def lose(trial):
        if len(engine.ran) > 4:
            raise ClusterError("workers are lost")
        return outcome(trial)

    engine.outcome = lose
    with pytest.raises(ClusterError):
        search(config, tmp_path / "study")
    assert record_of(tmp_path / "study")["exit_code"] == 75
    engine.outcome = outcome
    assert search(config, tmp_path / "study", resume=True)[0].counts["finished"] == 12


@pytest.mark.usefixtures("trained", "engine")
def test_studies_are_numbered_in_a_folder_of_their_own(tmp_path, config, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert [search(config, None)[0].study_dir for _ in range(2)] == ["studies/my-1", "studies/my-2"]


def test_a_search_that_could_not_begin_leaves_no_number_behind(tmp_path, config, monkeypatch):
    @contextmanager
    def opened(*_):
        raise ClusterError("no cluster there")
        yield

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("dlreg.commands.tune_search._open_engine", opened)
    for path in (None, tmp_path / "study"):
        with pytest.raises(ClusterError):
            search(config, path)
    assert list((tmp_path / "studies").iterdir()) == []
    # A directory that somebody named may be gone on with by that name.
    assert record_of(tmp_path / "study")["exit_code"] == 75


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize(
    ("override", "error", "message"),
    [
        ("data.path=-", ConfigError, "standard input can be read once"),
        ("data.cache=disk", StorageError, r"train STUDY/best\.yaml --data"),
    ],
)
def test_a_table_that_cannot_be_searched_is_refused_with_a_way_out(
    tmp_path, config, override, error, message
):
    assert config
    with pytest.raises(error, match=message):
        search(load(tmp_path, CONFIG, override), tmp_path / "study")
    assert not (tmp_path / "study").exists()


def test_a_library_that_lacks_is_said_before_anything_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr("dlreg.trackers.libraries.find_spec", lambda _: None)
    with pytest.raises(UsageError, match="mlflow"):
        search(load(tmp_path, CONFIG, "run.log=[mlflow]"), tmp_path / "study")
