"""The text of a model card: front matter for the Hugging Face hub, and sections to read.

All texts of the run pass through `markdown`, and those of the front matter through PyYAML.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from dlreg.commands import markdown
from dlreg.commands.card_code import javascript_code, python_code
from dlreg.config.schema import Config
from dlreg.errors import printable
from dlreg.evaluation.baselines import compare_with_baselines
from dlreg.evaluation.bootstrap import CONFIDENCE
from dlreg.features.calendar import day_text
from dlreg.runs.names import IMPORTANCE, LOSS_CURVE
from dlreg.runs.shapes import CardRecord, ColumnEntry, IntervalsRecord, PreprocessingRecord
from dlreg.wording import blend_sentence, format_number, format_share

TASK = "tabular-regression"
PARTS = ("train", "validation", "out_of_fold", "test")
METRICS = ("rmse", "mae", "mape", "r2")
MOST_COLUMNS, MOST_LEVELS, MOST_NOTES = 200, 20, 20
_SPLITS = {
    "random": "drawn at random, with the seed {seed}",
    "ordered": "the last ones",
    "group": "whole groups by {by}",
    "time": "the latest ones by {by}",
}
_UNTESTED = {
    "random": "The test rows were drawn from the same table at random: rows of a later time, of another "
    "place or of new groups were not tested.",
    "ordered": "The test rows are the last ones of the table: rows further away were not tested.",
    "group": "The test rows are of other groups of the same table: groups unlike those were not tested.",
    "time": "The test rows are the latest ones of the table: later rows were not tested.",
    "path": "The test rows are a file of their own: rows unlike those were not tested.",
    "none": "It was never tested, for there are no test rows.",
}


@dataclass(frozen=True)
class CardFacts:
    """What a card tells of a run.

    Attributes:
        name: Of the run directory.
        record: What its `run.json` says.
        config: The resolved config.
        preprocessing: The columns.
        intervals: What intervals are made from; None without rows enough to calibrate them on.
        test_intervals: The lower and upper end of metrics of the test rows, where they have any.
        figures: The names of figures that stand beside the card.
    """

    name: str
    record: CardRecord
    config: Config
    preprocessing: PreprocessingRecord
    intervals: IntervalsRecord | None
    test_intervals: Mapping[str, tuple[float, float]]
    figures: Sequence[str]


def model_card(facts: CardFacts) -> str:
    """The whole card."""
    front = yaml.safe_dump(front_matter(facts), allow_unicode=True, sort_keys=False)
    sections = (_summary, _data, _metrics, _columns, _intervals, _limits, _usage, _origin)
    texts = ("\n\n".join(section(facts)) for section in sections)
    return f"---\n{front}---\n\n" + "\n\n".join(texts) + "\n"


def front_matter(facts: CardFacts) -> dict[str, Any]:
    """What the hub reads; results are those of the test rows, and there are none without test rows."""
    head = {"library_name": "dlreg", "pipeline_tag": TASK, "tags": [TASK, "dlreg", "keras", "onnx"]}
    test = facts.record.metrics.test
    if test is None:
        return head
    data = facts.record.data.get("data.test_path") or facts.record.data.get("data.path")
    known = {"args": {"sha256": data.sha256, "size": data.size}} if data else {}
    name = _file_name(data.path) if data else "unknown"
    values = test.model_dump()
    result = {
        "task": {"type": TASK, "name": "Tabular regression"},
        "dataset": {"name": name, "type": "csv", "split": "test", **known},
        "metrics": [
            {"type": name, "value": values[name], "name": name.upper() if name != "r2" else "R²"}
            for name in METRICS
            if values[name] is not None
        ],
    }
    return {**head, "model-index": [{"name": printable(facts.name), "results": [result]}]}


def _file_name(path: str) -> str:
    """A file without the folders above it, which are nobody's business."""
    return printable(Path(path).name)[: markdown.MOST_CHARACTERS]


