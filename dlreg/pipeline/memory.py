"""How many rows a pipeline can be given at once, by the memory that its tensors take."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import onnx
from onnx import TensorProto

from dlreg.pipeline.refusal import refused
from dlreg.pipeline.shapes import tensors_of

MAX_ROWS = 16384
MAX_BYTES_PER_CALL = 64 << 20
# What a text takes in a tensor, up to so many bytes of it.
TEXT_BYTES, SHORT_TEXT_BYTES = 64, 32
# ONNX Runtime keeps as much for each of the products of matrices that are done side by side.
BYTES_PER_PRODUCT = 128

_TYPE_BYTES: Mapping[int, int] = {
    TensorProto.FLOAT: 4,
    TensorProto.DOUBLE: 8,
    TensorProto.INT64: 8,
    TensorProto.BOOL: 1,
}


@dataclass(frozen=True)
class Need:
    """What a call takes that is given so many rows.

    Attributes:
        n_bytes: Of all tensors, if texts are short.
        n_texts: How many texts there are in them.
    """

    n_bytes: int
    n_texts: int

    def with_texts_of(self, n_bytes: int) -> int:
        """All bytes, if no text has more than so many."""
        return self.n_bytes + self.n_texts * max(0, n_bytes - SHORT_TEXT_BYTES)


@dataclass(frozen=True)
class Memory:
    """What calls of a pipeline take.

    Attributes:
        least: With one row.
        most: With `MAX_ROWS`.
    """

    least: Need
    most: Need

    def rows_per_call(self, longest_text: int, n_calls: int = 1) -> int:
        """How many rows can be given at once so that calls stay below `MAX_BYTES_PER_CALL`; 0 for none.

        Args:
            longest_text: The most bytes of a cell.
            n_calls: How many calls there are side by side, which share these bytes.
        """
        limit = MAX_BYTES_PER_CALL // n_calls
        least, most = (need.with_texts_of(longest_text) for need in (self.least, self.most))
        if most <= limit:
            return MAX_ROWS
        if least > limit:
            return 0
        return 1 + (MAX_ROWS - 1) * (limit - least) // (most - least)


def memory_of(graph: onnx.GraphProto) -> Memory:
    """Works out what a graph takes.

    Args:
        graph: Operators, attributes and constants are known to be allowed.

    Raises:
        RunDirError: The operators do not fit each other, a single row takes more than a call may, or tensors
            grow faster than their rows.
    """
    memory = Memory(_need(graph, 1), _need(graph, MAX_ROWS))
    rows = memory.rows_per_call(0)
    if not rows:
        raise refused(f"tensors of more than {MAX_BYTES_PER_CALL:,} bytes")
    # Bytes that are so many a row fill at least half of what a call may take.
    if rows < MAX_ROWS and not MAX_BYTES_PER_CALL // 2 <= _need(graph, rows).n_bytes <= MAX_BYTES_PER_CALL:
        raise refused("tensors that grow faster than their rows")
    return memory


def _need(graph: onnx.GraphProto, rows: int) -> Need:
    tensors = tensors_of(graph, rows)
    type_bytes = {**_TYPE_BYTES, TensorProto.STRING: TEXT_BYTES + _longest_text(graph)}
    # Cells are copied: numbers of many columns when they are bound, and all texts.
    names = [value.name for value in graph.input]
    names += [name for node in graph.node for name in node.output]
    n_bytes = n_texts = 0
    for tensor in map(tensors.__getitem__, names):
        n_bytes += tensor.n_elements * type_bytes[tensor.type]
        if tensor.type == TensorProto.STRING:
            n_texts += tensor.n_elements
    products = (tensors[node.output[0]] for node in graph.node if node.op_type == "MatMul")
    n_bytes += sum(BYTES_PER_PRODUCT * math.prod(tensor.dims[:-2]) for tensor in products)
    return Need(n_bytes, n_texts)


def _longest_text(graph: onnx.GraphProto) -> int:
    # The patterns, levels and delimiters of operators never become cells.
    texts = (text for tensor in graph.initializer for text in tensor.string_data)
    joined = sum(2 for node in graph.node if node.op_type == "StringConcat")
    return joined + max(map(len, texts), default=0)
