"""How many rows a pipeline can be given at once, by the memory that its tensors take."""

from collections.abc import Mapping

import onnx
from onnx import TensorProto

from dlreg.pipeline.refusal import refused
from dlreg.pipeline.shapes import tensors_of

MAX_ROWS = 16384
MAX_BYTES_PER_CALL = 64 << 20
TEXT_BYTES = 64  # what a short text takes in a tensor

_TYPE_BYTES: Mapping[int, int] = {
    TensorProto.FLOAT: 4,
    TensorProto.DOUBLE: 8,
    TensorProto.INT64: 8,
    TensorProto.BOOL: 1,
}


def rows_per_call(graph: onnx.GraphProto) -> int:
    """How many rows a graph can be given at once so that its tensors stay below `MAX_BYTES_PER_CALL`.

    Args:
        graph: Operators, attributes and constants are known to be allowed.

    Raises:
        RunDirError: The operators do not fit each other, or a single row takes more.
    """
    most, least = (_needed_bytes(graph, rows) for rows in (MAX_ROWS, 1))
    if most <= MAX_BYTES_PER_CALL:
        return MAX_ROWS
    if least > MAX_BYTES_PER_CALL:
        raise refused(f"tensors of more than {MAX_BYTES_PER_CALL:,} bytes")
    rows = 1 + (MAX_ROWS - 1) * (MAX_BYTES_PER_CALL - least) // (most - least)
    # Bytes that are so many a row fill at least half of what a call may take.
    if not MAX_BYTES_PER_CALL // 2 <= _needed_bytes(graph, rows) <= MAX_BYTES_PER_CALL:
        raise refused("tensors that grow faster than their rows")
    return rows


def _needed_bytes(graph: onnx.GraphProto, rows: int) -> int:
    """The bytes of all that the nodes give out when the inputs have so many rows."""
    tensors = tensors_of(graph, rows)
    type_bytes = {**_TYPE_BYTES, TensorProto.STRING: TEXT_BYTES + _longest_text(graph)}
    outputs = (tensors[name] for node in graph.node for name in node.output)
    return sum(tensor.n_elements * type_bytes[tensor.type] for tensor in outputs)


def _longest_text(graph: onnx.GraphProto) -> int:
    # The patterns, levels and delimiters of operators never become cells.
    texts = (text for tensor in graph.initializer for text in tensor.string_data)
    joined = sum(2 for node in graph.node if node.op_type == "StringConcat")
    return joined + max(map(len, texts), default=0)
