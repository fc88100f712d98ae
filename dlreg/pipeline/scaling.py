"""Features to the rows a network reads as ONNX graphs: scaled and encoded as scikit-learn does."""

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import DoubleTensorType, StringTensorType
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from dlreg.features.encoding import Encoder
from dlreg.features.preprocessing import Preprocessing
from dlreg.pipeline import quantile
from dlreg.pipeline.graph import ML_OPSET, OPSET, Graph, table_value


def scaling_graphs(preprocessing: Preprocessing) -> list[onnx.ModelProto]:
    """Graphs to run one after the other: from features [N, 1], named by their keys, to rows [N, n_inputs]."""
    limit = preprocessing.scaler.soft_limit
    return [_scikit_learn_graph(preprocessing), *([_soft_clip_graph(preprocessing, limit)] if limit else [])]


def _scikit_learn_graph(preprocessing: Preprocessing) -> onnx.ModelProto:
    types = [
        (feature.key, (StringTensorType if feature.kind == "text" else DoubleTensorType)([None, 1]))
        for column_features in preprocessing.features
        for feature in column_features
    ]
    quantile.register()
    model: onnx.ModelProto = convert_sklearn(
        _column_transformer(preprocessing),
        initial_types=types,
        target_opset={"": OPSET, "ai.onnx.ml": ML_OPSET},
    )
    return model


def _column_transformer(preprocessing: Preprocessing) -> ColumnTransformer:
    """The fitted scalers and encoders in a ColumnTransformer, the form in which skl2onnx takes several."""
    encoder = preprocessing.encoder
    parts = [
        ("number", preprocessing.scaler.estimator or FunctionTransformer(), preprocessing.numbers),
        ("flag", FunctionTransformer(), preprocessing.flags),
        ("category", _encoding_steps(encoder) if encoder else None, encoder.features if encoder else ()),
    ]
    steps = [
        (name, part, [feature.key for feature in features]) for name, part, features in parts if features
    ]
    transformer = ColumnTransformer(steps)
    # Each is fitted, so there is nothing left to fit.
    transformer.transformers_ = steps
    return transformer


def _encoding_steps(encoder: Encoder) -> Any:
    if encoder.scaler is None or encoder.scaler.estimator is None:
        return encoder.estimator
    return make_pipeline(encoder.estimator, encoder.scaler.estimator)


def _soft_clip_graph(preprocessing: Preprocessing, limit: float) -> onnx.ModelProto:
    """X / √(1 + (x / limit)²) of the numbers, and the other features as they are."""
    graph, n_features = Graph(), len(preprocessing.feature_names)
    # Divided by infinity, a feature that is no number is far below the limit.
    limits = np.where(np.arange(n_features) < preprocessing.n_numbers, limit, np.inf)
    share = graph.add("Div", "scaled", limits)
    root = graph.add("Sqrt", graph.add("Add", graph.add("Mul", share, share), np.float64(1)))
    clipped = graph.add("Div", "scaled", root)
    graph.nodes.append(helper.make_node("Identity", [clipped], ["clipped"]))
    return graph.model(
        [table_value("scaled", TensorProto.DOUBLE, n_features)],
        [table_value("clipped", TensorProto.DOUBLE, n_features)],
    )
