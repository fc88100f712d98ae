"""Checks an ONNX file before it is run: a stranger may have written it.

Only what dlreg's own exporter emits passes: its operators with their attributes, constants inside the
file, no functions, no nested graphs. None of these operators reads a file or opens a connection, and
their shapes are known beforehand, so that memory is, too.
"""

import math
import re
from collections.abc import Iterator, Mapping

import numpy as np
import onnx
from google.protobuf.message import DecodeError, Message
from onnx import AttributeProto, TensorProto

from dlreg.errors import RunDirError
from dlreg.pipeline.graph import IR_VERSION, ML_OPSET, OPSET, PREDICTION, RESIDUAL_SCALE, SPREAD
from dlreg.pipeline.patterns import is_known_pattern

MAX_ROWS = 16384
MAX_NODES = 60_000
MAX_FIELDS = 1_000_000
MAX_BYTES_PER_CALL = 64 << 20
MAX_SHAPE_LENGTH = 64
TEXT_BYTES = 64  # what a short text takes in a tensor

_PLAIN = (
    "Add And Clip Cos Div Equal Exp Floor Gemm GreaterOrEqual Identity IsNaN Less LessOrEqual MatMul Max "
    "Min Mul Neg NonZero Relu Reshape Round ScatterElements Selu Sigmoid Sin Softplus Softsign Sqrt "
    "StringConcat Sub Tanh Unsqueeze Where"
)
# Every operator that dlreg emits, with the attributes it gives it.
OPERATORS: Mapping[tuple[str, str], frozenset[str]] = {
    **{("", name): frozenset() for name in _PLAIN.split()},
    ("", "Cast"): frozenset({"to"}),
    ("", "Celu"): frozenset({"alpha"}),
    ("", "Concat"): frozenset({"axis"}),
    ("", "Elu"): frozenset({"alpha"}),
    ("", "Gather"): frozenset({"axis"}),
    ("", "Gelu"): frozenset({"approximate"}),
    ("", "HardSigmoid"): frozenset({"alpha", "beta"}),
    ("", "LeakyRelu"): frozenset({"alpha"}),
    ("", "Mod"): frozenset({"fmod"}),
    ("", "RegexFullMatch"): frozenset({"pattern"}),
    ("", "Shrink"): frozenset({"bias", "lambd"}),
    ("", "StringSplit"): frozenset({"delimiter", "maxsplit"}),
    ("", "Transpose"): frozenset({"perm"}),
    ("ai.onnx.ml", "LabelEncoder"): frozenset(
        {"default_float", "default_int64", "keys_strings", "values_floats", "values_int64s"}
    ),
    ("ai.onnx.ml", "OneHotEncoder"): frozenset({"cats_strings", "zeros"}),
    ("ai.onnx.ml", "Scaler"): frozenset({"offset", "scale"}),
}
# The fields that may be set in each message; external data, functions, nested graphs and metadata are not.
_FIELDS: Mapping[str, frozenset[str]] = {
    "ModelProto": frozenset({"ir_version", "producer_name", "graph", "opset_import"}),
    "OperatorSetIdProto": frozenset({"domain", "version"}),
    "GraphProto": frozenset({"node", "name", "doc_string", "initializer", "input", "output", "value_info"}),
    "NodeProto": frozenset({"input", "output", "name", "op_type", "domain", "attribute"}),
    "AttributeProto": frozenset({"name", "type", "f", "i", "s", "floats", "ints", "strings"}),
    "TensorProto": frozenset(
        {"dims", "data_type", "name", "raw_data", "float_data", "int64_data", "double_data", "string_data"}
    ),
}
_OUTPUTS = [PREDICTION, SPREAD, RESIDUAL_SCALE]
_TYPE_BYTES: Mapping[int, int] = {
    TensorProto.FLOAT: 4,
    TensorProto.DOUBLE: 8,
    TensorProto.INT32: 4,
    TensorProto.INT64: 8,
    TensorProto.BOOL: 1,
}
_DATA_FIELDS: Mapping[int, str] = {
    TensorProto.FLOAT: "float_data",
    TensorProto.DOUBLE: "double_data",
    TensorProto.INT64: "int64_data",
    TensorProto.STRING: "string_data",
}
# RE2 takes some twenty times as much memory.
MAX_PATTERN_BYTES = 8 << 20
# Field numbers of onnx.proto: the messages in each message, and the packed integers.
_MESSAGES: Mapping[str, Mapping[int, str]] = {
    "model": {7: "graph", 8: "other", 14: "other", 20: "other", 25: "other", 26: "other"},
    "graph": {1: "node", 5: "tensor", 11: "other", 12: "other", 13: "other", 14: "other", 15: "other"},
    "node": {5: "attribute", 9: "other"},
    "attribute": {5: "tensor", 10: "tensor"},
    "tensor": {13: "other"},
    "other": {},
}
_PACKED = {"tensor": {1, 5, 7, 11}, "attribute": {8}}


