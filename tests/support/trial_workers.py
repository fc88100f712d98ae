"""What processes of a search do in tests: in a module that a new process can import."""

import os
import signal
import time

import numpy as np

from dlreg.search.trials import TrialResult


def open_runner(rows, behaviour, cache):
    total = float(rows.arrays["train.y_true"].read().sum())

    def run_trial(trial):
        behaviour(trial)
        return TrialResult(trial.number, "complete", total, {"process": {"id": os.getpid()}})

    return run_trial


def nothing(trial):
    pass


held = []


def grow(trial):
    if trial.number == 2:
        held.append(np.ones(100_000_000))


def die_once(path, trial):
    if trial.number == 2 and not path.exists():
        path.touch()
        os.kill(os.getpid(), signal.SIGKILL)


def die(trial):
    if trial.number == 1:
        os.kill(os.getpid(), signal.SIGKILL)


def sleep(trial):
    time.sleep(60)


def fail(trial):
    raise ValueError("a bug")


def expect_deaf(trial):
    if signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, []):
        raise ValueError("SIGINT comes through")
