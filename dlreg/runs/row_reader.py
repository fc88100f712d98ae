"""Rows given one by one, as mappings from columns to cells: read as a data frame of them is, but at once.

What a data frame makes of a column depends on the types of all its cells. Here those columns alone are read
whose cells are of one type and plainly what the column is. Rows with any other are given to pandas whole,
which also knows what to refuse and how to say it.
"""

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache, partial
from typing import Any

import numpy as np
import pandas as pd

from dlreg.errors import DataError, Fault
from dlreg.runs.new_rows import PredictedRows, predict_cells, read_new_cells, table_of_frame
from dlreg.runs.trained_run import TrainedModel
from dlreg.table.column import Column
from dlreg.table.columns import KINDS
from dlreg.table.csv_file import MISSING_TEXTS
from dlreg.table.csv_format import CsvFormat, csv_format_of
from dlreg.table.dates import parse_format
from dlreg.table.kinds.category import CATEGORY
from dlreg.table.kinds.number import LARGEST_NUMBER
from dlreg.table.kinds.units import counts_multiples
from dlreg.table.spelling import canonical_text
from dlreg.table.typed_cells import HALF_CHARACTER, is_whole_text, numbers_that_mean_missing

Row = Mapping[str, Any]
# The cells of a column as the pipeline takes them; None where pandas has to look at them.
_Reader = Callable[[Sequence[Any]], list[Any] | None]

ROWS = "the rows"
_FLOATS, _WHOLE = frozenset({float, np.float64}), frozenset({int, np.int64})
# Larger ones are not the same as whole numbers and as floats.
_LARGEST_WHOLE = 1 << 53
# Their fields are checked by the calendar alone.
_PLAIN_DIRECTIVES = {"Y": "year", "m": "month", "d": "day", "H": "hour", "M": "minute", "S": "second"}
# What is kept of texts that came before; longer ones would fill the memory.
_MOST_KNOWN, _LONGEST_KNOWN = 4096, 256


def row_reader(run: TrainedModel, name: str = ROWS) -> Callable[[Sequence[Row]], dict[str, np.ndarray]]:
    """What reads rows for a run as `dlreg.table.columns.read_cells` reads a data frame of them.

    Args:
        run: The trained run.
        name: What to call the rows in a message.

    Returns:
        From rows, with the columns of the run and perhaps others, to cells. A column that some rows lack is
        missing in these. It raises a `DataError` for whatever is refused in a data frame.
    """
    csv_format = csv_format_of(run.config.data)
    readers = {column.name: _reader(column, csv_format) for column in run.columns}
    texts = frozenset(run.text_columns)

    def read(rows: Sequence[Row]) -> dict[str, np.ndarray]:
        values: dict[str, list[Any]] = {}
        try:
            for column, reader in readers.items():
                plain = reader([row[column] for row in rows])
                if not plain:
                    return _read_by_pandas(run, rows, name)
                values[column] = plain
        except (KeyError, TypeError):
            return _read_by_pandas(run, rows, name)
        # A function of NumPy takes longer than to read some cells, so all numbers are one array.
        numbers = iter(
            np.array([plain for column, plain in values.items() if column not in texts], dtype=np.float64)
        )
        return {
            column: (np.array(plain, dtype=object) if column in texts else next(numbers)).reshape(-1, 1)
            for column, plain in values.items()
        }

    return read


def row_predictor(run: TrainedModel, name: str = ROWS) -> Callable[..., PredictedRows]:
    """What predicts rows for a run: from rows, and the share that intervals shall hold, to predictions.

    Args:
        run: The trained run.
        name: What to call the rows in a message.
    """
    read = row_reader(run, name)

    def predict(rows: Sequence[Row], interval: float | None = None) -> PredictedRows:
        return predict_cells(run, read(rows), interval)

    return predict


def _read_by_pandas(run: TrainedModel, rows: Sequence[Row], name: str) -> dict[str, np.ndarray]:
    if faults := list(_unreadable(rows, name)):
        raise DataError(*faults)
    return read_new_cells(run, table_of_frame(run, pd.DataFrame([dict(row) for row in rows]), name))


def _unreadable(rows: Sequence[Row], name: str) -> Iterator[Fault]:
    """What cannot stand in a data frame."""
    if not rows:
        yield Fault("there are no rows", name, hint="Give at least one")
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, Mapping):
            message = f"expected a mapping from columns to cells, found a {type(row).__name__}"
            yield Fault(message, name, row=number, hint='Such as {"area": 71.5, "town": "Oak"}')
            continue
        for column, cell in row.items():
            if not (is_whole_text(str(column)) and (type(cell) is not str or is_whole_text(cell))):
                message = f"column {str(column)!r}: {HALF_CHARACTER}"
                yield Fault(message, name, row=number, hint="Is the text cut, or of another encoding?")