def vet_model(content: bytes) -> tuple[bytes, int]:
    """Checks that a model holds nothing but what dlreg's own exporter writes.

    Args:
        content: The bytes of an ONNX file.

    Returns:
        The model written anew, holding nothing but what was checked, and how many rows it can be given
        at once so that all its tensors together stay below `MAX_BYTES_PER_CALL`.

    Raises:
        RunDirError: There is anything else in it, or it needs too much memory.
    """
    if _count_fields(memoryview(content)) > MAX_FIELDS:
        raise _refused("more parts than any of dlreg's")
    model = onnx.ModelProto()
    try:
        model.ParseFromString(content)
    except DecodeError:
        raise _refused("no ONNX model") from None
    model.DiscardUnknownFields()
    _check_header(model)
    graph = model.graph
    if len(graph.node) > MAX_NODES:
        raise _refused(f"{len(graph.node):,} nodes")
    constants = {tensor.name: tensor for tensor in graph.initializer}
    for tensor in graph.initializer:
        _check_tensor(tensor)
    for node in graph.node:
        _check_node(node, constants)
    if sum(len(_pattern_of(node)) for node in graph.node) > MAX_PATTERN_BYTES:
        raise _refused(f"patterns of more than {MAX_PATTERN_BYTES:,} bytes")
    # Shapes that the file claims are not trusted, but worked out anew.
    del graph.value_info[:]
    return model.SerializeToString(), _rows_per_call(model)


def plain_output(name: str) -> str:
    """The plain name of an output, without the prefix that keeps it apart from a column of that name."""
    return re.sub(r"^dlreg/_*", "", name)


def _refused(found: str) -> RunDirError:
    return RunDirError(f"expected a pipeline as dlreg writes it, found {found}. Train again")


def _check_header(model: onnx.ModelProto) -> None:
    graph = model.graph
    for message in (model, graph, *model.opset_import):
        _check_fields(message)
    versions = sorted((opset.domain, opset.version) for opset in model.opset_import)
    if model.ir_version != IR_VERSION or versions != [("", OPSET), ("ai.onnx.ml", ML_OPSET)]:
        raise _refused(f"IR version {model.ir_version} with operators {versions}")
    outputs = [plain_output(value.name) for value in graph.output]
    if outputs != [name for name in _OUTPUTS if name in outputs] or outputs[:1] != _OUTPUTS[:1]:
        raise _refused(f"the outputs {outputs}"[:200])
    if not graph.input:
        raise _refused("no inputs")
    for value in (*graph.input, *graph.output):
        dims = value.type.tensor_type.shape.dim
        names = [dim.dim_param or dim.dim_value for dim in dims]
        if names != ["N", 1] or value.type.tensor_type.elem_type not in (
            TensorProto.DOUBLE,
            TensorProto.STRING,
        ):
            raise _refused(f"{value.name!r} of shape {names}, not a column")


def _check_fields(message: Message) -> None:
    kind = message.DESCRIPTOR.name
    if others := {field.name for field, _ in message.ListFields()} - _FIELDS[kind]:
        raise _refused(f"{', '.join(sorted(others))} in {kind}")


