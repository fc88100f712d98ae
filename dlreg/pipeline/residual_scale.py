"""The expected size of a row's error, as a further output of a pipeline."""

from collections.abc import Sequence

import numpy as np
import onnx
from onnx import TensorProto, compose, helper

from dlreg.model.levels import spread_widths
from dlreg.model.residual_scale import ResidualScale
from dlreg.pipeline.export import ROWS, free_prefix
from dlreg.pipeline.graph import RESIDUAL_SCALE, Graph, table_value
from dlreg.pipeline.networks import weighted_sum


def add_residual_scale(
    model: onnx.ModelProto, scale: ResidualScale, categories: Sequence[int] = ()
) -> onnx.ModelProto:
    """Adds `scale` to a pipeline, so that intervals need nothing but the pipeline and their scores.

    Args:
        model: What `export_pipeline` gives.
        scale: Fitted on preprocessed rows and predictions of this pipeline.
        categories: As its networks have them.

    Returns:
        The model with one output more, named `residual_scale`, double of shape [N, 1].
    """
    names = [value.name for value in model.graph.input]
    prefix = free_prefix(names)
    stage = compose.add_prefix(_scale_graph(scale, categories), f"{prefix}scale/").graph
    output = f"{prefix}{RESIDUAL_SCALE}" if RESIDUAL_SCALE in names else RESIDUAL_SCALE
    joints = {
        stage.input[0].name: f"{prefix}{ROWS}",
        stage.input[1].name: model.graph.output[0].name,
        stage.output[0].name: output,
    }
    for node in stage.node:
        for field in (node.input, node.output):
            field[:] = [joints.get(name, name) for name in field]
    merged = onnx.ModelProto()
    merged.CopyFrom(model)
    merged.graph.node.extend(stage.node)
    merged.graph.initializer.extend(stage.initializer)
    merged.graph.output.append(table_value(output, TensorProto.DOUBLE))
    onnx.checker.check_model(merged, full_check=True)
    return merged


def _scale_graph(scale: ResidualScale, categories: Sequence[int]) -> onnx.ModelProto:
    """`ResidualScale.__call__` of preprocessed rows and predictions, all in double precision."""
    graph = Graph()
    value: str = graph.constant(np.float64(scale.intercept))
    if len(scale.features):
        value = graph.add("Add", weighted_sum(graph, "rows", scale.features, categories), value)
    if len(scale.knots):
        shares = graph.add("Div", graph.add("Sub", "prediction", scale.knots[:-1]), np.diff(scale.knots))
        shares = graph.add("Clip", shares, np.float64(0), np.float64(1))
        value = graph.add("Add", graph.add("MatMul", shares, scale.bins[:, None]), value)
    value = graph.add("Exp", graph.add("Clip", value, *map(np.float64, scale.limits)))
    graph.nodes.append(helper.make_node("Identity", [value], ["scale"]))
    n_features = len(scale.features) - sum(spread_widths(categories)) + len(categories)
    widths = {"rows": max(n_features, 1), "prediction": 1}
    inputs = [table_value(name, TensorProto.DOUBLE, width) for name, width in widths.items()]
    return graph.model(inputs, [table_value("scale", TensorProto.DOUBLE)])
