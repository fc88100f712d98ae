"""Rows that are legal, but look like a mistake: the same twice, or too few."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from dlreg.config.schema import Config
from dlreg.preview.plan import count_features
from dlreg.preview.suspicion import Suspicion
from dlreg.table.parts import Dataset, Part
from dlreg.training.members import members_of

ROWS_PER_FEATURE = 10
# Rows.
HASHED_AT_ONCE = 65536
# The golden ratio, as an odd number of 64 bits.
_FACTOR, _HALF = np.uint64(0x9E3779B97F4A7C15), np.uint64(32)


def suspect_rows(config: Config, dataset: Dataset) -> Iterator[Suspicion]:
    """Looks for rows that stand there twice, and for too few of them.

    Args:
        config: Says how dates and categories are encoded, and how many networks are trained.
        dataset: The rows.
    """
    yield from _repeated_rows(dataset, learns_validation=config.refitting is not None and not dataset.folds)
    n_rows = dataset.parts["train"].rows.size
    n_features = count_features(config, dataset.columns, dataset.parts["train"])
    is_alone = len(members_of(config)) * config.model.shared_members == 1
    if n_rows < ROWS_PER_FEATURE * n_features:
        yield Suspicion(
            f"there are {n_rows:,} training rows for {n_features:,} features, fewer than "
            f"{ROWS_PER_FEATURE} for each: the network may learn them by heart",
            "Leave out columns that say nothing of the target"
            + (", or set model.ensemble: 5" if is_alone else ""),
        )


def _repeated_rows(dataset: Dataset, *, learns_validation: bool) -> Iterator[Suspicion]:
    hashes = {name: pd.Series(_hashes(part)) for name, part in dataset.parts.items() if part.rows.size}
    # Cheap before dear: in most tables no row stands twice.
    in_order = np.sort(np.concatenate([*hashes.values()]))
    if not (in_order[1:] == in_order[:-1]).any():
        return
    learnt = hashes["train"]
    repeated = {"validation": int(hashes["validation"].isin(learnt).sum())} if "validation" in hashes else {}
    if "test" in hashes:
        if learns_validation and repeated:
            learnt = pd.concat([learnt, hashes["validation"]])
        repeated["test"] = int(hashes["test"].isin(learnt).sum())
    if any(repeated.values()):
        counts = " and ".join(f"{count:,} {name}" for name, count in repeated.items() if count)
        learners = "training or validation" if len(learnt) > len(hashes["train"]) else "training"
        yield Suspicion(
            f"{counts} rows are also among the {learners} rows, the same in every column that is used",
            "Remove duplicates from the CSV, or keep them together with data.split: group and data.split_by, "
            "a column that says which rows belong together",
        )
    n_copies = int(hashes["train"].duplicated().sum())
    if n_copies and not any(repeated.values()) and _hardly_repeats(dataset.parts["train"]):
        yield Suspicion(
            f"{n_copies:,} training rows are copies of others, the same in every column that is used",
            "Remove duplicates from the CSV, unless each stands for an observation of its own",
        )


def _hardly_repeats(part: Part) -> bool:
    """Whether a number of the rows is hardly ever the same, so that equal rows are no chance."""
    numbers = [cells[:, 0] for cells in part.cells.values() if cells.dtype != object]
    return any(2 * len(np.unique(values)) > len(values) for values in (part.y_true, *numbers))


def _hashes(part: Part) -> np.ndarray:
    """A number for each row, equal for rows with equal cells and target, shape `(n_rows,)`."""
    columns = [*(cells[:, 0] for cells in part.cells.values()), part.y_true]
    hashes = np.zeros(len(part.y_true), dtype=np.uint64)
    # Blocks that stay in the processor's cache; texts are hashed, which takes several copies of them.
    for start in range(0, len(hashes), HASHED_AT_ONCE):
        block = hashes[start : start + HASHED_AT_ONCE]
        for column in columns:
            cells = column[start : start + HASHED_AT_ONCE]
            bits = pd.util.hash_array(cells) if cells.dtype == object else cells.view(np.uint64)
            # Numbers of few digits differ in their first bits alone, and a product hands none down.
            block ^= bits
            block *= _FACTOR
            block ^= block >> _HALF
    return hashes
