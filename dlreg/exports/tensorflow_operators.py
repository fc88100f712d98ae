"""ONNX's operators in TensorFlow, as a pipeline uses them: for any number of rows, and without Python."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from onnx import TensorProto

from dlreg.exports.tensors import Node
from dlreg.pipeline.refusal import refused
from dlreg.pipeline.tree_nodes import OPERATOR, read_trees

_TYPES: Mapping[int, Any] = {
    TensorProto.FLOAT: tf.float32,
    TensorProto.DOUBLE: tf.float64,
    TensorProto.INT64: tf.int64,
}
# From an operator and its inputs to its output.
Operator = Callable[..., Any]


def constant(values: np.ndarray) -> Any:
    """A constant tensor of numbers or texts."""
    if values.dtype == object:
        return tf.constant(values.reshape(-1).tolist(), tf.string, values.shape)
    return tf.constant(values)


def apply(node: Node, inputs: Sequence[Any], table: Any = None) -> Any:
    """The first output of an operator.

    Args:
        node: The operator.
        inputs: Its inputs.
        table: What it looks texts up in, if it does.

    Raises:
        RunDirError: Nothing like it is known of TensorFlow.
    """
    if node.operator in LOOKUPS:
        places = table.lookup(inputs[0])
        return (
            places if node.operator == "LabelEncoder" else tf.one_hot(places, node.dims[-1], dtype=tf.float32)
        )
    operator = OPERATORS.get(node.operator)
    if operator is None:
        raise refused(f"the operator {node.operator}")
    return operator(node, *inputs)


def _cast(node: Node, value: Any) -> Any:
    target = _TYPES[node.type]
    return tf.strings.to_number(value, target) if value.dtype == tf.string else tf.cast(value, target)


def _split(node: Node, value: Any) -> Any:
    separator = node.attributes.get("delimiter", b"")
    if not separator:
        return tf.strings.regex_replace(value, "^ +| +$", "")[..., None]
    pieces = tf.strings.split(value, sep=separator, maxsplit=1)
    return pieces.to_tensor(default_value="", shape=[None, 1, 2])


def _equal(_: Node, a: Any, b: Any) -> Any:
    return tf.equal(a, b)


def _dense(_: Node, value: Any, kernel: Any, bias: Any) -> Any:
    return tf.matmul(value, kernel) + bias


def _divided(_: Node, a: Any, b: Any) -> Any:
    """A quotient to the bit: TensorFlow makes of `a / b` the product `a * (1 / b)` where b is a constant.

    Whether a number ties with a quantile would not survive that.
    """
    divisor = tf.get_static_value(b)
    # Of a constant alone: by 0 it gives 0.
    return tf.divide(a, b) if divisor is None or not np.all(divisor) else tf.math.divide_no_nan(a, b)


def _scattered(_: Node, values: Any, places: Any, updates: Any) -> Any:
    return tf.tensor_scatter_nd_update(values, places[:, None], updates)


def _clip(_: Node, value: Any, low: Any, high: Any) -> Any:
    return tf.where(value < low, low, tf.where(value > high, high, value))


def _hard_sigmoid(node: Node, value: Any) -> Any:
    line = value * _number(node, "alpha", 0.2, value) + _number(node, "beta", 0.5, value)
    return _clip(node, line, tf.zeros([], value.dtype), tf.ones([], value.dtype))


def _elu(node: Node, value: Any) -> Any:
    return tf.where(value < 0, _number(node, "alpha", 1.0, value) * tf.math.expm1(value), value)


def _celu(node: Node, value: Any) -> Any:
    alpha = _number(node, "alpha", 1.0, value)
    return tf.where(value < 0, alpha * tf.math.expm1(value / alpha), value)


def _shrink(node: Node, value: Any) -> Any:
    limit, bias = _number(node, "lambd", 0.5, value), _number(node, "bias", 0.0, value)
    return tf.where(value < -limit, value + bias, tf.where(value > limit, value - bias, value - value))


def _leaky_relu(node: Node, value: Any) -> Any:
    return tf.where(value < 0, _number(node, "alpha", 0.01, value) * value, value)


def _number(node: Node, name: str, default: float, like: Any) -> Any:
    return tf.constant(node.attributes.get(name, default), like.dtype)


def _scaled(node: Node, value: Any) -> Any:
    offset, scale = (np.array(node.attributes[name], dtype=np.float32) for name in ("offset", "scale"))
    return tf.cast(value - offset.astype(np.float64), tf.float32) * scale


def _trees(node: Node, rows: Any) -> Any:
    """All trees at once, one comparison after the other."""
    trees = read_trees(node.attributes)
    is_leaf = trees.features < 0
    left = tf.constant(np.arange(len(is_leaf)) + ~is_leaf)
    features, numbers, right = (
        tf.constant(values) for values in (np.where(is_leaf, 0, trees.features), trees.numbers, trees.right)
    )
    place = tf.tile(tf.constant(trees.roots)[None], [tf.shape(rows)[0], 1])
    for _ in range(trees.depth):
        value = tf.gather(rows, tf.gather(features, place), batch_dims=1)
        place = tf.where(value <= tf.gather(numbers, place), tf.gather(left, place), tf.gather(right, place))
    return tf.reduce_sum(tf.gather(numbers, place), axis=1, keepdims=True)


def lookup_table(node: Node) -> Any:
    """What an operator of `LOOKUPS` looks texts up in."""
    given = node.attributes
    if node.operator == "OneHotEncoder":
        keys, default = given["cats_strings"], -1
        values = tf.range(len(keys), dtype=tf.int64)
    elif "values_int64s" in given:
        keys, default = given["keys_strings"], given.get("default_int64", -1)
        values = tf.constant(given["values_int64s"], tf.int64)
    else:
        keys, default = given["keys_strings"], given.get("default_float", 0.0)
        values = tf.constant(given["values_floats"], tf.float32)
    initializer = tf.lookup.KeyValueTensorInitializer(tf.constant(keys, tf.string), values)
    return tf.lookup.StaticHashTable(initializer, default)


def _of(function: Callable[..., Any]) -> Operator:
    """An operator without attributes."""
    return lambda _, *inputs: function(*inputs)


LOOKUPS = frozenset({"LabelEncoder", "OneHotEncoder"})
OPERATORS: Mapping[str, Operator] = {
    "Add": _of(tf.add),
    "And": _of(tf.logical_and),
    "Cast": _cast,
    "Celu": _celu,
    "Clip": _clip,
    "Concat": lambda node, *inputs: tf.concat(inputs, node.attributes["axis"]),
    "Cos": _of(tf.cos),
    "Div": _divided,
    "Elu": _elu,
    "Equal": _equal,
    "Exp": _of(tf.exp),
    "Floor": _of(tf.floor),
    "Gather": lambda node, values, places: tf.gather(values, places, axis=node.attributes.get("axis", 0)),
    "Gelu": _of(tf.nn.gelu),
    "Gemm": _dense,
    "GreaterOrEqual": _of(tf.greater_equal),
    "HardSigmoid": _hard_sigmoid,
    "Identity": _of(tf.identity),
    "IsNaN": _of(tf.math.is_nan),
    "LeakyRelu": _leaky_relu,
    "Less": _of(tf.less),
    "LessOrEqual": _of(tf.less_equal),
    "MatMul": _of(tf.matmul),
    "Max": _of(tf.maximum),
    "Min": _of(tf.minimum),
    "Mod": _of(tf.truncatemod),
    "Mul": _of(tf.multiply),
    "Neg": _of(tf.negative),
    "NonZero": lambda _, flags: tf.transpose(tf.where(flags)),
    "RegexFullMatch": lambda node, text: tf.strings.regex_full_match(text, node.attributes["pattern"]),
    "Relu": lambda _, value: tf.where(value < 0, tf.zeros([], value.dtype), value),
    "Reshape": _of(tf.reshape),
    "Round": _of(tf.round),
    "Scaler": _scaled,
    "ScatterElements": _scattered,
    "Selu": _of(tf.nn.selu),
    "Shrink": _shrink,
    "Sigmoid": _of(tf.sigmoid),
    "Sin": _of(tf.sin),
    "Softplus": _of(tf.math.softplus),
    "Softsign": _of(tf.math.softsign),
    "Sqrt": _of(tf.sqrt),
    "StringConcat": lambda _, *texts: tf.strings.join(texts),
    "StringSplit": _split,
    "Sub": _of(tf.subtract),
    "Tanh": _of(tf.tanh),
    OPERATOR: _trees,
    "Transpose": lambda node, value: tf.transpose(value, node.attributes["perm"]),
    "Unsqueeze": lambda _, value, axes: tf.expand_dims(value, axes[0]),
    "Where": _of(tf.where),
}