def _check_tensor(tensor: onnx.TensorProto) -> None:
    _check_fields(tensor)
    if tensor.data_type not in _DATA_FIELDS or any(dim < 0 for dim in tensor.dims):
        raise _refused(f"the constant {tensor.name!r} of type {tensor.data_type}")
    if tensor.HasField("raw_data"):
        n_values = len(tensor.raw_data) / _TYPE_BYTES.get(tensor.data_type, math.inf)
    else:
        n_values = len(getattr(tensor, _DATA_FIELDS[tensor.data_type]))
    if n_values != math.prod(tensor.dims):
        raise _refused(f"the constant {tensor.name!r}, whose shape is not that of its values")


def _check_node(node: onnx.NodeProto, constants: Mapping[str, onnx.TensorProto]) -> None:
    _check_fields(node)
    operator = f"{node.domain}.{node.op_type}".removeprefix(".")
    allowed = OPERATORS.get((node.domain, node.op_type))
    if allowed is None:
        raise _refused(f"the operator {operator}")
    for attribute in node.attribute:
        _check_fields(attribute)
        if attribute.name not in allowed:
            raise _refused(f"the operator {operator} with {attribute.name!r}")
    if node.op_type == "StringSplit":
        _check_split({attribute.name: attribute for attribute in node.attribute})
    # RE2 would print a faulty one.
    if node.op_type == "RegexFullMatch" and not is_known_pattern(_pattern_of(node).decode(errors="replace")):
        raise _refused("RegexFullMatch of a pattern that is neither a date's nor a level's")
    # Texts joined with each other would double in length at each step.
    if node.op_type == "StringConcat":
        first = constants.get(node.input[0]) if node.input else None
        if first is None or list(first.string_data) != [b"0."]:
            raise _refused("StringConcat of anything but '0.' and a text")


def _pattern_of(node: onnx.NodeProto) -> bytes:
    return b"".join(attribute.s for attribute in node.attribute if attribute.name == "pattern")


def _check_split(given: Mapping[str, AttributeProto]) -> None:
    # Without a limit a text of n delimiters becomes n + 1 texts. Split at blanks, but never, it is trimmed.
    delimiter = given["delimiter"].s if "delimiter" in given else b""
    if "maxsplit" not in given or given["maxsplit"].i != (1 if delimiter else 0):
        raise _refused("StringSplit without maxsplit 1")


def _rows_per_call(model: onnx.ModelProto) -> int:
    rows = MAX_ROWS
    while rows:
        needed = sum(_tensor_bytes(model, rows))
        if needed <= MAX_BYTES_PER_CALL:
            return rows
        rows = min(rows - 1, rows * MAX_BYTES_PER_CALL // needed)
    raise _refused(f"tensors of more than {MAX_BYTES_PER_CALL:,} bytes")


def _tensor_bytes(model: onnx.ModelProto, rows: int) -> Iterator[int]:
    """The bytes of what each node gives out when the inputs have so many rows."""
    inferred = _infer_shapes(model, rows)
    types = {value.name: value.type.tensor_type for value in (*inferred.value_info, *inferred.output)}
    sizes = {value.name: _n_elements(value.type.tensor_type) for value in inferred.input}
    sizes |= {tensor.name: math.prod(tensor.dims) for tensor in model.graph.initializer}
    ranks = {value.name: len(value.type.tensor_type.shape.dim) for value in inferred.value_info}
    ranks |= {tensor.name: len(tensor.dims) for tensor in model.graph.initializer}
    type_bytes = {**_TYPE_BYTES, TensorProto.STRING: TEXT_BYTES + _longest_text(model.graph)}
    for node in model.graph.node:
        for name in node.output:
            kind = types[name].elem_type if name in types else TensorProto.UNDEFINED
            if kind not in type_bytes:
                raise _refused(f"{node.op_type} with an output of unknown type")
            # A whole number divided by 0 ends the process.
            if node.op_type in ("Div", "Mod") and kind not in (TensorProto.FLOAT, TensorProto.DOUBLE):
                raise _refused(f"{node.op_type} of whole numbers")
            size = _n_elements(types[name])
            sizes[name] = _most_elements(node, sizes, ranks) if size is None else size
            yield (sizes[name] or 0) * type_bytes[kind]


def _infer_shapes(model: onnx.ModelProto, rows: int) -> onnx.GraphProto:
    graph = onnx.GraphProto(name=model.graph.name)
    graph.input.extend(model.graph.input)
    graph.output.extend(model.graph.output)
    for value in (*graph.input, *graph.output):
        value.type.tensor_type.shape.dim[0].dim_value = rows
    # Only the few numbers that are shapes matter here; of a large constant its own shape is enough.
    for tensor in model.graph.initializer:
        if math.prod(tensor.dims) <= MAX_SHAPE_LENGTH:
            graph.initializer.append(tensor)
        else:
            graph.input.append(onnx.helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims))
    for node in model.graph.node:
        # ONNX does not know the shape of what a Scaler gives out, which is that of a conversion to float.
        is_scaler = node.op_type == "Scaler"
        graph.node.append(
            onnx.helper.make_node("Cast", node.input, node.output, to=TensorProto.FLOAT)
            if is_scaler
            else node
        )
    sized = onnx.ModelProto(ir_version=model.ir_version, opset_import=model.opset_import, graph=graph)
    try:
        inferred = onnx.shape_inference.infer_shapes(sized, check_type=True, strict_mode=True, data_prop=True)
    except (RuntimeError, ValueError, onnx.checker.ValidationError, onnx.shape_inference.InferenceError):
        raise _refused("operators that do not fit each other") from None
    return inferred.graph


