"""A training is told to processes, which it never waits for, and which it does not fail with."""

import json
import os
import re
import signal
import sys
import time

import numpy as np
import pytest

from dlreg.errors import Fault, StoppedError
from dlreg.trackers import listening
from dlreg.trackers.listening import Trackers, tracking
from dlreg.trackers.told import Finish, Opening
from dlreg.training.progress import Progress

OPENING = Opening("/runs/a", "a" * 32, {}, {}, 1.0)
FINISH = Finish({}, "", [], "", {}, 2.0)


class Silent:
    def __init__(self):
        self.stages, self.epochs = [], 0

    def on_stage(self, stage):
        self.stages.append(stage)

    def on_epoch(self, progress):
        self.epochs += progress is not None


@pytest.fixture
def told(monkeypatch, tmp_path):
    """Has every tracker run some code, and returns what it has written to a file."""

    def replace(code):
        begin = listening.subprocess.Popen
        file = tmp_path / "told"
        monkeypatch.setattr(
            listening.subprocess,
            "Popen",
            lambda _, **options: begin([sys.executable, "-c", code, str(file)], **options),
        )
        return file

    return replace


COPY = "import sys; open(sys.argv[1], 'wb').write(sys.stdin.buffer.read())"


def run(trackers, n_epochs=3):
    progress = Progress(["loss"], 1, epochs=n_epochs)
    for number in range(n_epochs):
        progress.record(np.full((1, 1), float(number)))
        trackers.on_epoch(progress)


def test_every_epoch_is_told_once_and_the_other_listener_hears_all(told):
    file, listener = told(COPY), Silent()
    with tracking(["mlflow"], OPENING, listener) as trackers:
        trackers.on_stage("reading")
        run(trackers, 5)
        trackers._told -= 2
        run(trackers, 5)
        trackers.finish(FINISH)
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert [verb for verb, _ in lines] == ["open", "epochs", "epochs", "finish"]
    assert [epoch["step"] for verb, epochs in lines if verb == "epochs" for epoch in epochs] == [
        1,
        2,
        3,
        4,
        5,
    ]
    assert (listener.stages, listener.epochs) == (["reading"], 10)


@pytest.mark.parametrize(
    ("error", "status"), [(StoppedError(130, Fault("x")), "interrupted"), (ValueError("x"), "failed")]
)
def test_a_training_that_is_broken_off_is_told_so(told, error, status):
    file = told(COPY)
    with pytest.raises(type(error)), tracking(["mlflow"], OPENING, Silent()) as trackers:
        run(trackers)
        raise error
    assert file.read_text().splitlines()[-1] == f'["stop", "{status}"]'


def test_a_tracker_that_takes_nothing_holds_up_no_training(told):
    told("import time; time.sleep(60)")
    trackers = Trackers(["mlflow"], OPENING, Silent())
    began = time.monotonic()
    for _ in range(50):
        trackers._tell("epochs", ["x" * 10_000])
    assert time.monotonic() - began < 1
    trackers.stop("interrupted")
    assert time.monotonic() - began < listening.SECONDS_TO_STOP + 2
    trackers._trackers[0]._process.kill()
    trackers._trackers[0]._process.wait()


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import sys; sys.stdin.read(); print('no server\\x1b[2J', end='')", r"no server\\x1b\[2J"),
        ("raise SystemExit(3)", "its process ended"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "its process ended"),
    ],
)
def test_what_goes_wrong_with_a_tracker_is_a_note(told, code, words):
    told(code)
    with tracking(["mlflow"], OPENING, Silent()) as trackers:
        time.sleep(0.3)
        run(trackers)
        (note,) = trackers.finish(FINISH)
    assert re.fullmatch(f"mlflow does not have all of this run.*{words}", note)


def test_a_signal_from_the_terminal_is_not_for_the_trackers(told):
    told(COPY)
    trackers = Trackers(["mlflow"], OPENING, Silent())
    process = trackers._trackers[0]._process
    assert os.getsid(process.pid) == process.pid
    process.send_signal(signal.SIGKILL)
    process.communicate()


def test_without_trackers_nothing_is_started(monkeypatch):
    monkeypatch.setattr(listening.subprocess, "Popen", None)
    with tracking([], OPENING, Silent()) as trackers:
        run(trackers)
        assert trackers.finish(FINISH) == []
