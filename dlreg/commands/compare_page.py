"""A comparison of runs as a page of HTML."""

from dlreg.commands.compare import Comparison
from dlreg.commands.compare_curves import curves_of
from dlreg.commands.compare_text import difference_rows, metric_rows, rows_sentence
from dlreg.figures.compared_curves import chart_curves
from dlreg.report.page import render


def as_html(comparison: Comparison) -> str:
    """One self-contained page: metrics, learning curves, and what the runs differ in."""
    heads, rows = metric_rows(comparison)
    numbers, differences = difference_rows(comparison)
    return render(
        "comparison.html.jinja",
        target=comparison.target,
        cautions=comparison.cautions,
        heads=heads,
        rows=rows,
        sentence=rows_sentence(comparison),
        chart=chart_curves(curves_of(comparison), "c-"),
        numbers=numbers,
        differences=differences,
    )
