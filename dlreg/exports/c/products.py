"""Products of matrices as loops that compilers make vector instructions of.

They round as ONNX Runtime does where a processor multiplies and adds at once: its MLAS adds the products to
each element one after the other, with one rounding each, in blocks whose sums are added up
(https://github.com/microsoft/onnxruntime, onnxruntime/core/mlas/lib/sgemm.cpp). A matrix of one column that
it has not copied beforehand is the exception: it multiplies, adds to eight sums in turn, and adds these up.
"""

from collections.abc import Sequence

import numpy as np

from dlreg.exports.c.body import Body, loops_over
from dlreg.exports.c.values import Indices, Numbers, broadcast, linear
from dlreg.exports.tensors import Node

# The length of a block of one matrix, which MLAS copies beforehand, and of several, where they are wide.
COPIED_BLOCK, WIDE_BLOCK = 256, 128


def product(body: Body, node: Node, inputs: Sequence[Numbers]) -> Numbers:
    """`MatMul` and `Gemm`: of [..., M, K] and [..., K, P], with a bias or without, to [..., M, P]."""
    left, right, *bias = inputs
    left, right = body.stored(left), body.stored(right)
    indices, loops = loops_over(node.dims)
    result, name = body.array(node.c_type, node.dims)
    target = f"{name}[{linear(node.dims, indices)}]"
    bias_of_column = broadcast(bias[0], indices) if bias else "0"
    body.add(f"{target} = {bias_of_column};", loops=loops)
    if node.c_type == "float" and right.dims[-1] == 1 and len(right.dims) > 2 and right.is_stored:
        row = left if left.is_stored else body.copied(left)
        factors = (broadcast(row, (*indices[:-1], "0")), broadcast(right, (*indices[:-2], "0", "0")))
        body.add(f"{target} += dot_float(&{factors[0]}, &{factors[1]}, {left.dims[-1]});", loops=loops)
        return result
    along = [loop for loop in loops if loop[0] == indices[-1]]
    lines = _sums_of_blocks(node.c_type, left, right, indices, along, target)
    body.add(*lines, loops=[loop for loop in loops if loop not in along])
    return result


def _sums_of_blocks(
    c_type: str,
    left: Numbers,
    right: Numbers,
    indices: Indices,
    along: Sequence[tuple[str, int]],
    target: str,
) -> list[str]:
    """The statements that add the products of each block to a row of the result.

    The innermost loop runs along rows of the second factor, which lie in memory as they are read.
    """
    *outer, column = indices
    depth, width = right.dims[-2:]
    block = _block_length(right.dims) if c_type == "float" else depth
    total, weight = f"sums[{column}]", broadcast(right, (*outer[:-1], "k", column))
    more = f"fused_float(x, {weight}, {total})" if c_type == "float" else f"{total} + x * {weight}"
    added = _looped(along, [f"{total} = {more};"])
    if along and right.constant is not None and np.isfinite(right.constant).all():
        # Of flags and of what `relu` lets through most are 0; but 0 times what is no number is none either.
        added = _within("if (x != 0)", added)
    first, end = ("0", str(depth)) if depth <= block else ("start", f"{depth} && k < start + {block}")
    head = f"for (size_t k = {first}; k < {end}; k++)"
    lines = [
        f"{c_type} sums[{width}];",
        *_looped(along, [f"{total} = 0;"]),
        *_within(head, [f"const {c_type} x = {broadcast(left, (*outer, 'k'))};", *added]),
        *_looped(along, [f"{target} += {total};"]),
    ]
    if depth <= block:
        return ["{", *(f"    {line}" for line in lines), "}"]
    return _within(f"for (size_t start = 0; start < {depth}; start += {block})", lines)


def _block_length(dims: Sequence[int]) -> int:
    """How many products MLAS adds up before it adds them to the others."""
    depth, width = dims[-2:]
    if len(dims) == 2:
        return COPIED_BLOCK
    length, columns = WIDE_BLOCK, 128
    while depth > width and columns // 2 >= max(width, 16):
        length, columns = length * 2, columns // 2
    return length


def _looped(loops: Sequence[tuple[str, int]], lines: Sequence[str]) -> list[str]:
    for index, length in loops:
        lines = _within(f"for (size_t {index} = 0; {index} < {length}; {index}++)", lines)
    return list(lines)


def _within(head: str, lines: Sequence[str]) -> list[str]:
    return [f"{head} {{", *(f"    {line}" for line in lines), "}"]
