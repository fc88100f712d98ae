import sqlite3
import threading
import time
from dataclasses import replace

import pytest
from support.search_driver import EPOCHS, OWN_VALUES, SPACE, Shuffled

from dlreg.errors import RunDirError, StorageError, UsageError
from dlreg.search import database_study
from dlreg.search.driver import search
from dlreg.search.sampling import open_study
from dlreg.search.space import Choices, Range


def open_database(folder, space=SPACE, method="tpe", own_values=OWN_VALUES, seed=42):
    url = f"sqlite:///{folder}/study.db"
    return open_study(
        url, space, method, seed, 8, False, own_values=own_values, prune_epochs=EPOCHS, name="houses"
    )


def test_one_driver_finishes_as_many_trials_as_asked_for(tmp_path):
    # The other values are Optuna's, drawn anew each time; these make a trial that fails.
    own_values = OWN_VALUES | {"training.learning_rate": 0.09}

    def reopen():
        return open_database(tmp_path, own_values=own_values)

    assert search(reopen(), Shuffled(4, 1), trials=25) == "complete"
    trials = reopen().trials()
    assert [trial.number for trial, _ in trials] == list(range(25))
    assert trials[0][0].values == own_values and trials[0][1].state == "failed"
    assert all(result.number == trial.number for trial, result in trials)
    assert "complete" in {result.state for _, result in trials}
    search(reopen(), Shuffled(4, 2), trials=30)
    assert reopen().trials()[:25] == trials and len(reopen().trials()) == 30


def test_two_drivers_share_the_trials_of_a_study(tmp_path):
    open_database(tmp_path)
    told = [[], []]

    def drive(place):
        study = open_database(tmp_path)
        search(
            study,
            Shuffled(2, place, 0.02),
            trials=24,
            on_result=lambda trial, _: told[place].append(trial.number),
        )

    drivers = [threading.Thread(target=drive, args=(place,)) for place in (0, 1)]
    for driver in drivers:
        driver.start()
    for driver in drivers:
        driver.join(60)
    assert sorted(told[0] + told[1]) == list(range(24))
    assert min(map(len, told)) > 0
    assert [result.number for _, result in open_database(tmp_path).trials()] == list(range(24))


@pytest.mark.parametrize("own_values", [OWN_VALUES, OWN_VALUES | {"model.dropout": 0.9}])
def test_trials_of_a_driver_that_died_are_taken_up_again(tmp_path, monkeypatch, own_values):
    monkeypatch.setattr(database_study, "_SECONDS_BETWEEN_BEATS", 1)
    monkeypatch.setattr(database_study, "_SECONDS_UNTIL_LOST", 1)
    died = open_database(tmp_path, own_values=own_values)
    lost = [died.next_trial(12) for _ in range(3)]
    died.save()
    time.sleep(2.5)
    study = open_database(tmp_path, own_values=own_values)
    assert search(study, Shuffled(4, 1), trials=12) == "complete"
    trials = open_database(tmp_path, own_values=own_values).trials()
    assert [trial for trial, _ in trials[:3]] == lost
    assert [result.number for _, result in trials] == list(range(12))
    # Its results come too late.
    died.tell(replace(trials[0][1], value=-7.0))
    assert open_database(tmp_path, own_values=own_values).trials() == trials


def test_a_grid_is_shared_without_a_point_twice(tmp_path):
    space = {
        "model.hidden_layers": Choices(([], [32], [64, 64])),
        "training.batch_size": Range(8, 11, is_integer=True),
    }
    own_values = {"model.hidden_layers": [32], "training.batch_size": 9}
    study = open_database(tmp_path, space, "grid", own_values)
    asked = []
    while trial := study.next_trial(100):
        asked.append(trial.values)
    assert asked[0] == own_values
    assert len(asked) == 12 and len({str(values) for values in asked}) == 12


def test_what_is_wrong_with_a_database_is_told_without_its_password(tmp_path):
    arguments = (SPACE, "tpe", 42, 8, False)
    with pytest.raises(UsageError, match=r"postgresql://me:\*\*\*@host/db"):
        open_study("postgresql://me:secret@host/db", *arguments, own_values=OWN_VALUES)
    with pytest.raises(UsageError):
        open_study("no url", *arguments, own_values=OWN_VALUES)
    with pytest.raises(StorageError, match="unable to open database file"):
        open_study(f"sqlite:///{tmp_path}/none/study.db", *arguments, own_values=OWN_VALUES)
    (tmp_path / "other.db").write_bytes(b"no database" * 1000)
    with pytest.raises(StorageError, match="not a database"):
        open_study(f"sqlite:///{tmp_path}/other.db", *arguments, own_values=OWN_VALUES)


def test_a_study_of_the_same_name_is_not_gone_on_with_as_another(tmp_path):
    search(open_database(tmp_path), Shuffled(4, 1), trials=3)
    with pytest.raises(RunDirError, match="the study houses has another seed"):
        open_database(tmp_path, seed=43)


def test_nothing_is_said(tmp_path, capfd, recwarn):
    search(open_database(tmp_path), Shuffled(4, 1), trials=12)
    assert capfd.readouterr() == ("", "")
    assert not [
        note for note in recwarn.list if "optuna" in str(note.filename) or "dlreg" in str(note.filename)
    ]
    sqlite3.connect(tmp_path / "study.db").close()
