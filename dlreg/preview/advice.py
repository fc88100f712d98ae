"""What is legal in a config and its table, but looks like a mistake."""

import codecs
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from dlreg.config.presets import PRESETS
from dlreg.config.schema import Config, shown
from dlreg.errors import Fault
from dlreg.preview.plan import count_features
from dlreg.table import dates
from dlreg.table.column import Column
from dlreg.table.csv_scan import BLOCK_BYTES, open_csv
from dlreg.table.dataset import BLOCK_ROWS, Dataset, Part, shown_path

# So near to 1 that a column is the target in other units.
LEAK_CORRELATION = 0.9999
# Fewer rows are sorted, or on one line, by chance.
LEAST_ROWS = 10
# Fewer characters beyond ASCII are utf-8 by chance.
LEAST_ACCENTS = 4
ROWS_PER_FEATURE = 10
# Of the standard deviation of the target: what is left of a sum whose terms are written out in full.
EXACT = 1e-6
ROWS_FOR_SUM = 10_000
# Up to here a double holds every whole number.
LARGEST_EXACT = 2.0**53
_LEAVE_OUT_LEAK = "Leave it out with data.exclude if it is not known before the target"
_LEAVE_OUT_ID = "Leave it out with data.exclude if the number means nothing"


@dataclass(frozen=True)
class Advice:
    """Something a user should look at before training.

    Attributes:
        about: Whether the config or the data would have to change.
        fault: What is suspicious, where, and a way out.
    """

    about: Literal["config", "data"]
    fault: Fault


def advise(config: Config, dataset: Dataset) -> tuple[Advice, ...]:
    """Looks for leaks, ids, rows that are in two parts and settings without effect."""
    header = Fault("", shown_path(config.data.path), 1)
    settings = [Advice("config", fault) for fault in _about_settings(config, dataset)]
    table = [
        Advice("data", Fault(message, header.path, header.line, hint=hint))
        for message, hint in _about_table(config, dataset)
    ]
    return (*settings, *table)


def counts_rows(values: np.ndarray, rows: np.ndarray) -> bool:
    """Whether a column numbers its rows, in order or shuffled, like an id.

    Args:
        values: The column's numbers, shape `(n_rows,)`.
        rows: The rows' positions in the CSV, shape `(n_rows,)`.
    """
    if len(values) < LEAST_ROWS or not np.array_equal(values, np.round(values)):
        return False
    in_order = np.ptp(values - rows) == 0 or np.ptp(values + rows) == 0
    return bool(in_order or (np.ptp(values) == len(values) - 1 and np.unique(values).size == len(values)))


def equals_target(values: np.ndarray, y: np.ndarray) -> bool:
    """Whether a column of numbers is the target, perhaps in other units; shape `(n_rows,)` each."""
    known = ~np.isnan(values)
    if known.sum() < LEAST_ROWS or np.ptp(values[known]) == 0 or np.ptp(y[known]) == 0:
        return False
    return bool(abs(np.corrcoef(values[known], y[known])[0, 1]) > LEAK_CORRELATION)


def determines_target(texts: np.ndarray, y: np.ndarray) -> bool:
    """Whether each level of a category has one value of the target, although levels repeat."""
    frame = pd.DataFrame({"level": texts, "y": y})
    pairs, levels = len(frame.drop_duplicates()), frame["level"].nunique()
    return bool(pairs == levels and levels > 1 and len(frame) >= max(LEAST_ROWS, 2 * levels))


