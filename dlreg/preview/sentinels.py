"""Numbers that stand for a missing value, such as -999: repeated, and far outside of all the others."""

import json
from collections.abc import Iterator
from itertools import chain

import numpy as np

from dlreg.config.schema import Config
from dlreg.preview.csv_rows import csv_as_written, parts_of_csv
from dlreg.preview.suspicion import LEAST_ROWS, Suspicion
from dlreg.table.columns import is_text
from dlreg.table.parts import Dataset, Part

# Codes that people and programs write where nothing was measured.
_NINES = (10.0**digits - 10.0**-decimals for digits in range(2, 13) for decimals in range(4))
_WIDEST_INTEGERS = (32767.0, 32768.0, 65535.0, 2147483647.0, 2147483648.0, 4294967295.0)
CODES = frozenset(sign * code for code in (*_NINES, *_WIDEST_INTEGERS) for sign in (1.0, -1.0))
# A number like any other, too: it is a code only far below them.
MINUS_ONE, MINUS_ONE_BELOW = -1.0, 10.0
# How far outside a number stands, by the spread of the others, and how often.
CODE_GAP, CODE_REPEATS = 1.0, 2
OTHER_GAP, OTHER_REPEATS, OTHER_SHARE = 5.0, 3, 0.005
# A number beside fewer others is one of a few levels.
CODE_LEVELS, OTHER_LEVELS = 3, 10
MOST_SENTINELS, MOST_TEXTS, MOST_NAMED = 3, 3, 5
# Of a large table, evenly spaced.
ROWS_LOOKED_AT = 100_000


def suspect_sentinels(config: Config, dataset: Dataset) -> Iterator[Suspicion]:
    """Looks at the target and at all columns of numbers; one suspicion tells of them all."""
    parts, target = parts_of_csv(config, dataset), config.data.target
    step = max(1, sum(len(part.rows) for part in parts) // ROWS_LOOKED_AT)
    rows = np.concatenate([part.rows[::step] for part in parts])
    csv = csv_as_written(config)
    texts: dict[float, list[str]] = {}
    places, holders = [], []
    for name in (target, *(column.name for column in dataset.columns if not is_text(column))):
        values = np.concatenate([_numbers(part, name, target)[::step] for part in parts])
        for sentinel in find_sentinels(values):
            cells = np.sort(rows[values == sentinel])
            count = sum(np.count_nonzero(_numbers(part, name, target) == sentinel) for part in parts)
            # In a large file looking up a cell takes its time.
            if sentinel not in texts:
                texts[sentinel] = [csv.cell(int(row), name).strip() for row in cells[:MOST_TEXTS]]
            places.append(f"{name!r} is {texts[sentinel][0]} in {count:,} row{'s' if count > 1 else ''}")
            holders.append(name)
    if not places:
        return
    more = f" and {len(places) - MOST_NAMED:,} more" if len(places) > MOST_NAMED else ""
    every = list(dict.fromkeys([*config.data.missing_values, *chain.from_iterable(texts.values())]))
    yield Suspicion(
        f"{', '.join(places[:MOST_NAMED])}{more}, far outside of all its other numbers, "
        "as if it stood for a missing value",
        f"Set data.missing_values: {json.dumps(every, ensure_ascii=False)} if it does; that holds for every "
        "column",
        spoils_loss=target in holders,
    )


def find_sentinels(values: np.ndarray) -> list[float]:
    """The numbers that most likely stand for a missing value, at most `MOST_SENTINELS`.

    The least or the greatest number is one if it is a code, such as -999 or 9999, and stands outside of the
    others: repeated by more than their spread (from the 1st to the 99th percentile); once by five times that,
    or as the only number below zero. Any other number, such as -200, has to be more frequent and further
    outside.

    Args:
        values: A column's numbers, shape `(n_rows,)`; NaN where there is none.
    """
    values = values[~np.isnan(values)]
    sentinels: list[float] = []
    while len(sentinels) < MOST_SENTINELS and values.size >= LEAST_ROWS:
        ends = (float(values.min()), float(values.max()))
        sentinel = next((end for end in ends if _is_sentinel(end, values)), None)
        if sentinel is None:
            break
        sentinels.append(sentinel)
        values = values[values != sentinel]
    return sentinels


def _is_sentinel(end: float, values: np.ndarray) -> bool:
    repeats = np.count_nonzero(values == end)
    is_code = end in CODES
    # Cheap before dear: nearly every end of a column of measurements is here for once.
    if end == 0 or repeats == values.size or (repeats < CODE_REPEATS and not is_code):
        return False
    others = values[values != end]
    gap = float(np.abs(others - end).min())
    is_alone_below = end < 0 < others.min()
    spread = float(np.subtract(*np.quantile(others, [0.99, 0.01]))) if is_code else np.inf
    if is_code and (is_alone_below or gap > OTHER_GAP * spread):
        # So far away one such cell is enough.
        return np.unique(others).size >= CODE_LEVELS
    if repeats < CODE_REPEATS:
        return False
    is_outside: bool | np.bool
    if is_code:
        is_outside, least_levels = gap > CODE_GAP * spread, CODE_LEVELS
    elif end == MINUS_ONE:
        is_outside, least_levels = others.min() >= MINUS_ONE_BELOW, CODE_LEVELS
    else:
        is_frequent = repeats >= max(OTHER_REPEATS, OTHER_SHARE * values.size)
        is_outside, least_levels = is_frequent and gap > OTHER_GAP * np.ptp(others), OTHER_LEVELS
    return bool(is_outside) and np.unique(others).size >= least_levels


def _numbers(part: Part, name: str, target: str) -> np.ndarray:
    return part.y_true if name == target else part.cells[name][:, 0]
