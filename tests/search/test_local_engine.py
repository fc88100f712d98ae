"""Warm processes on this machine: what is lost is tried again, and nothing is left behind."""

import multiprocessing
import os
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from support.trial_workers import die, die_once, fail, grow, nothing, open_runner, sleep

from dlreg.search.local_engine import local_engine
from dlreg.search.packed_rows import PackedRows
from dlreg.search.trials import Trial

ROWS = PackedRows((), None, 0, {}, {"train.y_true": np.arange(5.0)})


def results_of(behaviour, n_trials, tmp_path, n_jobs=2):
    results = []
    with local_engine(partial(open_runner, behaviour=behaviour), ROWS, n_jobs, tmp_path) as engine:
        for number in range(n_trials):
            engine.submit(Trial(number, {}))
        while len(results) < n_trials:
            results += engine.wait(5)
    return sorted(results, key=lambda result: result.number)


def processes_of_a_search():
    """Those that this process has started by spawning; other tests leave workers of joblib's behind."""
    return [child for child in multiprocessing.active_children() if type(child).__name__ == "SpawnProcess"]


def test_trials_share_the_rows_and_the_processes(tmp_path):
    results = results_of(nothing, 6, tmp_path)
    assert [(result.number, result.value) for result in results] == [(number, 10.0) for number in range(6)]
    assert len({result.metrics["process"]["id"] for result in results} - {os.getpid()}) in (1, 2)
    assert not processes_of_a_search()


def test_a_process_that_has_grown_is_replaced(tmp_path):
    results = results_of(grow, 6, tmp_path, n_jobs=1)
    processes = [result.metrics["process"]["id"] for result in results]
    assert len(set(processes[:3])) == len(set(processes[3:])) == 1
    assert processes[2] != processes[3]


def test_a_trial_whose_process_is_lost_is_tried_again(tmp_path):
    results = results_of(partial(die_once, tmp_path / "died"), 5, tmp_path)
    assert (tmp_path / "died").exists()
    assert [result.state for result in results] == ["complete"] * 5


def test_a_trial_that_always_loses_its_process_fails_and_the_others_do_not(tmp_path):
    results = results_of(die, 4, tmp_path)
    assert [result.state for result in results] == ["complete", "failed", "complete", "complete"]
    assert "lost 3 times" in results[1].message


def test_an_engine_that_is_left_ends_what_runs(tmp_path):
    began = time.monotonic()
    with local_engine(partial(open_runner, behaviour=sleep), ROWS, 2, tmp_path) as engine:
        for number in range(4):
            engine.submit(Trial(number, {}))
        assert engine.wait(3) == []
    assert time.monotonic() - began < 20
    assert not processes_of_a_search()


def test_an_engine_that_is_left_at_once_ends_processes_that_were_about_to_start(tmp_path):
    began = time.monotonic()
    with local_engine(partial(open_runner, behaviour=sleep), ROWS, 2, tmp_path) as engine:
        for number in range(4):
            engine.submit(Trial(number, {}))
    assert time.monotonic() - began < 20
    assert not processes_of_a_search()


def test_an_engine_without_trials_waits_as_long_as_it_is_asked_to(tmp_path):
    with local_engine(partial(open_runner, behaviour=nothing), ROWS, 1, tmp_path) as engine:
        began = time.monotonic()
        assert engine.wait(0.2) == []
        assert time.monotonic() - began >= 0.2


def test_a_bug_is_told_as_one(tmp_path):
    with (
        pytest.raises(ValueError, match="a bug"),
        local_engine(partial(open_runner, behaviour=fail), ROWS, 1, tmp_path) as engine,
    ):
        engine.submit(Trial(0, {}))
        while not engine.wait(5):
            pass


INTERRUPTS = """
import tempfile
from functools import partial
from pathlib import Path
import numpy as np
from support.trial_workers import expect_deaf, open_runner
from dlreg.search.local_engine import local_engine
from dlreg.search.packed_rows import PackedRows
from dlreg.search.trials import Trial

rows = PackedRows((), None, 0, {}, {"train.y_true": np.arange(5.0)})
with (
    tempfile.TemporaryDirectory() as folder,
    local_engine(partial(open_runner, behaviour=expect_deaf), rows, 1, Path(folder)) as engine,
):
    engine.submit(Trial(0, {}))
    while not engine.wait(5):
        pass
"""


def test_ctrl_c_is_for_the_search_from_the_first_process_on():
    paths = f"{Path(__file__).parents[2]}:{Path(__file__).parents[1]}"
    environment = {**os.environ, "PYTHONPATH": paths}
    command = [sys.executable, "-c", INTERRUPTS]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_children_of_others_are_not_ended(tmp_path):
    other = multiprocessing.get_context("spawn").Process(target=time.sleep, args=(60,))
    other.start()
    try:
        assert len(results_of(nothing, 2, tmp_path)) == 2
        assert other.is_alive()
    finally:
        other.kill()
        other.join()
