"""Columns that are legal, but look like a mistake: ids, copies of the target, dates written as numbers."""

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import numpy as np
import pandas as pd

from dlreg.config.date_formats import EPOCHS
from dlreg.config.schema import Config
from dlreg.preview.csv_rows import parts_of_csv
from dlreg.preview.first_rows import are_whole
from dlreg.preview.leaks import determines_target, equals_target, exact_sum
from dlreg.preview.levels import suspect_levels
from dlreg.preview.suspicion import LEAST_ROWS, Suspicion
from dlreg.table import dates
from dlreg.table.column import Column
from dlreg.table.columns import is_text
from dlreg.table.date_guess import guess_time_of_day
from dlreg.table.kinds.units import folded_unit, split_number
from dlreg.table.parts import Dataset, Part

# Up to here a double holds every whole number.
LARGEST_EXACT = 2.0**53
MOST_NAMED = 5
# In seconds since 1970: from September 2001 to May 2033. Few other columns have all their numbers there.
EPOCH_SECONDS = (1_000_000_000, 2_000_000_000)
_LEAVE_OUT_LEAK = "Leave it out with data.exclude if it is not known before the target"
_LEAVE_OUT_ID = "Leave it out with data.exclude if the number means nothing"


@dataclass(frozen=True, eq=False)
class _CsvRows:
    """The rows of all parts but for those of a separate test file.

    Attributes:
        config: Names the target and the split.
        train: The training rows.
        parts: All parts.
    """

    config: Config
    train: Part
    parts: tuple[Part, ...]

    @cached_property
    def order(self) -> np.ndarray:
        """Where each row, in the order of the CSV, stands among those of the parts, one after the other."""
        return np.argsort(np.concatenate([part.rows for part in self.parts]))

    @property
    def rows(self) -> np.ndarray:
        """The positions of all rows, ascending."""
        return np.asarray(np.concatenate([part.rows for part in self.parts])[self.order])

    def cells(self, name: str) -> np.ndarray:
        """The cells of one column in the order of the CSV: a copy of them all would be too large."""
        cells = np.concatenate([part.cells[name][:, 0] for part in self.parts])
        return np.asarray(cells[self.order])


def suspect_columns(config: Config, dataset: Dataset) -> Iterator[Suspicion]:
    """Looks at the names of the columns, at each column and at the numbers together."""
    target, train = config.data.target, dataset.parts["train"]
    yield from _look_alikes([target, *(column.name for column in dataset.columns)])
    csv = _CsvRows(config, train, parts_of_csv(config, dataset))
    for column in dataset.columns:
        values = train.cells[column.name][:, 0]
        suspicions = (
            suspect(column, values, csv) for suspect in (_constant, *_SUSPECTS.get(column.kind, ()))
        )
        # One suspicion of a column is enough.
        if first := next((suspicion for suspicion in suspicions if suspicion), None):
            yield first
    numbers = {
        column.name: train.cells[column.name][:, 0] for column in dataset.columns if not is_text(column)
    }
    yield from _inexact_numbers(numbers | {target: train.y_true})
    yield from _sum_of_columns(numbers, train.y_true, target)


def counts_rows(values: np.ndarray, rows: np.ndarray) -> bool:
    """Whether a column numbers its rows, in order or shuffled, like an id.

    Args:
        values: The column's numbers, shape `(n_rows,)`.
        rows: The rows' positions in the CSV, shape `(n_rows,)`.
    """
    if len(values) < LEAST_ROWS or not are_whole(values) or np.isnan(values).any():
        return False
    in_order = np.ptp(values - rows) == 0 or np.ptp(values + rows) == 0
    return bool(in_order or (np.ptp(values) == len(values) - 1 and np.unique(values).size == len(values)))


