"""What a table takes, told from its first block before the rest is read."""

from dataclasses import dataclass

from dlreg.config.schema import Config
from dlreg.preview.plan import CELL_BYTES, FLOAT_BYTES, LIBRARY_BYTES, ROW_CELLS
from dlreg.table.csv_scan import BLOCK_BYTES, open_csv
from dlreg.table.dataset import csv_format_of, shown_path
from dlreg.table.source import find_source

# A table of fewer bytes is not worth a look.
SMALL = 8 << 20


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
    path = shown_path(config.data.path)
    with open_csv(path) as stream:
        n_bytes = stream.seek(0, 2)
    if n_bytes <= SMALL:
        return None
    block = next(iter(find_source(path, csv_format_of(config.data)).blocks()), None)
    if block is None:
        return None
    n_rows, n_columns = int(n_bytes / (BLOCK_BYTES / block.n_rows)), len(block.header)
    memory = n_rows * (CELL_BYTES * (n_columns + ROW_CELLS) + FLOAT_BYTES * n_columns)
    # A block of cells, and once more with features of single precision; buckets of a shuffle come and go.
    disk = n_rows * (n_columns * (CELL_BYTES + 2 * FLOAT_BYTES) + CELL_BYTES)
    return TableSize(n_rows, LIBRARY_BYTES + memory, disk)
