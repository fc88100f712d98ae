"""A comparison of runs as rows of text, and as Markdown."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from dlreg.commands.compare import ComparedRun, Comparison, choosing_value, value_of
from dlreg.commands.markdown import code, plain_text, table
from dlreg.errors import printable
from dlreg.evaluation.bootstrap import Regression
from dlreg.wording import format_number, shorten

_PARTS = {"out_of_fold": "out of fold", "validation": "validation"}
_WHAT = {"config": "", "data": "SHA-256 of ", "versions": "version of "}


def metric_rows(comparison: Comparison) -> tuple[list[str], list[list[str]]]:
    """The heads of a table, and of each run its number, name, and metrics beside those of the first."""
    metric = comparison.metric
    parts = {run.chosen_by for run, *_ in comparison.runs}
    chosen = _PARTS[parts.pop() or "validation"] if len(parts) == 1 else "validation"
    heads = ["", "run", f"{chosen} {metric}", f"test {metric} (95%)", "than the first"]
    rows = [[f"{number}", *_cells(run, metric)] for number, run in enumerate(comparison.runs, 1)]
    return heads, rows


def _cells(compared: ComparedRun, metric: str) -> Iterator[str]:
    run, interval, difference = compared
    yield printable(str(run.path))
    yield format_number(choosing_value(run, metric))
    yield with_interval(value_of(run.record.metrics.test, metric), interval)
    if difference is None:
        yield ""
    elif not difference.n:
        yield "no common rows"
    else:
        yield _change(difference.regression, metric)


def with_interval(value: float | None, interval: Sequence[float] | None) -> str:
    """A metric, and behind it the ends of its interval if there is one."""
    return format_number(value) + (f" ({'–'.join(map(format_number, interval))})" if interval else "")


def _change(regression: Regression | None, metric: str) -> str:
    """How much higher the metric is: of r2 in points, of an error in percent."""
    if regression is None:
        return format_number(None)
    # A regression of r2 is a fall.
    sign, unit = (-1, " points") if metric == "r2" else (1, "%")
    estimate, *ends = (100 * sign * value for value in (regression.estimate, *regression.interval))
    low, high = sorted(ends)
    return f"{_signed(estimate)}{unit} ({_signed(low)} to {_signed(high)})"


def _signed(value: float) -> str:
    return f"{value:+.{0 if abs(value) >= 10 else 1}f}".replace("-", "−")


def rows_sentence(comparison: Comparison) -> str:
    """On which rows the runs are compared."""
    numbers = sorted({difference.n for *_, difference in comparison.runs if difference and difference.n})
    if not numbers:
        return "No run has test rows in common with the first."
    rows = f"{numbers[0]:,}" if len(numbers) == 1 else f"{numbers[0]:,} to {numbers[-1]:,}"
    return f"Compared on the {rows} test rows in common, with 95% intervals of a paired bootstrap."


def difference_rows(comparison: Comparison) -> tuple[list[str], list[list[str]]]:
    """The heads of a table – the numbers of the runs –, and what differs with its value in each of them."""
    heads = ["", *(f"{number}" for number in range(1, len(comparison.runs) + 1))]
    rows = [
        [_WHAT[kind] + name, *(_value(kind, value) for value in values)]
        for kind, differing in comparison.differences.items()
        for name, values in differing.items()
    ]
    return heads, rows


def _value(kind: str, value: Any) -> str:
    if value is None and kind != "config":
        return format_number(None)
    if kind == "data":
        return str(value)[:12]
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return printable(shorten(text))


def as_markdown(comparison: Comparison) -> str:
    """The comparison for a comment on a pull request."""
    heads, rows = metric_rows(comparison)
    cells = [[number, code(name), *values] for number, name, *values in rows]
    blocks = [f"**{plain_text(comparison.target)}**", table(heads, cells), rows_sentence(comparison)]
    heads, rows = difference_rows(comparison)
    if rows:
        blocks.append(
            table(["differs", *heads[1:]], [[code(name), *map(code, values)] for name, *values in rows])
        )
    return "\n\n".join(blocks) + "\n"
