"""ONNX's operators on numbers and flags as C: each element an expression of others."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from onnx import TensorProto

from dlreg.exports.c.body import Body, loops_over
from dlreg.exports.c.levels import read_patterns, spelling_function
from dlreg.exports.c.literals import number_literal
from dlreg.exports.c.values import Choice, Indices, Numbers, broadcast, linear, squeezed
from dlreg.exports.tensors import Node
from dlreg.pipeline.refusal import refused
from dlreg.pipeline.tree_nodes import OPERATOR, read_trees

# From the body, an operator and its inputs to its output.
Emitter = Callable[[Body, Node, Sequence[Numbers]], Numbers]


def each(
    body: Body, node: Node, inputs: Sequence[Numbers], write: Callable[..., str], c_type: str
) -> Numbers:
    """A value each of whose elements is an expression of the inputs' elements at its place."""
    # What is asked for several times is computed once.
    size = int(np.prod(node.dims, dtype=int))
    inputs = [body.stored(value) if value.n_elements < size else body.short(value) for value in inputs]

    def at(indices: Indices) -> str:
        return write(*(broadcast(value, indices) for value in inputs))

    return Numbers(c_type, node.dims, at)


def _operator(sign: str) -> Emitter:
    def emit(body: Body, node: Node, inputs: Sequence[Numbers]) -> Numbers:
        return each(body, node, inputs, lambda a, b: f"({a} {sign} {b})", node.c_type)

    return emit


def _helper(name: str, *attributes: tuple[str, float]) -> Emitter:
    """A function of the file, which an operator's attributes are given to."""

    def emit(body: Body, node: Node, inputs: Sequence[Numbers]) -> Numbers:
        c_type = inputs[0].c_type
        function = f"{name}_{c_type}"
        given = [number_literal(node.attributes.get(word, default), c_type) for word, default in attributes]
        return each(
            body, node, inputs, lambda *texts: f"{function}({', '.join([*texts, *given])})", node.c_type
        )

    return emit


def _library(name: str) -> Emitter:
    """A function of libm."""

    def emit(body: Body, node: Node, inputs: Sequence[Numbers]) -> Numbers:
        function = f"{name}f" if node.c_type == "float" else name
        return each(body, node, inputs, lambda *texts: f"{function}({', '.join(texts)})", node.c_type)

    return emit


def _tanh(body: Body, node: Node, inputs: Sequence[Numbers]) -> Numbers:
    emit = _helper("tanh") if node.c_type == "float" else _library("tanh")
    return emit(body, node, inputs)


def _negated(body: Body, node: Node, inputs: Sequence[Numbers]) -> Numbers:
    return each(body, node, inputs, lambda a: f"(-{a})", node.c_type)


def _product(body: Body, node: Node, inputs: Sequence[Numbers]) -> Numbers:
    for value in inputs:
        # Places that start from nothing, whatever number they are made of.
        if value.c_type == "int64_t" and value.constant is not None and not value.constant.any():
            return body.constant(np.zeros(node.dims, dtype=np.int64), TensorProto.INT64)
    return _operator("*")(body, node, inputs)


def _sum(body: Body, node: Node, inputs: Sequence[Numbers]) -> Numbers:
    if (choice := _both(inputs)) and node.c_type == "double":
        return of_choice(body, choice, node.dims, is_flag=False)
    return _operator("+")(body, node, inputs)


def _both(inputs: Sequence[Numbers]) -> Choice | None:
    """What a sum depends on, if on the spelling of one text alone."""
    choices = [value.choice for value in inputs if value.choice]
    others = [value for value in inputs if not value.choice]
    if any(value.constant is None or value.constant.any() for value in others):
        return None
    if not choices or len({choice.text for choice in choices}) > 1:
        return None
    return Choice(choices[0].text, tuple(term for choice in choices for term in choice.terms))


def _cast(body: Body, node: Node, inputs: Sequence[Numbers]) -> Numbers:
    (value,) = inputs
    if value.c_type == node.c_type:
        return value
    if node.c_type == "int64_t" and value.c_type != "int":
        return each(body, node, [value], lambda a: f"whole({a})", node.c_type)
    return each(body, node, [value], lambda a: f"({node.c_type}){a}", node.c_type)


