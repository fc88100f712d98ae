"""What a command prints on stdout for a person: tables and sentences."""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from rich.console import Console
from rich.table import Table
from rich.text import Text

from dlreg.cli.console import PipeConsole
from dlreg.cli.json_output import print_json, print_json_line
from dlreg.errors import printable
from dlreg.evaluation.baselines import compare_with_baselines
from dlreg.wording import blend_sentence, format_number, format_share

if TYPE_CHECKING:
    from dlreg.evaluation.gates import Gate


def print_run(summary: dict[str, Any], target: str, form: Literal["json", "path", "text"]) -> None:
    """The results of a training: one JSON object, the run directory alone, or tables and sentences."""
    if form == "json":
        print_json(summary)
    elif form == "path":
        print_path(summary["run_dir"])
    else:
        _print_run_as_text(summary, target)


def print_served(about: dict[str, Any], *, as_json: bool) -> None:
    """Where a run is served, on one line and at once: a script waits for it."""
    if as_json:
        print_json_line(about)
    else:
        print(about["url"], flush=True)


def print_reproduction(found: dict[str, Any], run_dir: str, *, as_json: bool) -> None:
    """How far a run that was trained again is the same, and what may have made another of it."""
    if as_json:
        print_json({"run_dir": run_dir, **found})
        return
    n_equal, n_files = sum(found["files"].values()), len(found["files"])
    print(f"{n_equal} of {n_files} files are equal to the byte")
    for name, is_equal in found["files"].items():
        if not is_equal:
            print(f"other bytes: {printable(name)}")
    if found["difference"]:
        print(f"largest difference of a prediction: {found['difference']:.1g} of the target's spread")
    for name, (then, now) in found["metrics"].items():
        print(f"{name}: {format_number(then)} then, {format_number(now)} now")
    for name, (then, now) in found["facts"].items():
        print(f"{printable(name)}: {printable(str(then))} then, {printable(str(now))} now")
    if found["equal"] != "byte" and not found["facts"]:
        print("versions, machine and threads are those of the run: what made the difference is not recorded")
    print(
        {"byte": "Equal to the byte.", "rounding": "Equal to rounding.", "no": "Not equal."}[found["equal"]]
    )


def print_path(path: str | Path) -> None:
    """A path on a line of its own: as it is for a script, with control characters escaped for a person."""
    text = printable(str(path)) if sys.stdout.isatty() else str(path)
    try:
        text.encode()
    except UnicodeEncodeError:
        # A name need not be UTF-8.
        sys.stdout.flush()
        sys.stdout.buffer.write(os.fsencode(text) + b"\n")
    else:
        print(text)


def _print_run_as_text(summary: Mapping[str, Any], target: str) -> None:
    console = PipeConsole(highlight=False)
    metrics, verdict = summary["metrics"], summary["verdict"]
    facts = f"{summary['features']:,} features, {summary['parameters']:,} parameters, best of "
    best_epochs = summary.get("best_epochs") or [summary["best_epoch"]]
    refit_epochs = summary.get("refit_epochs") or [0]
    facts += f"{summary['epochs']:,} epochs: {_span(best_epochs)}"
    if any(refit_epochs):
        facts += f", refitted in {_span(refit_epochs)}"
    if members := summary.get("members"):
        n_predicting = sum(member["weight"] > 0 for member in members)
        facts += f", {n_predicting:,} of {len(members):,} networks predict"
    console.print(Text(printable(target), style="bold"), Text(f"({facts})"))
    rows = {name: metrics.get(name) for name in ("train", "validation", "out_of_fold", "test")}
    held_out = next(name for name in ("test", "validation", "train") if metrics[name])
    rows |= {f"{name} baseline, {held_out}": values for name, values in metrics["baselines"].items()}
    console.print(_metrics_table(rows))
    if metrics["validation"] and any(summary.get("refit_epochs") or ()):
        console.print(Text("The validation rows were measured before the network learned them, too."))
    if blend := summary.get("blend"):
        console.print(Text(blend_sentence(blend)))
    console.print(_against_baselines(metrics, held_out))
    _print_intervals(console, metrics)
    console.print(Text(printable(verdict["sentence"])))
    if verdict["advice"]:
        console.print(Text(f"Next: {printable(verdict['advice'])}"))
    print(f"Run directory: {printable(summary['run_dir'])}")


def _span(numbers: Sequence[int]) -> str:
    least, most = min(numbers), max(numbers)
    return f"{least:,}" if least == most else f"{least:,} to {most:,}"


def print_metrics(parts: Mapping[str, Any]) -> None:
    """A table of metrics by part, and how many rows their intervals hold."""
    console = PipeConsole(highlight=False)
    console.print(_metrics_table(parts))
    _print_intervals(console, parts)


def _print_intervals(console: Console, parts: Mapping[str, Any]) -> None:
    for name, metrics in parts.items():
        if metrics and metrics.get("coverage_90") is not None:
            width = format_number(metrics["width_90"])
            share = format_share(metrics["coverage_90"])
            console.print(
                Text(f"Intervals at 90% hold {share} of the {name} rows; their mean width is {width}.")
            )


def print_gates(gates: "Sequence[Gate]") -> None:
    """A line for each gate that is passed; those that are not are an error."""
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
            table.add_row(Text(part), *(format_number(metrics[name]) for name in names))
    return table


def _against_baselines(metrics: Mapping[str, Any], held_out: str) -> Text:
    comparison = compare_with_baselines(metrics, held_out)
    return Text(comparison.sentence, style={True: "bold", False: "bold red", None: ""}[comparison.is_better])


def print_pages(pages: Mapping[str, str]) -> None:
    """The pages of the documentation, each with what it is about."""
    width = max(map(len, pages))
    for name, about in pages.items():
        print(f"{name:{width}}  {about}")
    print("\nRead one with: dlreg docs PAGE")


def print_page(text: str) -> None:
    """A page of the documentation: laid out on a terminal, as Markdown elsewhere."""
    if not sys.stdout.isatty():
        print(text, end="")
        return
    from rich.markdown import Markdown
    from rich.theme import Theme

    # The colours are the terminal's own, so that they are seen on any background.
    console = PipeConsole(highlight=False, theme=Theme({"markdown.code": "bold"}))
    page = Markdown(text, code_theme="ansi_dark", hyperlinks=False)
    console.print(page, width=min(console.width, 100))


def print_importance(report: Mapping[str, Any]) -> None:
    """A table of columns, the most important first."""
    console, metric = PipeConsole(highlight=False), report["metric"]
    change = "decrease" if metric == "r2" else "increase"
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("column", f"{change} of {metric}", "±"):
        table.add_column(name, justify="left" if name == "column" else "right")
    for column in report["columns"]:
        values = (format_number(column["importance"]), format_number(column["std"]))
        table.add_row(Text(printable(column["name"])), *values)
    console.print(table)
    rows = f"{report['n']:,}" + (f" of {report['n_part']:,}" if report["n"] < report["n_part"] else "")
    value = format_number(report["value"])
    facts = f"{metric} {value} on {rows} {report['part']} rows; {report['repeats']:,} repeats"
    console.print(Text(facts))
    print(f"Figure: {printable(report['figure'])}")
