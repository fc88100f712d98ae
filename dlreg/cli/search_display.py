"""A search as it goes: a bar and the best trials on a terminal, elsewhere a line now and then."""

import time
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from dlreg.cli.console import SECONDS_BETWEEN_FRAMES, TrainingDisplay
from dlreg.errors import printable
from dlreg.wording import format_number, shorten

if TYPE_CHECKING:
    from dlreg.commands.tune_progress import SearchProgress
    from dlreg.commands.tune_results import Ended

SECONDS_BETWEEN_LINES = 30.0
# Beside these, every new best is told.
LINES_PER_SEARCH = 10
# How the stages begin that are trainings of their own.
TRAINING = "training "
# Of a bar that a time fills.
_STEPS = 1000
_LONGEST_VALUE, _MOST_PARAMETERS = 16, 6


class SearchDisplay(TrainingDisplay):
    """Shows a search, and the trainings after it.

    Args:
        first: What is being done when it is entered; shown on a terminal.
        quiet: Show nothing.
    """

    def __init__(self, first: str = "", *, quiet: bool = False) -> None:
        super().__init__(first, quiet=quiet)
        self._tenths = 0

    def on_stage(self, stage: str) -> None:
        """Shows what is being done after the search, without its best trials."""
        self._bar.below = None
        # Else nobody could tell whose epochs follow.
        if stage.startswith(TRAINING) and not (self._quiet or self._console.is_terminal):
            self._print_line(stage)
        else:
            super().on_stage(stage)

    def on_search(self, progress: "SearchProgress") -> None:
        """Shows how many trials there are, how fast they come, and the best ones."""
        now, is_terminal = time.monotonic(), self._console.is_terminal
        if self._quiet:
            return
        if is_terminal:
            if now - self._shown >= SECONDS_BETWEEN_FRAMES or progress.share == 1:
                self._shown = now
                self._show(progress)
            return
        tenths = int(LINES_PER_SEARCH * progress.share)
        is_due = progress.is_best or tenths > self._tenths or now - self._shown >= SECONDS_BETWEEN_LINES
        self._tenths = tenths
        if is_due:
            self._print_line(_line(progress))

    def _show(self, progress: "SearchProgress") -> None:
        done = f"{progress.finished:,}" + (f"/{progress.trials:,}" if progress.trials else "")
        rate = f"{_rate(progress.per_minute)} a minute"
        best = f"best {format_number(progress.best[0].result.value)}" if progress.best else ""
        self._bar.update(
            self._task,
            description=f"{done} trials",
            total=_STEPS,
            completed=round(_STEPS * progress.share),
            short=done,
            losses=[f"{best}  {rate}".strip(), best, ""],
        )
        self._bar.below = _best_trials(progress, self._console.width) if progress.best else None


def _rate(per_minute: float) -> str:
    return f"{per_minute:,.0f}" if per_minute >= 10 else f"{per_minute:.1f}"


def _line(progress: "SearchProgress") -> str:
    """What is found in whole: whoever reads a log cannot make it wider."""
    from dlreg.commands.tune_results import value_text

    done = f"{progress.finished:,}" + (f" of {progress.trials:,}" if progress.trials else "")
    failed = f", {progress.counts['failed']:,} failed" if progress.counts.get("failed") else ""
    noun = "trial" if done == "1" else "trials"
    line = f"{done} {noun} done{failed}"
    if progress.best:
        first = progress.best[0]
        line += f"  best {progress.metric} {format_number(first.result.value)} (trial {first.trial.number:,})"
        if progress.is_best:
            values = first.trial.values.items()
            line += f": {', '.join(f'{key}={value_text(value)}' for key, value in values)}"
    return line


def _best_trials(progress: "SearchProgress", width: int) -> Table:
    """The best trials, with as many of their parameters as there is room for."""
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 1))
    keys = list(progress.best[0].trial.values)[:_MOST_PARAMETERS]
    columns = [
        [str(ended.trial.number) for ended in progress.best],
        [_metric(each) for each in progress.best],
    ]
    heads = ["trial", progress.metric.rpartition(".")[2]]
    for key in keys:
        column = [_short(ended, key) for ended in progress.best]
        used = sum(max(map(len, [head, *cells])) + 2 for head, cells in zip(heads, columns, strict=True))
        head = key.rpartition(".")[2]
        if used + max(map(len, [head, *column])) > width:
            break
        heads.append(head)
        columns.append(column)
    for head in heads:
        table.add_column(Text(head), justify="right", no_wrap=True)
    for place, cells in enumerate(zip(*columns, strict=True)):
        table.add_row(*(Text(printable(cell)) for cell in cells), style="" if place else "bold")
    return table


def _metric(ended: "Ended") -> str:
    return format_number(ended.result.value)


def _short(ended: "Ended", key: str) -> str:
    from dlreg.commands.tune_results import value_text

    text = shorten(value_text(ended.trial.values.get(key)))
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 1]}…"