def exact_sum(cells: Mapping[str, np.ndarray], y: np.ndarray) -> list[str]:
    """The columns whose weighted sum is the target but for rounding; none if there is no such sum.

    Args:
        cells: Columns of numbers, shape `(n_rows,)` each.
        y: The target, shape `(n_rows,)`.
    """
    step = max(1, len(y) // ROWS_FOR_SUM)
    y = y[::step]
    x = np.column_stack([*(values[::step] for values in cells.values()), np.ones(len(y))])
    known = ~np.isnan(x).any(axis=1)
    spread = x[known].std(axis=0) if known.any() else np.zeros(x.shape[1])
    if known.sum() < x.shape[1] + LEAST_ROWS or np.ptp(y[known]) == 0:
        return []
    # Scaled, so that a column of millions does not hide one of millionths.
    scale = np.where(spread > 0, spread, 1.0)
    weights = np.linalg.lstsq(x[known] / scale, y[known], rcond=None)[0]
    error = y[known] - x[known] / scale @ weights
    if error.std() > EXACT * y[known].std():
        return []
    used = np.abs(weights[:-1]) > 1e-3 * np.abs(weights[:-1]).max()
    return [name for name, is_used in zip(cells, used, strict=True) if is_used]


def _about_settings(config: Config, dataset: Dataset) -> Iterator[Fault]:
    yield from _about_preset(config)
    if config.model.activation == "linear" and config.model.hidden_layers:
        yield config.fault(
            "model.activation is linear: however many hidden layers, the network is a linear regression",
            "model",
            "activation",
            hint="Choose relu, or set model.hidden_layers to [] if that is meant",
        )
    if _is_rather_utf8(config.data.path, config.data.encoding):
        yield config.fault(
            f"data.encoding is {config.data.encoding}, but the file is valid utf-8, hardly by chance",
            "data",
            "encoding",
            hint="Set data.encoding: utf-8, or names and texts may be garbled",
        )
    n_train = dataset.parts["train"].rows.size
    if config.training.batch_size > n_train and config.preset == "standard":
        yield config.fault(
            f"training.batch_size is {config.training.batch_size:,}, above the {n_train:,} training rows: "
            "an epoch is one step",
            "training",
            "batch_size",
            hint="A smaller batch takes more steps per epoch",
        )


def _about_preset(config: Config) -> Iterator[Fault]:
    """A fault at each value that stands against one of the preset's, which were chosen together."""
    values = config.model_dump(mode="json")
    for section in ("model", "training"):
        chosen = PRESETS[config.preset].get(section, {})
        for key in sorted(
            name for name, value in chosen.items() if not _agrees(values[section][name], value)
        ):
            yield config.fault(
                f"{section}.{key} overrules the preset {config.preset}, whose values were chosen together",
                section,
                key,
                hint=f"Leave it out for {shown(chosen[key])}, or see what it does to the error",
            )


def _agrees(value: object, of_preset: object) -> bool:
    if isinstance(value, dict) and isinstance(of_preset, dict):
        return all(_agrees(value.get(key), inner) for key, inner in of_preset.items())
    return value == of_preset


def _is_rather_utf8(path: Path, encoding: str) -> bool:
    if codecs.lookup(encoding).name.startswith("utf"):
        return False
    with open_csv(str(path)) as stream:
        sample = stream.read(BLOCK_BYTES)
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(sample)
    except UnicodeDecodeError:
        return False
    return len(text.encode()) - len(text) > LEAST_ACCENTS


def _look_alikes(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Pairs of names that differ in nothing one can see: blanks, characters without width, composition."""
    seen: dict[str, str] = {}
    for name in names:
        visible = "".join(c for c in unicodedata.normalize("NFKC", name) if unicodedata.category(c) != "Cf")
        if (first := seen.setdefault(" ".join(visible.split()), name)) != name:
            yield first, name


def _about_table(config: Config, dataset: Dataset) -> Iterator[tuple[str, str]]:
    """A message and a hint for each suspicion."""
    train = dataset.parts["train"]
    own = [part for name, part in dataset.parts.items() if name != "test" or not config.data.test_path]
    rows = np.concatenate([part.rows for part in own])
    order = np.argsort(rows)
    rows = rows[order]

    def whole(name: str) -> np.ndarray:
        """The cells of one column, in the order of the CSV: a copy of them all would be too large."""
        return np.concatenate([part.cells[name][:, 0] for part in own])[order]

    for first, second in _look_alikes([config.data.target, *(column.name for column in dataset.columns)]):
        yield (
            f"the columns {first!r} and {second!r} differ in nothing one can see",
            "Give each a name of its own, or leave one out with data.exclude",
        )
    for column in dataset.columns:
        values = train.cells[column.name][:, 0]
        if np.all(pd.isna(values)) or np.all(values == values[0]):
            yield (
                f"column {column.name!r} has one value in every training row: it cannot help",
                "Leave it out with data.exclude",
            )
        elif column.kind == "number" and equals_target(values, train.y_true):
            same = (
                "equals the target" if np.array_equal(values, train.y_true) else "follows the target exactly"
            )
            yield (
                f"column {column.name!r} {same} {config.data.target!r} in the training rows: "
                "the answer is among the questions",
                _LEAVE_OUT_LEAK,
            )
        elif column.kind in ("category", "boolean") and determines_target(values, train.y_true):
            yield (
                f"each level of column {column.name!r} has one value of the target {config.data.target!r}: "
                "the answer is among the questions",
                _LEAVE_OUT_LEAK,
            )
        elif column.kind == "number" and counts_rows(whole(column.name), rows):
            yield f"column {column.name!r} numbers the rows, like an id", _LEAVE_OUT_ID
        elif column.kind == "number" and _are_written_as_dates(values):
            yield (
                f"column {column.name!r} looks like dates written as numbers",
                f'If so, set data.dates: {{{column.name}: "%Y%m%d"}}',
            )
        elif column.kind == "category" and _have_a_unit(values):
            yield (
                f"column {column.name!r} holds numbers with a unit, read as categories: {values[0]!r} …",
                "Take the unit out of the cells to use their size",
            )
        elif column.date_format and config.data.split == "random" and _is_sorted(column, whole(column.name)):
            yield (
                f"the rows are in the order of column {column.name!r}, but are split at random: what comes "
                "just before and after a test row trains the network, which makes it look better than it is",
                f"To test on the latest rows set data.split to time and data.split_by to {column.name!r}",
            )
    numbers = {
        column.name: train.cells[column.name][:, 0] for column in dataset.columns if column.kind == "number"
    }
    for name, values in (numbers | {config.data.target: train.y_true}).items():
        if np.nanmax(np.abs(values), initial=0) > LARGEST_EXACT:
            yield (
                f"column {name!r} has numbers beyond 2^53: only their first 15 digits count",
                "Subtract a constant, or use data.types to make it a category",
            )
    summed = exact_sum(numbers, train.y_true) if numbers else []
    if len(summed) > 1:
        shown = ", ".join(map(repr, summed[:5])) + (" …" if len(summed) > 5 else "")
        yield (
            f"a weighted sum of the columns {shown} is the target {config.data.target!r} in every training "
            "row: the answer is among the questions",
            "Leave out with data.exclude what is not known before the target",
        )
    yield from _about_rows(config, dataset)


def _about_rows(config: Config, dataset: Dataset) -> Iterator[tuple[str, str]]:
    train = dataset.parts["train"]
    hashes = {name: _hashes(part) for name, part in dataset.parts.items() if part.rows.size}
    repeated = {
        name: int(found.isin(hashes["train"]).sum()) for name, found in hashes.items() if name != "train"
    }
    if any(repeated.values()):
        counts = " and ".join(f"{count:,} {name}" for name, count in repeated.items() if count)
        yield (
            f"{counts} rows are also among the training rows, the same in every cell",
            "Remove duplicates from the CSV, or keep them together with data.split: group",
        )
    features = count_features(dataset.columns, train, config.preprocessing.categorical)
    if train.rows.size < ROWS_PER_FEATURE * features:
        yield (
            f"there are {train.rows.size:,} training rows for {features:,} features, fewer than "
            f"{ROWS_PER_FEATURE} for each: the network may learn them by heart",
            "Leave out columns, or use model.l2, model.dropout or smaller model.hidden_layers",
        )


def _is_sorted(column: Column, values: np.ndarray) -> bool:
    texts = pd.Series(values, dtype="str")
    moments = dates.parse_dates(texts, str(column.date_format)).dropna()
    ordered = moments.is_monotonic_increasing or moments.is_monotonic_decreasing
    return len(moments) >= LEAST_ROWS and moments.nunique() > 1 and bool(ordered)


def _hashes(part: Part) -> "pd.Series[int]":
    """A number for each row, equal for rows with equal cells and target, shape `(n_rows,)`."""
    columns = [*(cells[:, 0] for cells in part.cells.values()), part.y_true]
    starts = range(0, max(len(part.y_true), 1), BLOCK_ROWS)
    blocks = (
        pd.DataFrame(dict(enumerate(column[start : start + BLOCK_ROWS] for column in columns)))
        for start in starts
    )
    return pd.concat([pd.util.hash_pandas_object(block, index=False) for block in blocks])


def _are_written_as_dates(numbers: np.ndarray) -> bool:
    known = numbers[~np.isnan(numbers)]
    if not known.size or known.min() < 1900_01_01 or known.max() > 2100_12_31 or (known % 1).any():
        return False
    return bool(dates.parse_dates(pd.Series(known.astype(int)).astype("str"), "%Y%m%d").notna().all())


def _have_a_unit(texts: np.ndarray) -> bool:
    parts = [re.fullmatch(r"\s*[-+]?[0-9][0-9.,]*\s*([^0-9\s]+)\s*", text) for text in set(texts) - {""}]
    return len({part and part.group(1) for part in parts}) == 1 and parts[0] is not None