def _summary(facts: CardFacts) -> Iterator[str]:
    target, columns = facts.config.data.target, facts.preprocessing.columns
    unit = facts.preprocessing.target.unit
    yield f"# {markdown.code(target)}"
    names = [markdown.code(name) for name in list(columns)[:MOST_LEVELS]]
    of_columns = f"{len(columns):,} columns" if len(columns) > 1 else "one column"
    listed = ", ".join(names) + _and_more(len(columns) - len(names))
    in_unit = f", in {markdown.code(unit)}," if unit else ""
    yield f"Predicts {markdown.code(target)}{in_unit} from {of_columns}: {listed}."
    held_out = _held_out(facts.record)
    yield compare_with_baselines(facts.record.metrics.model_dump(), held_out).sentence
    members, layers = facts.record.n_predicting, facts.config.model.hidden_layers
    networks = f"{members:,} networks" if members > 1 else "A network"
    if (n_sharing := facts.config.model.shared_members) > 1:
        networks += f" of {n_sharing:,} members that share weights" + (" each" if members > 1 else "")
    units = f"hidden layers of {', '.join(map(str, layers))} units" if layers else "no hidden layers"
    parameters = f"{facts.record.parameters:,} parameters" + (" in all" if members > 1 else "")
    yield (
        f"{networks} with {units} ({parameters}), trained by dlreg. `pipeline.onnx` takes the raw cells of a "
        "row to the prediction." + (f" {blend_sentence(facts.record.blend)}" if facts.record.blend else "")
    )


def _held_out(record: CardRecord) -> str:
    """The rows that the baselines predict."""
    return next(name for name in ("test", "validation", "train") if getattr(record.metrics, name))


def _and_more(count: int) -> str:
    return f" and {count:,} more" if count > 0 else ""


def _data(facts: CardFacts) -> Iterator[str]:
    data, training, metrics = facts.config.data, facts.config.training, facts.record.metrics
    yield "## Data and split"
    keys = {"data.path": "table", "data.validation_path": "validation rows", "data.test_path": "test rows"}
    yield markdown.table(
        ("file", "of", "bytes", "SHA-256"),
        [
            (markdown.code(_file_name(entry.path)), keys[key], f"{entry.size:,}", f"`{entry.sha256}`")
            for key, entry in facts.record.data.items()
        ],
    )
    rows = {name: part.n for name in PARTS if (part := getattr(metrics, name)) and name != "out_of_fold"}
    text = f"Rows: {', '.join(f'{count:,} {name}' for name, count in rows.items())}."
    own = {"test": data.test_path, "validation": data.validation_path}
    if drawn := [name for name, file in own.items() if name in rows and not file]:
        by = markdown.code(data.split_by) if data.split_by else ""
        how = _SPLITS[data.split].format(seed=training.seed, by=by)
        text += f" The {' and '.join(drawn)} rows are {how}."
    if training.cross_validation:
        text += f" The training rows were cross-validated in {training.cross_validation} folds."
    if any(facts.record.refit_epochs) and metrics.validation:
        text += " After these had measured the network it learned from the validation rows, too."
    yield text
    if notes := _notes(facts):
        lines = [f"- {markdown.sentence_text(note)}" for note in notes[:MOST_NOTES]]
        yield "\n".join(
            [*lines, *([f"- {len(notes) - MOST_NOTES:,} more"] if len(notes) > MOST_NOTES else [])]
        )


def _notes(facts: CardFacts) -> list[str]:
    """What training said of the data; not of places in a config, nor in which folders anything lies."""
    folders = {f"{Path(entry.path).parent}/" for entry in facts.record.data.values()}
    notes = [note for note in facts.record.notes if not re.match(r".+?:\d+:\d+: |--set ", note)]
    for folder in folders - {"//"}:
        notes = [note.replace(folder, "") for note in notes]
    return notes


def _metrics(facts: CardFacts) -> Iterator[str]:
    metrics = facts.record.metrics.model_dump()
    held_out = _held_out(facts.record)
    rows = {name: metrics[name] for name in PARTS if metrics[name]}
    rows |= {f"{name} baseline, {held_out}": values for name, values in metrics["baselines"].items()}
    cells = [
        [name.replace("_", " "), *(format_number(values[metric]) for metric in ("n", *METRICS))]
        for name, values in rows.items()
    ]
    if facts.test_intervals:
        ends = (facts.test_intervals.get(name) for name in METRICS)
        of_metrics = ("–" if end is None else " to ".join(map(format_number, end)) for end in ends)
        cells.insert(len(rows) - 2, [f"test, {100 * CONFIDENCE:.0f}% interval", "", *of_metrics])
    yield "## Metrics"
    yield markdown.table(("rows", "n", *METRICS), cells, numbers=True)
    told = "The errors are in the units of the target, `mape` is a fraction. "
    if facts.test_intervals:
        told += "The interval is a bootstrap's, of test rows that are taken to be independent of each other. "
    told += "The baselines are the training mean and a linear regression on the same rows."
    yield told
    if LOSS_CURVE in facts.figures:
        yield f"![Loss of training and validation by epoch]({LOSS_CURVE})"


