"""Any bytes are a pipeline or are refused: soon, and in little memory.

`DLREG_FUZZ_EXAMPLES` is the number of inputs, as in tests/support/fuzzing.py.
"""

import resource
from dataclasses import replace
from functools import partial
from random import Random

import numpy as np
import onnx
import pytest
from onnx import TensorProto, numpy_helper
from support.fuzzing import EXAMPLES, feed
from support.tables import part_of
from support.trees import some_trees

from dlreg.features.preprocessing import fit_preprocessing
from dlreg.model.architecture import Network, parameter_specs
from dlreg.model.mixture import mean_of
from dlreg.model.weights import TrainedVariant, Weights
from dlreg.pipeline.export import export_pipeline
from dlreg.pipeline.session import Pipeline
from dlreg.pipeline.vetting import OPERATORS
from dlreg.table.column import Column

N_ROWS = 30
# What a good pipeline of this size takes is a tenth of it.
MAX_MIB = 200
CELLS = {
    Column("x", "number"): np.linspace(-1, 1, N_ROWS),
    Column("z", "category"): np.array(["Centre", "Harbour", "é"] * (N_ROWS // 3), dtype=object),
    Column("day", "date", "%H:%M"): np.array([f"{n % 24:02}:{n:02}" for n in range(N_ROWS)], dtype=object),
}
NUMBERS = (0, 1, -1, 2, 3, 7, 64, 255, 1 << 20, (1 << 31) - 1, -(1 << 31), 1 << 40, (1 << 63) - 1, -(1 << 63))
TYPES = (*range(18), 1000, -1)


def pipeline_of(columns, *, with_trees=False):
    """A small pipeline of random weights, made without Keras."""
    cells = {column.name: CELLS[column][:, None] for column in columns}
    preprocessing = fit_preprocessing(
        part_of(cells, np.linspace(0, 9, N_ROWS)), columns, numeric="standard", missing="median",
        categorical="onehot", target="standard",
    )  # fmt: skip
    network = Network(len(preprocessing.feature_names), (3,))
    generator = np.random.default_rng(0)
    shapes = [spec.shape for spec in parameter_specs(network)]
    weights = Weights([generator.normal(size=shape).astype(np.float32) for shape in shapes], [])
    mixture = replace(
        mean_of([0], np.ones(1)), trees=some_trees(network.n_features, 3) if with_trees else None
    )
    return export_pipeline(preprocessing, [TrainedVariant(network, [weights])], mixture)


@pytest.fixture(scope="module")
def pipelines():
    number, *others = CELLS
    choices = [[number], [number, others[0]], [others[1]], list(CELLS)]
    models = [pipeline_of(columns) for columns in choices] + [pipeline_of(choices[1], with_trees=True)] * 2
    return [model.SerializeToString() for model in models]


def change_node(random, graph):
    node = random.choice(graph.node)
    names = [name for other in graph.node for name in (*other.input, *other.output)]
    change = random.randrange(9)
    if change == 0:
        node.domain, node.op_type = random.choice(list(OPERATORS))
        del node.attribute[:]
    elif change == 1 and node.input:
        node.input[random.randrange(len(node.input))] = random.choice([*names, ""])
    elif change == 2:
        node.input.extend(random.choices(names, k=random.choice((1, 2, 40))))
    elif change == 3:
        node.output.append(random.choice([*names, "new"]))
    elif change == 4:
        graph.node.add().CopyFrom(node)
    elif change == 5:
        graph.node.remove(node)
    elif change == 6 and node.input:
        node.input.pop()
    else:
        change_attribute(random, node)


def change_attribute(random, node):
    allowed = OPERATORS.get((node.domain, node.op_type), frozenset())
    name = random.choice([*sorted(allowed), "axis"])
    for attribute in [attribute for attribute in node.attribute if attribute.name == name]:
        node.attribute.remove(attribute)
    value = random.choice(
        (random.choice(NUMBERS), 0.5, float("nan"), 1e308, "", "[0-9]{1,9}", b"\xff", [0], [1, 0], [-1, 5],
         [float("inf")], ["a", "b"], ["a", "a"], list(range(50)))
    )  # fmt: skip
    node.attribute.append(onnx.helper.make_attribute(name, value))


def change_constant(random, graph):
    tensor = random.choice(graph.initializer)
    change = random.randrange(5)
    if change == 0:
        tensor.data_type = random.choice(TYPES)
    elif change == 1:
        del tensor.dims[:]
        tensor.dims.extend(random.choices(NUMBERS, k=random.randrange(5)))
    elif change == 2:
        shape = random.choices((0, 1, 2, 3, 30, 1000), k=random.randrange(4))
        if np.prod(shape, dtype=float) < 1e5:
            values = np.full(shape, random.choice(NUMBERS), random.choice((np.int64, np.float32, np.float64)))
            tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
    elif change == 3:
        values = np.array(random.choices(("", "a", "x" * 9, "é"), k=random.randrange(4)), dtype=object)
        tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
    else:
        tensor.name = random.choice(graph.initializer).name


def change_value(random, graph):
    value = random.choice([*graph.input, *graph.output, *graph.value_info])
    if random.random() < 0.5:
        value.type.tensor_type.elem_type = random.choice((TensorProto.DOUBLE, TensorProto.STRING))
    else:
        value.name = random.choice([*graph.input, *graph.output]).name


def change_bytes(random, content):
    content = bytearray(content)
    for _ in range(random.choice((1, 1, 2, 5))):
        start = random.randrange(len(content))
        end = start + random.choice((0, 1, 1, 2, 8, 100))
        change = random.randrange(4)
        if change == 0:
            content[start:end] = random.randbytes(end - start)
        elif change == 1:
            del content[start:end]
        elif change == 2:
            content[start:start] = content[start:end] * random.choice((1, 3, 50))
        else:
            content[start] ^= 1 << random.randrange(8)
    return bytes(content)


def make_pipeline(random: Random, pipelines) -> bytes:
    """A pipeline with other nodes, constants, names and bytes."""
    content = random.choice(pipelines)
    if random.random() < 0.7:
        model = onnx.ModelProto.FromString(content)
        for _ in range(random.choice((1, 1, 1, 2, 4))):
            random.choice((change_node, change_node, change_constant, change_value))(random, model.graph)
        if random.random() < 0.05:
            random.shuffle(nodes := list(model.graph.node))
            del model.graph.node[:]
            model.graph.node.extend(nodes)
        content = model.SerializeToString()
        if random.random() < 0.9:
            return content
    return change_bytes(random, content)


def test_any_bytes_are_a_pipeline_or_are_refused(pipelines):
    def read(content):
        pipeline = Pipeline(content, "pipeline.onnx")
        cells = {column.name: values[:5, None] for column, values in CELLS.items()}
        if pipeline.inputs.items() <= {"x": True, "z": False, "day": False}.items():
            pipeline.run({name: cells[name] for name in pipeline.inputs})

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    feed("pipelines", EXAMPLES // 10, partial(make_pipeline, pipelines=pipelines), read)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MAX_MIB << 10
