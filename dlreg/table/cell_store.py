"""The checked cells of a table on disk, block by block, so that it is read as text only once.

A folder holds a file in the safetensors format for each block, and `table.json`, written last. A text is
stored as its place among the different texts of its block. Nothing in it can run code.
"""

import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from safetensors import safe_open
from safetensors.numpy import save_file

from dlreg.errors import DataError, Fault
from dlreg.table.column import Column
from dlreg.table.columns import KINDS
from dlreg.table.dataset import Part
from dlreg.table.kinds.category import CATEGORY, MAX_LEVELS
from dlreg.table.row_stream import CheckedRows, Counts, Recognised

TABLE = "table.json"
_ROWS, _TARGET, _KEYS, _TEXTS = "rows", "y_true", "keys", "texts"
# Blocks read ahead of the one that is used.
READ_AHEAD = 2


@dataclass(frozen=True)
class StoredTable:
    """A table on disk.

    Attributes:
        folder: Where it is.
        recognised: What its columns are.
        notes: What a user should know of its rows and cells.
        n_rows: Rows with a target.
        n_blocks: Files of them.
        n_bytes: Their size in all.
    """

    folder: Path
    recognised: Recognised
    notes: tuple[str, ...]
    n_rows: int
    n_blocks: int
    n_bytes: int


class StoredBlock(NamedTuple):
    """Consecutive rows with a target.

    Attributes:
        part: The rows, texts as places among those of `texts`, int32.
        texts: The different texts of each column that holds texts.
        keys: What they are divided by, as in `row_stream.CheckedRows`.
    """

    part: Part
    texts: dict[str, list[str]]
    keys: np.ndarray | None

    def take(self, places: np.ndarray) -> Part:
        """Some of the rows, by their positions in the block, with texts as texts."""
        part = self.part.take(places)
        cells = {
            name: np.array(self.texts[name], dtype=object)[values] if name in self.texts else values
            for name, values in part.cells.items()
        }
        return Part(part.rows, cells, part.y_true)


def store_rows(
    folder: Path,
    recognised: Recognised,
    blocks: Iterable[CheckedRows],
    target: str,
    path: str,
    on_rows: Callable[[int], None] = lambda _: None,
) -> StoredTable:
    """Writes a table into an empty folder.

    Args:
        folder: Where to.
        recognised: What the columns are.
        blocks: The rows.
        target: The column to predict.
        path: The table, for messages.
        on_rows: Told of the rows written so far.

    Raises:
        DataError: A category has too many levels.
        OSError: The disk is full, or the system refuses.
    """
    columns = recognised.columns
    names = {column.name for column in columns if KINDS[column.kind] is CATEGORY}
    levels: dict[str, set[str]] = {name: set() for name in names}
    counts, n_bytes, n_blocks = Counts(), 0, 0
    for number, block in enumerate(blocks):
        file = folder / _file_name(number)
        for name, texts in _write_block(file, columns, block).items():
            if name in levels:
                levels[name] |= set(texts)
        _refuse_levels(levels, path, counts.n_rows)
        counts += block.counts
        n_blocks, n_bytes = number + 1, n_bytes + file.stat().st_size
        on_rows(counts.n_rows)
    stored = StoredTable(
        folder,
        recognised,
        (*recognised.notes, *counts.sentences(columns, target)),
        counts.n_targets,
        n_blocks,
        n_bytes,
    )
    (folder / TABLE).write_text(json.dumps(_as_json(stored)), encoding="utf-8")
    return stored


def open_stored(folder: Path) -> StoredTable:
    """Opens what `store_rows` wrote.

    Raises:
        OSError: There is no such table.
    """
    entry = json.loads((folder / TABLE).read_text(encoding="utf-8"))
    columns = tuple(Column(**column) for column in entry.pop("columns"))
    unit = entry.pop("target_unit")
    recognised = Recognised(columns, unit, ())
    return StoredTable(folder, recognised, tuple(entry.pop("notes")), **entry)


def read_blocks(table: StoredTable) -> Iterator[StoredBlock]:
    """The rows of a stored table in their order; the next blocks are read while one is used."""
    with ThreadPoolExecutor(1) as pool:
        waiting: deque[Future[StoredBlock]] = deque()
        for number in range(table.n_blocks):
            waiting.append(pool.submit(_read_block, table, number))
            if len(waiting) > READ_AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _as_json(stored: StoredTable) -> dict[str, object]:
    return {
        "columns": [asdict(column) for column in stored.recognised.columns],
        "target_unit": stored.recognised.target_unit,
        "notes": stored.notes,
        "n_rows": stored.n_rows,
        "n_blocks": stored.n_blocks,
        "n_bytes": stored.n_bytes,
    }


def _file_name(number: int) -> str:
    return f"{number:06}.safetensors"


def _write_block(file: Path, columns: Iterable[Column], block: CheckedRows) -> dict[str, list[str]]:
    """Writes a block; returns the different texts of each column of texts."""
    part = block.part
    arrays = {_ROWS: part.rows, _TARGET: part.y_true}
    if block.keys is not None:
        arrays[_KEYS] = block.keys
    texts: dict[str, list[str]] = {}
    for number, column in zip(count(), columns):
        values = part.cells[column.name][:, 0]
        if values.dtype == object:
            values, different = pd.factorize(values)
            texts[column.name] = different.tolist()
            values = values.astype(np.int32)
        arrays[str(number)] = values
    save_file(
        {name: np.ascontiguousarray(array) for name, array in arrays.items()},
        file,
        metadata={_TEXTS: json.dumps(texts)},
    )
    return texts


def _read_block(table: StoredTable, number: int) -> StoredBlock:
    with safe_open(table.folder / _file_name(number), framework="numpy") as file:
        texts = json.loads(file.metadata()[_TEXTS])
        cells = {
            column.name: file.get_tensor(str(place)).reshape(-1, 1)
            for place, column in enumerate(table.recognised.columns)
        }
        names = set(file.keys())
        keys = file.get_tensor(_KEYS) if _KEYS in names else None
        return StoredBlock(Part(file.get_tensor(_ROWS), cells, file.get_tensor(_TARGET)), texts, keys)


def _refuse_levels(levels: dict[str, set[str]], path: str, n_rows: int) -> None:
    for name, texts in levels.items():
        if len(texts) > MAX_LEVELS:
            message = f"column {name!r} has over {MAX_LEVELS:,} different texts in the first {n_rows:,} rows"
            hint = "Leave it out with data.exclude, or say what it is in data.types"
            raise DataError(Fault(f"{message}, too many levels for a category", path, hint=hint))