def _n_elements(tensor_type: onnx.TypeProto.Tensor) -> int | None:
    dims = tensor_type.shape.dim
    known = tensor_type.HasField("shape") and all(dim.HasField("dim_value") for dim in dims)
    return math.prod(dim.dim_value for dim in dims) if known else None


def _most_elements(node: onnx.NodeProto, sizes: Mapping[str, int | None], ranks: Mapping[str, int]) -> int:
    """At most how many elements there are where that depends on the cells: pieces of texts, chosen cells."""
    given = [sizes.get(name) or 0 for name in node.input]
    rank = max(ranks.get(name, MAX_SHAPE_LENGTH) for name in node.input)
    match node.op_type:
        case "StringSplit":
            return 2 * sum(given)
        case "Concat":
            return sum(given)
        case "NonZero":
            return rank * given[0]
        # What is chosen from a line of cells, and where nothing is broadcast along two axes.
        case "Gather" if rank == 1:
            return given[1]
        case "Add" | "Where" if rank == 1:
            return max(given)
        case "Cast" | "RegexFullMatch" | "Reshape":
            return given[0]
    raise _refused(f"{node.op_type} with an output of unknown size")


def _longest_text(graph: onnx.GraphProto) -> int:
    # The patterns, levels and delimiters of operators never become cells.
    texts = (text for tensor in graph.initializer for text in tensor.string_data)
    joined = sum(2 for node in graph.node if node.op_type == "StringConcat")
    return joined + max(map(len, texts), default=0)


def _count_fields(data: memoryview, kind: str = "model") -> int:
    """How many parts a protobuf message has, counted without building any of them.

    An empty part takes 2 bytes in a file and a hundred times that in memory.
    """
    position, count = 0, 0
    children, packed = _MESSAGES[kind], _PACKED.get(kind, ())
    while position < len(data):
        tag, position = _varint(data, position)
        count += 1
        match tag & 7:
            case 0:
                _, position = _varint(data, position)
            case 1:
                position += 8
            case 2:
                length, position = _varint(data, position)
                part = data[position : position + length]
                if tag >> 3 in children:
                    count += _count_fields(part, children[tag >> 3])
                elif tag >> 3 in packed:
                    # A byte is the least a whole number takes; the last byte of each is below 128.
                    count += int(np.count_nonzero(np.frombuffer(part, dtype=np.uint8) < 128))
                position += length
            case 5:
                position += 4
            case _:
                raise _refused("no ONNX model")
        if count > MAX_FIELDS:
            break
    return count


def _varint(data: memoryview, position: int) -> tuple[int, int]:
    value, shift = 0, 0
    while position < len(data) and shift < 70:
        byte = data[position]
        value |= (byte & 127) << shift
        position, shift = position + 1, shift + 7
        if byte < 128:
            return value, position
    raise _refused("no ONNX model")