def _reader(column: Column, csv_format: CsvFormat) -> _Reader:
    numbers = frozenset(numbers_that_mean_missing(csv_format.missing_values))
    texts = frozenset({*MISSING_TEXTS, *csv_format.missing_values})
    if column.kind == "number":
        # Bare numbers are refused where others count thousands.
        if column.unit and counts_multiples(column.unit):
            return lambda _: None
        return partial(_read_numbers, gaps=numbers)
    if KINDS[column.kind] is CATEGORY:
        level = _remembering(partial(_level, column, texts))
        words = frozenset() if csv_format.missing_values else frozenset({bool})
        return partial(_read_levels, level=level, words=words, gaps=numbers, point=csv_format.decimal)
    moment = _moment_reader(str(column.date_format), texts)
    return partial(_read_dates, moment=moment) if moment else lambda _: None


def _read_numbers(cells: Sequence[Any], *, gaps: frozenset[float]) -> list[float] | None:
    values: list[float] = []
    for cell in cells:
        kind = type(cell)
        if cell is None:
            value = math.nan
        elif kind in _FLOATS:
            value = float(cell)
            if abs(value) > LARGEST_NUMBER:
                return None
        elif kind in _WHOLE and -_LARGEST_WHOLE <= cell <= _LARGEST_WHOLE:
            value = float(cell)
        else:
            return None
        values.append(math.nan if value in gaps else value)
    return values


def _read_levels(
    cells: Sequence[Any],
    *,
    level: Callable[[str], str | None],
    words: frozenset[type],
    gaps: frozenset[float],
    point: str,
) -> list[str] | None:
    kinds = {type(cell) for cell in cells if not _is_missing(cell)}
    if kinds <= {str, *words}:
        return _all_known("" if _is_missing(cell) else level(str(cell)) for cell in cells)
    if kinds <= _FLOATS | _WHOLE and (numbers := _read_numbers(cells, gaps=gaps)):
        written = ("" if math.isnan(number) else repr(number).removesuffix(".0") for number in numbers)
        return _all_known(text and level(text.replace(".", point)) for text in written)
    return None


def _level(column: Column, gaps: frozenset[str], text: str) -> str | None:
    if text.strip() in gaps:
        return ""
    if not is_whole_text(text):
        return None
    return canonical_text(text, is_boolean=column.kind == "boolean", fold_case=column.fold_case)


def _read_dates(cells: Sequence[Any], *, moment: Callable[[str], str | None]) -> list[str] | None:
    return _all_known(
        "" if _is_missing(cell) else moment(cell) if type(cell) is str else None for cell in cells
    )


def _all_known(texts: Iterable[str | None]) -> list[str] | None:
    known: list[str] = []
    for text in texts:
        if text is None:
            return None
        known.append(text)
    return known


def _moment_reader(date_format: str, gaps: frozenset[str]) -> Callable[[str], str | None] | None:
    """What reads dates of a format whose fields are all digits of the calendar and the clock; else None."""
    lead, fields = parse_format(date_format)
    if not all(field.directive in _PLAIN_DIRECTIVES for field in fields):
        return None
    parts = [
        f"(?P<{_PLAIN_DIRECTIVES[field.directive]}>{field.pattern}){re.escape(field.separator)}"
        for field in fields
    ]
    pattern = re.compile(re.escape(lead) + "".join(parts))
    anywhere = {"year": 1900, "month": 1, "day": 1}

    def read(text: str) -> str | None:
        text = text.strip()
        if text in gaps:
            return ""
        match = pattern.fullmatch(text.strip(" "))
        if match is None:
            return None
        try:
            datetime(**{**anywhere, **{name: int(digits) for name, digits in match.groupdict().items()}})  # type: ignore[arg-type]
        except ValueError:
            return None
        return text

    return _remembering(read)


def _remembering(read: Callable[[str], str | None]) -> Callable[[str], str | None]:
    """The same function, which knows what it made of the last short texts."""
    known = lru_cache(_MOST_KNOWN)(read)
    return lambda text: known(text) if len(text) <= _LONGEST_KNOWN else read(text)


def _is_missing(cell: Any) -> bool:
    return cell is None or (type(cell) in _FLOATS and math.isnan(cell))
