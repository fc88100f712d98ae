"""What rows of one part have in common with those of another: repeated rows, and rows of an earlier time."""

import numpy as np
import pandas as pd

from dlreg.report.views import Numbers, view_column
from dlreg.table.column import Column
from dlreg.table.parts import Part


def count_repeated(train: Part, held_out: Part) -> int:
    """How many held-out rows are equal to a training row in every column and in the target."""
    learnt, asked = np.arange(len(train.y_true)), np.arange(len(held_out.y_true))
    columns = [(train.y_true, held_out.y_true)]
    columns += [(train.cells[name][:, 0], held_out.cells[name][:, 0]) for name in train.cells]
    # The numbers first, which are sooner compared and leave few rows for the texts.
    columns.sort(key=lambda pair: pair[0].dtype == object)
    learnt_keys, asked_keys = np.zeros(len(learnt), dtype=np.uint64), np.zeros(len(asked), dtype=np.uint64)
    for of_train, of_held_out in columns:
        learnt_keys = _join(learnt_keys, of_train[learnt])
        asked_keys = _join(asked_keys, of_held_out[asked])
        stays, remains = np.isin(learnt_keys, asked_keys), np.isin(asked_keys, learnt_keys)
        learnt, learnt_keys = learnt[stays], learnt_keys[stays]
        asked, asked_keys = asked[remains], asked_keys[remains]
        if not len(asked):
            return 0
    return len(asked)


def _join(keys: np.ndarray, cells: np.ndarray) -> np.ndarray:
    hashes = pd.util.hash_array(cells, categorize=len(cells) > 1000)
    return keys * np.uint64(1_000_003) + hashes


def share_before_latest(column: Column, train: Part, held_out: Part) -> float | None:
    """The share of held-out rows that are earlier than the latest training row; None without dates."""
    learnt, asked = (view_column(column, part.cells[column.name]) for part in (train, held_out))
    if not (isinstance(learnt, Numbers) and isinstance(asked, Numbers)):
        return None
    if not (learnt.known.size and asked.known.size):
        return None
    return float((asked.known < learnt.known.max()).mean())
