"""Trained networks, their mixture, and the target's scale undone, as an ONNX graph."""

from collections.abc import Callable, Iterator, Sequence
from functools import reduce
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper

from dlreg.features.target import TargetScaling
from dlreg.model.architecture import BATCH_NORM_EPSILON, Network
from dlreg.model.embeddings import PERIODIC_WIDTH, Periodic, PiecewiseLinear
from dlreg.model.levels import split_levels
from dlreg.model.mixture import Mixture
from dlreg.model.trees import Trees
from dlreg.model.weights import TrainedVariant, Weights
from dlreg.pipeline.graph import Graph, table_value
from dlreg.pipeline.tree_nodes import OPERATOR, tree_attributes, tree_nodes


def network_graph(
    variants: Sequence[TrainedVariant],
    mixture: Mixture,
    target: TargetScaling,
    outputs: Sequence[str],
) -> onnx.ModelProto:
    """Rows of shape [N, n_features] to predictions in the target's units, [N, 1]; both double.

    Args:
        variants: Each kind of network with the trained weights of its members.
        mixture: What a prediction is made of.
        target: How the target was scaled.
        outputs: The name of the prediction and, for several members, of their standard deviation in the
            target's units.
    """
    graph = Graph()
    rows = graph.add("Cast", "rows", to=TensorProto.FLOAT)
    tables = [_members(graph, network, members, rows) for network, members in variants]
    # A table of one column per member.
    side_by_side = graph.add("Concat", *tables, axis=1) if len(tables) > 1 else tables[0]
    scaled = graph.add("Cast", side_by_side, to=TensorProto.DOUBLE)
    n_members = len(mixture.weights)
    y_pred = scaled if mixture.is_one_member else graph.add("MatMul", scaled, mixture.weights[:, None])
    if mixture.ridge:
        coefficients = mixture.ridge.coefficients * mixture.ridge.weight
        ridge = weighted_sum(graph, "rows", coefficients, variants[0].network.categories)
        y_pred = graph.add("Add", y_pred, ridge)
        y_pred = graph.add("Add", y_pred, np.float64(mixture.ridge.intercept * mixture.ridge.weight))
    if mixture.trees:
        y_pred = graph.add("Add", y_pred, tree_sum(graph, rows, mixture.trees))
    if mixture.limits:
        y_pred = graph.add("Clip", y_pred, *map(np.float64, mixture.limits))
    graph.nodes.append(helper.make_node("Identity", [_unscaled(graph, y_pred, target)], [outputs[0]]))
    if n_members > 1:
        graph.nodes.append(
            helper.make_node("Identity", [_spread(graph, scaled, n_members, target)], [outputs[1]])
        )
    return graph.model(
        [table_value("rows", TensorProto.DOUBLE, variants[0].network.n_features)],
        [table_value(name, TensorProto.DOUBLE) for name in outputs[: min(n_members, 2)]],
    )


def _unscaled(graph: Graph, value: str, target: TargetScaling) -> str:
    value = graph.add("Add", graph.add("Mul", value, np.float64(target.scale)), np.float64(target.offset))
    if target.method in ("log", "log1p"):
        value = graph.add("Exp", value)
    if target.method == "log1p":
        value = graph.add("Sub", value, np.float64(1))
    return value


def _spread(graph: Graph, scaled: str, n_members: int, target: TargetScaling) -> str:
    """√(Σ (yᵢ - ȳ)² / n) over the members' predictions yᵢ."""
    members = _unscaled(graph, scaled, target)
    mean = np.full((n_members, 1), 1 / n_members)
    error = graph.add("Sub", members, graph.add("MatMul", members, mean))
    return str(graph.add("Sqrt", graph.add("MatMul", graph.add("Mul", error, error), mean)))


