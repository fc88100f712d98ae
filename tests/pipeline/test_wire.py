"""What the bytes of a file are made of, compared with what protobuf's own parser makes of them."""

from collections import Counter

import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import helper

from dlreg.errors import RunDirError
from dlreg.pipeline.limits import MAX_PARTS
from dlreg.pipeline.wire import FIELDS, count_parts

texts = st.text(max_size=5)
constants = st.builds(
    onnx.TensorProto, name=texts, dims=st.lists(st.integers(0, 300)), raw_data=st.binary(max_size=9),
    double_data=st.lists(st.floats()), int64_data=st.lists(st.integers(-(1 << 63), (1 << 63) - 1)),
)  # fmt: skip
attributes = st.builds(
    onnx.AttributeProto, name=texts, i=st.integers(-(1 << 63), (1 << 63) - 1), f=st.floats(width=32),
    ints=st.lists(st.integers(0, 9)), strings=st.lists(texts.map(str.encode)), s=texts.map(str.encode),
)  # fmt: skip
nodes = st.builds(
    onnx.NodeProto,
    op_type=texts,
    input=st.lists(texts, max_size=3),
    attribute=st.lists(attributes, max_size=2),
)
values = st.builds(
    helper.make_tensor_value_info, texts, st.integers(0, 16), st.lists(st.one_of(st.integers(0, 9), texts))
)
graphs = st.builds(
    onnx.GraphProto, node=st.lists(nodes, max_size=3), initializer=st.lists(constants, max_size=3),
    input=st.lists(values, max_size=2), doc_string=texts,
)  # fmt: skip
metadata = st.builds(onnx.StringStringEntryProto, key=texts, value=texts)
models = st.builds(
    onnx.ModelProto, graph=graphs, ir_version=st.integers(0, 9), metadata_props=st.lists(metadata)
)
# Their values are written as one part, where each takes memory of its own.
PACKED = {"TensorProto.dims", "TensorProto.int64_data"}
RAW = {"TensorProto.raw_data", "TensorProto.float_data", "TensorProto.double_data"}


def parsed_parts(message, counts):
    kind = message.DESCRIPTOR.full_name.removeprefix("onnx.")
    for field, value in message.ListFields():
        name = f"{kind}.{field.name}"
        for item in value if field.is_repeated else [value]:
            if name not in RAW:
                counts[name] += 1
            if field.message_type:
                parsed_parts(item, counts)
    return counts


@given(model=models)
def test_parts_are_those_that_a_parser_finds(model):
    content = model.SerializeToString()
    parts = count_parts(content, MAX_PARTS)
    expected = parsed_parts(model, Counter())
    counted = {name: n for name, n in parts.counts.items() if name not in RAW}
    assert counted.keys() == expected.keys()
    for name, n in counted.items():
        assert n == expected[name] or (name in PACKED and n >= expected[name])
    assert parts.total == sum(parts.counts.values())
    raw = sum(len(t.raw_data) + 8 * len(t.double_data) for t in model.graph.initializer)
    assert parts.n_bytes == len(content) - raw


@given(model=models, data=st.data())
def test_what_is_cut_short_is_refused_or_smaller(model, data):
    content = model.SerializeToString()
    end = data.draw(st.integers(0, len(content)))
    try:
        parts = count_parts(content[:end], MAX_PARTS)
    except RunDirError as error:
        assert "expected a pipeline" in str(error)
    else:
        assert parts.total <= count_parts(content, MAX_PARTS).total


@given(content=st.binary(max_size=40))
def test_any_bytes_are_counted_or_refused(content):
    try:
        parts = count_parts(content, MAX_PARTS)
    except RunDirError:
        return
    # What is counted, a parser reads: it is written as protobuf writes.
    assert (parts.total == 0) == (content == b"")


@pytest.mark.parametrize(
    ("model", "says"),
    [
        (onnx.ModelProto(functions=[onnx.FunctionProto()]), "functions in ModelProto"),
        (onnx.ModelProto(training_info=[onnx.TrainingInfoProto()]), "training_info in ModelProto"),
        (onnx.ModelProto(doc_string="x"), "doc_string in ModelProto"),
        (onnx.ModelProto(graph=onnx.GraphProto(sparse_initializer=[onnx.SparseTensorProto()])), "sparse_initializer in GraphProto"),
        (onnx.ModelProto(graph=onnx.GraphProto(initializer=[onnx.TensorProto(data_location=1)])), "data_location in TensorProto"),
        (onnx.ModelProto(graph=onnx.GraphProto(input=[onnx.ValueInfoProto(doc_string="x")])), "doc_string in ValueInfoProto"),
    ],
)  # fmt: skip
def test_a_field_that_dlreg_does_not_fill_is_refused(model, says):
    with pytest.raises(RunDirError, match=says):
        count_parts(model.SerializeToString(), MAX_PARTS)


def test_every_field_that_may_be_filled_exists():
    for kind, names in FIELDS.items():
        message = onnx.onnx_ml_pb2.DESCRIPTOR.message_types_by_name[kind.partition(".")[0]]
        for inner in kind.split(".")[1:]:
            message = message.nested_types_by_name[inner]
        assert names <= {field.name for field in message.fields}, kind


def test_more_parts_than_allowed_are_refused():
    model = onnx.ModelProto(graph=onnx.GraphProto(node=[onnx.NodeProto()] * 10))
    assert count_parts(model.SerializeToString(), 11).total == 11
    with pytest.raises(RunDirError, match="more than 10 parts"):
        count_parts(model.SerializeToString(), 10)
