"""The columns of a table that is read block after block, without ever holding it twice."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd


class GrowingColumns:
    """The cells of all columns so far: two copies of a large table would not fit in memory.

    What is done for each column of each block is one copy of its cells: a wide table has few rows in a block.

    Attributes:
        mixed: The places of columns of which some blocks hold numbers and some text, or any holds True or
            False: their cells must be read again, all as text.
    """

    def __init__(self) -> None:
        self.mixed: set[int] = set()
        self._columns: list[np.ndarray] = []
        self._length, self._capacity = 0, 0

    def append(self, frame: pd.DataFrame) -> None:
        """Adds the rows of a block, which has all columns."""
        self.mixed |= places_of_booleans(frame)
        arrays = _arrays(frame)
        if not self._columns:
            self._columns = [np.empty(0, dtype=values.dtype) for values in arrays]
        end = self._length + len(frame)
        if end > self._capacity:
            self._make_room(end + end // 5)
        for place, (column, values) in enumerate(zip(self._columns, arrays, strict=True)):
            if column.dtype is not values.dtype and column.dtype != values.dtype:
                self._widen(place, values)
            self._columns[place][self._length : end] = values
        self._length = end

    def to_frame(self, names: Sequence[str]) -> pd.DataFrame:
        """All cells, columns of text as pandas's own; nothing may be appended any more."""
        for cells in self._columns:
            # In place, where numpy would copy.
            cells.resize(self._length, refcheck=False)
        columns = {
            name: pd.array(cells, dtype="str", copy=False) if cells.dtype == object else cells
            for name, cells in zip(names, self._columns, strict=True)
        }
        return pd.DataFrame(columns, copy=False)

    def _widen(self, place: int, values: np.ndarray) -> None:
        """Makes room in a column for cells of another type than those before."""
        cells = self._columns[place]
        # A block without any value reads as numbers, whatever the column holds.
        empty = pd.isna(values).all() or pd.isna(cells[: self._length]).all()
        if object in (values.dtype, cells.dtype) and not empty:
            self.mixed.add(place)
        self._columns[place] = self._moved(cells, len(cells), np.result_type(values, cells))

    def _make_room(self, capacity: int) -> None:
        """Moves each column to a longer one, whose end takes no memory until it is written.

        Numpy would fill it with zeros, were the column made longer in place.
        """
        for place, cells in enumerate(self._columns):
            self._columns[place] = self._moved(cells, capacity, cells.dtype)
        self._capacity = capacity

    def _moved(self, cells: np.ndarray, capacity: int, dtype: np.dtype) -> np.ndarray:
        moved = np.empty(capacity, dtype=dtype)
        moved[: self._length] = cells[: self._length]
        return moved


def places_of_booleans(frame: pd.DataFrame) -> set[int]:
    """The columns of which pandas has read True and False, instead of the text that is in the file."""
    kinds = {dtype: str(dtype) for dtype in set(frame.dtypes)}
    suspects = (place for place, dtype in enumerate(frame.dtypes) if kinds[dtype] in ("bool", "object"))
    return {
        place
        for place in suspects
        if kinds[frame.dtypes.iloc[place]] == "bool"
        or any(isinstance(cell, bool) for cell in frame.iloc[:, place])
    }


def places_of_text(frame: pd.DataFrame) -> Iterator[int]:
    """The columns that hold no numbers; True and False count as numbers."""
    is_number = {dtype: pd.api.types.is_numeric_dtype(dtype) for dtype in set(frame.dtypes)}
    return (place for place, dtype in enumerate(frame.dtypes) if not is_number[dtype])


def _arrays(frame: pd.DataFrame) -> list[np.ndarray]:
    """The cells of each column; where columns are many, those of one type of number are taken at once."""
    texts = set(places_of_text(frame))
    if frame.shape[1] < len(frame):
        columns = enumerate(column for _, column in frame.items())
        return [column.to_numpy(dtype=object if place in texts else None) for place, column in columns]
    arrays = [np.empty(0)] * frame.shape[1]
    for dtype in set(frame.dtypes):
        places = [place for place, other in enumerate(frame.dtypes) if other == dtype]
        if places[0] in texts:
            for place in places:
                arrays[place] = frame.iloc[:, place].to_numpy(dtype=object)
            continue
        alike = frame if len(places) == frame.shape[1] else frame.select_dtypes([dtype])
        for place, values in zip(places, alike.to_numpy().T, strict=True):
            arrays[place] = values
    return arrays
