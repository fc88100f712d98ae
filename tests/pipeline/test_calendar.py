"""Dates inside the graph are read as Python reads them."""

from datetime import datetime, timedelta

import numpy as np
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper
from support.dates import FORMATS, series

from dlreg.features.calendar import calendar_features
from dlreg.pipeline.calendar import calendar_nodes
from dlreg.pipeline.graph import Graph
from dlreg.table import dates


def graph_of(date_format: str) -> ort.InferenceSession:
    graph = Graph()
    features = calendar_nodes(graph, "text", date_format)
    out = [helper.make_tensor_value_info(name, TensorProto.DOUBLE, None) for name in features]
    text = helper.make_tensor_value_info("text", TensorProto.STRING, [None, 1])
    return ort.InferenceSession(graph.model([text], out).SerializeToString())


@pytest.mark.parametrize("date_format", FORMATS)
def test_the_graph_reads_dates_as_python_does(date_format):
    generator = np.random.default_rng(len(date_format))
    moments = [
        datetime(1970, 1, 1) + timedelta(seconds=int(s)) for s in generator.integers(0, 3_000_000_000, 50)
    ]
    texts = [moment.strftime(date_format) for moment in moments]
    # Each text once more with one character changed: some are dates still, most are not.
    for text in texts[:40]:
        place = int(generator.integers(len(text)))
        texts.append(text[:place] + str(generator.choice([*"0123456789-/: aJ", ""])) + text[place + 1 :])
    texts += ["", " ", "x", "\n"]
    column = series(*texts)
    expected = calendar_features(dates.parse_dates(column, date_format), date_format)
    cells = np.array(texts, dtype=object).reshape(-1, 1)
    features = np.column_stack(graph_of(date_format).run(None, {"text": cells}))
    assert np.isnan(expected[50:, 0]).sum() > 4
    # The last place of a rounded sine may differ by one.
    np.testing.assert_allclose(features, expected, atol=1.1e-6, rtol=1e-15)
