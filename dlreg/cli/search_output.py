"""What `tune` prints on stdout: a table of the best config beside the config's own values, and sentences."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from rich.table import Table
from rich.text import Text

from dlreg.cli.console import PipeConsole
from dlreg.cli.json_output import print_json
from dlreg.cli.output import print_path
from dlreg.errors import printable
from dlreg.wording import format_number, shorten

if TYPE_CHECKING:
    from dlreg.commands.tune_summary import Chosen, StudySummary
    from dlreg.evaluation.gates import Gate

_LONGEST_VALUE = 22
_STYLES = {"better": "bold", "worse": "bold red"}


def print_study(
    summary: "StudySummary", gates: "Sequence[Gate]", form: Literal["json", "path", "text"]
) -> None:
    """The results of a search: one JSON object, the study directory alone, or a table and sentences."""
    if form == "json":
        print_json({**summary.as_json(), "gates": [gate.result for gate in gates]})
    elif form == "path":
        print_path(summary.study_dir)
    else:
        _print_as_text(summary)


def _print_as_text(summary: "StudySummary") -> None:
    from dlreg.commands.tune_sentences import gain_sentence, sentences

    console = PipeConsole(highlight=False)
    console.print(Text(printable(summary.target), style="bold"), Text(f"(best of {summary.metric})"))
    console.print(_table(summary))
    style = _STYLES.get(summary.gain.verdict, "") if summary.gain else ""
    for sentence in sentences(summary):
        console.print(Text(printable(sentence), style=style if sentence == gain_sentence(summary) else ""))
    print(f"Best config: {printable(summary.best_config)}")
    print(f"Study directory: {printable(summary.study_dir)}")


def _table(summary: "StudySummary") -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("")
    columns: list[tuple[str, Chosen]] = [("best", summary.best)]
    columns += [("own values", summary.plain)] if summary.best.number else []
    for name, chosen in columns:
        table.add_column(f"{name} (trial {chosen.number:,})", justify="right")
    for key in summary.space:
        cells = [_cell(chosen.values.get(key)) for _, chosen in columns]
        table.add_row(Text(key), *cells, style="" if cells[0] != cells[-1] or len(cells) == 1 else "dim")
    for part, metric in dict.fromkeys([_split(summary.metric), ("test", _split(summary.metric)[1])]):
        values = [_metric(chosen, part, metric) for _, chosen in columns]
        if any(value is not None for value in values):
            cells = [Text(format_number(value)) for value in values]
            table.add_row(Text(f"{part.replace('_', ' ')} {metric}", style="bold"), *cells)
    return table


def _split(metric: str) -> tuple[str, str]:
    part, _, name = metric.rpartition(".")
    return part, name


def _metric(chosen: "Chosen", part: str, metric: str) -> float | None:
    return ((chosen.metrics or {}).get(part) or {}).get(metric)


def _cell(value: Any) -> Text:
    from dlreg.commands.tune_results import value_text

    text = shorten(printable(value_text(value)))
    return Text(text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 1]}…")
