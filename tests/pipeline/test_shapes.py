"""The shapes of a pipeline's tensors, compared with what ONNX works out for those that it knows."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from support.pipelines import N_ROWS, drawn, fit

from dlreg.errors import RunDirError
from dlreg.model.architecture import Network
from dlreg.model.embeddings import fit_embedding
from dlreg.pipeline.shapes import tensors_of


@pytest.fixture(scope="module")
def exported(table):
    columns, cells = table
    y = np.random.default_rng(1).gamma(2.0, 100.0, N_ROWS)
    models = []
    for numeric, categorical, kind in (
        ("standard", "onehot", "none"), ("quantile", "ordinal", "periodic"), ("minmax", "embedding", "piecewise_linear"),
    ):  # fmt: skip
        preprocessing = fit(columns, cells, y, numeric=numeric, categorical=categorical)
        numbers = preprocessing.transform(cells)[:, : preprocessing.n_numbers]
        network = Network(len(preprocessing.feature_names), [4], embedding=fit_embedding(kind, numbers))
        models.append(drawn(preprocessing, network, n_members=2)[0])
    return models


@pytest.mark.parametrize("rows", [1, 7])
def test_shapes_are_those_that_onnx_works_out(exported, rows):
    n_compared = 0
    for model in exported:
        sized = onnx.ModelProto.FromString(model.SerializeToString())
        del sized.graph.value_info[:]
        for value in (*sized.graph.input, *sized.graph.output):
            value.type.tensor_type.shape.dim[0].dim_value = rows
        inferred = onnx.shape_inference.infer_shapes(sized, check_type=True, strict_mode=True, data_prop=True)
        tensors = tensors_of(model.graph, rows)
        for value in inferred.graph.value_info:
            known, tensor = value.type.tensor_type, tensors[value.name]
            assert known.elem_type == tensor.type, value.name
            dims = [dim.dim_value if dim.HasField("dim_value") else None for dim in known.shape.dim]
            if not known.HasField("shape") or None in dims:
                continue
            assert tuple(dims) == tensor.dims or not tensor.is_exact, value.name
            n_compared += 1
    assert n_compared > 1000


@pytest.mark.parametrize(
    ("nodes", "says"),
    [
        ([("Add", ["x"], {})], "Add without the inputs"),
        ([("Add", ["x", "x", "x"], {})], "Add without the inputs"),
        ([("Add", ["x", "nothing"], {})], "Add without the inputs"),
        ([("Add", ["x", ""], {})], "Add without the inputs"),
        ([("Add", ["x", "text"], {})], "Add of type 8"),
        ([("Add", ["x", "whole"], {})], "Add of several types"),
        ([("Add", ["x", "three"], {}), ("MatMul", ["a", "x"], {})], "MatMul of 3 columns and 5 rows"),
        ([("Add", ["three", "two"], {})], "Add of axes of 3 and 2"),
        ([("Concat", ["x", "x"], {"axis": 2})], "Concat of axis 2 of 2"),
        ([("Concat", ["x", "x"], {"axis": -3})], "Concat of axis -3 of 2"),
        ([("Concat", ["x", "x"], {})], "Concat of no axis"),
        ([("Concat", [], {"axis": 0})], "Concat without the inputs"),
        ([("Gather", ["x", "whole"], {"axis": 1 << 40})], "Gather of axis"),
        ([("Gather", ["x", "x"], {})], "Gather of type 11"),
        ([("Reshape", ["x", "whole"], {})], "Reshape of a shape that leaves not one axis open"),
        ([("Unsqueeze", ["x", "far"], {})], "Unsqueeze of an axis"),
        ([("Transpose", ["x"], {"perm": [0, 0]})], "Transpose of no order of axes"),
        ([("Transpose", ["x"], {})], "Transpose of no order of axes"),
        ([("Cast", ["x"], {"to": 8})], "Cast of a type"),
        ([("Cast", ["x"], {})], "Cast of a type"),
        ([("Gemm", ["x", "three"], {})], "Gemm without the inputs"),
        ([("LabelEncoder", ["text"], {})], "LabelEncoder of not one value per text"),
        ([("OneHotEncoder", ["text"], {})], "OneHotEncoder of no levels"),
        ([("Scaler", ["x"], {"offset": [1.0, 2.0], "scale": [1.0]})], "Scaler of not one scale"),
        ([("Div", ["whole", "whole"], {})], "Div of type 7"),
        ([("Equal", ["one", "one"], {}), ("NonZero", ["a"], {})], "NonZero of a single flag"),
        ([("Neg", ["x"], {}), ("Neg", ["x"], {"output": "a"})], "two tensors of the name 'a'"),
        ([("Add", ["x", "three"], {})], "the output 'y', which is not one value per row"),
    ],
)  # fmt: skip
def test_an_operator_without_what_it_needs_is_refused(nodes, says):
    graph = onnx.GraphProto()
    graph.input.append(helper.make_tensor_value_info("x", TensorProto.DOUBLE, ["N", 1]))
    graph.input.append(helper.make_tensor_value_info("text", TensorProto.STRING, ["N", 1]))
    graph.output.append(helper.make_tensor_value_info("y", TensorProto.DOUBLE, ["N", 1]))
    for name, value in (
        ("whole", [1]),
        ("three", np.ones((1, 3))),
        ("two", np.ones((1, 2))),
        ("far", [9]),
        ("one", 1),
    ):
        graph.initializer.append(numpy_helper.from_array(np.array(value), name))
    for place, (operator, inputs, attributes) in enumerate(nodes):
        output = attributes.get("output", "abc"[place])
        given = {name: value for name, value in attributes.items() if name != "output"}
        graph.node.append(helper.make_node(operator, inputs, [output], **given))
    with pytest.raises(RunDirError, match=says):
        tensors_of(graph, 5)
