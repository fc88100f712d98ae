"""The code of a model card: how a run predicts a row, without dlreg."""

import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from math import ceil

from dlreg.errors import printable
from dlreg.evaluation.intervals import LEVEL
from dlreg.runs.shapes import ColumnEntry, IntervalsRecord

_MOMENT, _EPOCH = datetime(2024, 5, 6, 8, 15, tzinfo=UTC), datetime(1970, 1, 1, tzinfo=UTC)
_COUNTED = {"epoch_seconds": 1, "epoch_milliseconds": 1000}


def example_cell(column: ColumnEntry) -> float | str:
    """A cell that a column may have: the middle of the training range, or the first level."""
    if column.kind == "number":
        return _middle(*column.range) if column.range else float("nan")
    if column.date_format is not None:
        factor = _COUNTED.get(column.date_format)
        moment = _MOMENT
        # A stranger's range may be of any days.
        with suppress(OverflowError):
            if column.range:
                moment = _EPOCH + timedelta(minutes=round(sum(column.range) / 2 * 24 * 60))
        count = factor and str(round(moment.timestamp() * factor))
        return count or moment.strftime(column.date_format)
    return next(filter(None, column.levels or ()), "")


def python_code(columns: Mapping[str, ColumnEntry], intervals: IntervalsRecord | None) -> str:
    """Predicts a row with `onnxruntime`.

    Args:
        columns: What the pipeline reads.
        intervals: Those of the run, with rows enough for one at `LEVEL`; else None.
    """
    row = "".join(
        f"    {name!r}: {_python_cell(example_cell(column))},\n" for name, column in columns.items()
    )
    lines = [
        "import json\nimport math\n\n" if intervals else "",
        "import numpy as np\nimport onnxruntime\n\n",
        'session = onnxruntime.InferenceSession("pipeline.onnx")\n',
        f"row = {{\n{row}}}\n",
        "cells = {\n"
        "    name: np.array([[cell]], dtype=object if isinstance(cell, str) else np.float64)\n"
        "    for name, cell in row.items()\n"
        "}\n",
        "outputs = session.run(None, cells)\n",
        "prediction = outputs[0].item()\n",
    ]
    lines += _interval_code(intervals) if intervals else ["print(prediction)\n"]
    return "".join(lines)


def _interval_code(intervals: IntervalsRecord) -> list[str]:
    """What `dlreg.evaluation.intervals.Intervals.factors` does, for the scores of a run."""
    scale = " * outputs[-1].item()" if intervals.scale == "learned" else ""
    name = "scores" if intervals.signed_scores is None else "signed_scores"
    lines = [
        f"\n# The interval that holds {100 * LEVEL:.0f}% of rows like those it was calibrated on.\n",
        'intervals = json.loads(session.get_modelmeta().custom_metadata_map["dlreg.intervals"])\n',
        f'n_rows, scores = intervals["rows"], intervals["{name}"]\n',
    ]
    place = "place = math.ceil(round(rank * len(scores) / n_rows, 9)) - 1\n"
    if intervals.signed_scores is None:
        lines += [
            f"rank = math.ceil(round((n_rows + 1) * {LEVEL}, 9))\n",
            place,
            f"below = above = scores[place]{scale}\n",
        ]
    elif (rows := intervals.rows) >= ceil(round((rows + 1) * (1 + LEVEL) / 2, 9)):
        lines += [
            f"rank = math.ceil(round((n_rows + 1) * {(1 + LEVEL) / 2}, 9))\n",
            place,
            f"below = max(0.0, -scores[-1 - place]){scale}\n",
            f"above = max(0.0, scores[place]){scale}\n",
        ]
    else:
        lines += [f"below = above = max(-scores[0], scores[-1]){scale}\n"]
    return [*lines, "print(prediction, prediction - below, prediction + above)\n"]


def javascript_code(columns: Mapping[str, ColumnEntry]) -> str:
    """Predicts a row with `onnxruntime-node` or `onnxruntime-web`, as a module.

    Args:
        columns: What the pipeline reads.
    """
    row = "".join(
        f"  [{_javascript_text(name)}, {_javascript_cell(example_cell(column))}],\n"
        for name, column in columns.items()
    )
    return (
        'import * as ort from "onnxruntime-node"; // in a browser: "onnxruntime-web"\n\n'
        'const session = await ort.InferenceSession.create("pipeline.onnx");\n'
        f"const row = [\n{row}];\n"
        "const tensor = (cell) =>\n"
        '  typeof cell === "string"\n'
        '    ? new ort.Tensor("string", [cell], [1, 1])\n'
        '    : new ort.Tensor("float64", [cell], [1, 1]);\n'
        "const cells = Object.fromEntries(row.map(([name, cell]) => [name, tensor(cell)]));\n"
        "const outputs = await session.run(cells);\n"
        "console.log(outputs[session.outputNames[0]].data[0]);\n"
    )


def _middle(low: float, high: float) -> float:
    middle = low / 2 + high / 2
    shown = float(round(middle)) if low.is_integer() and high.is_integer() else float(f"{middle:.4g}")
    return min(max(shown, low), high)


def _python_cell(cell: float | str) -> str:
    return repr(cell) if cell == cell else "np.nan"


def _javascript_cell(cell: float | str) -> str:
    if isinstance(cell, str):
        return _javascript_text(cell)
    return repr(cell) if cell == cell else "NaN"


def _javascript_text(text: str) -> str:
    return json.dumps(text, ensure_ascii=printable(text) != text)
