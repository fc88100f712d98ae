"""Features to the rows a network reads, as an ONNX graph: filled, scaled, encoded as in `dlreg.features`."""

from collections.abc import Sequence
from functools import partial

import numpy as np
import onnx
from onnx import TensorProto, helper

from dlreg.features.encoding import Encoder
from dlreg.features.numbers import Feature
from dlreg.features.preprocessing import Preprocessing
from dlreg.features.scaling import Centred, Quantiles, Ranged, Scaler
from dlreg.pipeline.graph import Graph, table_value
from dlreg.pipeline.quantile import quantile_share

OUTPUT = "scaled"


def scaling_graph(preprocessing: Preprocessing) -> onnx.ModelProto:
    """A graph from features [N, 1], named by their keys, to rows [N, n_inputs] of double precision."""
    graph, parts = Graph(), []
    if preprocessing.numbers:
        parts.append(_scaled(graph, preprocessing.scaler, _filled(graph, preprocessing.numbers)))
    if preprocessing.flags:
        parts.append(_joined(graph, preprocessing.flags))
    if preprocessing.encoder:
        parts.append(_encoded(graph, preprocessing.encoder))
    rows = graph.add("Concat", *parts, axis=1) if len(parts) > 1 else parts[0]
    graph.nodes.append(helper.make_node("Identity", [rows], [OUTPUT]))
    features = [feature for column_features in preprocessing.features for feature in column_features]
    inputs = [
        table_value(feature.key, TensorProto.STRING if feature.kind == "text" else TensorProto.DOUBLE)
        for feature in features
    ]
    width = len(preprocessing.feature_names)
    return graph.model(inputs, [table_value(OUTPUT, TensorProto.DOUBLE, width)])


def _joined(graph: Graph, features: Sequence[Feature]) -> str:
    """Features side by side, [N, n_features]."""
    return str(graph.add("Concat", *(feature.key for feature in features), axis=1))


def _filled(graph: Graph, features: Sequence[Feature]) -> str:
    """Numbers side by side, without missing ones, [N, n_features]."""
    numbers = _joined(graph, features)
    fills = [feature.fill for feature in features]
    # All have one, or none: then missing numbers are refused.
    if None in fills:
        return numbers
    # At once: an operator of its own for each column takes longer than all the others.
    return str(graph.add("Where", graph.add("IsNaN", numbers), np.array(fills, dtype=np.float64), numbers))


def _scaled(graph: Graph, scaler: Scaler, numbers: str) -> str:
    """Numbers [N, n_columns] as the scaler's `transform` has them."""
    if isinstance(scaler, Ranged):
        return str(graph.add("Add", graph.add("Mul", numbers, scaler.factor), scaler.shift))
    if isinstance(scaler, Quantiles):
        return quantile_share(graph, numbers, scaler.quantiles)
    if not isinstance(scaler, Centred):
        return numbers
    scaled = graph.add("Div", graph.add("Sub", numbers, scaler.center), scaler.scale)
    if scaler.soft_limit:
        share = graph.add("Div", scaled, np.float64(scaler.soft_limit))
        root = graph.add("Sqrt", graph.add("Add", graph.add("Mul", share, share), np.float64(1)))
        scaled = graph.add("Div", scaled, root)
    return str(scaled)


def _encoded(graph: Graph, encoder: Encoder) -> str:
    """Texts as the encoder's `transform` has them, [N, n_outputs]."""
    parts = []
    n_onehot = len(encoder.features) - encoder.n_embedded
    for place, (feature, levels) in enumerate(zip(encoder.features, encoder.levels, strict=True)):
        texts = [str(level) for level in levels]
        encode = partial(graph.add, domain="ai.onnx.ml")
        if encoder.scaler:
            places = list(range(len(texts)))
            parts.append(
                encode(
                    "LabelEncoder", feature.key, keys_strings=texts, values_int64s=places, default_int64=-1
                )
            )
        elif place >= n_onehot:
            positions = [float(position) for position, _ in enumerate(texts)]
            parts.append(
                encode(
                    "LabelEncoder",
                    feature.key,
                    keys_strings=texts,
                    values_floats=positions,
                    default_float=float(len(texts)),
                )
            )
        else:
            # [N, 1, n_levels]; an unknown level is none of them.
            flags = encode("OneHotEncoder", feature.key, cats_strings=texts, zeros=1)
            parts.append(graph.add("Reshape", flags, np.array([-1, len(texts)])))
    joined = graph.add("Concat", *parts, axis=1) if len(parts) > 1 else parts[0]
    numbers = str(graph.add("Cast", joined, to=TensorProto.DOUBLE))
    return _scaled(graph, encoder.scaler, numbers) if encoder.scaler else numbers
