"""The type and the shape of every tensor of a pipeline, worked out before it runs.

ONNX can do so, too, but ends the whole process over an operator that is not given what it needs. Here each
operator that dlreg emits has a rule of a few lines, and what no rule covers is refused.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import onnx
from onnx import AttributeProto, TensorProto

from dlreg.pipeline.refusal import refused

# Tensors of ours have at most four axes.
MAX_AXES = 8
# Only the few numbers that are shapes matter.
MAX_SHAPE_LENGTH = 8

_FLOATS = frozenset({TensorProto.FLOAT, TensorProto.DOUBLE})
_SINGLE = frozenset({TensorProto.FLOAT})
_WHOLE = frozenset({TensorProto.INT64})
_NUMBERS = _FLOATS | _WHOLE
_TEXT = frozenset({TensorProto.STRING})
_FLAG = frozenset({TensorProto.BOOL})
_ANY = _NUMBERS | _TEXT | _FLAG


@dataclass(frozen=True)
class Tensor:
    """What is known of a tensor beforehand.

    Attributes:
        type: Of its elements, as `onnx.TensorProto` numbers them.
        dims: The length of each axis.
        is_exact: Whether they are that long; else at most, as how many texts fit a pattern depends on them.
        values: The numbers in it, if they are few whole ones and constant.
    """

    type: int
    dims: tuple[int, ...]
    is_exact: bool = True
    values: tuple[int, ...] | None = None

    @property
    def n_elements(self) -> int:
        """How many elements it has at most."""
        return math.prod(self.dims)


class _MisfitError(Exception):
    """An operator is not given what it needs."""


_Attributes = Mapping[str, AttributeProto]
_Rule = Callable[[_Attributes, Sequence[Tensor]], Tensor]


def tensors_of(graph: onnx.GraphProto, rows: int) -> dict[str, Tensor]:
    """Every tensor of a graph by its name.

    Args:
        graph: Its inputs have the shape [N, 1]; operators, attributes and constants are known to be allowed.
        rows: What N is.

    Raises:
        RunDirError: An operator is not given what it needs, or gives out what dlreg has no use for.
    """
    tensors = {value.name: Tensor(value.type.tensor_type.elem_type, (rows, 1)) for value in graph.input}
    tensors |= {constant.name: _constant(constant) for constant in graph.initializer}
    for node in graph.node:
        for name, tensor in zip(node.output, _outputs(node, tensors), strict=True):
            if name in tensors:
                raise refused(f"two tensors of the name {name!r}")
            tensors[name] = tensor
    for value in graph.output:
        given = tensors.get(value.name)
        if given is None or (given.type, given.dims) != (value.type.tensor_type.elem_type, (rows, 1)):
            raise refused(f"the output {value.name!r}, which is not one value per row")
    return tensors


def _constant(constant: onnx.TensorProto) -> Tensor:
    dims, values = tuple(constant.dims), None
    if constant.data_type == TensorProto.INT64 and math.prod(dims) <= MAX_SHAPE_LENGTH:
        values = tuple(onnx.numpy_helper.to_array(constant).reshape(-1).tolist())
    return Tensor(constant.data_type, dims, values=values)


def _outputs(node: onnx.NodeProto, tensors: Mapping[str, Tensor]) -> list[Tensor]:
    attributes = {attribute.name: attribute for attribute in node.attribute}
    types, rule = _RULES[node.op_type]
    # Any number of tensors are put side by side.
    expected = types * len(node.input) if node.op_type == "Concat" else types
    n_outputs = 2 if node.op_type == "StringSplit" else 1
    given = [tensors[name] for name in node.input if name in tensors]
    counts = (len(node.input), len(given), len(node.output))
    if not given or counts != (len(expected), len(expected), n_outputs):
        raise refused(f"{node.op_type} without the inputs that dlreg gives it")
    for tensor, known in zip(given, expected, strict=True):
        if tensor.type not in known:
            raise refused(f"{node.op_type} of type {tensor.type}")
    try:
        tensor = rule(attributes, given)
    except _MisfitError as error:
        raise refused(f"{node.op_type} of {error}") from None
    if len(tensor.dims) > MAX_AXES:
        raise refused(f"{node.op_type} with {len(tensor.dims)} axes")
    n_pieces = replace(tensor, type=TensorProto.INT64, dims=tensor.dims[:-1])
    return [tensor, n_pieces][:n_outputs]


# ---------------------------------------------------------------- one rule for each way of making a shape


def _joined(tensors: Sequence[Tensor]) -> tuple[tuple[int, ...], bool]:
    """The axes of tensors that are broadcast to each other, and whether they are exact."""
    n_axes = max(len(tensor.dims) for tensor in tensors)
    is_exact = all(tensor.is_exact for tensor in tensors)
    padded = [(1,) * (n_axes - len(tensor.dims)) + tensor.dims for tensor in tensors]
    for lengths in zip(*padded, strict=True):
        if is_exact and len(set(lengths) - {1}) > 1:
            raise _MisfitError(f"axes of {' and '.join(map(str, lengths))}")
    return tuple(max(lengths) for lengths in zip(*padded, strict=True)), is_exact


def _alike(_: _Attributes, given: Sequence[Tensor]) -> Tensor:
    dims, is_exact = _joined(given)
    if len({tensor.type for tensor in given}) > 1:
        raise _MisfitError("several types")
    return Tensor(given[0].type, dims, is_exact)


def _bounded(_: _Attributes, given: Sequence[Tensor]) -> Tensor:
    if any(bound.dims or bound.type != given[0].type for bound in given[1:]):
        raise _MisfitError("bounds that are no numbers")
    return replace(given[0], values=None)


def _chosen(attributes: _Attributes, given: Sequence[Tensor]) -> Tensor:
    dims, is_exact = _joined(given)
    return replace(_alike(attributes, given[1:]), dims=dims, is_exact=is_exact)


def _flags(attributes: _Attributes, given: Sequence[Tensor]) -> Tensor:
    return replace(_alike(attributes, given), type=TensorProto.BOOL)


def _cast(attributes: _Attributes, given: Sequence[Tensor]) -> Tensor:
    to = attributes["to"].i if "to" in attributes else TensorProto.UNDEFINED
    if to not in _NUMBERS:
        raise _MisfitError(f"a type that dlreg does not convert to: {to}")
    return replace(given[0], type=to, values=None)


def _axis(attributes: _Attributes, tensor: Tensor, default: int | None = None) -> int:
    if "axis" not in attributes and default is None:
        raise _MisfitError("no axis")
    axis = attributes["axis"].i if "axis" in attributes else default or 0
    if not -len(tensor.dims) <= axis < len(tensor.dims):
        raise _MisfitError(f"axis {axis} of {len(tensor.dims)}")
    return axis % len(tensor.dims)


def _side_by_side(attributes: _Attributes, given: Sequence[Tensor]) -> Tensor:
    axis = _axis(attributes, given[0])
    if len({(tensor.type, len(tensor.dims)) for tensor in given}) > 1:
        raise _MisfitError("several types or numbers of axes")
    lengths = list(zip(*(tensor.dims for tensor in given), strict=True))
    is_exact = all(tensor.is_exact for tensor in given)
    if is_exact and any(len(set(alike)) > 1 for place, alike in enumerate(lengths) if place != axis):
        raise _MisfitError("tensors of several lengths")
    dims = tuple(sum(several) if place == axis else max(several) for place, several in enumerate(lengths))
    return Tensor(given[0].type, dims, is_exact)


def _gathered(attributes: _Attributes, given: Sequence[Tensor]) -> Tensor:
    values, places = given
    axis = _axis(attributes, values, 0)
    dims = values.dims[:axis] + places.dims + values.dims[axis + 1 :]
    return Tensor(values.type, dims, values.is_exact and places.is_exact)


def _scattered(_: _Attributes, given: Sequence[Tensor]) -> Tensor:
    values, places, updates = given
    if not len(values.dims) == len(places.dims) == len(updates.dims) == 1 or values.type != updates.type:
        raise _MisfitError("anything but lines of one type")
    return replace(values, values=None)


def _product(_: _Attributes, given: Sequence[Tensor]) -> Tensor:
    left, right = given
    is_exact = left.is_exact and right.is_exact
    if min(len(left.dims), len(right.dims)) < 2 or left.type != right.type:
        raise _MisfitError("no matrices of one type")
    if is_exact and left.dims[-1] != right.dims[-2]:
        raise _MisfitError(f"{left.dims[-1]} columns and {right.dims[-2]} rows")
    outer = _joined([replace(tensor, dims=tensor.dims[:-2]) for tensor in given])
    return Tensor(left.type, (*outer[0], left.dims[-2], right.dims[-1]), is_exact)


def _dense(attributes: _Attributes, given: Sequence[Tensor]) -> Tensor:
    product = _product(attributes, given[:2])
    if len(product.dims) != 2 or given[2].dims not in (product.dims[1:], (1, *product.dims[1:])):
        raise _MisfitError("a bias that is not one number per unit")
    return _alike(attributes, [product, given[2]])


def _reshaped(_: _Attributes, given: Sequence[Tensor]) -> Tensor:
    values, shape = given
    # How many elements an axis of -1 has follows from the others.
    others = [length for length in shape.values or () if length > 0]
    if shape.values is None or len(shape.dims) != 1 or sorted(shape.values) != [-1, *sorted(others)]:
        raise _MisfitError("a shape that leaves not one axis open")
    rest, left = divmod(values.n_elements, math.prod(others))
    if left and values.is_exact:
        raise _MisfitError(f"{values.n_elements} elements in {shape.values}")
    open_length = rest + bool(left)
    dims = tuple(open_length if length < 0 else length for length in shape.values)
    return Tensor(values.type, dims, values.is_exact)


def _unsqueezed(_: _Attributes, given: Sequence[Tensor]) -> Tensor:
    values, axis = given
    if axis.values is None or len(axis.values) != 1 or not 0 <= axis.values[0] <= len(values.dims):
        raise _MisfitError("an axis that is not told by a constant")
    dims = list(values.dims)
    dims.insert(axis.values[0], 1)
    return Tensor(values.type, tuple(dims), values.is_exact)


def _transposed(attributes: _Attributes, given: Sequence[Tensor]) -> Tensor:
    order = attributes["perm"].ints if "perm" in attributes else ()
    if sorted(order) != list(range(len(given[0].dims))):
        raise _MisfitError("no order of axes")
    return replace(given[0], dims=tuple(given[0].dims[axis] for axis in order), values=None)


def _places(_: _Attributes, given: Sequence[Tensor]) -> Tensor:
    if not given[0].dims:
        raise _MisfitError("a single flag")
    return Tensor(TensorProto.INT64, (len(given[0].dims), given[0].n_elements), is_exact=False)


def _pieces(_: _Attributes, given: Sequence[Tensor]) -> Tensor:
    return Tensor(TensorProto.STRING, (*given[0].dims, 2), is_exact=False)


def _encoded(attributes: _Attributes, given: Sequence[Tensor]) -> Tensor:
    keys = attributes["keys_strings"].strings if "keys_strings" in attributes else ()
    numbers, whole = (attributes.get(name) for name in ("values_floats", "values_int64s"))
    lengths = [len(numbers.floats) if numbers else 0, len(whole.ints) if whole else 0]
    if not keys or sorted(lengths) != [0, len(keys)]:
        raise _MisfitError("not one value per text")
    return replace(given[0], type=TensorProto.FLOAT if lengths[0] else TensorProto.INT64)


def _levels(attributes: _Attributes, given: Sequence[Tensor]) -> Tensor:
    levels = attributes["cats_strings"].strings if "cats_strings" in attributes else ()
    if not levels:
        raise _MisfitError("no levels")
    return Tensor(TensorProto.FLOAT, (*given[0].dims, len(levels)), given[0].is_exact)


def _scaled(attributes: _Attributes, given: Sequence[Tensor]) -> Tensor:
    lengths = {len(attribute.floats) for attribute in attributes.values()}
    if len(attributes) != 2 or len(given[0].dims) != 2 or lengths != {given[0].dims[1]}:
        raise _MisfitError("not one scale and offset per column")
    return replace(given[0], type=TensorProto.FLOAT)


def _trees(attributes: _Attributes, given: Sequence[Tensor]) -> Tensor:
    (rows,) = given
    features = attributes["nodes_featureids"].ints if "nodes_featureids" in attributes else ()
    if len(rows.dims) != 2 or not features or not 0 <= min(features) <= max(features) < rows.dims[1]:
        raise _MisfitError("features that rows do not have")
    return Tensor(TensorProto.FLOAT, (rows.dims[0], 1), rows.is_exact)


_Types = tuple[frozenset[int], ...]


def _each(names: str, types: _Types, rule: _Rule) -> dict[str, tuple[_Types, _Rule]]:
    return dict.fromkeys(names.split(), (types, rule))


# Of each operator the types that each of its inputs may have, and the rule for what it gives out.
_RULES: Mapping[str, tuple[_Types, _Rule]] = {
    **_each(
        "Celu Cos Elu Exp Floor Gelu HardSigmoid LeakyRelu Neg Relu Round Selu Shrink Sigmoid Sin Softplus "
        "Softsign Sqrt Tanh",
        (_FLOATS,),
        _alike,
    ),
    **_each("Identity", (_ANY,), _alike),
    **_each("IsNaN", (_FLOATS,), _flags),
    **_each("Add Max Min Mul Sub", (_NUMBERS, _NUMBERS), _alike),
    # A whole number divided by 0 ends the process.
    **_each("Div Mod", (_FLOATS, _FLOATS), _alike),
    **_each("And", (_FLAG, _FLAG), _flags),
    **_each("Equal", (_ANY, _ANY), _flags),
    **_each("GreaterOrEqual Less LessOrEqual", (_NUMBERS, _NUMBERS), _flags),
    **_each("Clip", (_FLOATS, _FLOATS, _FLOATS), _bounded),
    **_each("Where", (_FLAG, _ANY, _ANY), _chosen),
    **_each("Cast", (_ANY,), _cast),
    **_each("Concat", (_ANY,), _side_by_side),
    **_each("Gather", (_ANY, _WHOLE), _gathered),
    **_each("ScatterElements", (_NUMBERS, _WHOLE, _NUMBERS), _scattered),
    **_each("MatMul", (_FLOATS, _FLOATS), _product),
    **_each("Gemm", (_FLOATS, _FLOATS, _FLOATS), _dense),
    **_each("Reshape", (_ANY, _WHOLE), _reshaped),
    **_each("Unsqueeze", (_ANY, _WHOLE), _unsqueezed),
    **_each("Transpose", (_ANY,), _transposed),
    **_each("NonZero", (_FLAG,), _places),
    **_each("RegexFullMatch", (_TEXT,), _flags),
    **_each("StringConcat", (_TEXT, _TEXT), _alike),
    **_each("StringSplit", (_TEXT,), _pieces),
    **_each("LabelEncoder", (_TEXT,), _encoded),
    **_each("OneHotEncoder", (_TEXT,), _levels),
    **_each("Scaler", (_FLOATS,), _scaled),
    **_each("TreeEnsembleRegressor", (_SINGLE,), _trees),
}
