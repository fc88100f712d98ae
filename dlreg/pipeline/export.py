"""The whole way from raw cells to the prediction as one ONNX graph, built from three parts.

    cells ──▶ fill (missing numbers, dates → calendar features; written here)
          ──▶ scale and encode (scikit-learn's ColumnTransformer, converted by skl2onnx)
          ──▶ network and the target's scale undone (written here)

Numbers stay in double precision until they are scaled, so that years, ids and money lose nothing.
"""

from collections.abc import Sequence

import numpy as np
import onnx
from onnx import TensorProto, compose, helper
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import DoubleTensorType, StringTensorType

from dlreg.features.preprocessing import SOFT_LIMIT, Feature, Preprocessing
from dlreg.model.architecture import Network
from dlreg.model.mixture import Mixture
from dlreg.model.weights import Weights
from dlreg.pipeline import quantile as onnx_quantile
from dlreg.pipeline.calendar import calendar_nodes
from dlreg.pipeline.graph import ML_OPSET, OPSET, PREDICTION, SPREAD, Graph, table_value, with_versions
from dlreg.pipeline.networks import network_graph
from dlreg.table.column import Column

OUTPUTS = (PREDICTION, SPREAD)
# The tensor between preprocessing and network.
ROWS = "rows"


def export_pipeline(
    preprocessing: Preprocessing, views: Sequence[tuple[Network, Sequence[Weights]]], mixture: Mixture
) -> onnx.ModelProto:
    """Builds `pipeline.onnx`.

    Args:
        preprocessing: Fitted on the training rows.
        views: Each kind of network with the trained weights of its members.
        mixture: What a prediction is made of.

    Returns:
        A checked model with one input of shape [N, 1] per column, named as the column: numbers as
        double, text and dates as string; its first output is the prediction in the target's units,
        double of shape [N, 1], the second, for several members, their standard deviation.
    """
    names = [column.name for column in preprocessing.columns]
    prefix = free_prefix(names)
    stages = [
        _fill_graph(preprocessing.columns, preprocessing.features),
        _scale_graph(preprocessing),
        *([_soft_clip_graph(preprocessing)] if preprocessing.soft_clip else []),
        network_graph(views, mixture, preprocessing.target, OUTPUTS),
    ]
    merged, *others = (
        with_versions(compose.add_prefix(stage, f"{prefix}{number}/").graph)
        for number, stage in enumerate(stages)
    )
    for stage in others:
        joints = zip(merged.graph.output, stage.graph.input, strict=True)
        io_map = [(end.name, start.name) for end, start in joints]
        merged = with_versions(compose.merge_models(merged, stage, io_map=io_map).graph)
    inputs = {value.name: name for value, name in zip(merged.graph.input, names, strict=True)}
    outputs = {
        value.name: name if name not in names else f"{prefix}{name}"
        for value, name in zip(merged.graph.output, OUTPUTS, strict=False)
    }
    rows = {f"{prefix}{len(stages) - 2}/{stages[-2].graph.output[0].name}": f"{prefix}{ROWS}"}
    _rename(merged.graph, inputs | outputs | rows)
    merged.graph.name, merged.graph.doc_string = "dlreg", ""
    onnx.checker.check_model(merged, full_check=True)
    return merged


def free_prefix(names: Sequence[str]) -> str:
    """What the names of a pipeline's own tensors start with, so that none is a column's."""
    prefix = "dlreg/"
    while any(name.startswith(prefix) for name in names):
        prefix += "_"
    return prefix


def _rename(graph: onnx.GraphProto, names: dict[str, str]) -> None:
    for value in (*graph.input, *graph.output):
        value.name = names.get(value.name, value.name)
    for node in graph.node:
        for field in (node.input, node.output):
            for index, name in enumerate(field):
                field[index] = names.get(name, name)


def _fill_graph(columns: Sequence[Column], features: Sequence[Sequence[Feature]]) -> onnx.ModelProto:
    graph, inputs, outputs = Graph(), [], []
    for index, (column, part) in enumerate(zip(columns, features, strict=True)):
        kind = TensorProto.DOUBLE if column.kind == "number" else TensorProto.STRING
        inputs.append(table_value(f"in{index}", kind))
        if column.kind == "number":
            values = [f"in{index}"]
        elif column.date_format:
            values = calendar_nodes(graph, f"in{index}", column.date_format)
        else:
            values = [f"in{index}"]
        if part[-1].key[0] == "f":
            values = [*values, graph.add("Cast", graph.add("IsNaN", values[0]), to=TensorProto.DOUBLE)]
        for feature, value in zip(part, values, strict=True):
            if feature.fill is not None:
                value = graph.add("Where", graph.add("IsNaN", value), np.float64(feature.fill), value)
            graph.nodes.append(helper.make_node("Identity", [value], [feature.key]))
            is_text = feature.key[0] == "t"
            outputs.append(table_value(feature.key, TensorProto.STRING if is_text else TensorProto.DOUBLE))
    return graph.model(inputs, outputs)


def _soft_clip_graph(preprocessing: Preprocessing) -> onnx.ModelProto:
    """X / √(1 + (x / `SOFT_LIMIT`)²) of the numbers, and the other features as they are."""
    graph, n_features = Graph(), len(preprocessing.feature_names)
    # Divided by infinity, a feature that is no number is far below the limit.
    limits = np.where(np.arange(n_features) < preprocessing.n_numbers, SOFT_LIMIT, np.inf)
    share = graph.add("Div", "scaled", limits)
    root = graph.add("Sqrt", graph.add("Add", graph.add("Mul", share, share), np.float64(1)))
    clipped = graph.add("Div", "scaled", root)
    graph.nodes.append(helper.make_node("Identity", [clipped], ["clipped"]))
    return graph.model(
        [table_value("scaled", TensorProto.DOUBLE, n_features)],
        [table_value("clipped", TensorProto.DOUBLE, n_features)],
    )


def _scale_graph(preprocessing: Preprocessing) -> onnx.ModelProto:
    types = [
        (feature.key, StringTensorType([None, 1]) if feature.key[0] == "t" else DoubleTensorType([None, 1]))
        for part in preprocessing.features
        for feature in part
    ]
    onnx_quantile.register()
    model: onnx.ModelProto = convert_sklearn(
        preprocessing.transformer, initial_types=types, target_opset={"": OPSET, "ai.onnx.ml": ML_OPSET}
    )
    return model
