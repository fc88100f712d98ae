"""The graph of a pipeline as values: operators, constants, and the type and the axes of each tensor."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, numpy_helper

from dlreg.pipeline.shapes import Tensor, tensors_of
from dlreg.pipeline.vetting import vet_model

_C_TYPES: Mapping[int, str] = {
    TensorProto.FLOAT: "float",
    TensorProto.DOUBLE: "double",
    TensorProto.INT64: "int64_t",
}


@dataclass(frozen=True, eq=False)
class Node:
    """An operator.

    Attributes:
        operator: Its name.
        inputs: The names of its inputs.
        outputs: The names of its outputs.
        attributes: Numbers, bytes, or lists of them.
        dims: The axes of its first output, where there is one row.
        type: Of its elements, as `onnx.TensorProto` numbers them.
        c_type: The same in C; empty for texts.
    """

    operator: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]
    dims: tuple[int, ...]
    type: int
    c_type: str


@dataclass(frozen=True, eq=False)
class PipelineGraph:
    """The graph of a pipeline.

    Attributes:
        inputs: Each column, and whether it is one of numbers.
        outputs: The names of the outputs, the prediction first.
        constants: Arrays; texts as bytes.
        types: Of each tensor, as `onnx.TensorProto` numbers them.
        nodes: The operators, each after those whose outputs it reads.
    """

    inputs: Mapping[str, bool]
    outputs: tuple[str, ...]
    constants: Mapping[str, np.ndarray]
    types: Mapping[str, int]
    nodes: tuple[Node, ...]

    def leading_to(self, outputs: Iterable[str]) -> tuple[Node, ...]:
        """The operators that some tensors depend on."""
        needed, nodes = set(outputs), list[Node]()
        for node in reversed(self.nodes):
            if needed & set(node.outputs):
                nodes.append(node)
                needed.update(node.inputs)
        return tuple(reversed(nodes))


def uses(nodes: Iterable[Node], outputs: Iterable[str]) -> Counter[str]:
    """How often each tensor is read."""
    return Counter([*outputs, *(name for node in nodes for name in node.inputs)])


def read_graph(content: bytes) -> PipelineGraph:
    """Reads a pipeline, which a stranger may have written.

    Raises:
        RunDirError: It is not one as dlreg writes it.
    """
    vetted, _ = vet_model(content)
    graph = onnx.ModelProto.FromString(vetted).graph
    tensors = tensors_of(graph, 1)
    return PipelineGraph(
        {value.name: value.type.tensor_type.elem_type == TensorProto.DOUBLE for value in graph.input},
        tuple(value.name for value in graph.output),
        {tensor.name: _array(tensor) for tensor in graph.initializer},
        {name: tensor.type for name, tensor in tensors.items()},
        tuple(_node(node, tensors[node.output[0]]) for node in graph.node),
    )


def _array(tensor: onnx.TensorProto) -> np.ndarray:
    if tensor.data_type == TensorProto.STRING:
        # NumPy's own arrays of bytes lose zeros at the end.
        return np.array(list(tensor.string_data), dtype=object).reshape(tuple(tensor.dims))
    return numpy_helper.to_array(tensor)


def _node(node: onnx.NodeProto, tensor: Tensor) -> Node:
    attributes = {attribute.name: onnx.helper.get_attribute_value(attribute) for attribute in node.attribute}
    c_type = "int" if tensor.type == TensorProto.BOOL else _C_TYPES.get(tensor.type, "")
    return Node(
        node.op_type, tuple(node.input), tuple(node.output), attributes, tensor.dims, tensor.type, c_type
    )
