"""The graph of a pipeline, or a part of it, as the body of a C function."""

from collections.abc import Mapping, Sequence

from onnx import TensorProto

from dlreg.exports.c import numbers, texts
from dlreg.exports.c.body import Body
from dlreg.exports.c.fusing import fuse_mish
from dlreg.exports.c.products import product
from dlreg.exports.c.source import Source
from dlreg.exports.c.values import Numbers, Texts, Value
from dlreg.exports.tensors import Node, PipelineGraph, uses
from dlreg.pipeline.refusal import refused


def compile_graph(
    graph: PipelineGraph, outputs: Sequence[str], fields: Mapping[str, str], source: Source
) -> tuple[list[str], list[str]]:
    """The statements that compute some tensors of one number each, and the expressions of these.

    Args:
        graph: The pipeline.
        outputs: The names of the tensors.
        fields: For each column the expression of its cell.
        source: Takes tables and helpers.

    Raises:
        RunDirError: There is an operator of which no C is known.
    """
    body, nodes = Body(source), fuse_mish(graph).leading_to(outputs)
    counts = uses(nodes, outputs)
    known: dict[str, Value] = {}

    def value_of(name: str) -> Value:
        if name not in known:
            known[name] = _constant(body, graph, name)
        return known[name]

    for name, is_number in graph.inputs.items():
        if counts[name]:
            known[name] = _column(body, fields[name], is_number=is_number)
    for node in nodes:
        value = _output(body, node, [value_of(name) for name in node.inputs])
        if isinstance(value, Numbers) and counts[node.outputs[0]] > 1:
            value = body.stored(value)
        known[node.outputs[0]] = value
    results = [value_of(name) for name in outputs]
    return body.lines, [value.scalar() for value in results if isinstance(value, Numbers)]


def _output(body: Body, node: Node, inputs: Sequence[Value]) -> Value:
    """The output of an operator.

    Raises:
        RunDirError: No C is known of it.
    """
    of_numbers = [value for value in inputs if isinstance(value, Numbers)]
    if len(of_numbers) < len(inputs):
        if node.operator in texts.EMITTERS:
            return texts.EMITTERS[node.operator](body, node, inputs)
        raise refused(f"the operator {node.operator} of texts")
    if node.operator in ("MatMul", "Gemm"):
        return product(body, node, of_numbers)
    if node.operator in numbers.EMITTERS:
        return numbers.EMITTERS[node.operator](body, node, of_numbers)
    raise refused(f"the operator {node.operator} of numbers")


def _constant(body: Body, graph: PipelineGraph, name: str) -> Value:
    values, element_type = graph.constants[name], graph.types[name]
    if element_type == TensorProto.STRING:
        return texts.constant_texts(values)
    return body.constant(values, element_type)


def _column(body: Body, field: str, *, is_number: bool) -> Value:
    if is_number:
        return Numbers("double", (1, 1), lambda _: field, is_simple=True)
    return Texts((1, 1), (body.text_variable(f"text_of({field})"),))
