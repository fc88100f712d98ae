"""What is said on stderr, which may be full or closed: the work goes on."""

import os
import sys
import warnings
from types import SimpleNamespace

import pytest

from dlreg.cli.console import TrainingDisplay, show_error, show_note
from dlreg.errors import StorageError

PROGRESS = SimpleNamespace(
    epoch=1, epochs=1, refit_epoch=0, best_epoch=1, finished=True, watched="loss", history={"loss": [0.5]}
)


@pytest.fixture
def deaf(capfd, request):
    """Standard error on a full disk, or in a pipe that nobody reads."""
    before = os.dup(2)
    if request.param == "full":
        stream = os.open("/dev/full", os.O_WRONLY)
    else:
        reading, stream = os.pipe()
        os.close(reading)
    os.dup2(stream, 2)
    os.close(stream)
    yield
    os.dup2(before, 2)
    os.close(before)


@pytest.mark.parametrize("deaf", ["full", "pipe"], indirect=True)
def test_what_nobody_can_hear_ends_no_work(deaf, monkeypatch):
    with os.fdopen(os.dup(2), "w", encoding="utf-8") as stderr:
        monkeypatch.setattr(sys, "stderr", stderr)
        show_note("a note")
        show_error(StorageError("a fault"))
    with TrainingDisplay() as display:
        warnings.warn("another", stacklevel=1)
        display.on_stage("reading")
        display.on_epoch(PROGRESS)
