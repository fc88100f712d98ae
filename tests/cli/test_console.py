"""What is said on stderr, which may be full or closed: the work goes on."""

import io
import os
import re
import subprocess
import sys
import warnings
from types import SimpleNamespace

import numpy as np
import pytest
from rich.progress import Progress, Task
from support.terminal import run_in_terminal

from dlreg.cli.console import PipeConsole, TrainingDisplay, _Line, show_error, show_note
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


def line_of(progress, columns, monkeypatch):
    """What a terminal of some columns shows of an epoch of a training that has gone on for a while."""
    monkeypatch.setattr(PipeConsole, "is_terminal", True)
    monkeypatch.setattr(Task, "time_remaining", 12 * 3600 + 34)
    display = TrainingDisplay()
    display.on_epoch(progress)
    stream = io.StringIO()
    console = PipeConsole(file=stream, width=columns, color_system=None)
    bar = Progress(*display._bar.columns[:1], _Line(console), console=console)
    console.print(bar.make_tasks_table(display._bar.tasks))
    return stream.getvalue().rstrip("\n")


def far(epoch, epochs, loss, refit_epoch=0):
    return SimpleNamespace(
        epoch=epoch,
        epochs=epochs,
        refit_epoch=refit_epoch,
        refit_epochs=np.array([epochs]),
        refit={"loss": [loss]},
        best_epoch=1,
        finished=True,
        watched="val_loss",
        history={"loss": [loss], "val_loss": [loss]},
    )


@pytest.mark.parametrize("columns", [120, 80, 60, 40])
@pytest.mark.parametrize(
    "progress",
    [far(61, 100, 0.4503), far(1_234_567, 10_000_000, 1.234e-05), far(9, 10_000_000, 1.2e-05, 1_234_567)],
    ids=["short", "long", "refit"],
)
def test_the_epoch_and_the_time_left_stay_on_a_line_of_any_width(progress, columns, monkeypatch):
    line = line_of(progress, columns, monkeypatch)
    assert "\n" not in line
    assert "…" not in line
    epoch = progress.refit_epoch or progress.epoch
    assert f" {epoch:,}/{progress.epochs:,} " in line
    assert line.rstrip().endswith("12:00:34")
    # No number is cut short.
    shown = re.findall(r"(?:loss|best) (\S+)", line)
    assert set(shown) <= {f"{progress.history['loss'][0]:.4g}"}
    assert len(shown) == {120: 3, 80: 3, 60: 1, 40: 1}[columns] or epoch != 61


@pytest.mark.parametrize("environment", [{}, {"NO_COLOR": "1"}], ids=["colour", "plain"])
def test_a_terminal_shows_the_work_from_the_start_and_the_time_left(environment, project, tmp_path):
    folder = tmp_path / "run"
    arguments = ["--set", "training.epochs=3000", "--set", "training.early_stopping=null"]
    seen = run_in_terminal(
        "train", project / "config.yaml", "--run-dir", folder, *arguments, cwd=tmp_path, **environment
    )
    assert seen.returncode == 0, seen.raw
    assert "reading" in seen.frames[0] and "importing" not in seen.frames[0]
    epochs = [frame for frame in seen.frames if " epoch " in frame and "/3,000" in frame]
    assert epochs
    for frame in epochs:
        assert re.search(r"epoch [0-9,]+/3,000 .* [0-9-]+:[0-9-]{2}:[0-9-]{2}$", frame), frame
        assert len(frame) <= 80
    coloured = re.search(r"\x1b\[[0-9;]*3[0-9]", seen.raw)
    assert bool(coloured) == (not environment)


SAYING = """
import sys
from dlreg.cli import console
from dlreg.cli.main import main
if sys.argv.pop() == "terminal":
    name, said = "__enter__", console.TrainingDisplay.__enter__
else:
    name, said = "on_stage", console.TrainingDisplay.on_stage
def say(*arguments):
    print(*sorted({name.partition(".")[0] for name in sys.modules}))
    raise SystemExit(0)
setattr(console.TrainingDisplay, name, say)
main()
"""


@pytest.mark.parametrize(
    ("stream", "later"),
    [("terminal", {"yaml", "numpy", "pandas"}), ("file", {"pandas", "tensorflow"})],
)
def test_what_is_done_is_said_before_anything_slow_is_imported(stream, later, project):
    done = subprocess.run(
        [sys.executable, "-c", SAYING, "train", "config.yaml", stream],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert not later & set(done.stdout.split())


def test_off_a_terminal_a_line_says_what_is_read(capfd):
    with TrainingDisplay("reading my.yaml") as display:
        display.on_stage("reading table.csv")
        display.on_stage("importing TensorFlow")
    with TrainingDisplay("reading my.yaml", quiet=True) as display:
        display.on_stage("reading table.csv")
    assert capfd.readouterr().err == "reading table.csv\n"


def test_the_bar_of_what_was_done_before_does_not_stay(monkeypatch):
    monkeypatch.setattr(PipeConsole, "is_terminal", True)
    display = TrainingDisplay()
    display.on_epoch(PROGRESS)
    assert "━" in drawn(display)
    display.on_stage("writing the pipeline")
    assert drawn(display).split("writing", 1)[1] == " the pipeline"


def drawn(display):
    stream = io.StringIO()
    console = PipeConsole(file=stream, width=80, color_system=None)
    bar = Progress(*display._bar.columns[:1], _Line(console), console=console)
    console.print(bar.make_tasks_table(display._bar.tasks))
    return stream.getvalue().rstrip("\n")
