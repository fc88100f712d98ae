"""What a person sees on stderr: errors, notes, and how a training goes."""

import os
import sys
import time
import warnings
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Self

from rich.console import (
    Console,
    ConsoleOptions,
    ConsoleRenderable,
    RenderableType,
    RenderHook,
    RenderResult,
)
from rich.progress import Progress, ProgressColumn, SpinnerColumn, Task, TimeRemainingColumn
from rich.progress_bar import ProgressBar
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from dlreg.cli.streams import telling
from dlreg.errors import DlregError, abridged, brief, printable

if TYPE_CHECKING:
    from dlreg.training.progress import Progress as TrainingProgress

SECONDS_BETWEEN_LINES = 10.0
SECONDS_BETWEEN_FRAMES = 0.2
_SPINNER_WIDTH = 2
_LEAST_BAR, _MOST_BAR = 8, 24


class PipeConsole(Console):
    """A rich console on a stream that may be a pipe which nobody reads any more; no line ends with blanks."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.push_render_hook(_Trimming())

    def on_broken_pipe(self) -> None:
        """Leaves a broken pipe to the caller; rich would end the process with exit code 1.

        Raises:
            BrokenPipeError: Always.
        """
        raise BrokenPipeError


class _Trimming(RenderHook):
    """Trims each of the things that are printed at once."""

    def process_renderables(self, renderables: list[ConsoleRenderable]) -> list[ConsoleRenderable]:
        return [_Trimmed(renderable) for renderable in renderables]


class _Trimmed:
    """Something without the blanks that end its lines: tables and wrapped texts are filled up with them.

    Args:
        renderable: What is printed.
    """

    def __init__(self, renderable: ConsoleRenderable) -> None:
        self._renderable = renderable

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        held: list[Segment] = []
        for segment in console.render(self._renderable, options):
            for number, text in enumerate(segment.text.split("\n")):
                if number:
                    held.clear()
                    yield Segment.line()
                kept = text if segment.control else text.rstrip(" ")
                if kept or segment.control:
                    yield from held
                    held.clear()
                    yield Segment(kept, segment.style, segment.control)
                if blanks := text[len(kept) :]:
                    held.append(Segment(blanks, segment.style))
        yield from held


def show_error(error: DlregError) -> None:
    """Prints a line per fault on stderr, of many alike the first ones.

    None is wrapped: editors and CI logs find the place in it.
    """
    for fault in abridged(error.faults):
        _tell(_headed("error", str(fault), "bold red"))


def show_note(note: str) -> None:
    """Prints a line on stderr about something a user should know."""
    _tell(_note(note))


def _note(note: str) -> Text:
    return _headed("note", printable(brief(note)), "bold blue")


def _headed(head: str, text: str, style: str) -> Text:
    """The head alone is coloured, so that the text can be read on any background."""
    return Text.assemble((f"{head}:", style), f" {text}")


def _tell(text: Text) -> None:
    with telling(sys.stderr):
        PipeConsole(stderr=True, soft_wrap=True, highlight=False).print(text)


class _Line(ProgressColumn):
    """What stands right of the spinner: all of it where there is room, else what matters most.

    The epoch and the time left stay at any width; the bar, the best epoch and the losses give way.

    Args:
        console: Where it is shown.
    """

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console
        self._time_left = TimeRemainingColumn()

    def render(self, task: Task) -> RenderableType:
        """The stage, or the epoch, the bar, the losses and the time left."""
        room = self._console.width - _SPINNER_WIDTH
        if task.total is None:
            return Text(task.description, no_wrap=True, overflow="ellipsis")
        left = self._time_left.render(task).plain
        name = _widest([task.description, task.fields["short"]], room - len(left) - 1)
        room -= len(name) + 1 + len(left)
        losses = _widest(task.fields["losses"], room - _LEAST_BAR - 2) or _widest(
            task.fields["losses"], room - 1
        )
        room -= len(losses) + bool(losses) + 1
        parts: list[RenderableType] = [name, losses, left]
        if room >= _LEAST_BAR:
            parts.insert(1, ProgressBar(task.total, task.completed, width=min(room, _MOST_BAR)))
        line = Table.grid(padding=(0, 1, 0, 0), pad_edge=False)
        line.add_row(*(Text(part, no_wrap=True) if isinstance(part, str) else part for part in parts if part))
        return line


def _widest(variants: Sequence[str], room: int) -> str:
    """The first of some texts, the widest first, that there is room for; the last if there is none."""
    return next((text for text in variants if len(text) <= room), variants[-1])


class Bar(Progress):
    """A bar with something below it that changes from time to time.

    Attributes:
        below: What stands below it; None for nothing.
    """

    below: RenderableType | None = None

    def get_renderables(self) -> Iterable[RenderableType]:
        """The bar, and what stands below it."""
        yield from super().get_renderables()
        if self.below is not None:
            yield self.below


class TrainingDisplay:
    """Shows a run as it goes: a line on a terminal, elsewhere what is done first and a line now and then.

    Args:
        first: What is being done when it is entered; shown on a terminal.
        quiet: Show nothing.
    """

    def __init__(self, first: str = "", *, quiet: bool = False) -> None:
        self._quiet = quiet
        # A descriptor of its own: the bar goes on while native code's stderr is held back.
        self._stream = os.fdopen(os.dup(2), "w", encoding="utf-8", errors="replace")
        self._console = PipeConsole(file=self._stream, highlight=False)
        columns = (SpinnerColumn(style="bold"), _Line(self._console))
        self._bar = Bar(*columns, console=self._console, transient=True, disable=quiet)
        self._task = self._bar.add_task(printable(first), total=None, short="", losses=[""])
        self._said, self._shown = False, time.monotonic()
        self._show_warning = warnings.showwarning

    def __enter__(self) -> Self:
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
            # An update takes None for no change, and the bar of what was done before would stay.
            self._bar.tasks[0].total = None
            self._bar.update(self._task, description=printable(stage))
        elif not self._quiet and (not self._said or time.monotonic() - self._shown >= SECONDS_BETWEEN_LINES):
            self._print_line(stage)

    def on_epoch(self, progress: "TrainingProgress") -> None:
        """Shows the losses of the epoch, of the best one so far, and the time left."""
        now, terminal = time.monotonic(), self._console.is_terminal
        wait = SECONDS_BETWEEN_FRAMES if terminal else SECONDS_BETWEEN_LINES
        if self._quiet or (now - self._shown < wait and not progress.finished):
            return
        name, short, epoch, epochs = "epoch", "epoch", progress.epoch, progress.epochs
        if progress.refit_epoch:
            name, short = "refit epoch", "refit"
            epoch, epochs = progress.refit_epoch, int(progress.refit_epochs.max())
        count, losses = f"{epoch:,}/{epochs:,}", _losses(progress)
        if terminal:
            self._shown = now
            self._bar.update(
                self._task,
                description=f"{name} {count}",
                total=epochs,
                completed=epoch,
                short=f"{short} {count}",
                losses=losses,
            )
        else:
            self._print_line(f"{name} {count}  {losses[0]}")

    def _print_line(self, line: str) -> None:
        self._said, self._shown = True, time.monotonic()
        with telling(self._stream):
            print(printable(line), file=self._stream, flush=True)

    def _show_note(self, note: str) -> None:
        if not self._quiet:
            with telling(self._stream):
                self._bar.console.print(_note(note), soft_wrap=True)


def _losses(progress: "TrainingProgress") -> list[str]:
    """The losses of the epoch and the best one so far, and the same with less and less of them."""
    if progress.refit_epoch:
        return [f"loss {progress.refit['loss'][-1]:.4g}", ""]
    history, best = progress.history, progress.best_epoch
    shown = [f"{name} {history[name][-1]:.4g}" for name in ("loss", "val_loss") if name in history]
    variants = ["  ".join(shown), shown[-1], ""]
    if best:
        value = f"best {history[progress.watched][best - 1]:.4g}"
        variants = [f"{variants[0]}  {value} (epoch {best:,})", f"{variants[0]}  {value}", *variants]
    return variants
