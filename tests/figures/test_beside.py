"""The loss curve of a process of its own is the one drawn here, whatever becomes of the process."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dlreg.figures.beside import draw, drawing_beside

CURVE = {
    "history": {"loss": [3.0, 2.0, float("nan")], "val_loss": None},
    "loss_name": "mse",
    "best_epoch": 2,
    "target": "minutes",
    "target_scaling": "standard",
}


def has_ended(process_id):
    """Whether a process is gone, or a zombie that nobody waits for."""
    try:
        return ") Z" in Path(f"/proc/{process_id}/stat").read_text()
    except OSError:
        return True


@pytest.mark.parametrize("enabled", [True, False])
def test_a_process_of_its_own_draws_the_same_bytes(enabled):
    with drawing_beside(enabled=enabled) as draughtsman:
        assert (draughtsman.process is not None) == enabled
        content = draughtsman.begin(**CURVE).finish()
    assert content.startswith(b"\x89PNG")
    assert content == draw(CURVE)


@pytest.mark.parametrize("enabled", [True, False])
def test_characters_that_no_font_has_are_told(enabled):
    curve = CURVE | {"target": "\u16a0\U00010f00\U0001e900"}
    with (
        drawing_beside(enabled=enabled) as draughtsman,
        pytest.warns(UserWarning, match="no installed font has the characters"),
    ):
        draughtsman.begin(**curve).finish()


@pytest.mark.parametrize("is_under_way", [False, True])
def test_a_curve_whose_process_is_killed_is_drawn_here(is_under_way):
    with drawing_beside(enabled=True) as draughtsman:
        drawing = draughtsman.begin(**CURVE) if is_under_way else None
        draughtsman.process.kill()
        draughtsman.process.wait()
        drawing = drawing or draughtsman.begin(**CURVE)
        assert drawing.finish() == draw(CURVE)


def test_a_python_that_cannot_be_started_draws_nothing_beside(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with drawing_beside(enabled=True) as draughtsman:
        assert draughtsman.process is None
        assert draughtsman.begin(**CURVE).finish() == draw(CURVE)


def test_a_process_without_anything_to_draw_ends_with_the_block():
    with pytest.raises(KeyError), drawing_beside(enabled=True) as draughtsman:
        raise KeyError
    assert has_ended(draughtsman.process.pid)


def test_it_ends_with_who_started_it_and_takes_nothing_from_the_working_folder(tmp_path):
    (tmp_path / "numpy.py").write_text("open('imported', 'w')")
    code = """
import os, sys
sys.path.remove("")
from dlreg.figures.beside import drawing_beside
with drawing_beside(enabled=True) as draughtsman:
    print(draughtsman.process.pid, flush=True)
    sys.stdin.readline()
"""
    with subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    ) as parent:
        child = int(parent.stdout.readline())
        assert not has_ended(child)
        # The signal of a terminal goes to all of its processes, but this one is in a session of its own.
        assert os.getsid(child) == child
        parent.send_signal(signal.SIGKILL)
    for _ in range(200):
        if has_ended(child):
            break
        time.sleep(0.05)
    assert has_ended(child)
    assert not (tmp_path / "imported").exists()
