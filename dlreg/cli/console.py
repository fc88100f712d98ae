"""What a person sees on stderr: errors, notes, and how a training goes."""

import os
import sys
import time
import warnings
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn
from rich.text import Text

from dlreg.cli.streams import telling
from dlreg.errors import DlregError, abridged, brief, printable

if TYPE_CHECKING:
    from dlreg.training.progress import Progress as TrainingProgress

SECONDS_BETWEEN_LINES = 10.0
SECONDS_BETWEEN_FRAMES = 0.2


class PipeConsole(Console):
    """A rich console on a stream that may be a pipe which nobody reads any more."""

    def on_broken_pipe(self) -> None:
        """Leaves a broken pipe to the caller; rich would end the process with exit code 1.

        Raises:
            BrokenPipeError: Always.
        """
        raise BrokenPipeError


def show_error(error: DlregError) -> None:
    """Prints a line per fault on stderr, of many alike the first ones.

    None is wrapped: editors and CI logs find the place in it.
    """
    for fault in abridged(error.faults):
        _tell(Text(f"error: {fault}", style="red"))


def show_note(note: str) -> None:
    """Prints a line on stderr about something a user should know."""
    _tell(Text(f"note: {printable(brief(note))}", style="yellow"))


def _tell(text: Text) -> None:
    with telling(sys.stderr):
        PipeConsole(stderr=True, soft_wrap=True, highlight=False).print(text)


class TrainingDisplay:
    """Shows a run as it goes: a bar on a terminal, a short line now and then elsewhere.

    Args:
        quiet: Show nothing.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        # A descriptor of its own: the bar goes on while native code's stderr is held back.
        self._stream = os.fdopen(os.dup(2), "w", encoding="utf-8", errors="replace")
        self._console = PipeConsole(file=self._stream, highlight=False)
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=16),
            TextColumn("{task.fields[losses]}", markup=False),
            TimeRemainingColumn(),
        )
        self._bar = Progress(*columns, console=self._console, transient=True, disable=quiet)
        self._task = self._bar.add_task("", total=None, losses="")
        self._shown = time.monotonic()
        self._show_warning = warnings.showwarning

    def __enter__(self) -> "TrainingDisplay":
        """Starts the bar where there is a terminal; what is warned of meanwhile becomes a note above it."""
        warnings.showwarning = lambda message, *_, **__: self._show_note(str(message))
        if self._console.is_terminal:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Removes the bar."""
        warnings.showwarning = self._show_warning
        # Elsewhere than on a terminal rich would leave a blank line.
        if self._console.is_terminal:
            self._bar.stop()
        with telling(self._stream):
            self._stream.flush()
        self._stream.close()

    def on_stage(self, stage: str) -> None:
        """Shows what is being done."""
        if self._console.is_terminal:
            self._bar.update(self._task, description=printable(stage), total=None, losses="")

    def on_epoch(self, progress: "TrainingProgress") -> None:
        """Shows the losses of the epoch, of the best one so far, and the time left."""
        now, terminal = time.monotonic(), self._console.is_terminal
        wait = SECONDS_BETWEEN_FRAMES if terminal else SECONDS_BETWEEN_LINES
        if self._quiet or (now - self._shown < wait and not progress.finished):
            return
        self._shown = now
        name, epoch, epochs = "epoch", progress.epoch, progress.epochs
        if progress.refit_epoch:
            name, epoch, epochs = "refit epoch", progress.refit_epoch, int(progress.refit_epochs.max())
        losses = _losses(progress)
        if terminal:
            description = f"{name} {epoch:,}/{epochs:,}"
            self._bar.update(
                self._task, description=description, total=epochs, completed=epoch, losses=losses
            )
        else:
            with telling(self._stream):
                print(f"{name} {epoch:,}/{epochs:,}  {losses}", file=self._stream, flush=True)

    def _show_note(self, note: str) -> None:
        if not self._quiet:
            with telling(self._stream):
                self._bar.console.print(Text(f"note: {printable(note)}", style="yellow"), soft_wrap=True)


def _losses(progress: "TrainingProgress") -> str:
    if progress.refit_epoch:
        return f"loss {progress.refit['loss'][-1]:.4g}"
    history, best = progress.history, progress.best_epoch
    shown = [f"{name} {history[name][-1]:.4g}" for name in ("loss", "val_loss") if name in history]
    return "  ".join(shown) + (
        f"  best {history[progress.watched][best - 1]:.4g} (epoch {best:,})" if best else ""
    )
