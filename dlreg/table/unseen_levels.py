"""Levels of held-out rows that no training row has: to the network they are none at all."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from dlreg.table.column import Column
from dlreg.table.columns import KINDS
from dlreg.table.kinds.category import CATEGORY

MOST_NAMED = 3


def unseen_levels(columns: Sequence[Column], cells: Mapping[str, Mapping[str, np.ndarray]]) -> Iterator[str]:
    """A sentence for each category and each part whose cells training never sees.

    Args:
        columns: What the cells are.
        cells: Of each part, `train` among them, one array of shape `(n_rows, 1)` per column.
    """
    for name in (column.name for column in columns if KINDS[column.kind] is CATEGORY):
        known = set(pd.unique(cells["train"][name][:, 0]))
        for part in (part for part in cells if part != "train"):
            texts = cells[part][name][:, 0]
            unseen = [level for level in pd.unique(texts) if level not in known]
            if unseen:
                count = int(pd.Series(texts).isin(unseen).sum())
                yield unseen_sentence(part, name, unseen, count)


def unseen_sentence(part: str, column: str, levels: Sequence[str], n_cells: int) -> str:
    """What a user should know of levels that no training row has.

    Args:
        part: The part whose cells they are.
        column: Their column.
        levels: All of them.
        n_cells: How many cells have one.
    """
    shown = ", ".join(map(repr, levels[:MOST_NAMED])) + (" …" if len(levels) > MOST_NAMED else "")
    subject = f"{n_cells:,} {part} cells of column {column!r}"
    return f"{subject} have a level that no training row has: {shown}"
