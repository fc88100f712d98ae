"""Checks an ONNX file before it is run: a stranger may have written it.

Only what dlreg's own exporter emits passes: its operators with their attributes, constants inside the
file, no functions, no nested graphs. None of these operators reads a file or opens a connection, and
their shapes are known beforehand, so that memory is, too.
"""

import math
import re
from collections.abc import Mapping

import onnx
from google.protobuf.message import DecodeError
from onnx import AttributeProto, TensorProto, helper

from dlreg.pipeline import tree_nodes
from dlreg.pipeline.graph import (
    IR_VERSION,
    METADATA_PREFIX,
    ML_OPSET,
    OPSET,
    PREDICTION,
    RESIDUAL_SCALE,
    SPREAD,
)
from dlreg.pipeline.limits import MAX_PARTS, MAX_TEXTS_PER_OPERATOR, limits_of
from dlreg.pipeline.memory import Memory, memory_of
from dlreg.pipeline.patterns import is_date_pattern, is_level_pattern, pattern_memory
from dlreg.pipeline.refusal import refused
from dlreg.pipeline.shapes import MAX_AXES
from dlreg.pipeline.wire import count_parts

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
    ("ai.onnx.ml", tree_nodes.OPERATOR): tree_nodes.ATTRIBUTES,
}
# What it emitted before, and runs of then still hold.
EARLIER_OPERATORS: Mapping[tuple[str, str], frozenset[str]] = {
    ("ai.onnx.ml", "Scaler"): frozenset({"offset", "scale"}),
}
_ALLOWED = {**OPERATORS, **EARLIER_OPERATORS}
# A level has at most a thousand characters.
MAX_TEXT_BYTES = 4096
_OUTPUTS = [PREDICTION, SPREAD, RESIDUAL_SCALE]
_ATTRIBUTE_FIELDS: Mapping[int, str] = {
    AttributeProto.FLOAT: "f",
    AttributeProto.INT: "i",
    AttributeProto.STRING: "s",
    AttributeProto.FLOATS: "floats",
    AttributeProto.INTS: "ints",
    AttributeProto.STRINGS: "strings",
}
# The constants that dlreg writes: the bytes of a number, and where numbers stand that are not raw.
_CONSTANTS: Mapping[int, tuple[float, str]] = {
    TensorProto.FLOAT: (4, "float_data"),
    TensorProto.DOUBLE: (8, "double_data"),
    TensorProto.INT64: (8, "int64_data"),
    TensorProto.STRING: (math.nan, "string_data"),
}


def vet_model(content: bytes, n_columns: int | None = None) -> tuple[bytes, Memory]:
    """Checks that a model holds nothing but what dlreg's own exporter writes.

    Args:
        content: The bytes of an ONNX file.
        n_columns: How many columns it has to read; None for as many as it does.

    Returns:
        The model written anew, holding nothing but what was checked, and what calls of it take.

    Raises:
        RunDirError: There is anything else in it, or it needs too much memory.
    """
    _check_size(content, n_columns)
    model = onnx.ModelProto()
    try:
        model.ParseFromString(content)
    except DecodeError:
        raise refused("no ONNX model") from None
    # Such as a number that an enumeration does not have.
    model.DiscardUnknownFields()
    _check_header(model)
    graph = model.graph
    names = [value.name for value in (*graph.input, *graph.initializer)]
    if len(set(names)) < len(names):
        raise refused("two inputs or constants of one name")
    constants = {tensor.name: tensor for tensor in graph.initializer}
    for tensor in graph.initializer:
        _check_tensor(tensor)
    for node in graph.node:
        _check_node(node, constants)
    _check_patterns(graph)
    # Shapes that the file claims are not trusted, but worked out anew; what it tells people is not run.
    del graph.value_info[:], model.metadata_props[:]
    for described in (graph, *graph.node):
        described.name = ""
    graph.doc_string = ""
    return model.SerializeToString(), memory_of(graph)


def _check_size(content: bytes, n_columns: int | None) -> None:
    parts = count_parts(content, MAX_PARTS if n_columns is None else limits_of(n_columns).parts)
    n_inputs = parts.counts["GraphProto.input"]
    if n_columns is not None and n_inputs != n_columns:
        raise refused(f"{n_inputs:,} inputs for {n_columns:,} columns")
    limits = limits_of(n_inputs)
    for name, value, limit in (
        ("nodes", parts.counts["GraphProto.node"], limits.nodes),
        ("constants", parts.counts["GraphProto.initializer"], limits.constants),
        ("parts", parts.total, limits.parts),
        ("texts", parts.counts["AttributeProto.strings"], limits.texts),
        ("bytes beside constants", parts.n_bytes, limits.n_bytes),
    ):
        if value > limit:
            raise refused(f"{value:,} {name}, where {limit:,} are the most for {n_inputs:,} columns")


def plain_output(name: str) -> str:
    """The plain name of an output, without the prefix that keeps it apart from a column of that name."""
    return re.sub(r"^dlreg/_*", "", name)