def of_choice(body: Body, choice: Choice, dims: tuple[int, ...], *, is_flag: bool) -> Numbers:
    """A number, or a flag, that depends on a text's spelling, as a call of a function of its own."""

    def at(_: Indices) -> str:
        # Only now: terms that are added to others are no function of their own.
        statements = spelling_function(body.source, read_patterns(choice.terms))
        call = f"{body.source.function('double', 'const struct text cell', statements)}({choice.text})"
        return f"({call} != 0)" if is_flag else call

    return Numbers("int" if is_flag else "double", dims, at, choice=choice)


def _chosen(body: Body, node: Node, inputs: Sequence[Numbers]) -> Numbers:
    condition, yes, no = inputs
    if condition.choice and yes.constant is not None and no.constant is not None and not no.constant.any():
        (term,) = condition.choice.terms
        choice = Choice(condition.choice.text, ((term[0], float(yes.constant.item())),))
        return of_choice(body, choice, node.dims, is_flag=False)
    return each(body, node, inputs, lambda c, a, b: f"({c} ? {a} : {b})", node.c_type)


def _scattered(body: Body, node: Node, inputs: Sequence[Numbers]) -> Numbers:
    """Of one element: the update where the flag that its place was made of is set."""
    values, flag, update = inputs
    return each(body, node, [flag, update, values], lambda c, a, b: f"({c} ? {a} : {b})", node.c_type)


def _same(_body: Body, _node: Node, inputs: Sequence[Numbers]) -> Numbers:
    return inputs[0]


def _reshaped(body: Body, node: Node, inputs: Sequence[Numbers]) -> Numbers:
    value = inputs[0]
    if (same := squeezed(value, node.dims)) is not None:
        return same
    stored = value if value.is_stored else body.copied(value)

    def at(indices: Indices) -> str:
        return _unravelled(stored, linear(node.dims, indices))

    return Numbers(stored.c_type, node.dims, at, is_simple=True, is_stored=True)


def _unravelled(value: Numbers, place: str) -> str:
    """The element at a place among all."""
    indices = ["0"] * len(value.dims)
    # A stored value and a constant work a place out of indices by strides: one axis carries it all.
    innermost = max(axis for axis, length in enumerate(value.dims) if length > 1)
    indices[innermost] = place
    return value.at(tuple(indices))


def _transposed(_body: Body, node: Node, inputs: Sequence[Numbers]) -> Numbers:
    (value,) = inputs
    order = node.attributes["perm"]

    def at(indices: Indices) -> str:
        own = ["0"] * len(order)
        for axis, index in zip(order, indices, strict=True):
            own[axis] = index
        return value.at(tuple(own))

    return Numbers(value.c_type, node.dims, at, value.is_simple)


def _gathered(body: Body, node: Node, inputs: Sequence[Numbers]) -> Numbers:
    values, places = inputs
    axis = node.attributes.get("axis", 0) % len(values.dims)
    rank = len(places.dims)
    if not isinstance(places.constant, np.ndarray):
        places = body.stored(places)
    values = body.stored(values)

    def at(indices: Indices) -> str:
        index = _index(body, places, indices[axis : axis + rank], values.dims[axis])
        return values.at((*indices[:axis], index, *indices[axis + rank :]))

    return Numbers(values.c_type, node.dims, at, is_simple=True)


def _index(body: Body, places: Numbers, indices: Indices, length: int) -> str:
    if places.constant is None:
        return f"place({places.at(indices)}, {length})"
    constant = np.where(places.constant < 0, places.constant + length, places.constant)
    if constant.min() < 0 or constant.max() >= length:
        raise refused(f"Gather beyond {length}")
    if constant.size == 1:
        return str(constant.item())
    first = int(constant.reshape(-1)[0])
    if constant.ndim == 1 and (constant == np.arange(first, first + constant.size)).all():
        return f"{indices[0]} + {first}" if first else indices[0]
    table = body.source.numbers(constant, "int64_t")
    return f"place({table}[{linear(places.dims, indices)}], {length})"


