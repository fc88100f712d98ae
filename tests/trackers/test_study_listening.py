"""A search told to the process of a tracker: in order, and without a wait before its end."""

import json

import pytest

from dlreg.errors import Fault, StoppedError
from dlreg.trackers import process
from dlreg.trackers.study_listening import tracking_study
from dlreg.trackers.told import StudyFinish, StudyOpening, ToldTrial

OPENING = StudyOpening("/studies/a", "a" * 32, {}, {}, 1.0, "validation.rmse", {})
TRIAL = ToldTrial(0, "complete", {"model.dropout": 0.1}, {"validation.rmse": 3.0}, 1.0, 2.0, True)


@pytest.fixture
def told(monkeypatch):
    """What the process of a tracker is told."""
    told = []

    class Pipe:
        def __init__(self, name, what):
            self.name, self.what = name, what

        def tell(self, line):
            told.append(json.loads(line))

        def finish(self):
            return f"{self.name}: a fault"

        def stop(self):
            pass

    monkeypatch.setattr("dlreg.trackers.study_listening.TrackerProcess", Pipe)
    return told


class Recorder:
    def __init__(self):
        self.told = []

    def log_trials(self, trials):
        self.told += trials

    def finish(self, finish):
        self.told.append(finish)

    def stop(self, status):
        self.told.append(status)


def follow(monkeypatch, told):
    recorder = Recorder()
    monkeypatch.setattr(process, "open_study_tracker", lambda *_: recorder)
    process.follow("mlflow", [json.dumps(line).encode() for line in told])
    return recorder.told


def test_a_tracker_has_what_a_search_tells(monkeypatch, told):
    finish = StudyFinish({"test.rmse": 2.5}, [], 3.0)
    with tracking_study(["mlflow", "mlflow"], OPENING) as trackers:
        trackers.tell_trial(TRIAL)
        trackers.tell_trial(TRIAL._replace(number=1))
        assert trackers.finish(finish) == ["mlflow: a fault"]
    assert [verb for verb, _ in told] == ["open_study", "trials", "finish_study"]
    assert follow(monkeypatch, told) == [TRIAL, TRIAL._replace(number=1), finish]


@pytest.mark.parametrize(
    ("error", "status"), [(StoppedError(130, Fault("stopped")), "interrupted"), (ValueError(), "failed")]
)
def test_a_search_that_is_broken_off_has_an_end(monkeypatch, told, error, status):
    with pytest.raises(type(error)), tracking_study(["mlflow"], OPENING) as trackers:
        trackers.tell_trial(TRIAL)
        raise error
    assert follow(monkeypatch, told) == [TRIAL, status]
    # What was killed tells no end.
    assert follow(monkeypatch, told[:2]) == [TRIAL, "interrupted"]


def test_without_trackers_nothing_is_kept():
    with tracking_study([], OPENING) as trackers:
        trackers.tell_trial(TRIAL)
        assert trackers.finish(StudyFinish({}, [], 1.0)) == []
        assert trackers._pending == []