def _check_header(model: onnx.ModelProto) -> None:
    graph = model.graph
    # ONNX Runtime takes settings of a session from some other names.
    if others := [entry.key for entry in model.metadata_props if not entry.key.startswith(METADATA_PREFIX)]:
        raise refused(f"metadata of the name {others[0]!r}")
    versions = sorted((opset.domain, opset.version) for opset in model.opset_import)
    if model.ir_version != IR_VERSION or versions != [("", OPSET), ("ai.onnx.ml", ML_OPSET)]:
        raise refused(f"IR version {model.ir_version} with operators {versions}")
    outputs = [plain_output(value.name) for value in graph.output]
    if outputs != [name for name in _OUTPUTS if name in outputs] or outputs[:1] != _OUTPUTS[:1]:
        raise refused(f"the outputs {outputs}"[:200])
    if not graph.input:
        raise refused("no inputs")
    for value in (*graph.input, *graph.output):
        dims = value.type.tensor_type.shape.dim
        names = [dim.dim_param or dim.dim_value for dim in dims]
        if names != ["N", 1] or value.type.tensor_type.elem_type not in (
            TensorProto.DOUBLE,
            TensorProto.STRING,
        ):
            raise refused(f"{value.name!r} of shape {names}, not a column")


def _check_tensor(tensor: onnx.TensorProto) -> None:
    dims = list(tensor.dims)
    if tensor.data_type not in _CONSTANTS or len(dims) > MAX_AXES or min(dims, default=1) < 1:
        raise refused(f"the constant {tensor.name!r} of type {tensor.data_type} and shape {dims}")
    n_bytes, own_field = _CONSTANTS[tensor.data_type]
    if any(len(text) > MAX_TEXT_BYTES for text in tensor.string_data):
        raise refused(f"a text of more than {MAX_TEXT_BYTES:,} bytes")
    used = {field.name for field, _ in tensor.ListFields()} - {"dims", "data_type", "name"}
    n_values = len(tensor.raw_data) / n_bytes if used == {"raw_data"} else len(getattr(tensor, own_field))
    if not (used == {"raw_data"} or used <= {own_field}) or n_values != math.prod(dims):
        raise refused(f"the constant {tensor.name!r}, whose shape is not that of its values")


def _check_node(node: onnx.NodeProto, constants: Mapping[str, onnx.TensorProto]) -> None:
    operator = f"{node.domain}.{node.op_type}".removeprefix(".")
    allowed = _ALLOWED.get((node.domain, node.op_type))
    if allowed is None:
        raise refused(f"the operator {operator}")
    attributes = {attribute.name: attribute for attribute in node.attribute}
    if others := attributes.keys() - allowed:
        raise refused(f"the operator {operator} with {min(others)!r}")
    if len(attributes) < len(node.attribute):
        raise refused(f"the operator {operator} with an attribute twice")
    for attribute in node.attribute:
        used = {field.name for field, _ in attribute.ListFields()} - {"name", "type"}
        if not used <= {_ATTRIBUTE_FIELDS.get(attribute.type)}:
            raise refused(f"the operator {operator} with {attribute.name!r} of another type")
        if len(attribute.strings) > MAX_TEXTS_PER_OPERATOR:
            raise refused(f"the operator {operator} with more than {MAX_TEXTS_PER_OPERATOR:,} texts")
    if node.op_type == "StringSplit":
        _check_split(attributes)
    if node.op_type == tree_nodes.OPERATOR:
        _check_trees(attributes)
    # Texts joined with each other would double in length at each step.
    if node.op_type == "StringConcat":
        first = constants.get(node.input[0]) if node.input else None
        if first is None or list(first.string_data) != [b"0."]:
            raise refused("StringConcat of anything but '0.' and a text")


def patterns_memory(graph: onnx.GraphProto) -> int:
    """About how many bytes all regular expressions of a graph take."""
    return sum(pattern_memory(_pattern_of(node)) for node in graph.node)


def _check_patterns(graph: onnx.GraphProto) -> None:
    patterns = [_pattern_of(node).decode() for node in graph.node if node.op_type == "RegexFullMatch"]
    n_dates = 0
    for pattern in patterns:
        if is_date_pattern(pattern):
            n_dates += 1
        # RE2 would print a faulty one.
        elif not is_level_pattern(pattern):
            raise refused("RegexFullMatch of a pattern that is neither a date's nor a level's")
    if n_dates > len(graph.input):
        raise refused(f"{n_dates:,} patterns of dates for {len(graph.input):,} columns")
    if patterns_memory(graph) > limits_of(len(graph.input)).pattern_memory:
        raise refused("patterns of more memory than so many columns need")


def _pattern_of(node: onnx.NodeProto) -> bytes:
    return b"".join(attribute.s for attribute in node.attribute if attribute.name == "pattern")


def _check_trees(given: Mapping[str, AttributeProto]) -> None:
    values = {name: helper.get_attribute_value(attribute) for name, attribute in given.items()}
    for name, expected in tree_nodes.tree_attributes(tree_nodes.read_trees(values)).items():
        # A number of another type compares alike.
        if given[name].type != helper.make_attribute(name, expected).type:
            raise refused(f"{tree_nodes.OPERATOR} with {name!r} of another type")


def _check_split(given: Mapping[str, AttributeProto]) -> None:
    # Without a limit a text of n delimiters becomes n + 1 texts. Split at blanks, but never, it is trimmed.
    delimiter = given["delimiter"].s if "delimiter" in given else b""
    if "maxsplit" not in given or given["maxsplit"].i != (1 if delimiter else 0):
        raise refused("StringSplit without maxsplit 1")
