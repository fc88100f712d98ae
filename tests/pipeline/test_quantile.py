"""Scaling to quantiles in the graph, against scikit-learn."""

import numpy as np
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper
from sklearn.preprocessing import QuantileTransformer

from dlreg.pipeline.graph import Graph, table_value
from dlreg.pipeline.quantile import quantile_share


@pytest.mark.parametrize(("n_rows", "n_quantiles"), [(5, 5), (60, 7), (3000, 1000)])
def test_quantiles_equal_scikit_learn_at_ties_ends_and_beyond(n_rows, n_quantiles):
    generator = np.random.default_rng(0)
    ties, rounded = generator.integers(0, 3, n_rows), np.round(generator.normal(size=n_rows), 1)
    x = np.column_stack([generator.normal(size=n_rows) * 1e9, ties, np.zeros(n_rows), rounded]).astype(float)
    transformer = QuantileTransformer(n_quantiles=n_quantiles, subsample=None).fit(x)
    graph = Graph()
    shares = quantile_share(graph, "x", transformer.quantiles_)
    graph.nodes.append(helper.make_node("Identity", [shares], ["shares"]))
    x_value, shares_value = (table_value(name, TensorProto.DOUBLE, 4) for name in ("x", "shares"))
    exported = graph.model([x_value], [shares_value])
    far = np.vstack([x, x + generator.normal(size=x.shape), x * 3 - 1e10, x * 0 + 1e300, x * 0 - 1e300])
    (shares,) = ort.InferenceSession(exported.SerializeToString()).run(None, {"x": far})
    assert shares == pytest.approx(transformer.transform(far), abs=1e-12)
