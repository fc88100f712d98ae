"""A trained network, and the target's scale undone, as an ONNX graph."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import onnx
from onnx import TensorProto, helper

from dlreg.onnx_graph import Graph, table_value
from dlreg.preprocessing import TargetScaling


def network_graph(
    members: Sequence[keras.Sequential], target: TargetScaling, outputs: Sequence[str]
) -> onnx.ModelProto:
    """Rows of shape [N, n_features] to predictions in the target's units, [N, 1]; both double.

    Args:
        members: The trained networks.
        target: How the target was scaled.
        outputs: The name of the prediction, which is the mean of the members in scaled units, and, for
            several members, of their standard deviation in the target's units.
    """
    graph = Graph()
    rows = graph.add("Cast", "rows", to=TensorProto.FLOAT)
    scaled = []
    for member in members:
        value = rows
        for layer in member.layers:
            value = _layer(graph, layer, value)
        scaled.append(graph.add("Cast", value, to=TensorProto.DOUBLE))
    mean = _mean(graph, scaled) if len(scaled) > 1 else scaled[0]
    graph.nodes.append(helper.make_node("Identity", [_unscaled(graph, mean, target)], [outputs[0]]))
    if len(scaled) > 1:
        graph.nodes.append(helper.make_node("Identity", [_spread(graph, scaled, target)], [outputs[1]]))
    n_features = int(members[0].input_shape[-1])
    return graph.model(
        [table_value("rows", TensorProto.DOUBLE, n_features)],
        [table_value(name, TensorProto.DOUBLE) for name in outputs[: min(len(scaled), 2)]],
    )


def _unscaled(graph: Graph, value: str, target: TargetScaling) -> str:
    value = graph.add("Add", graph.add("Mul", value, np.float64(target.scale)), np.float64(target.offset))
    if target.method in ("log", "log1p"):
        value = graph.add("Exp", value)
    if target.method == "log1p":
        value = graph.add("Sub", value, np.float64(1))
    return value


def _mean(graph: Graph, values: Sequence[str]) -> str:
    # ONNX Runtime has no Mean of doubles.
    return str(graph.add("Mul", graph.add("Sum", *values), np.float64(1 / len(values))))


def _spread(graph: Graph, scaled: Sequence[str], target: TargetScaling) -> str:
    """√(Σ (yᵢ - ȳ)² / n) over the members' predictions yᵢ."""
    members = [_unscaled(graph, value, target) for value in scaled]
    mean = _mean(graph, members)
    errors = [graph.add("Sub", value, mean) for value in members]
    variance = _mean(graph, [graph.add("Mul", error, error) for error in errors])
    return str(graph.add("Sqrt", variance))


def _layer(graph: Graph, layer: keras.Layer, value: str) -> str:
    if isinstance(layer, keras.layers.Dense):
        weights = [np.asarray(weight, dtype=np.float32) for weight in layer.get_weights()]
        value = graph.add("Gemm", value, *weights)
        return ACTIVATIONS[layer.activation.__name__](graph, value)
    if isinstance(layer, keras.layers.BatchNormalization):
        gamma, beta, mean, variance = (np.asarray(weight, dtype=np.float64) for weight in layer.get_weights())
        scale = gamma / np.sqrt(variance + layer.epsilon)
        value = graph.add("Mul", value, scale.astype(np.float32))
        return str(graph.add("Add", value, (beta - mean * scale).astype(np.float32)))
    if isinstance(layer, keras.layers.Activation):
        return ACTIVATIONS[layer.activation.__name__](graph, value)
    if isinstance(layer, keras.layers.Dropout):
        return value
    raise TypeError(f"no ONNX form for the layer {type(layer).__name__}")


def _operator(name: str, **attributes: Any) -> Callable[[Graph, str], str]:
    return lambda graph, value: str(graph.add(name, value, **attributes))


def _times(operator: str, **attributes: Any) -> Callable[[Graph, str], str]:
    return lambda graph, value: str(graph.add("Mul", value, graph.add(operator, value, **attributes)))


def _clip(low: float, high: float) -> Callable[[Graph, str], str]:
    return lambda graph, value: str(graph.add("Clip", value, np.float32(low), np.float32(high)))


def _squareplus(graph: Graph, value: str) -> str:
    root = graph.add("Sqrt", graph.add("Add", graph.add("Mul", value, value), np.float32(4)))
    return str(graph.add("Mul", graph.add("Add", value, root), np.float32(0.5)))


def _log_sigmoid(graph: Graph, value: str) -> str:
    return str(graph.add("Neg", graph.add("Softplus", graph.add("Neg", value))))


def _tanh_shrink(graph: Graph, value: str) -> str:
    return str(graph.add("Sub", value, graph.add("Tanh", value)))


def _mish(graph: Graph, value: str) -> str:
    return str(graph.add("Mul", value, graph.add("Tanh", graph.add("Softplus", value))))


def _sparse_plus(graph: Graph, value: str) -> str:
    """0 up to -1, (x + 1)² / 4 up to 1, then x."""
    bent = graph.add("Clip", graph.add("Add", value, np.float32(1)), np.float32(0), np.float32(2))
    bent = graph.add("Mul", graph.add("Mul", bent, bent), np.float32(0.25))
    return str(graph.add("Max", bent, graph.add("Clip", value, np.float32(0), np.float32(3e38))))


# Every activation the config may name, with the constants of Keras's own definition.
ACTIVATIONS: dict[str, Callable[[Graph, str], str]] = {
    "linear": lambda _, value: value,
    "relu": _operator("Relu"),
    "relu6": _clip(0.0, 6.0),
    "leaky_relu": _operator("LeakyRelu", alpha=0.2),
    "elu": _operator("Elu", alpha=1.0),
    "selu": _operator("Selu"),
    "celu": _operator("Celu", alpha=1.0),
    "gelu": _operator("Gelu", approximate="none"),
    "silu": _times("Sigmoid"),
    "mish": _mish,
    "tanh": _operator("Tanh"),
    "sigmoid": _operator("Sigmoid"),
    "softplus": _operator("Softplus"),
    "softsign": _operator("Softsign"),
    "exponential": _operator("Exp"),
    "hard_sigmoid": _operator("HardSigmoid", alpha=1 / 6, beta=0.5),
    "hard_silu": _times("HardSigmoid", alpha=1 / 6, beta=0.5),
    "hard_tanh": _clip(-1.0, 1.0),
    "hard_shrink": _operator("Shrink", lambd=0.5, bias=0.0),
    "soft_shrink": _operator("Shrink", lambd=0.5, bias=0.5),
    "tanh_shrink": _tanh_shrink,
    "log_sigmoid": _log_sigmoid,
    "squareplus": _squareplus,
    "sparse_plus": _sparse_plus,
    "sparse_sigmoid": _operator("HardSigmoid", alpha=0.5, beta=0.5),
}