def _look_alikes(names: Iterable[str]) -> Iterator[Suspicion]:
    """Pairs of names that look the same: they differ in blanks, invisible characters or composition."""
    seen: dict[str, str] = {}
    for name in names:
        visible = "".join(c for c in unicodedata.normalize("NFKC", name) if unicodedata.category(c) != "Cf")
        if (first := seen.setdefault(" ".join(visible.split()), name)) != name:
            yield Suspicion(
                f"the columns {first!r} and {name!r} differ in nothing one can see",
                "Give each a name of its own, or leave one out with data.exclude",
            )


def _constant(column: Column, values: np.ndarray, _csv: _CsvRows) -> Suspicion | None:
    if not np.all(pd.isna(values)) and not np.all(values == values[0]):
        return None
    return Suspicion(
        f"column {column.name!r} has one value in every training row: it cannot help",
        "Leave it out with data.exclude",
    )


def _target_itself(column: Column, values: np.ndarray, csv: _CsvRows) -> Suspicion | None:
    y_true = csv.train.y_true
    if not equals_target(values, y_true):
        return None
    same = "equals the target" if np.array_equal(values, y_true) else "follows exactly the target"
    return Suspicion(
        f"column {column.name!r} {same} {csv.config.data.target!r} in the training rows: "
        "the answer is among the questions",
        _LEAVE_OUT_LEAK,
    )


def _target_by_level(column: Column, values: np.ndarray, csv: _CsvRows) -> Suspicion | None:
    if not determines_target(values, csv.train.y_true):
        return None
    return Suspicion(
        f"each level of column {column.name!r} has one value of the target {csv.config.data.target!r}: "
        "the answer is among the questions",
        _LEAVE_OUT_LEAK,
    )


def _row_numbers(column: Column, values: np.ndarray, csv: _CsvRows) -> Suspicion | None:
    if not are_whole(values) or not counts_rows(csv.cells(column.name), csv.rows):
        return None
    return Suspicion(f"column {column.name!r} numbers the rows, like an id", _LEAVE_OUT_ID)


def _dates_as_numbers(column: Column, values: np.ndarray, _csv: _CsvRows) -> Suspicion | None:
    known = values[~np.isnan(values)] if are_whole(values) else values[:0]
    if not known.size:
        return None
    date_format = _epoch_of(known)
    if known.min() >= 1900_01_01 and known.max() <= 2100_12_31:
        days = pd.Series(known.astype(int)).astype("str")
        date_format = "%Y%m%d" if dates.parse_dates(days, "%Y%m%d").notna().all() else None
    if not date_format:
        return None
    return Suspicion(
        f"column {column.name!r} looks like dates written as numbers",
        f'If so, set data.dates: {{{column.name}: "{date_format}"}}',
    )


def _epoch_of(numbers: np.ndarray) -> str | None:
    """What whole numbers may count that all lie in few years of our time, and are not all the same."""
    for name, per_second in EPOCHS.items():
        first, last = (second * per_second for second in EPOCH_SECONDS)
        if first <= numbers.min() < numbers.max() < last:
            return name
    return None


def _times_of_day(column: Column, values: np.ndarray, _csv: _CsvRows) -> Suspicion | None:
    texts = pd.Series(values[values != ""], dtype="str")
    date_format = guess_time_of_day(texts) if len(texts) else None
    if not date_format:
        return None
    return Suspicion(
        f"column {column.name!r} looks like times of day, read as categories: {texts.iloc[0]!r} …",
        f'If so, set data.dates: {{{column.name}: "{date_format}"}}',
    )


def _years_to_come(column: Column, _values: np.ndarray, csv: _CsvRows) -> Suspicion | None:
    date_format = str(column.date_format)
    if "%y" not in date_format or column.latest_year is not None:
        return None
    this_year = datetime.now().astimezone().year
    moments = dates.parse_column(pd.Series(csv.cells(column.name), dtype="str"), column)
    to_come = int((moments.dt.year > this_year).sum())
    if not to_come:
        return None
    count = f"{to_come:,} of {int(moments.notna().sum()):,}"
    entry = f'{column.name}: {{format: "{date_format}", latest: {this_year}}}'
    return Suspicion(
        f"{count} dates in column {column.name!r} are read as years to come, up to "
        f"{int(moments.dt.year.max())}: years of two digits are taken for 1969 to 2068",
        f"If they are past, set data.dates: {{{entry}}}; if not, latest: {dates.LATEST_YEAR} says so",
    )


