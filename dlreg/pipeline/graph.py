"""Writing ONNX graphs down as formulas."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

# 20 brought StringSplit, RegexFullMatch and Gelu; 9 is the version of the format that knows it.
OPSET, ML_OPSET, IR_VERSION = 20, 3, 9
# The outputs of a pipeline, in this order; only the first is always there.
PREDICTION, SPREAD, RESIDUAL_SCALE = "prediction", "spread", "residual_scale"
# What begins the names of everything a pipeline says of itself.
METADATA_PREFIX = "dlreg."


class Graph:
    """Collects the nodes and constants of an ONNX graph while formulas are written down."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, value: Any) -> str:
        """Adds an array and returns its name."""
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def add(self, operator: str, *inputs: Any, outputs: int = 1, domain: str = "", **attributes: Any) -> Any:
        """Adds a node; inputs are names of tensors, or arrays. Returns the name(s) of its output."""
        names = [value if isinstance(value, str) else self.constant(value) for value in inputs]
        results = [f"{operator.lower()}_{len(self.nodes)}_{k}" for k in range(outputs)]
        self.nodes.append(helper.make_node(operator, names, results, domain=domain, **attributes))
        return results[0] if outputs == 1 else results

    def model(
        self, inputs: Sequence[onnx.ValueInfoProto], outputs: Sequence[onnx.ValueInfoProto]
    ) -> onnx.ModelProto:
        """The graph as a model of its own."""
        graph = helper.make_graph(self.nodes, "dlreg", inputs, outputs, self.constants)
        return with_versions(graph)


def split_text(graph: Graph, text: str, separator: str) -> tuple[str, str]:
    """The parts of texts before and after their first separator; the second is "" where there is none.

    Two pieces at most: `dlreg.pipeline.vetting` reckons the memory of no more.
    """
    pieces, _ = graph.add("StringSplit", text, outputs=2, delimiter=separator, maxsplit=1)
    # A piece that no text has, or that is empty in all of them, is not there.
    nothing = np.array("", dtype=object)
    empty = graph.add("Where", graph.add("Equal", text, text), nothing, nothing)
    empty = graph.add("Unsqueeze", empty, np.array([2]))
    padded = graph.add("Concat", pieces, empty, empty, axis=-1)
    head, tail = (graph.add("Gather", padded, np.array(place), axis=-1) for place in (0, 1))
    return head, tail


def trim_text(graph: Graph, text: str) -> str:
    """Texts without the blanks around them.

    Split at blanks, but never: ONNX Runtime takes them away at both ends.
    """
    pieces, _ = graph.add("StringSplit", text, outputs=2, delimiter="", maxsplit=0)
    # Where all texts are blank there is no piece at all.
    padded = graph.add("Concat", pieces, graph.add("Unsqueeze", text, np.array([2])), axis=-1)
    return str(graph.add("Gather", padded, np.array(0), axis=-1))


def with_versions(graph: onnx.GraphProto) -> onnx.ModelProto:
    """A model of this graph, with the versions all parts of a pipeline share."""
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", ML_OPSET)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="dlreg")


def table_value(name: str, element_type: int, width: int = 1) -> onnx.ValueInfoProto:
    """The declaration of a tensor of shape [N, width]."""
    return helper.make_tensor_value_info(name, element_type, ["N", width])
