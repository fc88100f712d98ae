"""When a checkpoint is written, and what is left when a training is stopped."""

import json

import numpy as np
import pytest

from dlreg.runs import checkpointing
from dlreg.runs.checkpointing import Checkpointer
from dlreg.runs.directory import open_run_dir
from dlreg.runs.interruption import Interruption
from dlreg.training.checkpoint import Checkpoint

ORIGIN = {"config": "a"}


def checkpoint_of(n_epochs, value=1.0):
    return Checkpoint({"0": np.full(3, value, np.float32)}, np.ones((n_epochs, 2, 1)))


@pytest.fixture
def clock(monkeypatch):
    """Seconds that pass only when the test says so."""
    seconds = [0.0]
    monkeypatch.setattr(checkpointing.time, "monotonic", lambda: seconds[0])
    return seconds


@pytest.fixture
def run(tmp_path):
    with open_run_dir(tmp_path / "run") as opened:
        opened.set_status("running")
        yield opened


def test_nothing_is_due_before_the_first_is_looked_for(run, clock):
    checkpointer = Checkpointer(run, ORIGIN, 9, Interruption())
    clock[0] = 1e9
    checkpointer.after_epoch(lambda: pytest.fail("was asked for a checkpoint"))


def test_checkpoints_are_written_when_they_are_due_and_read_back(run, clock):
    checkpointer, asked = Checkpointer(run, ORIGIN, 9, Interruption()), []

    def make(n_epochs):
        return lambda: asked.append(n_epochs) or checkpoint_of(n_epochs)

    assert checkpointer.load(checkpoint_of(1)) is None
    for epoch in range(1, 8):
        clock[0] += 0.4
        checkpointer.after_epoch(make(epoch))
    assert asked == [3, 6]
    read = Checkpointer(run, ORIGIN, 9, Interruption()).load(checkpoint_of(1))
    assert len(read.values) == 6


def test_a_slow_disk_is_given_one_part_in_many_of_the_time(run, clock):
    checkpointer, asked = Checkpointer(run, ORIGIN, 10**6, Interruption()), []

    def make():
        asked.append(clock[0])
        clock[0] += 2
        return checkpoint_of(1)

    checkpointer.load(checkpoint_of(1))
    for _ in range(500):
        clock[0] += 1
        checkpointer.after_epoch(make)
    assert min(np.diff(asked)) >= 2 * checkpointing.SHARE_OF_TIME


def test_a_stop_writes_the_latest_epoch_and_says_how_to_go_on(run, clock):
    checkpointer = Checkpointer(run, ORIGIN, 9, Interruption())
    checkpointer.load(checkpoint_of(1))
    checkpointer.after_epoch(lambda: checkpoint_of(1))
    checkpointer.after_epoch(lambda: checkpoint_of(2))
    stopped = checkpointer.stop(15)
    assert stopped.exit_code == 143
    assert "--resume" in str(stopped)
    assert json.loads((run.path / "run.json").read_text())["status"] == "interrupted"
    assert len(Checkpointer(run, ORIGIN, 9, Interruption()).load(checkpoint_of(1)).values) == 2


def test_numbers_that_have_overflowed_are_not_written(run, clock):
    checkpointer = Checkpointer(run, ORIGIN, 9, Interruption())
    checkpointer.load(checkpoint_of(1))
    checkpointer.after_epoch(lambda: checkpoint_of(1, np.inf))
    checkpointer.stop(2)
    assert not (run.path / "checkpoint.safetensors").exists()


def test_a_run_that_replaces_another_keeps_no_checkpoint(run, clock, tmp_path):
    run.set_status("complete")
    other = tmp_path / "other"
    with open_run_dir(other) as first:
        first.set_status("complete")
    with open_run_dir(other, overwrite=True) as second:
        checkpointer = Checkpointer(second, ORIGIN, 9, Interruption())
        checkpointer.load(checkpoint_of(1))
        checkpointer.after_epoch(lambda: checkpoint_of(1))
        assert "is unchanged" in str(checkpointer.stop(2))
        assert not list(tmp_path.rglob("checkpoint.safetensors"))


def test_a_signal_ends_the_training_after_its_epoch(run, clock):
    interruption = Interruption()
    checkpointer = Checkpointer(run, ORIGIN, 9, interruption)
    with pytest.raises(SystemExit) as ended, checkpointer.guarding_training():
        interruption.handle(15)
        checkpointer.after_epoch(lambda: checkpoint_of(1))
    assert ended.value.code == 143
