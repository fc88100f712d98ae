"""Cells to features as an ONNX graph: missing numbers flagged, dates to the calendar, texts to levels."""

from collections.abc import Callable, Mapping, Sequence

import onnx
from onnx import TensorProto, helper

from dlreg.features.numbers import Feature
from dlreg.pipeline.calendar import calendar_nodes
from dlreg.pipeline.graph import Graph, table_value
from dlreg.pipeline.levels import level_nodes
from dlreg.table.column import Column
from dlreg.table.columns import is_text


def cells_graph(
    columns: Sequence[Column], features: Sequence[Sequence[Feature]], levels: Mapping[str, Sequence[str]]
) -> onnx.ModelProto:
    """Cells of shape [N, 1] per column to features of shape [N, 1], named by their keys.

    A missing number is NaN.

    Args:
        columns: What is read.
        features: What each becomes, as `dlreg.features.numbers.fit_features` gives them.
        levels: Of each feature that is a text, by its key.
    """
    graph, inputs, outputs = Graph(), [], []
    for index, (column, column_features) in enumerate(zip(columns, features, strict=True)):
        cells = f"in{index}"
        inputs.append(table_value(cells, _element_type(is_text=is_text(column))))
        feature_levels = levels.get(column_features[0].key, ())
        values = _NODES[column.kind](graph, cells, column, feature_levels)
        if column_features[-1].kind == "flag":
            values = [*values, graph.add("Cast", graph.add("IsNaN", values[0]), to=TensorProto.DOUBLE)]
        for feature, value in zip(column_features, values, strict=True):
            graph.nodes.append(helper.make_node("Identity", [value], [feature.key]))
            outputs.append(table_value(feature.key, _element_type(is_text=feature.kind == "text")))
    return graph.model(inputs, outputs)


def _element_type(*, is_text: bool) -> int:
    return int(TensorProto.STRING if is_text else TensorProto.DOUBLE)


def _as_they_are(_graph: Graph, cells: str, _column: Column, _levels: Sequence[str]) -> list[str]:
    return [cells]


def _calendar(graph: Graph, cells: str, column: Column, _levels: Sequence[str]) -> list[str]:
    return calendar_nodes(graph, cells, column)


def _levels(graph: Graph, cells: str, column: Column, levels: Sequence[str]) -> list[str]:
    return [level_nodes(graph, cells, column, levels)]


# From the cells of a kind of column, and its levels, to the tensors of its features.
_NODES: Mapping[str, Callable[[Graph, str, Column, Sequence[str]], list[str]]] = {
    "number": _as_they_are,
    "category": _levels,
    "boolean": _levels,
    "date": _calendar,
}
