"""Whether a table fits in memory, told from its first block before the rest is read."""

from dataclasses import dataclass

import numpy as np

from dlreg.config.schema import Config
from dlreg.memory import available_bytes
from dlreg.preview.plan import CELL_BYTES, FLOAT_BYTES, LIBRARY_BYTES, ROW_CELLS
from dlreg.table.csv_scan import open_csv, scan_blocks
from dlreg.table.dataset import csv_format_of, shown_path

# A table of fewer bytes is not worth a look.
SMALL = 8 << 20


@dataclass(frozen=True)
class Room:
    """What a table would take.

    Attributes:
        memory_bytes: Of memory, if it is trained from there; libraries included.
        available_bytes: What this process may still take.
        disk_bytes: Of disk, if it is kept there.
    """

    memory_bytes: int
    available_bytes: int
    disk_bytes: int

    @property
    def fits(self) -> bool:
        """Whether it can be trained from memory."""
        return self.memory_bytes <= self.available_bytes


def look_for_room(config: Config) -> Room | None:
    """Estimates what the table of a config would take; None for a small one.

    Raises:
        DataError: The file is no table.
        StorageError: It cannot be read.
    """
    path = shown_path(config.data.path)
    with open_csv(path) as stream:
        n_bytes = stream.seek(0, 2)
        stream.seek(0)
        if n_bytes <= SMALL:
            return None
        block = next(iter(scan_blocks(stream, path, csv_format_of(config.data))), None)
    if block is None:
        return None
    row_bytes = len(block.data) / max(1, int(np.count_nonzero(block.filled)))
    n_rows, n_columns = int(n_bytes / row_bytes), len(block.header)
    memory = n_rows * (CELL_BYTES * (n_columns + ROW_CELLS) + FLOAT_BYTES * n_columns)
    # A block of cells, and once more with features of single precision; buckets of a shuffle come and go.
    disk = n_rows * (n_columns * (CELL_BYTES + 2 * FLOAT_BYTES) + CELL_BYTES)
    return Room(LIBRARY_BYTES + memory, available_bytes(), disk)
