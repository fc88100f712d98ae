"""The process of a tracker: what it is told, in order, and what it does when it is told no more."""

import json

import pytest

from dlreg.trackers import process
from dlreg.trackers.told import Epoch

OPEN = ["open", {"path": "/runs/a", "tracking_id": "a", "parameters": {}, "tags": {}, "started": 1.0}]
EPOCHS = ["epochs", [{"step": 1, "time": 2.0, "values": {"loss": 3.0}}]]
FINISH = [
    "finish",
    {"metrics": {}, "figures": "", "files": [], "pipeline": "", "example": {}, "finished": 2.0},
]


class Recorder:
    def __init__(self):
        self.told = []

    def log_epochs(self, epochs):
        self.told.append(epochs)

    def finish(self, finish):
        self.told.append("finish" if finish.figures == "" else finish)

    def stop(self, status):
        self.told.append(status)


def follow(monkeypatch, *told):
    recorder = Recorder()
    monkeypatch.setattr(process, "open_tracker", lambda *_: recorder)
    process.follow("tensorboard", [json.dumps(line).encode() for line in told])
    return recorder.told


@pytest.mark.parametrize(
    ("last", "end"),
    [
        ([FINISH], "finish"),
        ([["stop", "failed"]], "failed"),
        ([], "interrupted"),
        ([FINISH, EPOCHS], "finish"),
    ],
)
def test_a_run_has_one_end_and_is_interrupted_where_none_is_told(monkeypatch, last, end):
    assert follow(monkeypatch, OPEN, EPOCHS, *last) == [[Epoch(1, 2.0, {"loss": 3.0})], end]


def test_nothing_is_kept_of_what_never_began(monkeypatch):
    assert follow(monkeypatch) == []
