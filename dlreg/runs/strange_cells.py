"""What a run meets in new rows that it was not trained for: missing cells, far values, unseen levels."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from dlreg.errors import DataError, Fault
from dlreg.features.calendar import day_text
from dlreg.features.numbers import elapsed_days
from dlreg.runs.trained_run import TrainedModel
from dlreg.table.column import Column
from dlreg.wording import counted

MOST_TEXTS = 2
FEW_ROWS = 32


@dataclass(frozen=True)
class StrangeCells:
    """How many cells were strange, by column, in the order of the columns; some may have none.

    Attributes:
        missing: Cells for which something else stands in.
        outside: Numbers and dates far outside of those of the training rows.
        unseen: Texts of a category that no training row has.
        texts: The first of the unseen texts.
        known: Cells of each category that are not missing, strange or not.
    """

    missing: Mapping[str, int] = field(default_factory=dict)
    outside: Mapping[str, int] = field(default_factory=dict)
    unseen: Mapping[str, int] = field(default_factory=dict)
    texts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    known: Mapping[str, int] = field(default_factory=dict)

    def __add__(self, other: "StrangeCells") -> "StrangeCells":
        """Those of more rows."""
        columns = {**self.texts, **other.texts}
        texts = {
            name: tuple(dict.fromkeys((*self.texts.get(name, ()), *other.texts.get(name, ()))))[:MOST_TEXTS]
            for name in columns
        }
        return StrangeCells(
            _sum(self.missing, other.missing),
            _sum(self.outside, other.outside),
            _sum(self.unseen, other.unseen),
            texts,
            _sum(self.known, other.known),
        )

    def as_json(self) -> dict[str, Any]:
        """The counts by column, in plain values."""
        counts = {"missing": self.missing, "outside": self.outside, "unseen": self.unseen}
        return {way: dict(_any(columns)) for way, columns in counts.items()}


def _sum(first: Mapping[str, int], second: Mapping[str, int]) -> dict[str, int]:
    # Unlike counters it keeps the order, whichever rows are the first to have any.
    return {name: first.get(name, 0) + second.get(name, 0) for name in {**first, **second}}


def _any(counts: Mapping[str, int]) -> Iterator[tuple[str, int]]:
    return ((name, count) for name, count in counts.items() if count)


def count_strange_cells(run: TrainedModel, cells: Mapping[str, np.ndarray]) -> StrangeCells:
    """Counts what the training rows of a run did not have.

    Args:
        run: Knows the levels and ranges of its training rows.
        cells: One array of shape `(n_rows, 1)` per column.
    """
    missing, outside, unseen, known = (dict[str, int]() for _ in range(4))
    texts: dict[str, tuple[str, ...]] = {}
    for name, column in cells.items():
        if column.dtype != object:
            missing[name], n_outside = _count_numbers(column, *run.usual_ranges[name])
            if name in run.ranges:
                outside[name] = n_outside
            continue
        values = column[:, 0].tolist()
        if name in run.dates:
            missing[name], outside[name] = _count_dates(run.dates[name], values, *run.usual_ranges[name])
            continue
        n_missing = values.count("")
        levels = run.levels.get(name, set())
        # A missing cell may be a level like any other.
        missing[name] = 0 if "" in levels else n_missing
        if levels:
            others = [text for text in dict.fromkeys(values) if text and text not in levels]
            unseen[name] = sum(map(set(others).__contains__, values)) if others else 0
            texts |= {name: tuple(others[:MOST_TEXTS])} if others else {}
            known[name] = len(values) - n_missing
    return StrangeCells(missing, outside, unseen, texts, known)


def _count_numbers(column: np.ndarray, low: float, high: float) -> tuple[int, int]:
    """How many numbers are missing, and how many are outside of some bounds."""
    if len(column) > FEW_ROWS:
        return int(np.isnan(column).sum()), int(np.sum((column < low) | (column > high)))
    # A function of NumPy takes longer than Python with some numbers.
    unusual = [number for (number,) in column.tolist() if not low <= number <= high]
    n_missing = sum(map(math.isnan, unusual))
    return n_missing, len(unusual) - n_missing


# Dates come again and again, and to read a single one takes as long as to predict its row.
_read_few = lru_cache(1024)(elapsed_days)


def _count_dates(column: Column, texts: Sequence[str], low: float, high: float) -> tuple[int, int]:
    """The same of texts that are dates; the bounds are days since 1970."""
    counts = Counter(texts)
    n_missing = counts.pop("", 0)
    days = (_read_few if len(counts) <= FEW_ROWS else elapsed_days)(column, tuple(counts))
    is_outside = (days < low) | (days > high)
    return n_missing, int(np.array(list(counts.values()), dtype=np.int64)[is_outside].sum())


def strange_sentences(run: TrainedModel, strange: StrangeCells) -> Iterator[str]:
    """A sentence for each column and each way in which its cells were strange."""
    for name, count in _any(strange.missing):
        # Of a category a missing cell is no level, where training had none.
        what = "none of its levels" if name in strange.known else "what stands in was fitted in training"
        yield f"{counted(count, 'cell')} {_are(count)} missing in column {name!r}: {what}"
    yield from unknown_sentences(run, strange)


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def unknown_sentences(run: TrainedModel, strange: StrangeCells) -> Iterator[str]:
    """The same without missing cells."""
    for name, count in _any(strange.outside):
        text_of = day_text if name in run.dates else "{:g}".format
        low, high = map(text_of, run.ranges[name])
        cells = f"{counted(count, 'cell')} of {name!r} {_are(count)}"
        yield f"{cells} far outside of the training range, {low} to {high}"
    for name, count in _any(strange.unseen):
        shown = ", ".join(map(repr, strange.texts[name]))
        yield f"{counted(count, 'cell')} unseen in {name}: a level that no training row has, such as {shown}"


def refuse_unseen(strange: StrangeCells, path: str, max_unseen: float | None) -> None:
    """Refuses a table whose levels are not those of the training rows.

    Args:
        strange: What was found in it.
        path: The table, for messages.
        max_unseen: The share of a column's cells that may be unseen; None for any but all of them.

    Raises:
        DataError: With each column that has more.
    """
    faults = []
    for name, count in _any(strange.unseen):
        known = strange.known[name]
        is_refused = count == known if max_unseen is None else count > max_unseen * known
        if is_refused:
            share = "no cell is a level" if count == known else f"{count:,} of {known:,} cells are no level"
            shown = " and ".join(map(repr, strange.texts[name]))
            hint = "Is it written as in training? --max-unseen 1 takes it all the same"
            faults.append(
                Fault(f"column {name!r}: {share} of the training rows; found {shown}", path, hint=hint)
            )
    if faults:
        raise DataError(*faults)


def refuse_strange(run: TrainedModel, strange: StrangeCells, path: str) -> None:
    """Refuses a table with any strange cell.

    Raises:
        DataError: With each column that has one.
    """
    faults = [Fault(sentence, path) for sentence in strange_sentences(run, strange)]
    if faults:
        *first, last = faults
        raise DataError(*first, Fault(last.message, path, hint="Mend the cells, or leave --strict out"))
