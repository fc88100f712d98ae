"""A run as a SavedModel of TensorFlow: from raw columns to predictions, loaded without dlreg."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from dlreg.evaluation.intervals import LEVEL
from dlreg.exports.c.literals import identifiers
from dlreg.exports.exported_run import ExportedRun
from dlreg.exports.tensorflow_operators import LOOKUPS, apply, constant, lookup_table
from dlreg.exports.tensors import PipelineGraph
from dlreg.pipeline.graph import PREDICTION, RESIDUAL_SCALE, SPREAD
from dlreg.pipeline.vetting import plain_output


def write_saved_model(run: ExportedRun, folder: Path) -> dict[str, str]:
    """Writes a SavedModel into an empty folder.

    Its signature `serving_default` takes a tensor of shape [N, 1] per column, float64 or string, and gives
    `y_pred` in the target's units, for several members `y_spread`, and where there are rows enough `y_lower`
    and `y_upper`, between which 90% of new rows lie: float64 of shape [N, 1].

    Returns:
        For each column the name that the signature calls it by: TensorFlow allows fewer characters.

    Raises:
        RunDirError: The pipeline is not one that dlreg could have written.
    """
    module = tf.Module()
    nodes = run.graph.leading_to(run.graph.outputs)
    tables = {node.outputs[0]: lookup_table(node) for node in nodes if node.operator in LOOKUPS}
    # Tables live as long as the model that has them as attributes.
    module.tables = list(tables.values())
    names = list(run.graph.inputs)
    keys = dict(zip(names, identifiers(names), strict=True))
    specs = [
        tf.TensorSpec([None, 1], tf.float64 if is_number else tf.string, name=keys[name])
        for name, is_number in run.graph.inputs.items()
    ]

    def predict(*cells: Any) -> dict[str, Any]:
        return _outputs(run, dict(zip(names, cells, strict=True)), tables)

    module.predict = tf.function(predict, input_signature=specs)
    signature = module.predict.get_concrete_function()
    tf.saved_model.save(module, str(folder), signatures={"serving_default": signature})
    return keys


def _outputs(run: ExportedRun, cells: Mapping[str, Any], tables: Mapping[str, Any]) -> dict[str, Any]:
    found = _run(run.graph, cells, tables)
    result = {"y_pred": found[PREDICTION]}
    if SPREAD in found:
        result["y_spread"] = found[SPREAD]
    factors = run.intervals.factors(LEVEL) if run.intervals.n_rows else None
    if factors is not None:
        scale = found.get(RESIDUAL_SCALE, tf.ones_like(found[PREDICTION]))
        result["y_lower"] = found[PREDICTION] - factors.below * scale
        result["y_upper"] = found[PREDICTION] + factors.above * scale
    return result


def _run(graph: PipelineGraph, cells: Mapping[str, Any], tables: Mapping[str, Any]) -> dict[str, Any]:
    """Every output of a pipeline by its name, [N, 1]."""
    tensors = dict(cells)
    for node in graph.leading_to(graph.outputs):
        inputs = []
        for name in node.inputs:
            if name not in tensors:
                tensors[name] = constant(np.asarray(graph.constants[name]))
            inputs.append(tensors[name])
        tensors[node.outputs[0]] = apply(node, inputs, tables.get(node.outputs[0]))
    return {plain_output(name): tensors[name] for name in graph.outputs}
