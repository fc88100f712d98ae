"""Products of matrices as loops that compilers make vector instructions of."""

import math
from collections.abc import Sequence

import numpy as np

from dlreg.exports.c.body import Body, loops_over
from dlreg.exports.c.values import Numbers, broadcast, linear
from dlreg.exports.tensors import Node


def product(body: Body, node: Node, inputs: Sequence[Numbers]) -> Numbers:
    """`MatMul` and `Gemm`: of [..., M, K] and [..., K, P], with a bias or without, to [..., M, P].

    The innermost loop runs along a row of the second factor, which lies in memory as it is read.
    """
    left, right, *bias = inputs
    # Each of its elements is read once for every batch and row of the result.
    n_rows = math.prod(node.dims[:-1])
    if left.n_elements < n_rows * left.dims[-1]:
        left = body.stored(left)
    left, right = body.short(left), body.stored(right)
    depth, width = left.dims[-1], node.dims[-1]
    indices, loops = loops_over(node.dims)
    *outer, column = indices
    outer_loops = [loop for loop in loops if loop[0] != column]
    factor = broadcast(left, (*outer, "k"))
    weight = broadcast(right, (*outer[:-1], "k", column))
    start = broadcast(bias[0], indices) if bias else "0"
    if width == 1 and not outer_loops:
        name = body.fresh()
        body.add(f"{node.c_type} {name} = {start};")
        body.add(f"{name} += {factor} * {weight};", loops=[("k", depth)])
        return Numbers(node.c_type, node.dims, lambda _: name, is_simple=True)
    result, name = body.array(node.c_type, node.dims)
    target = f"{name}[{linear(node.dims, indices)}]"
    inner = [(column, width)] if width > 1 else []
    body.add(f"{target} = {start};", loops=[*outer_loops, *inner])
    along = f"for (size_t {column} = 0; {column} < {width}; {column}++) {{" if inner else "{"
    # Of flags and of what `relu` lets through most are 0; but 0 times what is no number is none either.
    is_finite = right.constant is not None and np.isfinite(right.constant).all()
    condition = "if (x != 0) {" if is_finite else "{"
    body.add(
        f"const {node.c_type} x = {factor};",
        along,
        f"    {target} += x * {weight};",
        "}",
        loops=[*outer_loops, ("k", depth)],
    )
    return result