def _members(graph: Graph, network: Network, members: Sequence[Weights], rows: str) -> str:
    """What each member of one variant predicts, [N, n_members]."""
    values = zip(*(weights.parameters for weights in members), strict=True)
    statistics = zip(*(weights.statistics for weights in members), strict=True)
    if len(members) == 1:
        parameters = iter([tensors[0] for tensors in values])
        moving = iter([tensors[0] for tensors in statistics])
    else:
        parameters, moving = iter(map(np.stack, values)), iter(map(np.stack, statistics))
    value = _first_inputs(graph, network, parameters, rows, len(members))
    for _ in network.hidden_layers:
        kernel = next(parameters)
        if network.batch_norm:
            gamma, beta, mean, variance = (
                np.asarray(values, dtype=np.float64)
                for values in (next(parameters), next(parameters), next(moving), next(moving))
            )
            scale = gamma / np.sqrt(variance + BATCH_NORM_EPSILON)
            value = graph.add("MatMul", value, kernel)
            value = graph.add("Mul", value, _to_rows(scale).astype(np.float32))
            value = graph.add("Add", value, _to_rows(beta - mean * scale).astype(np.float32))
        else:
            value = _dense(graph, value, kernel, next(parameters))
        active = ACTIVATIONS[network.activation](graph, value)
        if network.parametric_activation:
            change = graph.add("Mul", graph.add("Sub", active, value), _to_rows(next(parameters)))
            active = graph.add("Add", value, change)
        value = active
    kernel, bias = next(parameters), next(parameters)
    if network.shared_members > 1:
        # The mean of what all that share the weights predict is one product.
        *axes, units, n_sharing = kernel.shape
        value = graph.add("Reshape", value, np.array([*axes, -1, n_sharing * units]))
        kernel = kernel.swapaxes(-1, -2).reshape((*axes, -1, 1)) / n_sharing
        bias = bias.mean(axis=-1, keepdims=True)
    value = _dense(graph, value, kernel, bias)
    if len(members) == 1:
        return value
    # [n_members, N, 1] to [N, n_members].
    return str(graph.add("Transpose", graph.add("Reshape", value, np.array([len(members), -1])), perm=[1, 0]))


def _first_inputs(
    graph: Graph, network: Network, parameters: Iterator[np.ndarray], rows: str, n_members: int
) -> str:
    """What the first dense layer reads, as `engine.forward` reads: [N, width] or [n_members, N, width].

    Each row stands there as often as there are members that share weights, one after the other.
    """
    embedding, (first, end) = network.embedding, network.plain_features
    axes = (n_members,) if n_members > 1 else ()
    parts = []

    def columns(start: int, stop: int) -> str:
        return str(graph.add("Gather", rows, np.arange(start, stop), axis=1))

    def for_every_member(table: str) -> str:
        return graph.add("Mul", table, np.ones((*axes, 1, 1), dtype=np.float32)) if axes else table

    def scaled(slopes: np.ndarray, offsets: np.ndarray) -> str:
        # [n_numbers, N, n_values], with the numbers in front, where MatMul takes them one by one.
        numbers = graph.add("Transpose", columns(0, first), perm=[1, 0])
        numbers = graph.add("Unsqueeze", numbers, np.array([2]))
        product = graph.add("Mul", numbers, slopes[..., :, None, :])
        return str(graph.add("Add", product, offsets[..., :, None, :]))

    def rows_of(mixed: str, mixtures: int) -> str:
        mixed = graph.add("Transpose", mixed, perm=[0, 2, 1, 3] if axes else [1, 0, 2])
        return str(graph.add("Reshape", mixed, np.array([*axes, -1, first * mixtures])))

    if isinstance(embedding, Periodic):
        frequencies, phases, kernel, bias = (next(parameters) for _ in range(4))
        waves = graph.add("Cos", scaled(frequencies, phases))
        mixed = rows_of(
            graph.add("Add", graph.add("MatMul", waves, kernel), bias[..., :, None, :]), PERIODIC_WIDTH
        )
        parts = [for_every_member(columns(0, first)), mixed]
    elif isinstance(embedding, PiecewiseLinear) and embedding.n_mixtures:
        shares = scaled(embedding.slopes, embedding.offsets)
        shares = graph.add("Clip", shares, np.float32(0), np.float32(embedding.height))
        mixed = rows_of(graph.add("MatMul", shares, next(parameters)), embedding.n_mixtures)
        parts = [for_every_member(columns(0, first)), mixed]
    elif isinstance(embedding, PiecewiseLinear):
        numbers = graph.add("Unsqueeze", columns(0, first), np.array([2]))
        shares = graph.add("Add", graph.add("Mul", numbers, embedding.slopes), embedding.offsets)
        shares = graph.add("Clip", shares, np.float32(0), np.float32(1))
        shares = graph.add("Reshape", shares, np.array([-1, embedding.slopes.size]))
        parts = [for_every_member(columns(0, first)), for_every_member(shares)]
    value = rows
    if parts or network.categories:
        parts += [for_every_member(columns(first, end))] if end > first else []
        parts += [
            at_levels(graph, rows, end + place, next(parameters))
            for place, _ in enumerate(network.categories)
        ]
        value = graph.add("Concat", *parts, axis=len(axes) + 1)
    if network.feature_scale:
        value = graph.add("Mul", value, _to_rows(next(parameters)))
    if network.shared_members > 1:
        n_axes = len(axes) + 1 if parts or network.feature_scale else 1
        of_each = graph.add("Unsqueeze", value, np.array([n_axes]))
        of_each = graph.add("Mul", of_each, next(parameters)[..., None, :, :])
        value = graph.add("Reshape", of_each, np.array([*axes, -1, network.width]))
    return value


