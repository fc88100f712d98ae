"""The cells of a category as text to the levels they mean, inside an ONNX graph."""

from collections.abc import Iterator, Sequence

import numpy as np
from onnx import TensorProto

from dlreg.pipeline.graph import Graph, trim_text
from dlreg.table.column import Column
from dlreg.table.spelling import any_of, level_pattern

# RE2 gives up its fast way of matching where an expression is much longer, whatever it is made of.
MOST_BYTES_AT_ONCE = 4000
# The expressions of more would take longer than the network.
MOST_SPELT_LEVELS = 1000


def level_nodes(graph: Graph, text: str, column: Column, levels: Sequence[str]) -> str:
    """Each cell's level as text, in whatever spelling it is written; of no level another text.

    Of more than `MOST_SPELT_LEVELS` levels each is taken as it is written, but for spaces around it.

    Levels are numbered from 1. A cell that is written as its level is looked up; of the few others regular
    expressions tell the number, as these take several times as long.

    Args:
        graph: Takes the nodes.
        text: The tensor of the cells, of shape [N, 1].
        column: What they are.
        levels: Of the training rows, as `dlreg.table.spelling.canonical_text` gives them.
    """
    if len(levels) > MOST_SPELT_LEVELS:
        return trim_text(graph, text)
    flat = np.array([-1])
    looked_up = graph.add(
        "LabelEncoder",
        text,
        domain="ai.onnx.ml",
        keys_strings=list(levels),
        values_int64s=list(range(1, len(levels) + 1)),
        default_int64=0,
    )
    numbers = graph.add("Reshape", looked_up, flat)
    unknown = graph.add("Reshape", graph.add("NonZero", graph.add("Equal", numbers, np.array(0))), flat)
    others = graph.add("Gather", graph.add("Reshape", text, flat), unknown)
    matched = graph.add("Cast", _matched_numbers(graph, others, column, levels), to=TensorProto.INT64)
    numbers = graph.add("ScatterElements", numbers, unknown, matched)
    names = np.full(1 << len(levels).bit_length(), free_text(levels), dtype=object)
    names[1 : len(levels) + 1] = list(levels)
    return str(graph.add("Gather", names, graph.add("Reshape", numbers, np.array([-1, 1]))))


def _matched_numbers(graph: Graph, text: str, column: Column, levels: Sequence[str]) -> str:
    """The numbers of texts' levels, 0 where it is none, as doubles.

    One expression for each binary digit tells whether a number has it, so that a thousand levels take ten.
    """
    patterns = [
        level_pattern(level, is_boolean=column.kind == "boolean", fold_case=column.fold_case)
        for level in levels
    ]
    numbers = graph.constant(np.zeros(1))
    for digit in range(len(levels).bit_length()):
        having_digit = [pattern for place, pattern in enumerate(patterns, start=1) if place >> digit & 1]
        for expression in _expressions(having_digit):
            fits = graph.add("RegexFullMatch", text, pattern=expression)
            value = graph.add("Where", fits, np.float64(1 << digit), np.float64(0))
            numbers = graph.add("Add", numbers, value)
    return str(numbers)


def free_text(levels: Sequence[str]) -> str:
    """A text that is none of the levels."""
    text = "unseen"
    while text in levels:
        text += "?"
    return text


def _expressions(patterns: Sequence[str]) -> Iterator[str]:
    """Regular expressions that together fit what any of the patterns fits, none of them too long."""
    start, n_bytes = 0, 0
    for place, pattern in enumerate(patterns):
        size = len(pattern.encode())
        if n_bytes and n_bytes + size > MOST_BYTES_AT_ONCE:
            yield any_of(patterns[start:place])
            start, n_bytes = place, 0
        n_bytes += size
    yield any_of(patterns[start:])
