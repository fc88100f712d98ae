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
        values = _NODES[column.kind](graph, cells, column, column_features, levels)
        for feature, value in zip(column_features, values, strict=True):
            graph.nodes.append(helper.make_node("Identity", [value], [feature.key]))
            outputs.append(table_value(feature.key, _element_type(is_text=feature.kind == "text")))
    return graph.model(inputs, outputs)


def _element_type(*, is_text: bool) -> int:
    return int(TensorProto.STRING if is_text else TensorProto.DOUBLE)


_Levels = Mapping[str, Sequence[str]]


def _as_they_are(
    graph: Graph, cells: str, _column: Column, features: Sequence[Feature], _levels: _Levels
) -> list[str]:
    return [cells, *_flags(graph, cells, features)]


def _calendar(
    graph: Graph, cells: str, column: Column, features: Sequence[Feature], _levels: _Levels
) -> list[str]:
    parts = [feature.part for feature in features if feature.part]
    numbers, texts = calendar_nodes(graph, cells, column, parts)
    return [*numbers, *_flags(graph, numbers[0], features), *texts]


def _flags(graph: Graph, numbers: str, features: Sequence[Feature]) -> list[str]:
    """The flag of missing numbers, if there is to be one."""
    if all(feature.kind != "flag" for feature in features):
        return []
    return [graph.add("Cast", graph.add("IsNaN", numbers), to=TensorProto.DOUBLE)]


def _text(
    graph: Graph, cells: str, column: Column, features: Sequence[Feature], levels: _Levels
) -> list[str]:
    return [level_nodes(graph, cells, column, levels[features[0].key])]


# From the cells of a kind of column, and the levels of each feature, to the tensors of its features.
_NODES: Mapping[str, Callable[[Graph, str, Column, Sequence[Feature], _Levels], list[str]]] = {
    "number": _as_they_are,
    "category": _text,
    "boolean": _text,
    "date": _calendar,
}
