"""Rows that come in blocks of any size, as blocks of one size."""

from collections.abc import Iterable, Iterator

import numpy as np


def in_equal_blocks(blocks: Iterable[np.ndarray], n_rows: int) -> Iterator[np.ndarray]:
    """The same rows in blocks of `n_rows`, the last of fewer, so that sums do not depend on how they came.

    Args:
        blocks: Shape `(any, …)` each.
        n_rows: Of the blocks that are yielded; rows are copied only where a block is of several.
    """
    waiting: list[np.ndarray] = []
    for block in blocks:
        start, missing = 0, n_rows - sum(map(len, waiting))
        for end in range(missing, len(block) + 1, n_rows):
            whole = [*waiting, block[start:end]]
            yield whole[0] if len(whole) == 1 else np.concatenate(whole)
            start, waiting = end, []
        waiting.append(block[start:])
    if any(map(len, waiting)):
        yield np.concatenate(waiting)
