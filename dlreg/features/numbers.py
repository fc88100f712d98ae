"""The features that columns become before they are scaled: numbers, flags of missing ones, texts."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from dlreg.errors import DataError, Fault
from dlreg.features.calendar import calendar_feature_names, calendar_features
from dlreg.features.date_parts import DatePart, DateParts, part_codes, part_texts, read_moments
from dlreg.table.column import Column

Cells = Mapping[str, np.ndarray]
FeatureKind = Literal["number", "text", "flag"]
NO_PARTS: DateParts = {}


@dataclass(frozen=True)
class Feature:
    """One column of numbers or text between the cells and their scaling.

    Attributes:
        key: Its name inside the ONNX graph: plain, whatever the CSV's header holds.
        name: Its name for people, such as `Date.week_sin`.
        kind: A number to be scaled, the text of a category, or a flag of missing numbers.
        fill: What stands in for a missing number; None for texts and flags, and where missing cells are
            refused.
        part: Which part of a date a text is, if it is one.
    """

    key: str
    name: str
    kind: FeatureKind
    fill: float | None = None
    part: DatePart | None = None


@dataclass(frozen=True)
class NumericKind:
    """How a kind of column becomes numbers.

    Attributes:
        names: The names of a column's numbers.
        values: From a column and its cells, shape `(n_rows, 1)`, to the numbers, `(n_rows, n_numbers)`, NaN
            where they are missing.
    """

    names: Callable[[Column], tuple[str, ...]]
    values: Callable[[Column, np.ndarray], np.ndarray]


def _calendar_names(column: Column) -> tuple[str, ...]:
    return tuple(f"{column.name}.{part}" for part in calendar_feature_names(str(column.date_format)))


def _calendar_values(column: Column, cells: np.ndarray) -> np.ndarray:
    return calendar_features(read_moments(column, cells), str(column.date_format))


# The kinds of columns that become numbers. All others are categories: text, until they are encoded.
NUMERIC_KINDS: Mapping[str, NumericKind] = {
    "number": NumericKind(
        lambda column: (column.name,), lambda _, cells: cells.astype(np.float64, copy=False)
    ),
    "date": NumericKind(_calendar_names, _calendar_values),
}


def is_category(column: Column) -> bool:
    """Whether a column is encoded by its levels, instead of read as numbers."""
    return column.kind not in NUMERIC_KINDS


def count_numbers(columns: Sequence[Column]) -> int:
    """How many numbers the columns become, without flags of missing ones."""
    return sum(len(NUMERIC_KINDS[column.kind].names(column)) for column in columns if not is_category(column))


def count_levels(columns: Sequence[Column], cells: Cells, parts: DateParts) -> list[int]:
    """How many levels each category has in these rows; a missing cell, "", is a level of its own."""
    counts = []
    for column in columns:
        if is_category(column):
            counts.append(len(set(cells[column.name][:, 0])))
        elif of_column := parts.get(column.name):
            moments = read_moments(column, cells[column.name])
            counts += [np.unique(part_codes(part, moments)).size for part in of_column]
    return counts


def first_numbers(cells: Cells, columns: Sequence[Column]) -> Iterator[tuple[Column, np.ndarray]]:
    """Each column that becomes numbers with the first of them, `(n_rows,)`: of dates the days since 1970."""
    for column in columns:
        if not is_category(column):
            yield column, NUMERIC_KINDS[column.kind].values(column, cells[column.name])[:, 0]


def columns_with_gaps(cells: Cells, columns: Sequence[Column]) -> frozenset[str]:
    """The columns that become numbers and have missing cells."""
    return frozenset(
        column.name for column, numbers in first_numbers(cells, columns) if np.isnan(numbers).any()
    )


def elapsed_days(column: Column, texts: Sequence[str]) -> np.ndarray:
    """The days from 1970 to each of some dates, shape `(n_texts,)`."""
    cells = np.array(texts, dtype=object).reshape(-1, 1)
    return _calendar_values(column, cells)[:, 0]


def fit_features(
    cells: Cells,
    columns: Sequence[Column],
    missing: str,
    *,
    flagged: Collection[str] = (),
    parts: DateParts = NO_PARTS,
) -> tuple[tuple[Feature, ...], ...]:
    """The features each column becomes, with what stands in for missing numbers in the training rows.

    Args:
        cells: The training rows' cells, as `read_cells` gives them.
        columns: What the cells are.
        missing: `median` or `mean` stand in for missing numbers; `error` refuses them.
        flagged: The columns whose numbers a flag of missing ones follows.
        parts: Those of each column of dates that become texts, after its numbers.

    Raises:
        DataError: With each column without any value, or with missing cells that `missing` refuses.
    """
    features: list[tuple[Feature, ...]] = []
    faults: list[Fault] = []
    for index, column in enumerate(columns):
        if is_category(column):
            features.append((Feature(f"t{index}", column.name, "text"),))
            continue
        numeric = NUMERIC_KINDS[column.kind]
        values = numeric.values(column, cells[column.name])
        gaps = int(np.isnan(values[:, 0]).sum())
        if gaps == len(values):
            message = f"column {column.name!r} has no value in the training rows"
            faults.append(Fault(message, hint="Leave it out with data.exclude"))
            continue
        if missing == "error" and gaps:
            faults.append(_refused_gaps(column.name, gaps))
            continue
        numbers = tuple(
            Feature(f"n{index}_{position}", name, "number", fill)
            for position, (name, fill) in enumerate(
                zip(numeric.names(column), _fills(values, missing), strict=True)
            )
        )
        flag = Feature(f"f{index}", f"{column.name} is missing", "flag")
        texts = (
            Feature(f"p{index}_{position}", f"{column.name}.{part.name}", "text", part=part)
            for position, part in enumerate(parts.get(column.name, ()))
        )
        features.append((*numbers, *((flag,) if column.name in flagged else ()), *texts))
    if faults:
        raise DataError(*faults)
    return tuple(features)


def read_features(
    columns: Sequence[Column], features: Sequence[Sequence[Feature]], cells: Cells
) -> Iterator[tuple[Feature, np.ndarray]]:
    """Each feature with its values, shape `(n_rows,)`: texts as they are, numbers without missing ones.

    Args:
        columns: What the cells are.
        features: Of each column, as `fit_features` gives them.
        cells: As `read_cells` gives them.

    Raises:
        DataError: A missing number that nothing stands in for.
    """
    for column, column_features in zip(columns, features, strict=True):
        if is_category(column):
            yield column_features[0], cells[column.name][:, 0]
            continue
        values = NUMERIC_KINDS[column.kind].values(column, cells[column.name])
        moments = read_moments(column, cells[column.name]) if column_features[-1].part else None
        for position, feature in enumerate(column_features):
            if feature.part is not None and moments is not None:
                yield feature, part_texts(feature.part, moments)
            elif feature.kind == "flag":
                yield feature, np.isnan(values[:, 0]).astype(np.float64)
            else:
                yield feature, _filled(values[:, position], feature.fill, column.name)


def _fills(values: np.ndarray, missing: str) -> list[float | None]:
    if missing == "error":
        return [None] * values.shape[1]
    if missing == "mean":
        return [float(fill) for fill in np.nanmean(values, axis=0)]
    # NumPy's own function without missing numbers takes ten times as long for a few hundred rows.
    return [float(np.median(numbers[~np.isnan(numbers)])) for numbers in values.T]


def _filled(numbers: np.ndarray, fill: float | None, name: str) -> np.ndarray:
    gaps = np.isnan(numbers)
    if not gaps.any():
        return numbers
    if fill is None:
        raise DataError(_refused_gaps(name, int(gaps.sum())))
    return np.where(gaps, fill, numbers)


def _refused_gaps(name: str, n_gaps: int) -> Fault:
    message = f"column {name!r} has {n_gaps:,} missing cells, which preprocessing.missing: error refuses"
    return Fault(message, hint="Fill them, or train with preprocessing.missing: median")