def _columns(facts: CardFacts) -> Iterator[str]:
    columns = facts.preprocessing.columns
    shown = list(columns.items())[:MOST_COLUMNS]
    yield "## Columns"
    rows = [
        (
            markdown.code(name),
            entry.kind,
            markdown.code(entry.unit) if entry.unit else "",
            _known(entry),
        )
        for name, entry in shown
    ]
    yield markdown.table(("column", "kind", "unit", "in training"), rows)
    if len(columns) > len(shown):
        yield f"{len(columns) - len(shown):,} more columns are in `preprocessing.json`."
    if IMPORTANCE in facts.figures:
        yield f"![Importance of each column]({IMPORTANCE})"
    else:
        yield (
            "Which columns the predictions rely on is measured where the table is: `dlreg explain` with the "
            f"run directory prints the importance of each, and draws `{IMPORTANCE}`."
        )


def _known(entry: ColumnEntry) -> str:
    if entry.date_format is not None:
        text = f"dates as {markdown.code(entry.date_format)}"
        return f"{text}, {' to '.join(map(day_text, entry.range))}" if entry.range else text
    if entry.range:
        return f"{format_number(entry.range[0])} to {format_number(entry.range[1])}"
    levels = entry.levels or []
    texts = [markdown.code(level) if level else "missing" for level in levels[:MOST_LEVELS]]
    return ", ".join(texts) + _and_more(len(levels) - len(texts))


def _intervals(facts: CardFacts) -> Iterator[str]:
    yield "## Intervals"
    record, test = facts.intervals, facts.record.metrics.test
    if not record:
        yield "There were too few rows to calibrate prediction intervals on."
        return
    widths = "wider where a row is harder to predict" if record.scale == "learned" else "of one width"
    rows = f"{record.rows:,} {str(record.calibrated_on).replace('_', '-')} rows"
    text = f"Prediction intervals are conformal, calibrated on {rows}, and {widths}."
    if test and test.coverage_90 is not None and test.width_90 is not None:
        text += (
            f" Those made for 90% hold {format_share(test.coverage_90)} of the test rows; "
            f"their mean width is {format_number(test.width_90)}."
        )
    yield text + " Their scores are in `intervals.json` and in the metadata of `pipeline.onnx`."


def _limits(facts: CardFacts) -> Iterator[str]:
    data, verdict = facts.config.data, facts.record.verdict
    yield "## Limits"
    metrics = facts.record.metrics
    tested_on = "path" if data.test_path else data.split if metrics.test else "none"
    chosen_by = metrics.validation and facts.config.training.restore_best_weights and not metrics.test
    lines = [
        _UNTESTED[tested_on] + (" The validation rows chose the weights." if chosen_by else ""),
        "Numbers outside of the ranges above were in no training row, and a level that is not listed counts "
        "as none of them. `dlreg predict` says how many cells of new rows are such.",
        f"What the learning curve showed: {markdown.sentence_text(verdict.sentence)}",
    ]
    if facts.intervals:
        held = "The intervals hold their share of rows like those they were calibrated on, and of no others."
        lines.insert(2, held)
    if verdict.advice:
        lines.append(f"What may lower the error: {markdown.sentence_text(verdict.advice)}")
    yield "\n".join(f"- {line}" for line in lines)


def _usage(facts: CardFacts) -> Iterator[str]:
    columns = facts.preprocessing.columns
    yield "## Use"
    yield "Missing numbers are NaN; all else is text, which is empty where it is missing."
    yield "From Python, with `pip install onnxruntime`:"
    code = python_code(columns, facts.intervals)
    yield markdown.fenced("python", code)
    yield "From JavaScript, with `npm install onnxruntime-node`, as a module (`.mjs`):"
    yield markdown.fenced("js", javascript_code(columns))
    yield "A whole table, with dlreg: `dlreg predict RUN_DIR table.csv -o predictions.csv`."


def _origin(facts: CardFacts) -> Iterator[str]:
    yield "## Origin"
    versions = [f"{name} {version}" for name, version in facts.record.versions.items()]
    finished, seconds = markdown.code(facts.record.finished), format_number(facts.record.seconds)
    made_by = ", ".join(map(markdown.code, versions[:MOST_NOTES]))
    yield f"Finished {finished}, after {seconds} seconds, by {made_by}."
    yield (
        "`config.yaml` has every setting, `run.json` the SHA-256 of every file: `dlreg verify` with the run "
        "directory compares them."
    )
