"""Tables in Parquet and Arrow files, read batch by batch: what type a column has is what its cells are.

Numbers stay numbers. Everything else becomes the text that a CSV would hold: dates as ISO, true and false as
words, categories by their names, so that a model trained on one form reads the others.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
import pandas as pd

from dlreg.errors import DataError, Fault
from dlreg.table.compressed import refusing_damaged
from dlreg.table.csv_format import CsvFormat
from dlreg.table.csv_scan import MAX_COLUMNS
from dlreg.table.missing_library import importing_extra
from dlreg.table.table import Place
from dlreg.table.typed_cells import with_decimal_mark, without_missing_numbers, without_missing_texts

if TYPE_CHECKING:
    import pyarrow as pa

PARQUET, ARROW = b"PAR1", b"ARROW1"
# Of one batch, so that a table of many columns takes no more memory than one of few.
BATCH_CELLS, MOST_BATCH_ROWS = 1 << 21, 1 << 16
_INDEX = "__index_level_"


@dataclass(frozen=True)
class ArrowBlock:
    """Consecutive rows of a Parquet or Arrow file, a `dlreg.table.table.RowBlock`.

    Attributes:
        header: The names of the columns.
        batch: Their cells.
        name: What the user calls the file.
        csv_format: Which texts mean a missing value, and how numbers are written as text.
        first_row: The 0-based row of the file at which it starts.
        with_fractions: The columns of moments some of which have fractions of a second.
    """

    header: tuple[str, ...]
    batch: "pa.RecordBatch"
    name: str
    csv_format: CsvFormat
    first_row: int
    with_fractions: frozenset[int]

    @property
    def number_columns(self) -> frozenset[str]:
        """The columns whose type is that of numbers."""
        columns = zip(self.header, self.batch.columns, strict=True)
        return frozenset(name for name, column in columns if as_numbers(column[:0]) is not None)

    @property
    def n_rows(self) -> int:
        """How many rows there are."""
        return int(self.batch.num_rows)

    def read(self, text_columns: Collection[str]) -> pd.DataFrame:
        """The cells, as `Table.frame` has them."""
        return self._read(self.batch, text_columns)

    def texts(self, names: Collection[str]) -> pd.DataFrame:
        """These columns, all cells as text; missing ones NaN."""
        return self._read(self.batch, names, names)

    def sample(self, rows: np.ndarray) -> pd.DataFrame:
        """Some of the rows, all cells as text; missing ones NaN."""
        return self._read(self.batch.take(rows), self.header)

    def place(self, row: int) -> Place:
        """The row of the file."""
        return Place(self.name, row=self.first_row + row + 1)

    def cell(self, row: int, name: str) -> str:
        """A cell as text; "" where it is missing."""
        (text,) = self._read(self.batch.slice(row, 1), self.header)[name].fillna("")
        return str(text)

    def _read(
        self, batch: "pa.RecordBatch", text_columns: Collection[str], names: Collection[str] | None = None
    ) -> pd.DataFrame:
        columns = {
            name: self._cells(index, batch.column(index), as_text=name in text_columns)
            for index, name in enumerate(self.header)
            if names is None or name in names
        }
        return pd.DataFrame(columns, copy=False)

    def _cells(self, index: int, column: "pa.Array", *, as_text: bool) -> "pd.Series[Any]":
        missing_values = self.csv_format.missing_values
        numbers = as_numbers(column)
        if numbers is not None and not as_text:
            return without_missing_numbers(numbers, missing_values)
        texts = as_texts(column, with_fractions=index in self.with_fractions)
        cells = pd.Series(texts.to_numpy(zero_copy_only=False), dtype="str")
        if numbers is not None:
            cells = with_decimal_mark(cells, self.csv_format)
        return without_missing_texts(cells, missing_values)


def arrow_blocks(stream: BinaryIO, name: str, csv_format: CsvFormat) -> Iterator[ArrowBlock]:
    """The rows of a Parquet or an Arrow file, in batches of bounded size.

    Args:
        stream: The bytes of the file, which can be gone back in.
        name: What to call it in a message.
        csv_format: Which texts mean a missing value, and how numbers are written as text.

    Raises:
        DataError: The file is damaged, or has nested columns, or several of one name.
        UsageError: pyarrow is not installed.
    """
    with importing_extra("parquet", name):
        import pyarrow as pa

    with refusing_damaged(name, "a Parquet or Arrow file", (pa.ArrowException,)):
        file = _open(stream)
        schema = file.schema_arrow if hasattr(file, "schema_arrow") else file.schema
    header = _header(schema, name)
    with refusing_damaged(name, "a Parquet or Arrow file", (pa.ArrowException,)):
        with_fractions = frozenset(_with_fractions(file, schema))
    first_row = 0
    batches = _batches(file, list(range(len(header))))
    while True:
        with refusing_damaged(name, "a Parquet or Arrow file", (pa.ArrowException,)):
            batch = next(batches, None)
        if batch is None:
            return
        yield ArrowBlock(header, batch, name, csv_format, first_row, with_fractions)
        first_row += batch.num_rows


def _open(stream: BinaryIO) -> Any:
    import pyarrow.parquet as pq
    from pyarrow import ipc

    is_parquet = stream.read(len(PARQUET)) == PARQUET
    stream.seek(0)
    return pq.ParquetFile(stream) if is_parquet else ipc.open_file(stream)


def _batches(file: Any, columns: list[int]) -> Iterator["pa.RecordBatch"]:
    """The rows of some columns, in batches that are not empty."""
    n_rows = max(1, min(MOST_BATCH_ROWS, BATCH_CELLS // max(1, len(columns))))
    if hasattr(file, "iter_batches"):
        names = [file.schema_arrow.names[index] for index in columns]
        is_all = len(names) == len(file.schema_arrow.names)
        parts: Iterable[Any] = file.iter_batches(n_rows, columns=None if is_all else names)
    else:
        parts = (file.get_batch(index).select(columns) for index in range(file.num_record_batches))
    for part in parts:
        for start in range(0, part.num_rows, n_rows):
            yield part.slice(start, n_rows)


def _header(schema: "pa.Schema", name: str) -> tuple[str, ...]:
    if len(schema) > MAX_COLUMNS:
        message = f"a table has at most {MAX_COLUMNS:,} columns, found {len(schema):,}"
        raise DataError(Fault(message, name, hint="Leave columns out when you write it"))
    faults = [
        Fault(
            f"column {field.name!r} holds {field.type}, which is neither a number nor text",
            name,
            hint="Leave it out, or write each of its values as a column of its own",
        )
        for field in schema
        if not is_readable(field.type)
    ]
    names = tuple(
        # An index that pandas wrote is no more a column than that of a CSV.
        f"Unnamed: {index}" if not column.strip() or column.startswith(_INDEX) else column
        for index, column in enumerate(schema.names)
    )
    faults += [
        Fault(f"{count} columns are named {column!r}", name, hint="Give each column a name of its own")
        for column, count in Counter(names).items()
        if count > 1
    ]
    if faults:
        raise DataError(*faults)
    return names


def is_readable(kind: "pa.DataType") -> bool:
    """Whether cells of a type are numbers or have a text."""
    from pyarrow import types

    if types.is_dictionary(kind):
        return is_readable(kind.value_type)
    readable = (
        types.is_null, types.is_boolean, types.is_integer, types.is_floating, types.is_decimal,
        types.is_string, types.is_large_string, types.is_string_view, types.is_date, types.is_time,
        types.is_timestamp, types.is_binary, types.is_large_binary,
    )  # fmt: skip
    return any(is_kind(kind) for is_kind in readable)


def as_numbers(column: "pa.Array") -> "pd.Series[Any] | None":
    """The cells of a column of numbers, missing ones NaN; None where it holds something else."""
    import pyarrow as pa
    from pyarrow import types

    if types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if types.is_null(column.type):
        return pd.Series(np.full(len(column), np.nan))
    if types.is_decimal(column.type):
        column = column.cast(pa.string()).cast(pa.float64())
    elif types.is_uint64(column.type) or (types.is_integer(column.type) and column.null_count):
        column = column.cast(pa.float64(), safe=False)
    elif types.is_integer(column.type):
        column = column.cast(pa.int64())
    elif types.is_floating(column.type):
        column = column.cast(pa.float64())
    else:
        return None
    return pd.Series(column.to_numpy(zero_copy_only=False))


def as_texts(column: "pa.Array", *, with_fractions: bool) -> "pa.Array":
    """The cells as the text that a CSV would hold.

    Args:
        column: The cells.
        with_fractions: Whether moments have fractions of a second.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import types

    if types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if types.is_boolean(column.type):
        return pc.if_else(column, "True", "False")
    if types.is_timestamp(column.type) or types.is_time(column.type):
        is_moment = types.is_timestamp(column.type)
        zone = "Z" if is_moment and column.type.tz else ""
        unit = "us" if with_fractions else "s"
        if not is_moment:
            return pc.utf8_slice_codeunits(column.cast(pa.string()), 0, 15 if with_fractions else 8)
        column = column.cast(pa.timestamp(unit, tz="UTC" if zone else None), safe=False)
        texts = pc.utf8_slice_codeunits(column.cast(pa.timestamp(unit)).cast(pa.string()), 0, 26)
        return pc.binary_join_element_wise(texts, zone, "") if zone else texts
    return column.cast(pa.string())


def _with_fractions(file: Any, schema: "pa.Schema") -> Iterator[int]:
    """The columns of moments and times some of which have fractions of a second."""
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import types

    units = {"ms": 10**3, "us": 10**6, "ns": 10**9}
    for index, field in enumerate(schema):
        is_time = types.is_timestamp(field.type) or types.is_time(field.type)
        if not is_time or field.type.unit not in units:
            continue
        unit = units[field.type.unit]
        for batch in _batches(file, [index]):
            cells = batch.column(field.name)
            counts = cells.cast(pa.int64() if cells.type.bit_width == 64 else pa.int32()).cast(pa.int64())
            whole = pc.multiply(pc.divide(counts, unit), unit)
            if pc.any(pc.not_equal(whole, counts)).as_py():
                yield index
                break
