"""How many rows are given at once: fewer where a network is wide, and where cells are long."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from support.pipelines import N_ROWS, drawn, fit

from dlreg.errors import DataError
from dlreg.model.architecture import Network
from dlreg.pipeline.memory import MAX_BYTES_PER_CALL, MAX_ROWS, Memory, Need, memory_of
from dlreg.pipeline.session import Pipeline


@pytest.fixture(scope="module")
def exported(table):
    columns, cells = table
    preprocessing = fit(columns, cells, np.random.default_rng(1).normal(size=N_ROWS))
    return drawn(preprocessing, Network(len(preprocessing.feature_names), [4]))[0]


@pytest.mark.parametrize("longest_text", [0, 32, 33, 1000, 50_000, 10**7])
def test_a_call_never_takes_more_than_it_may(longest_text):
    # So many bytes and texts a row, and some that do not depend on the rows.
    memory = Memory(Need(1_000_000 + 3000, 7), Need(1_000_000 + MAX_ROWS * 3000, MAX_ROWS * 7))
    rows = memory.rows_per_call(longest_text)
    needed = [1_000_000 + n * (3000 + 7 * max(0, longest_text - 32)) for n in (rows, rows + 1)]
    assert needed[0] <= MAX_BYTES_PER_CALL or rows == 0
    assert needed[1] > MAX_BYTES_PER_CALL or rows == MAX_ROWS


def test_long_cells_are_given_few_at_a_time_and_predicted_alike(table, exported):
    _, cells = table
    pipeline = Pipeline(exported.SerializeToString())
    expected = pipeline.predict(cells)
    # An unseen level, whatever its length; only that row changes.
    longer = {name: column.copy() for name, column in cells.items()}
    longer["prediction"][0, 0] = "x" * 100_000
    short = {name: column.copy() for name, column in cells.items()}
    short["prediction"][0, 0] = "x"
    memory = memory_of(exported.graph)
    assert memory.rows_per_call(100_000) < N_ROWS < memory.rows_per_call(30)
    assert pipeline.predict(longer) == pytest.approx(pipeline.predict(short), rel=1e-6)
    assert pipeline.predict(longer)[1:] == pytest.approx(expected[1:], rel=1e-6)


def test_a_cell_that_a_graph_would_copy_too_often_is_refused():
    graph = onnx.GraphProto(name="copies")
    graph.input.append(helper.make_tensor_value_info("t", TensorProto.STRING, ["N", 1]))
    graph.input.append(helper.make_tensor_value_info("x", TensorProto.DOUBLE, ["N", 1]))
    graph.output.append(helper.make_tensor_value_info("prediction", TensorProto.DOUBLE, ["N", 1]))
    graph.node.append(helper.make_node("Concat", ["t"] * 5000, ["many"], axis=1))
    graph.node.append(helper.make_node("Identity", ["x"], ["prediction"]))
    opsets = [helper.make_opsetid("", 20), helper.make_opsetid("ai.onnx.ml", 3)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=9, producer_name="dlreg")
    pipeline = Pipeline(model.SerializeToString())
    x = np.ones((3, 1))
    assert pipeline.predict({"t": np.array([["a"]] * 3, dtype=object), "x": x}).tolist() == [1, 1, 1]
    with pytest.raises(DataError, match="column 't': a cell of 100,000 bytes takes too much memory"):
        pipeline.predict({"t": np.array([["a" * 100_000]] * 3, dtype=object), "x": x})


def test_cells_that_no_operator_reads_take_memory_too():
    names = [f"x{number}" for number in range(1000)]
    graph = onnx.GraphProto(name="unread")
    graph.input.extend(helper.make_tensor_value_info(name, TensorProto.DOUBLE, ["N", 1]) for name in names)
    graph.output.append(helper.make_tensor_value_info("prediction", TensorProto.DOUBLE, ["N", 1]))
    graph.node.append(helper.make_node("Identity", ["x0"], ["prediction"]))
    memory = memory_of(graph)
    assert memory.rows_per_call(0) == MAX_BYTES_PER_CALL // (8 * 1001)
    assert memory.rows_per_call(0, 8) == MAX_BYTES_PER_CALL // 8 // (8 * 1001)
