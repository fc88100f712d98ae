"""Products of matrices as loops that compilers make vector instructions of."""

import math
from collections.abc import Sequence

import numpy as np

from dlreg.exports.c.body import Body, loops_over
from dlreg.exports.c.values import Numbers, broadcast, linear
from dlreg.exports.tensors import Node

# So many rows of the second factor are added to a row of the result at once, which is then read less often.
ROWS_AT_ONCE = 4


def product(body: Body, node: Node, inputs: Sequence[Numbers]) -> Numbers:
    """`MatMul` and `Gemm`: of [..., M, K] and [..., K, P], with a bias or without, to [..., M, P].

    The innermost loop runs along rows of the second factor, which lie in memory as they are read.
    """
    left, right, *bias = inputs
    # Each of its elements is read once for every batch and row of the result.
    is_read_once = left.n_elements >= math.prod(node.dims[:-1]) * left.dims[-1]
    left = body.short(left) if is_read_once and node.dims[-1] == 1 else body.stored(left)
    right = body.stored(right)
    depth, width = left.dims[-1], node.dims[-1]
    indices, loops = loops_over(node.dims)
    *outer, column = indices
    outer_loops = [loop for loop in loops if loop[0] != column]
    inner = [(column, width)] if width > 1 else []
    if loops:
        result, name = body.array(node.c_type, node.dims)
        target = f"{name}[{linear(node.dims, indices)}]"
        start = ""
    else:
        target, start = body.fresh(), f"{node.c_type} "
        result = Numbers(node.c_type, node.dims, lambda _: target, is_simple=True)
    body.add(
        f"{start}{target} = {broadcast(bias[0], indices) if bias else '0'};", loops=[*outer_loops, *inner]
    )
    # Of flags and of what `relu` lets through most are 0; but 0 times what is no number is none either.
    may_skip = right.constant is not None and bool(np.isfinite(right.constant).all())

    def added(places: Sequence[str]) -> list[str]:
        factors = [broadcast(left, (*outer, place)) for place in places]
        weights = [broadcast(right, (*outer[:-1], place, column)) for place in places]
        return _added(node.c_type, target, factors, weights, inner, may_skip=may_skip)

    groups = depth // ROWS_AT_ONCE
    if groups:
        places = [f"k * {ROWS_AT_ONCE}{f' + {place}' if place else ''}" for place in range(ROWS_AT_ONCE)]
        body.add(*added(places), loops=[*outer_loops, ("k", groups)])
    if rest := range(groups * ROWS_AT_ONCE, depth):
        body.add(
            "{", *(f"    {line}" for line in added([str(place) for place in rest])), "}", loops=outer_loops
        )
    return result


def _added(
    c_type: str,
    target: str,
    factors: Sequence[str],
    weights: Sequence[str],
    inner: Sequence[tuple[str, int]],
    *,
    may_skip: bool,
) -> list[str]:
    """The statements that add some products to each element of a row."""
    names = [f"x{place}" for place in range(len(factors))]
    terms = [f"{name} * {weight}" for name, weight in zip(names, weights, strict=True)]
    # By halves: the sums of each half do not wait for each other, and round less.
    halves = [" + ".join(half) for half in (terms[: len(terms) // 2], terms[len(terms) // 2 :]) if half]
    total = " + ".join(f"({half})" for half in halves)
    lines = [f"{target} += {total};"]
    for index, length in inner:
        lines = [f"for (size_t {index} = 0; {index} < {length}; {index}++) {{", f"    {lines[0]}", "}"]
        if may_skip:
            condition = " || ".join(f"{name} != 0" for name in names)
            lines = [f"if ({condition}) {{", *(f"    {line}" for line in lines), "}"]
    declarations = [f"const {c_type} {name} = {factor};" for name, factor in zip(names, factors, strict=True)]
    return [*declarations, *lines]