def weighted_sum(graph: Graph, rows: str, weights: np.ndarray, categories: Sequence[int]) -> str:
    """Rows of double precision, as `dlreg.model.levels.spread_levels` has them, times weights, [N, 1]."""
    if not categories:
        return str(graph.add("MatMul", rows, weights[:, None]))
    plain, of_levels = split_levels(weights, categories)
    terms = [
        at_levels(graph, rows, place, values[:, None])
        for place, values in enumerate(of_levels, len(plain))
        if len(values)
    ]
    if len(plain):
        numbers = graph.add("Gather", rows, np.arange(len(plain)), axis=1)
        terms.append(graph.add("MatMul", numbers, plain[:, None]))
    return reduce(lambda total, term: str(graph.add("Add", total, term)), terms)


def tree_sum(graph: Graph, rows: str, trees: Trees) -> str:
    """What trees add to the prediction of rows of single precision, [N, 1] of double."""
    attributes = tree_attributes(tree_nodes(trees.features, trees.numbers))
    leaves = graph.add(OPERATOR, rows, domain="ai.onnx.ml", **attributes)
    value = graph.add("Add", graph.add("Cast", leaves, to=TensorProto.DOUBLE), np.float64(trees.intercept))
    return str(graph.add("Mul", value, np.float64(trees.weight)))


def at_levels(graph: Graph, rows: str, column: int, vectors: np.ndarray) -> str:
    """Of vectors [..., n_levels, n] that at the position in a column of each row, [..., N, n]; else 0."""
    position = graph.add("Cast", graph.add("Gather", rows, np.array(column), axis=1), to=TensorProto.INT64)
    padding = [(0, 0)] * vectors.ndim
    padding[-2] = (0, 1)
    return str(graph.add("Gather", np.pad(vectors, padding), position, axis=vectors.ndim - 2))


def _dense(graph: Graph, value: str, kernel: np.ndarray, bias: np.ndarray) -> str:
    if kernel.ndim == 2:
        return str(graph.add("Gemm", value, kernel, bias))
    return str(graph.add("Add", graph.add("MatMul", value, kernel), _to_rows(bias)))


def _to_rows(value: np.ndarray) -> np.ndarray:
    """Shape `(…, units)` to `(…, 1, units)`, to broadcast over rows."""
    return value[..., None, :]


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
    """Of x tanh(log(1 + eˣ)), which with n = eˣ (eˣ + 2) is x n / (n + 2): one power, a third of the time.

    Above 20 the factor is 1 in single precision, and the power is kept from infinity.
    """
    power = graph.add("Exp", graph.add("Min", value, np.float32(20)))
    n = graph.add("Mul", power, graph.add("Add", power, np.float32(2)))
    return str(graph.add("Mul", value, graph.add("Div", n, graph.add("Add", n, np.float32(2)))))


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
    "swish": _times("Sigmoid"),
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
