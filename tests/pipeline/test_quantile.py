"""Scaling to quantiles in the graph, against scikit-learn."""

import numpy as np
import onnxruntime as ort
import pytest
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import DoubleTensorType
from sklearn.preprocessing import QuantileTransformer

from dlreg.pipeline import quantile


@pytest.mark.parametrize(("n_rows", "n_quantiles"), [(5, 5), (60, 7), (3000, 1000)])
def test_quantiles_equal_scikit_learn_at_ties_ends_and_beyond(n_rows, n_quantiles):
    generator = np.random.default_rng(0)
    ties, rounded = generator.integers(0, 3, n_rows), np.round(generator.normal(size=n_rows), 1)
    x = np.column_stack([generator.normal(size=n_rows) * 1e9, ties, np.zeros(n_rows), rounded]).astype(float)
    transformer = QuantileTransformer(n_quantiles=n_quantiles, subsample=None).fit(x)
    quantile.register()
    types = [("x", DoubleTensorType([None, 4]))]
    exported = convert_sklearn(transformer, initial_types=types, target_opset={"": 20, "ai.onnx.ml": 3})
    far = np.vstack([x, x + generator.normal(size=x.shape), x * 3 - 1e10, x * 0 + 1e300, x * 0 - 1e300])
    (shares,) = ort.InferenceSession(exported.SerializeToString()).run(None, {"x": far})
    assert shares == pytest.approx(transformer.transform(far), abs=1e-12)
