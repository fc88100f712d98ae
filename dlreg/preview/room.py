"""What a table takes, told from its first block before the rest is read."""

import os
from dataclasses import dataclass

from dlreg.config.schema import Config
from dlreg.files.table_files import table_files
from dlreg.preview.plan import CELL_BYTES, FLOAT_BYTES, LIBRARY_BYTES, ROW_CELLS
from dlreg.table.csv_format import csv_format_of
from dlreg.table.csv_scan import open_csv
from dlreg.table.source import Source, find_source
from dlreg.table.table_names import shown_path

# A table of fewer bytes is not worth a look.
SMALL = 8 << 20
# Of a cell of a Parquet file.
PACKED_BYTES = 4


@dataclass(frozen=True)
class TableSize:
    """About what a table takes.

    Attributes:
        n_rows: How many rows it has.
        memory_bytes: Of memory, if it is trained from there; libraries included.
        disk_bytes: Of disk, if it is kept there.
    """

    n_rows: int
    memory_bytes: int
    disk_bytes: int


def estimate_size(config: Config) -> TableSize | None:
    """Estimates what the table of a config takes; None for a small one.

    Raises:
        DataError: The file is no table.
        StorageError: It cannot be read.
    """
    files = table_files(shown_path(config.data.path))
    try:
        n_bytes = sum(os.stat(file).st_size for file in files)  # noqa: PTH116
    except OSError:
        # Who reads it says what is wrong with it.
        return None
    if n_bytes <= SMALL:
        return None
    # Of several files the others are most likely written as the first.
    with open_csv(files[0]) as stream:
        source = Source(files[0], csv_format_of(config.data), lambda: stream)
        if find_source(files[0], source.csv_format).form() not in ("text", "json"):
            return _size_of_cells(n_bytes, source)
        blocks = source.blocks()
        block = next(blocks, None)
        # Of compressed text as much as the block was made of.
        n_read = stream.tell()
    return _size(int(n_bytes / n_read * block.n_rows), len(block.header)) if block else None


def _size_of_cells(n_bytes: int, source: Source) -> TableSize | None:
    """The same of a file of typed cells, which are packed tightly."""
    block = next(source.blocks(), None)
    return _size(n_bytes // (PACKED_BYTES * len(block.header)), len(block.header)) if block else None


def _size(n_rows: int, n_columns: int) -> TableSize:
    memory = n_rows * (CELL_BYTES * (n_columns + ROW_CELLS) + FLOAT_BYTES * n_columns)
    # A block of cells, and once more with features of single precision; buckets of a shuffle come and go.
    disk = n_rows * (n_columns * (CELL_BYTES + 2 * FLOAT_BYTES) + CELL_BYTES)
    return TableSize(n_rows, LIBRARY_BYTES + memory, disk)
