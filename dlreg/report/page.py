"""Runs as one page of HTML: no script, nothing loaded, and every text of a run escaped.

A stranger may have written a run: Jinja2 escapes whatever is no markup of the templates' own, and the page
forbids the browser to run or load anything.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from dlreg.config.writing import dump_config
from dlreg.errors import printable
from dlreg.figures import charts
from dlreg.report.checks import count_marks
from dlreg.report.facts import Dependence, RunFacts
from dlreg.report.views import Levels
from dlreg.report.wordings import (
    HEADS,
    METRICS,
    finding,
    in_order,
    metric_rows,
    validation_error,
    words_of,
)
from dlreg.wording import format_number, format_share, shorten

MOST_POINTS = 1000
MOST_BARS = 20
MOST_CONFIG_LINES = 300
SEED = 0


def render_page(runs: Sequence[RunFacts]) -> str:
    """The page: each run, the one of the least validation error first, and above several a table of them."""
    contexts = [_context(facts, f"r{number}-") for number, facts in enumerate(in_order(runs))]
    return render("page.html.jinja", runs=contexts, heads=HEADS, metrics=METRICS)


def render(template: str, **values: Any) -> str:
    """A page of a template in `templates`, every value in it escaped."""
    return _environment().get_template(template).render(**values)


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: value if hasattr(value, "__html__") else printable(str(value)),
    )
    environment.filters |= {
        "number": format_number,
        "share": format_share,
        "short": shorten,
        "count": lambda value: f"{value:,}",
        "signed": lambda value: f"{'+' if value > 0 else ''}{format_number(value)}",
    }
    return environment


def _context(facts: RunFacts, prefix: str) -> dict[str, Any]:
    """What the template of a run is filled with."""
    held_out, points = facts.held_out.name, _points(facts)
    drawn = {}
    if points.y_true.size:
        drawn["predictions"] = charts.predictions(points, f"{prefix}p")
        drawn["residuals"] = charts.residuals(points, f"{prefix}e")
    return {
        "facts": facts,
        "id": prefix.rstrip("-"),
        "target": facts.config.data.target,
        "finding": list(finding(facts)),
        "marks": count_marks(facts.checks),
        "held_out": words_of(held_out),
        "is_test": held_out == "test",
        "measured": getattr(facts.record.metrics, held_out),
        "error": validation_error(facts),
        "rows": list(metric_rows(facts)),
        "curves": {name: _curve(facts, name, prefix) for name in ("loss", "mae") if name in facts.history},
        "drawn": drawn,
        "n_points": len(facts.held_out.predictions.y_true),
        "n_drawn": len(points.y_true),
        "words_of": words_of,
        "measured_part": facts.importance and words_of(facts.importance.part),
        "importances": facts.importance and facts.importance.columns[:MOST_BARS],
        "dependences": [
            _dependence(dependence, _dependence_reach(facts), f"{prefix}d{number}")
            for number, dependence in enumerate(facts.dependences)
        ],
        "mean_reach": _mean_reach(facts),
        "config": _config_lines(facts),
        "files": {key: (Path(entry.path).name, entry) for key, entry in facts.record.data.items()},
    }


def _curve(facts: RunFacts, name: str, prefix: str) -> str:
    curves = {"training": facts.history[name]}
    if validation := facts.history.get(f"val_{name}"):
        curves["validation"] = validation
    metric = {"mae": "MAE"}.get(name, name)
    return charts.learning_curve(curves, facts.record.best_epoch, metric, f"{prefix}{name}")


def _points(facts: RunFacts) -> charts.Points:
    """The rows that are drawn: all, or of many some, always the same."""
    predictions = facts.held_out.predictions
    n_rows = len(predictions.y_true)
    places = np.arange(n_rows)
    if n_rows > MOST_POINTS:
        places = np.sort(np.random.default_rng(SEED).choice(n_rows, MOST_POINTS, replace=False))
    return charts.Points(
        None if predictions.rows is None else predictions.rows[places],
        predictions.y_true[places],
        predictions.y_pred[places],
        None if predictions.margins is None else predictions.margins[places],
    )


def _dependence_reach(facts: RunFacts) -> tuple[float, float]:
    """The least and the greatest mean prediction of any column: one scale for all of them."""
    means = [mean for dependence in facts.dependences for mean in dependence.predictions]
    return min(means), max(means)


def _dependence(dependence: Dependence, reach: tuple[float, float], prefix: str) -> Mapping[str, Any]:
    column = dependence.view.column
    if isinstance(dependence.view, Levels):
        bars = [
            (shorten(name), mean) for name, mean in zip(dependence.names, dependence.predictions, strict=True)
        ]
        return {"name": column.name, "bars": bars, "n": dependence.n}
    chart = charts.dependence(
        dependence.values,
        dependence.names,
        dependence.predictions,
        reach,
        printable(shorten(column.name)),
        prefix,
        is_date=column.kind == "date",
    )
    return {"name": column.name, "chart": chart, "n": dependence.n}


def _mean_reach(facts: RunFacts) -> tuple[float, float]:
    """The least and the greatest mean target of any group of any column: one scale for all of them."""
    means = [mean for column in facts.profile for _, _, mean in column.means]
    return (min(means), max(means)) if means else (0.0, 0.0)


def _config_lines(facts: RunFacts) -> list[str]:
    """The config, its paths without the folders above them, which are nobody's business."""
    paths = {key: getattr(facts.config.data, key) for key in ("path", "validation_path", "test_path")}
    names = {key: Path(path.name) for key, path in paths.items() if path is not None}
    data = facts.config.data.model_copy(update=names)
    # What the first line says holds of the file alone.
    lines = dump_config(facts.config.model_copy(update={"data": data})).splitlines()[1:]
    more = len(lines) - MOST_CONFIG_LINES
    return [*lines[:MOST_CONFIG_LINES], *([f"# {more:,} more lines in config.yaml"] if more > 0 else [])]
