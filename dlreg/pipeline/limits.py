"""How large a pipeline may be: well above the largest that dlreg writes for so many columns.

Measured: the graph of a date with its parts has at most 433 nodes; a thousand levels of a thousand
characters, more than anybody's, take 4,700 nodes and 8 MB; a hundred thousand levels take 200,000 parts;
three hundred trees of 31 leaves take 157,000 parts and 600 kB. In memory a node takes 3 kB, a level 300
bytes, and a byte of a longer text 9.
"""

from dataclasses import dataclass

MAX_NODES, MAX_PARTS, MAX_BYTES, MAX_PATTERN_MEMORY = 100_000, 1_165_000, 65 << 20, 512 << 20
MAX_TEXTS = 520_000
# Of these what trees may take.
PARTS_OF_TREES, BYTES_OF_TREES, TEXTS_OF_TREES = 165_000, 1 << 20, 20_000
# As many levels as a category has. ONNX Runtime's table of them doubles when it is full, and both are held
# while it does: one of half a million takes 30 MB more than five of a hundred thousand.
MAX_TEXTS_PER_OPERATOR = 100_000


@dataclass(frozen=True)
class Limits:
    """The most that a pipeline may hold.

    Attributes:
        nodes: Operators.
        constants: Arrays.
        parts: All that protobuf counts as a part, whatever its size: names, levels, numbers …
        texts: Those of lookups – the levels of categories – and the kinds of trees' nodes.
        n_bytes: The size of all but the numbers of constants.
        pattern_memory: The bytes that its regular expressions take, see `patterns.pattern_memory`.
    """

    nodes: int
    constants: int
    parts: int
    texts: int
    n_bytes: int
    pattern_memory: int


def limits_of(n_columns: int) -> Limits:
    """The limits of a pipeline that reads so many columns."""
    nodes = min(8_000 + 460 * n_columns, MAX_NODES)
    return Limits(
        nodes=nodes,
        constants=nodes,
        parts=min(50_000 + PARTS_OF_TREES + 210_000 * n_columns, MAX_PARTS),
        texts=min(30_000 + TEXTS_OF_TREES + 110_000 * n_columns, MAX_TEXTS),
        n_bytes=min((10 << 20) + BYTES_OF_TREES + (256 << 10) * n_columns, MAX_BYTES),
        pattern_memory=min((48 << 20) + (16 << 20) * n_columns, MAX_PATTERN_MEMORY),
    )
