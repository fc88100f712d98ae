"""A report in short, as Markdown for the comment of a pull request."""

from collections.abc import Iterator, Sequence

from dlreg.commands import markdown
from dlreg.report.facts import RunFacts
from dlreg.report.wordings import HEADS, METRICS, finding, in_order, metric_rows, words_of
from dlreg.wording import format_number

_MARKS = {"pass": "✅", "warn": "⚠️", "open": "➖"}


def summarise(runs: Sequence[RunFacts]) -> str:
    """The text of some runs, the one of the least validation error first."""
    return "\n\n".join("\n\n".join(_sections(facts)) for facts in in_order(runs)) + "\n"


def _sections(facts: RunFacts) -> Iterator[str]:
    yield f"### {markdown.code(facts.config.data.target)}, run {markdown.code(facts.name)}"
    yield " ".join(map(markdown.sentence_text, finding(facts)))
    yield markdown.table(("rows", "n", *HEADS.values()), _rows(facts), numbers=True)
    yield "\n".join(
        f"- {_MARKS[check.mark]} **{check.name}:** {markdown.sentence_text(check.sentence)}"
        for check in facts.checks
    )


def _rows(facts: RunFacts) -> Iterator[list[str]]:
    for name, values, _ in metric_rows(facts):
        yield [name, *(format_number(values.get(metric)) for metric in ("n", *METRICS))]
        if name == words_of(facts.held_out.name) and facts.held_out.intervals:
            ends = (facts.held_out.intervals.get(metric) for metric in METRICS)
            yield [
                "95% interval",
                "",
                *("–" if end is None else " to ".join(map(format_number, end)) for end in ends),
            ]
