"""ONNX's operators on texts as C: texts are parts of the cells, and none is ever written."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from onnx import TensorProto

from dlreg.exports.c.body import Body
from dlreg.exports.c.numbers import of_choice
from dlreg.exports.c.patterns import automaton
from dlreg.exports.c.values import C_TYPES, Choice, Numbers, Texts, Value
from dlreg.exports.tensors import Node
from dlreg.pipeline.patterns import is_date_pattern
from dlreg.pipeline.refusal import refused

Emitter = Callable[[Body, Node, Sequence[Value]], Value]


def constant_texts(values: np.ndarray) -> Texts:
    """A constant tensor of texts."""
    return Texts(values.shape, tuple(values.reshape(-1).tolist()))


def _text(value: Value) -> Texts:
    if not isinstance(value, Texts):
        raise refused("numbers in the place of texts")
    return value


def _number(value: Value) -> Numbers:
    if not isinstance(value, Numbers):
        raise refused("texts in the place of numbers")
    return value


def _split(body: Body, node: Node, inputs: Sequence[Value]) -> Texts:
    text = body.text(_text(inputs[0]))
    separator = node.attributes.get("delimiter", b"")
    pieces: tuple[str | bytes, ...]
    if not separator:
        pieces = (f"trimmed({text})", b"")
    else:
        between = f"{body.source.texts([separator])}[0]"
        pieces = (f"part({text}, {between}, 0)", f"part({text}, {between}, 1)")
    return Texts(node.dims, pieces)


def _chosen(body: Body, node: Node, inputs: Sequence[Value]) -> Texts:
    condition, yes, no = _number(inputs[0]), _text(inputs[1]), _text(inputs[2])
    if len({*yes.elements, *no.elements}) == 1 and isinstance(yes.elements[0], bytes):
        return Texts(node.dims, yes.elements)
    texts = [body.text(value) for value in (yes, no)]
    return Texts(node.dims, (body.text_variable(f"{condition.scalar()} ? {texts[0]} : {texts[1]}"),))


def _same(_body: Body, node: Node, inputs: Sequence[Value]) -> Texts:
    text = _text(inputs[0])
    return Texts(node.dims, text.elements, text.named)


def _side_by_side(_body: Body, node: Node, inputs: Sequence[Value]) -> Texts:
    return Texts(node.dims, tuple(element for value in inputs for element in _text(value).elements))


def _gathered(body: Body, node: Node, inputs: Sequence[Value]) -> Texts:
    texts, places = _text(inputs[0]), _number(inputs[1])
    if len(texts.elements) == 1:
        return Texts(node.dims, texts.elements)
    if places.constant is not None and places.constant.size == 1:
        element = texts.elements[places.constant.item()]
        return Texts(node.dims, (body.text_variable(element) if isinstance(element, str) else element,))
    names = tuple(element for element in texts.elements if isinstance(element, bytes))
    if len(names) < len(texts.elements) or places.n_elements != 1:
        raise refused("Gather of several texts per row")
    place = body.stored(places).scalar()
    index = f"place({place}, {len(names)})"
    return Texts(node.dims, (f"{body.source.texts(names)}[{index}]",), (names, index))


def _equal(body: Body, node: Node, inputs: Sequence[Value]) -> Numbers:
    texts = [body.text(_text(value)) for value in inputs]
    if texts[0] == texts[1]:
        return body.constant(np.ones(node.dims, dtype=bool), TensorProto.BOOL)
    return Numbers("int", node.dims, lambda _: f"(compare({texts[0]}, {texts[1]}) == 0)")


def _joined(body: Body, node: Node, inputs: Sequence[Value]) -> Texts:
    # Only ever 0. and the digits of a fraction, to be read as a number.
    digits = body.text(_text(inputs[1]))
    return Texts(node.dims, (f"\0{digits}",))


def _cast(_body: Body, node: Node, inputs: Sequence[Value]) -> Numbers:
    (element,) = _text(inputs[0]).elements
    if node.c_type != "double" or not isinstance(element, str):
        raise refused("Cast of a text to anything but a number")
    function = "fraction" if element[0] == "\0" else "number"
    call = f"{function}({element.removeprefix(chr(0))})"
    return Numbers("double", node.dims, lambda _: call)


def _matched(body: Body, node: Node, inputs: Sequence[Value]) -> Numbers:
    text, pattern = body.text(_text(inputs[0])), node.attributes["pattern"].decode()
    if not is_date_pattern(pattern):
        return of_choice(body, Choice(text, ((pattern, 1.0),)), node.dims, is_flag=True)
    machine = automaton(pattern)
    source = body.source
    classes, accepts = (source.bytes_table(values) for values in (machine.classes, machine.accepts))
    next_states = source.bytes_table(machine.next_states, "unsigned short")
    call = f"fits({text}, {classes}, {machine.n_classes}, {next_states}, {accepts})"
    return Numbers("int", node.dims, lambda _: call)


def _encoded(body: Body, node: Node, inputs: Sequence[Value]) -> Numbers:
    whole = "values_int64s" in node.attributes
    values = node.attributes["values_int64s" if whole else "values_floats"]
    default = node.attributes.get("default_int64", -1) if whole else node.attributes.get("default_float", 0.0)
    return _looked_up(
        body, node, inputs, dict(zip(node.attributes["keys_strings"], values, strict=True)), default
    )


def _looked_up(
    body: Body, node: Node, inputs: Sequence[Value], table: Mapping[bytes, float], default: float
) -> Numbers:
    """What stands beside a text in a table, or a default."""
    text, c_type = _text(inputs[0]), C_TYPES[node.type]
    if text.named:
        # Of a text that was looked up itself its place is enough.
        names, index = text.named
        values = [table.get(name, default) for name in names]
    else:
        keys = sorted(table)
        index = f"find({body.text(text)}, {body.source.texts(keys)}, {len(keys)})"
        values = [*(table[key] for key in keys), default]
    numbers = body.source.numbers(np.array(values), c_type)
    return Numbers(c_type, node.dims, lambda _: f"{numbers}[{index}]")


def _one_hot(body: Body, node: Node, inputs: Sequence[Value]) -> Numbers:
    levels = {level: place for place, level in enumerate(node.attributes["cats_strings"])}
    shape = Node(node.operator, (), (), {}, node.dims[:-1], TensorProto.INT64, "int64_t")
    place = body.stored(_looked_up(body, shape, inputs, levels, -1)).scalar()
    return Numbers("float", node.dims, lambda indices: f"({place} == {_signed(indices[-1])} ? 1.0f : 0.0f)")


def _signed(index: str) -> str:
    return index if index.isdigit() else f"(int64_t)({index})"


EMITTERS: Mapping[str, Emitter] = {
    "StringSplit": _split,
    "Where": _chosen,
    "Identity": _same,
    "Reshape": _same,
    "Unsqueeze": _same,
    "Concat": _side_by_side,
    "Gather": _gathered,
    "Equal": _equal,
    "StringConcat": _joined,
    "Cast": _cast,
    "RegexFullMatch": _matched,
    "LabelEncoder": _encoded,
    "OneHotEncoder": _one_hot,
}
