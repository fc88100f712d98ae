"""The code of a model card: how a run predicts a row, without dlreg."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime

from dlreg.errors import printable
from dlreg.evaluation.intervals import LEVEL
from dlreg.runs.shapes import ColumnEntry

_MOMENT = datetime(2024, 5, 6, 8, 15, tzinfo=UTC)
_COUNTED = {"epoch_seconds": 1, "epoch_milliseconds": 1000}


def example_cell(column: ColumnEntry) -> float | str:
    """A cell that a column may have: the middle of the training range, the first level, a moment of 2024."""
    if column.kind == "number":
        return _middle(*column.range) if column.range else float("nan")
    if column.date_format is not None:
        factor = _COUNTED.get(column.date_format)
        count = factor and str(round(_MOMENT.timestamp() * factor))
        return count or _MOMENT.strftime(column.date_format)
    return next(filter(None, column.levels or ()), "")


def python_code(columns: Mapping[str, ColumnEntry], *, with_interval: bool, scaled: bool) -> str:
    """Predicts a row with `onnxruntime`.

    Args:
        columns: What the pipeline reads.
        with_interval: Whether there are rows enough for an interval at `LEVEL`.
        scaled: Whether some rows have wider intervals than others.
    """
    row = "".join(
        f"    {name!r}: {_python_cell(example_cell(column))},\n" for name, column in columns.items()
    )
    lines = [
        "import json\nimport math\n\n" if with_interval else "",
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
    if with_interval:
        lines += [
            f"\n# The interval that holds {100 * LEVEL:.0f}% of rows like those it was calibrated on.\n",
            'intervals = json.loads(session.get_modelmeta().custom_metadata_map["dlreg.intervals"])\n',
            'n_rows, scores = intervals["rows"], intervals["scores"]\n',
            f"rank = math.ceil(round((n_rows + 1) * {LEVEL}, 9))\n",
            "half = scores[math.ceil(round(rank * len(scores) / n_rows, 9)) - 1]",
            " * outputs[-1].item()\n" if scaled else "\n",
            "print(prediction, prediction - half, prediction + half)\n",
        ]
    else:
        lines += ["print(prediction)\n"]
    return "".join(lines)


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