def _levels_alike(column: Column, values: np.ndarray, _csv: _CsvRows) -> Suspicion | None:
    return suspect_levels(column.name, set(values))


def _numbers_with_a_unit(column: Column, values: np.ndarray, _csv: _CsvRows) -> Suspicion | None:
    numbers = [split_number(text) for text in set(values) - {""}]
    units = {number and folded_unit(number.unit) for number in numbers}
    if len(units) != 1 or not all(units):
        return None
    example = next(text for text in values if text != "")
    return Suspicion(
        f"column {column.name!r} holds numbers with a unit, read as categories: {example!r} …",
        f"To use their size set data.types: {{{column.name}: number}}",
    )


def _one_number(column: Column, values: np.ndarray, _csv: _CsvRows) -> Suspicion | None:
    missing = np.isnan(values)
    if not missing.any() or missing.all() or np.ptp(known := values[~missing]) != 0:
        return None
    return Suspicion(
        f"column {column.name!r} is {known[0]:g} or missing in all training rows: as a number it cannot help",
        f"If an empty cell means no, set data.types: {{{column.name}: category}}",
    )


def are_in_order(moments: "pd.Series[pd.Timestamp]") -> bool:
    """Whether rows are in the order of their moments, rising or falling; missing ones are passed over."""
    known = moments.dropna()
    is_ordered = known.is_monotonic_increasing or known.is_monotonic_decreasing
    return bool(is_ordered) and len(known) >= LEAST_ROWS and known.nunique() > 1


def _order_of_time(column: Column, _values: np.ndarray, csv: _CsvRows) -> Suspicion | None:
    if csv.config.data.split != "random":
        return None
    texts = pd.Series(csv.cells(column.name), dtype="str")
    if not are_in_order(dates.parse_column(texts, column)):
        return None
    return Suspicion(
        f"the rows are in the order of column {column.name!r}, but are split at random: what comes "
        "just before and after a test row trains the network, which makes it look better than it is",
        f"To test on the latest rows set data.split to time and data.split_by to {column.name!r}",
    )


# What may be wrong with a column of each kind, in the order in which it is looked for.
_SUSPECTS: Mapping[str, tuple[Callable[[Column, np.ndarray, _CsvRows], Suspicion | None], ...]] = {
    "number": (_one_number, _target_itself, _row_numbers, _dates_as_numbers),
    "category": (_target_by_level, _levels_alike, _numbers_with_a_unit, _times_of_day),
    "boolean": (_target_by_level,),
    "date": (_years_to_come, _order_of_time),
}


def _inexact_numbers(numbers: Mapping[str, np.ndarray]) -> Iterator[Suspicion]:
    for name, values in numbers.items():
        if np.nanmax(np.abs(values), initial=0) > LARGEST_EXACT:
            yield Suspicion(
                f"column {name!r} has numbers beyond 2^53: only their first 15 digits count",
                "Subtract a constant, or use data.types to make it a category",
            )


def _sum_of_columns(
    numbers: Mapping[str, np.ndarray], y_true: np.ndarray, target: str
) -> Iterator[Suspicion]:
    terms = exact_sum(numbers, y_true) if numbers else []
    if len(terms) > 1:
        more = " …" if len(terms) > MOST_NAMED else ""
        yield Suspicion(
            f"a weighted sum of the columns {', '.join(map(repr, terms[:MOST_NAMED]))}{more} is the target "
            f"{target!r} in every training row: the answer is among the questions",
            "Leave out with data.exclude what is not known before the target",
        )
