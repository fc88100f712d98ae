"""Many runs as a person sees them: a list, and a comparison."""

import json
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from dlreg.cli.console import PipeConsole
from dlreg.errors import printable
from dlreg.wording import format_number, shorten

if TYPE_CHECKING:
    from dlreg.commands.compare import Comparison

_STYLES = {"complete": "", "damaged": "red"}


def print_runs(report: Mapping[str, Any]) -> None:
    """A line for each run, and below them what some were trained with that most were not."""
    from dlreg.commands.compare_text import with_interval

    if not report["runs"]:
        print(f"there are no runs in {printable(report['folder'])}")
        return
    rows: list[list[str | Text]] = [
        [
            _name(run["run_dir"], report["folder"]),
            printable(run["started"][:16].replace("T", " ")),
            Text(run["status"], style=_STYLES.get(run["status"], "yellow")),
            format_number(run["rows"]),
            format_number(run["choosing_rmse"]),
            with_interval(run["test_rmse"], run["test_rmse_interval"]),
        ]
        for run in report["runs"]
    ]
    heads = ["run", "began (UTC)", "status", "rows", "validation", "test rmse (95%)"]
    console = PipeConsole(highlight=False)
    console.print(_table(heads, rows, n_texts=3))
    for run in report["runs"]:
        if run["differs"]:
            changes = (f"{key}: {_value(value)}" for key, value in run["differs"].items())
            console.print(Text(f"{_name(run['run_dir'], report['folder'])}: {', '.join(changes)}"))


def _name(run_dir: str, folder: str) -> str:
    """A run as it is called in the folder that is listed: a whole path would leave no room for numbers."""
    return printable(os.path.relpath(run_dir, folder))


def print_comparison(comparison: "Comparison") -> None:
    """A table of metrics, the best run first, and one of what differs."""
    from dlreg.commands.compare_text import difference_rows, metric_rows, rows_sentence

    console = PipeConsole(highlight=False)
    console.print(Text(printable(comparison.target), style="bold"))
    heads, rows = metric_rows(comparison)
    console.print(_table(heads, rows, n_texts=2))
    console.print(Text(rows_sentence(comparison)))
    heads, rows = difference_rows(comparison)
    if not rows:
        console.print(Text("The configs, the data and the versions are the same."))
        return
    table = _table(["differs", "in"], [], n_texts=2)
    for name, *values in rows:
        table.add_row(Text(name), Text(", ".join(_grouped(values))))
    console.print()
    console.print(table)


def _grouped(values: Sequence[str]) -> list[str]:
    """Each value with the numbers of the runs that have it."""
    numbers: dict[str, list[str]] = {}
    for number, value in enumerate(values, 1):
        numbers.setdefault(value, []).append(f"{number}")
    return [f"{value} ({', '.join(runs)})" for value, runs in numbers.items()]


def _table(heads: Sequence[str], rows: Sequence[Sequence[str | Text]], n_texts: int) -> Table:
    """A table whose first columns are texts, and all others numbers."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for number, head in enumerate(heads):
        # What is no name stays in one piece.
        is_name = head in ("run", "in")
        table.add_column(
            head, justify="left" if number < n_texts else "right", overflow="fold", no_wrap=not is_name
        )
    for cells in rows:
        table.add_row(*(Text(cell) if isinstance(cell, str) else cell for cell in cells))
    return table


def _value(value: Any) -> str:
    return printable(shorten(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)))
