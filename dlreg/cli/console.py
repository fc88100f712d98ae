"""What a person sees: progress and notes on stderr, results on stdout."""

import os
import time
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from dlreg.errors import DlregError, printable

if TYPE_CHECKING:
    from dlreg.evaluation.gates import Gate
    from dlreg.training.progress import Progress as TrainingProgress

SECONDS_BETWEEN_LINES = 10.0
SECONDS_BETWEEN_FRAMES = 0.2


class _Output(Console):
    """Standard output, which may be a pipe that nobody reads any more."""

    def on_broken_pipe(self) -> None:
        """Leaves it to the caller, where rich would end the process with exit code 1."""
        raise BrokenPipeError


def show_error(error: DlregError) -> None:
    """One line per fault, on stderr, whole: an editor or a CI log finds the place in it."""
    for fault in error.faults:
        Console(stderr=True, soft_wrap=True, highlight=False).print(Text(f"error: {fault}", style="red"))


def show_note(note: str) -> None:
    """A line on stderr about something a user should know."""
    Console(stderr=True, soft_wrap=True, highlight=False).print(
        Text(f"note: {printable(note)}", style="yellow")
    )


class TrainingDisplay:
    """Shows a run as it goes: a bar on a terminal, a short line now and then elsewhere.

    Args:
        quiet: Show nothing.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        """Starts silent; `__enter__` starts the display."""
        self._quiet = quiet
        # A descriptor of its own: the bar goes on while native code's stderr is held back.
        self._stream = os.fdopen(os.dup(2), "w", encoding="utf-8", errors="replace")
        self._console = Console(file=self._stream, highlight=False)
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
        warnings.showwarning = lambda message, *_, **__: self.on_note(str(message))
        if self._console.is_terminal:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Takes the bar away."""
        warnings.showwarning = self._show_warning
        # Elsewhere than on a terminal rich would leave a blank line.
        if self._console.is_terminal:
            self._bar.stop()
        self._stream.close()

    def on_stage(self, stage: str) -> None:
        """Shows what is being done."""
        if self._console.is_terminal:
            self._bar.update(self._task, description=printable(stage), total=None, losses="")

    def on_note(self, note: str) -> None:
        """Shows a note above the bar."""
        if not self._quiet:
            self._bar.console.print(Text(f"note: {printable(note)}", style="yellow"), soft_wrap=True)

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
            print(f"{name} {epoch:,}/{epochs:,}  {losses}", file=self._stream, flush=True)


def _losses(progress: "TrainingProgress") -> str:
    if progress.refit_epoch:
        return f"loss {progress.refit['loss'][-1]:.4g}"
    history, best = progress.history, progress.best_epoch
    shown = [f"{name} {history[name][-1]:.4g}" for name in ("loss", "val_loss") if name in history]
    return "  ".join(shown) + (
        f"  best {history[progress.watched][best - 1]:.4g} (epoch {best:,})" if best else ""
    )


def show_run(summary: Mapping[str, Any], target: str) -> None:
    """The results of a training, on stdout."""
    console = _Output(highlight=False)
    metrics, verdict = summary["metrics"], summary["verdict"]
    facts = f"{summary['features']:,} features, {summary['parameters']:,} parameters, best of "
    facts += f"{summary['epochs']:,} epochs: {summary['best_epoch']:,}"
    if refit_epochs := summary.get("refit_epochs"):
        facts += f", refitted in {max(refit_epochs):,}" if any(refit_epochs) else ""
    console.print(Text(printable(target), style="bold"), Text(f"({facts})"))
    rows = {name: metrics.get(name) for name in ("train", "validation", "out_of_fold", "test")}
    held_out = next(name for name in ("test", "validation", "train") if metrics[name])
    rows |= {f"{name} baseline, {held_out}": values for name, values in metrics["baselines"].items()}
    console.print(_metrics_table(rows))
    console.print(_against_baselines(metrics, held_out))
    _show_intervals(console, metrics)
    console.print(Text(printable(verdict["sentence"])))
    if verdict["advice"]:
        console.print(Text(f"Next: {printable(verdict['advice'])}"))
    print(f"Run directory: {printable(summary['run_dir'])}")


def show_metrics(parts: Mapping[str, Any]) -> None:
    """A table of metrics, on stdout."""
    console = _Output(highlight=False)
    console.print(_metrics_table(parts))
    _show_intervals(console, parts)


def _show_intervals(console: Console, parts: Mapping[str, Any]) -> None:
    for name, metrics in parts.items():
        if metrics and metrics.get("coverage_90") is not None:
            width = _number(metrics["width_90"])
            share = f"{metrics['coverage_90']:.1%}".replace("%", " %")
            console.print(
                Text(f"Intervals at 90 % hold {share} of the {name} rows; their mean width is {width}.")
            )


def show_gates(gates: "Sequence[Gate]") -> None:
    """A line for each gate that is passed, on stdout; those that are not are an error."""
    for gate in gates:
        if gate.passed:
            print(f"gate passed: {printable(gate.sentence)}")


def _metrics_table(parts: Mapping[str, Any]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    names = ("n", "rmse", "mae", "mape", "r2")
    table.add_column("")
    for name in names:
        table.add_column(name, justify="right")
    for part, metrics in parts.items():
        if metrics:
            style = "dim" if "baseline" in part else None
            table.add_row(Text(part), *(_number(metrics[name]) for name in names), style=style)
    return table


def _number(value: float | int | None) -> str:
    if value is None:
        return "–"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.4g}" if abs(value) < 1e4 else f"{value:,.0f}" if abs(value) < 1e15 else f"{value:.3e}"


def _against_baselines(metrics: Mapping[str, Any], held_out: str) -> Text:
    rmse = metrics[held_out]["rmse"]
    best = min(metrics["baselines"], key=lambda name: metrics["baselines"][name]["rmse"])
    other = metrics["baselines"][best]["rmse"]
    name = {"linear": "a linear regression", "mean": "the training mean"}[best]
    if other == 0:
        return Text(
            f"{name.capitalize()} makes no error at all on the {held_out} rows: is it among the columns?"
        )
    change = 1 - rmse / other
    if change > 0:
        return Text(f"The network beats {name}: its {held_out} RMSE is {change:.1%} lower.", style="green")
    return Text(
        f"The network does not beat {name}: its {held_out} RMSE is {-change:.1%} higher.", style="red"
    )


def show_importance(report: Mapping[str, Any]) -> None:
    """A table of columns, the most important first, on stdout."""
    console, metric = _Output(highlight=False), report["metric"]
    change = "decrease" if metric == "r2" else "increase"
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("column", f"{change} of {metric}", "±"):
        table.add_column(name, justify="left" if name == "column" else "right")
    for column in report["columns"]:
        values = (_number(column["importance"]), _number(column["std"]))
        table.add_row(Text(printable(column["name"])), *values)
    console.print(table)
    rows = f"{report['n']:,}" + (f" of {report['n_part']:,}" if report["n"] < report["n_part"] else "")
    facts = (
        f"{metric} {_number(report['value'])} on {rows} {report['part']} rows; {report['repeats']:,} repeats"
    )
    console.print(Text(facts))
    print(f"Figure: {printable(report['figure'])}")


def show_counts(counts: Mapping[str, int]) -> None:
    """Notes on what predict met: cells of a level that training did not know."""
    for name, count in counts.items():
        if name != "rows":
            show_note(f"{count:,} cells {name}: a level that no training row has")
