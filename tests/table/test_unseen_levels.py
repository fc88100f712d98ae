"""Levels that only held-out rows have are said, with their part and their count."""

import numpy as np

from dlreg.table.column import Column
from dlreg.table.unseen_levels import unseen_levels


def texts(*cells):
    return {"town": np.array(cells, dtype=object).reshape(-1, 1)}


def test_levels_of_held_out_rows():
    cells = {
        "train": texts("a", "b"),
        "validation": texts("b", "c", "c"),
        "test": texts("", "d", "e", "f", "a"),
    }
    assert list(unseen_levels([Column("town", "category")], cells)) == [
        "2 validation cells of column 'town' have a level that no training row has: 'c'",
        "4 test cells of column 'town' have a level that no training row has: '', 'd', 'e' …",
    ]


def test_nothing_is_said_of_numbers_dates_and_known_levels():
    cells = {"train": texts("a", "b"), "test": texts("b", "a", "b")}
    assert list(unseen_levels([Column("town", "category")], cells)) == []
    assert list(unseen_levels([Column("town", "date", "%Y")], {**cells, "test": texts("c")})) == []
