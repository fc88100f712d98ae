"""Many runs as a person sees them: a list, and a comparison."""

import json
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from dlreg.cli.console import PipeConsole
from dlreg.errors import printable
from dlreg.wording import format_number, shorten

if TYPE_CHECKING:
    from dlreg.commands.compare import Comparison

# Columns of names, how narrow they may become, and what is between columns.
_NAMES, _LEAST_NAME, _GAP = ("run", "in"), 12, 2
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
    _print_table(console, heads, rows, n_texts=3)
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
    _print_table(console, heads, rows, n_texts=2)
    console.print(Text(rows_sentence(comparison)))
    heads, rows = difference_rows(comparison)
    if not rows:
        console.print(Text("The configs, the data and the versions are the same."))
        return
    console.print()
    grouped = [[name, ", ".join(_grouped(values))] for name, *values in rows]
    _print_table(console, ["differs", "in"], grouped, n_texts=2)


def _grouped(values: Sequence[str]) -> list[str]:
    """Each value with the numbers of the runs that have it."""
    numbers: dict[str, list[str]] = {}
    for number, value in enumerate(values, 1):
        numbers.setdefault(value, []).append(f"{number}")
    return [f"{value} ({', '.join(runs)})" for value, runs in numbers.items()]


def _print_table(
    console: PipeConsole, heads: Sequence[str], rows: Sequence[Sequence[str | Text]], n_texts: int
) -> None:
    """Prints a table whose first columns are texts, and all others numbers.

    Where it is too wide, intervals stand below their numbers, and then names go on in the next line. What is
    wider even so reaches beyond the edge: a number that is cut off would be another one.
    """
    texts = [[cell if isinstance(cell, Text) else Text(cell) for cell in cells] for cells in rows]
    widths = _widths(heads, [[cell.plain for cell in cells] for cells in texts], console.width)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for number, (head, width) in enumerate(zip(heads, widths, strict=True)):
        table.add_column(head, justify="left" if number < n_texts else "right", overflow="fold", width=width)
    for cells in texts:
        table.add_row(*cells)
    PipeConsole(highlight=False, width=max(console.width, _total(widths))).print(table)


def _widths(heads: Sequence[str], rows: Sequence[Sequence[str]], most: int) -> list[int]:
    columns = [[head, *cells] for head, *cells in zip(heads, *rows, strict=True)]
    widths = [max(map(cell_len, cells)) for cells in columns]
    if _total(widths) > most:
        for place, (head, *cells) in enumerate(columns):
            if any(" (" in cell for cell in cells) and head not in _NAMES:
                lines = (line for cell in (head, *cells) for line in cell.replace(" (", "\n(").split("\n"))
                widths[place] = max(map(cell_len, lines))
    if (too_many := _total(widths) - most) > 0:
        place = next(place for place, head in enumerate(heads) if head in _NAMES)
        widths[place] = max(widths[place] - too_many, min(widths[place], _LEAST_NAME))
    return widths


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + _GAP * (len(widths) - 1)


def _value(value: Any) -> str:
    return printable(shorten(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)))
