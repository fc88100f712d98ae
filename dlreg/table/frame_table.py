"""A pandas data frame as a table: what type a column has is what its cells are.

Numbers stay numbers. Everything else becomes the text that a CSV would hold: moments as ISO, true and false
as words, categories by their names, so that a model trained on a file reads a data frame, and the reverse.
"""

import datetime
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd

from dlreg.errors import DataError, Fault
from dlreg.table.csv_format import CsvFormat
from dlreg.table.table import Place, Table
from dlreg.table.typed_cells import (
    HALF_CHARACTER,
    is_whole_text,
    with_decimal_mark,
    without_missing_numbers,
    without_missing_texts,
)

DATA_FRAME = "the data frame"
# Beyond it not every whole number is a float.
_LARGEST_WHOLE = 1 << 53
_EXPECTED = "numbers, text, true and false, or dates"


@dataclass(frozen=True)
class FrameBlock:
    """Rows of a data frame, a `dlreg.table.table.RowBlock`.

    Attributes:
        cells: Numbers as float64 or int64, all else as text; missing cells are NaN.
        name: What the user calls the frame.
        csv_format: Which texts mean a missing value, and how numbers are written as text.
        lines: The line of each row, if it is of a text.
        moments: The strptime formats of the columns that held moments, as their text is now.
    """

    cells: pd.DataFrame
    name: str
    csv_format: CsvFormat
    lines: Sequence[int] | None = None
    moments: Mapping[str, str] = field(default_factory=dict)

    @property
    def header(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple(self.cells.columns)

    @property
    def number_columns(self) -> frozenset[str]:
        """The columns of numbers."""
        return frozenset(str(name) for name in self.cells if pd.api.types.is_numeric_dtype(self.cells[name]))

    @property
    def n_rows(self) -> int:
        """How many rows there are."""
        return len(self.cells)

    def read(self, text_columns: Collection[str]) -> pd.DataFrame:
        """The cells, as `Table.frame` has them."""
        cells = self._as_text(self.cells, text_columns)
        with_gaps = [name for name in cells if isinstance(cells[name].dtype, pd.Int64Dtype)]
        return cells.assign(**{str(name): _floats(cells[name]) for name in with_gaps}) if with_gaps else cells

    def texts(self, names: Collection[str]) -> pd.DataFrame:
        """These columns, all cells as text; missing ones NaN."""
        return self._as_text(self.cells[[name for name in self.cells if name in names]], names)

    def sample(self, rows: np.ndarray) -> pd.DataFrame:
        """Some of the rows, all cells as text; missing ones NaN."""
        return self._as_text(self.cells.iloc[rows].reset_index(drop=True), self.header)

    def place(self, row: int) -> Place:
        """The row of the frame, or its line."""
        return Place(self.name, row=row + 1) if self.lines is None else Place(self.name, self.lines[row])

    def cell(self, row: int, name: str) -> str:
        """A cell as text; "" where it is missing."""
        (text,) = self.sample(np.array([row]))[name].fillna("")
        return str(text)

    def _as_text(self, cells: pd.DataFrame, names: Collection[str]) -> pd.DataFrame:
        numbers = [name for name in cells if name in names and pd.api.types.is_numeric_dtype(cells[name])]
        if not numbers:
            return cells
        texts = {name: with_decimal_mark(_number_texts(cells[name]), self.csv_format) for name in numbers}
        return pd.DataFrame({name: texts.get(name, cells[name]) for name in cells}, copy=False)


def frame_table(block: FrameBlock, text_columns: Collection[str] = ()) -> Table:
    """The rows of a data frame as a table.

    Args:
        block: All of them.
        text_columns: Columns to keep as text even if every cell is a number.

    Raises:
        DataError: There are none.
    """
    if not block.n_rows:
        raise DataError(Fault("there are no rows", block.name, hint="Give at least one"))
    return Table(block.read(text_columns), block.name, block.csv_format, lambda: (block,))


def frame_block(
    frame: pd.DataFrame,
    csv_format: CsvFormat,
    name: str = DATA_FRAME,
    lines: Sequence[int] | None = None,
) -> FrameBlock:
    """The rows of a data frame as a block of a table; its index is no column.

    Args:
        frame: Columns of any type that has numbers or a text; it is not changed.
        csv_format: Which texts mean a missing value, and how numbers are written as text.
        name: What to call it in a message.
        lines: The line of each row, if they are those of a text.

    Raises:
        DataError: A column holds neither numbers nor text, or several have one name.
    """
    names = [str(column) for column in frame.columns]
    faults = [
        Fault(f"{count} columns are named {column!r}", name, hint="Give each column a name of its own")
        for column, count in Counter(names).items()
        if count > 1
    ]
    columns: dict[str, pd.Series[Any]] = {}
    moments: dict[str, str] = {}
    for position, column in enumerate(names):
        try:
            cells = _typed(frame.iloc[:, position].reset_index(drop=True))
            columns[column] = _plain(cells, csv_format.missing_values)
            if _holds_moments(cells):
                moments[column] = _moment_format(cells)
        except _UnreadableError as unreadable:
            message = f"column {column!r}: expected {_EXPECTED}, found {unreadable}"
            row, hint = unreadable.row, unreadable.hint
            line = None if lines is None or row is None else lines[row]
            faults.append(Fault(message, name, line, hint=hint, row=None if line or row is None else row + 1))
    if faults:
        raise DataError(*faults)
    plain = pd.DataFrame(columns, index=range(len(frame)), copy=False)
    return FrameBlock(plain, name, csv_format, lines, moments)


class _UnreadableError(Exception):
    """A column that no CSV could hold.

    Args:
        found: What is in it.
        row: The first such row, 0-based; None if it is all of them.
        hint: A way out.
    """

    def __init__(
        self, found: str, row: int | None = None, hint: str = f"Leave it out, or make it {_EXPECTED}"
    ) -> None:
        super().__init__(found)
        self.row, self.hint = row, hint


def _typed(column: "pd.Series[Any]") -> "pd.Series[Any]":
    """Cells with the type that all of them have: numbers, true and false, moments, or else text."""
    dtype: Any = column.dtype
    if isinstance(dtype, (pd.CategoricalDtype, pd.SparseDtype)):
        values = column.to_numpy(dtype=object)
        column, dtype = pd.Series(values, dtype=object), np.dtype(object)
    if pd.api.types.is_complex_dtype(dtype) or pd.api.types.is_timedelta64_dtype(dtype):
        raise _UnreadableError(f"{dtype} cells")
    if not pd.api.types.is_object_dtype(dtype):
        # Arrow, in which pandas may keep texts, has no halves of characters.
        if isinstance(dtype, pd.StringDtype) and dtype.storage == "python":
            _refuse_halves(column)
        return column
    # `NaT` is a gap among numbers, too, which pandas refuses there.
    column = column.where(column.notna(), None)
    known = column[column.notna()]
    kinds = {kind: _kind(kind) for kind in set(map(type, known))}
    for kind, name in kinds.items():
        if name is None:
            row = next(row for row, cell in enumerate(column) if type(cell) is kind)
            raise _UnreadableError(f"a {kind.__name__}", row)
    found = set(kinds.values())
    if found <= {"number"}:
        return _of_numbers(column, are_whole=all(issubclass(kind, (int, np.integer)) for kind in kinds))
    _refuse_halves(column)
    if found == {"moment"}:
        zoned = known.map(lambda moment: moment.tzinfo is not None)
        if (other := zoned != zoned.iloc[0]).any():
            row, hint = int(other.idxmax()), "Give all of them a time zone, or none"
            raise _UnreadableError("moments with a time zone and others without", row, hint)
        return pd.to_datetime(column, utc=bool(zoned.iloc[0]))
    texts: pd.Series[str] = known.map(str).reindex(column.index).astype("str")
    return texts


def _of_numbers(column: "pd.Series[Any]", *, are_whole: bool) -> "pd.Series[Any]":
    """Numbers with a type of their own; whole ones keep every digit, as they may be names."""
    if are_whole and column.notna().any():
        try:
            return pd.Series(column, dtype="Int64")
        except OverflowError:
            return column.astype("str")
    return pd.Series(column.to_numpy(dtype=np.float64, na_value=np.nan))


def _refuse_halves(column: "pd.Series[Any]") -> None:
    if not is_whole_text("".join(cell for cell in column if isinstance(cell, str))):
        row = next(row for row, cell in enumerate(column) if not is_whole_text(str(cell)))
        raise _UnreadableError(HALF_CHARACTER, row)


def _plain(column: "pd.Series[Any]", missing_values: Sequence[str]) -> "pd.Series[Any]":
    """Cells of one type as a CSV would have them: numbers, or text."""
    if _holds_moments(column):
        texts: pd.Series[str] = _utc(column).dt.strftime(_moment_format(column).replace("%z", "Z"))
        return texts.astype("str")
    if pd.api.types.is_bool_dtype(column.dtype):
        return column.astype(object).map({True: "True", False: "False"}).astype("str")
    if pd.api.types.is_numeric_dtype(column.dtype):
        return without_missing_numbers(_numbers(column), missing_values)
    return without_missing_texts(column.astype("str"), missing_values)


def _kind(kind: type) -> str | None:
    if issubclass(kind, (bool, np.bool_)):
        return "word"
    if issubclass(kind, (Real, Decimal, np.number)):
        return "number"
    if issubclass(kind, datetime.datetime):
        return "moment"
    return "text" if issubclass(kind, (str, datetime.date, datetime.time, pd.Period)) else None


def _numbers(column: "pd.Series[Any]") -> "pd.Series[Any]":
    """Whole numbers as int64, or Int64 where some are missing and others are no floats; else float64."""
    dtype = column.dtype
    if pd.api.types.is_integer_dtype(dtype) and not pd.api.types.is_unsigned_integer_dtype(dtype):
        if column.notna().all():
            return column.astype(np.int64)
        if column.abs().max() > _LARGEST_WHOLE:
            return column.astype("Int64")
    return _floats(column)


def _floats(column: "pd.Series[Any]") -> "pd.Series[Any]":
    return pd.Series(column.to_numpy(dtype=np.float64, na_value=np.nan), index=column.index)


def _number_texts(column: "pd.Series[Any]") -> "pd.Series[str]":
    """Numbers as text: whole ones without a point, all others as few digits as tell them apart."""
    return column.map(lambda value: repr(value).removesuffix(".0"), na_action="ignore").astype("str")


def _holds_moments(column: "pd.Series[Any]") -> bool:
    return bool(pd.api.types.is_datetime64_any_dtype(column.dtype))


def _moment_format(column: "pd.Series[Any]") -> str:
    """The shortest ISO format that tells all moments of a column; with a zone, those of UTC."""
    moments, zone = _utc(column).dropna(), "" if column.dt.tz is None else "%z"
    if (moments != moments.dt.floor("s")).any():
        return f"%Y-%m-%d %H:%M:%S.%f{zone}"
    is_day = not zone and (moments == moments.dt.normalize()).all()
    return "%Y-%m-%d" if is_day else f"%Y-%m-%d %H:%M:%S{zone}"


def _utc(column: "pd.Series[Any]") -> "pd.Series[Any]":
    naive: pd.Series[Any] = (
        column if column.dt.tz is None else column.dt.tz_convert("UTC").dt.tz_localize(None)
    )
    return naive