def _side_by_side(body: Body, node: Node, inputs: Sequence[Numbers]) -> Numbers:
    axis = node.attributes["axis"] % len(node.dims)
    result, name = body.array(node.c_type, node.dims)
    start = 0
    for value in inputs:
        indices, loops = loops_over(value.dims)
        index = str(start) if indices[axis] == "0" else f"{indices[axis]} + {start}"
        placed = (*indices[:axis], index if start else indices[axis], *indices[axis + 1 :])
        body.add(f"{name}[{linear(node.dims, placed)}] = {value.at(indices)};", loops=loops)
        start += value.dims[axis]
    return result


def _places(_body: Body, node: Node, inputs: Sequence[Numbers]) -> Numbers:
    """Of one flag: whether there is a place at all, which then is the first."""
    if inputs[0].n_elements != 1:
        raise refused("NonZero of several flags per row")
    return Numbers("int", node.dims, lambda _: inputs[0].scalar())


def _scaled(body: Body, node: Node, inputs: Sequence[Numbers]) -> Numbers:
    offset, scale = (
        body.constant(np.array([node.attributes[word]], dtype=np.float32), TensorProto.FLOAT)
        for word in ("offset", "scale")
    )
    write: Any = lambda x, o, s: f"((float)({x} - (double){o}) * {s})"  # noqa: E731
    return each(body, node, [*inputs, offset, scale], write, "float")


def _trees(body: Body, node: Node, inputs: Sequence[Numbers]) -> Numbers:
    """The sum of the leaves, tree after tree, as ONNX Runtime adds them up."""
    trees, (rows,) = read_trees(node.attributes), inputs
    row = rows if rows.is_stored else body.copied(rows)
    tables = [
        body.source.bytes_table(trees.features.tolist(), "int32_t"),
        body.source.numbers(trees.numbers, "float"),
        body.source.bytes_table(trees.right.tolist(), "int32_t"),
        body.source.bytes_table(trees.roots.tolist(), "int32_t"),
    ]
    first = row.at(("0",) * len(row.dims))
    call = f"leaves_float(&{first}, {', '.join(tables)}, {len(trees.roots)})"
    return Numbers("float", node.dims, lambda _: call)


EMITTERS: Mapping[str, Emitter] = {
    **{name: _operator(sign) for name, sign in {"Sub": "-", "Div": "/", "Equal": "==", "Less": "<"}.items()},
    **{
        name: _operator(sign)
        for name, sign in {"LessOrEqual": "<=", "GreaterOrEqual": ">=", "And": "&&"}.items()
    },
    **{name: _library(name.lower()) for name in ("Cos", "Exp", "Floor", "Sin", "Sqrt")},
    **{
        name: _helper(name.lower())
        for name in ("Clip", "Gelu", "Mish", "Relu", "Sigmoid", "Softplus", "Softsign")
    },
    "Round": _library("rint"),
    "Mod": _library("fmod"),
    "Max": _helper("larger"),
    "Min": _helper("smaller"),
    "IsNaN": _helper("missing"),
    "Celu": _helper("celu", ("alpha", 1.0)),
    "Elu": _helper("elu", ("alpha", 1.0)),
    "HardSigmoid": _helper("hard_sigmoid", ("alpha", 0.2), ("beta", 0.5)),
    "LeakyRelu": _helper("leaky_relu", ("alpha", 0.01)),
    "Selu": _helper("selu", ("alpha", 1.67326319217681884765625), ("gamma", 1.05070102214813232421875)),
    "Shrink": _helper("shrink", ("lambd", 0.5), ("bias", 0.0)),
    "Tanh": _tanh,
    "Neg": _negated,
    "Mul": _product,
    "Add": _sum,
    "Cast": _cast,
    "Where": _chosen,
    "ScatterElements": _scattered,
    "Identity": _same,
    "Reshape": _reshaped,
    "Unsqueeze": _reshaped,
    "Transpose": _transposed,
    "Gather": _gathered,
    "Concat": _side_by_side,
    "NonZero": _places,
    "Scaler": _scaled,
    OPERATOR: _trees,
}
