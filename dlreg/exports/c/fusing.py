"""Finds operators that together are one function of the C file."""

from dataclasses import replace

from dlreg.exports.tensors import Node, PipelineGraph

# What is computed: X, a number, or an operator and what it is given.
_Formula = str | float | tuple["str | _Formula", ...]
X = "x"
_POWER: _Formula = ("Exp", ("Min", X, 20.0))
_N: _Formula = ("Mul", _POWER, ("Add", _POWER, 2.0))
# As pipelines have mish, and as earlier ones had it.
MISH: tuple[_Formula, ...] = (
    ("Mul", X, ("Div", _N, ("Add", _N, 2.0))),
    ("Mul", X, ("Tanh", ("Softplus", X))),
)


def fuse_mish(graph: PipelineGraph) -> PipelineGraph:
    """The same graph with an operator `Mish` wherever several compute it in single precision."""
    makers = {name: node for node in graph.nodes for name in node.outputs}

    def computes(name: str, formula: _Formula, x: str) -> bool:
        if formula == X:
            return name == x
        if isinstance(formula, float):
            constant = graph.constants.get(name)
            return constant is not None and constant.shape == () and constant.item() == formula
        node = makers.get(name)
        return (
            node is not None
            and node.operator == formula[0]
            and all(map(computes, node.inputs, formula[1:], [x] * len(node.inputs)))
        )

    def fused(node: Node) -> Node:
        if node.operator != "Mul" or node.c_type != "float":
            return node
        x = node.inputs[0]
        if any(computes(node.outputs[0], formula, x) for formula in MISH):
            return replace(node, operator="Mish", inputs=(x,))
        return node

    return replace(graph, nodes=tuple(map(fused, graph.nodes)))
