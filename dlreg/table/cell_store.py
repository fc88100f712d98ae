"""The checked cells of a table on disk, block by block, so that it is read as text only once.

A folder holds a file in the safetensors format for each block, and `table.json`, written last. A text is
stored as its place among the different texts of its block. Nothing in it can run code.
"""

import json
import shlex
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from dlreg.config.schema import Config
from dlreg.errors import DataError, Fault, StorageError
from dlreg.table.column import Column
from dlreg.table.columns import KINDS
from dlreg.table.kinds.category import CATEGORY, MAX_LEVELS
from dlreg.table.parts import Part
from dlreg.table.row_stream import CheckedRows, Counts, Recognised, stream_rows
from dlreg.table.table_names import name_of_table

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

    def blocks(self) -> "Iterator[StoredBlock]":
        """The rows in their order; the next blocks are read while one is used."""
        with ThreadPoolExecutor(1) as pool:
            waiting: deque[Future[StoredBlock]] = deque()
            for number in range(self.n_blocks):
                waiting.append(pool.submit(_read_block, self, number))
                if len(waiting) > READ_AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()

    def count_rows(self) -> int:
        """How many rows there are exactly."""
        return self.n_rows


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
    types: Mapping[str, str],
    on_rows: Callable[[int], None] = lambda _: None,
) -> StoredTable:
    """Writes a table into an empty folder.

    Args:
        folder: Where to.
        recognised: What the columns are.
        blocks: The rows.
        target: The column to predict.
        path: The table, for messages.
        types: What the config says columns to be.
        on_rows: Told of the rows written so far.

    Raises:
        DataError: A category has too many levels.
        OSError: The disk is full, or the system refuses.
    """
    columns = recognised.columns
    levels = _Levels(columns, name_of_table(path), types)
    counts, n_bytes, n_blocks = Counts(), 0, 0
    for number, block in enumerate(blocks):
        file, stored_block = folder / _file_name(number), _with_places(block)
        levels.add(stored_block.texts, counts.n_rows)
        _write_block(file, columns, stored_block)
        counts += block.counts
        n_blocks, n_bytes = number + 1, n_bytes + file.stat().st_size
        on_rows(counts.n_rows)
    stored = StoredTable(
        folder,
        recognised,
        (*recognised.notes, *counts.sentences(recognised, target)),
        counts.n_targets,
        n_blocks,
        n_bytes,
    )
    about = {**_as_json(stored), "path": str(Path(path).absolute())}
    (folder / TABLE).write_text(json.dumps(about), encoding="utf-8")
    return stored


def open_stored(folder: Path) -> StoredTable:
    """Opens what `store_rows` wrote.

    Raises:
        StorageError: It is damaged, as by a crash before the disk had all of it.
        OSError: There is no such table.
    """
    try:
        entry = json.loads((folder / TABLE).read_text(encoding="utf-8"))
        columns = tuple(Column(**column) for column in entry.pop("columns"))
        recognised = Recognised(columns, entry.pop("target_unit"), ())
        del entry["path"]
        stored = StoredTable(folder, recognised, tuple(entry.pop("notes")), **entry)
        sizes = [(folder / _file_name(number)).stat().st_size for number in range(stored.n_blocks)]
    except (ValueError, KeyError, TypeError, FileNotFoundError):
        raise StorageError(damaged_fault(folder)) from None
    if sum(sizes) != stored.n_bytes:
        raise StorageError(damaged_fault(folder))
    return stored


def path_of_stored(folder: Path) -> str | None:
    """The table that a folder holds, as its path was; None if it holds none, or half of one."""
    try:
        return str(json.loads((folder / TABLE).read_text(encoding="utf-8"))["path"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def damaged_fault(folder: Path) -> Fault:
    """The fault of a kept folder whose files are not those that were written."""
    hint = f"Clear it with dlreg cache --clear --folder {shlex.quote(str(folder.parent))}"
    return Fault("a table kept on disk is damaged", str(folder), hint=hint)


@dataclass
class UnstoredTable:
    """A table that is read as if it were stored, and not kept: to look at it, without writing anything.

    Attributes:
        config: Says how it is read.
        path: The table, as messages name it.
        recognised: What its columns are.
        n_rows: About how many rows with a target it has.
    """

    config: Config
    path: str
    recognised: Recognised
    n_rows: int
    _counts: Counts = field(default_factory=Counts)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user should know of the rows that were read last."""
        sentences = self._counts.sentences(self.recognised, self.config.data.target)
        return (*self.recognised.notes, *sentences)

    def blocks(self) -> Iterator[StoredBlock]:
        """The rows in their order.

        Raises:
            DataError: The table cannot be used, at the first fault.
            StorageError: It cannot be read.
        """
        self._counts = Counts()
        levels = _Levels(self.recognised.columns, name_of_table(self.path), self.config.data.types)
        for block in stream_rows(self.config, self.path, self.recognised):
            stored = _with_places(block)
            levels.add(stored.texts, self._counts.n_rows)
            self._counts += block.counts
            yield stored

    def count_rows(self) -> int:
        """How many rows there are exactly, by reading all."""
        return sum(len(block.part.rows) for block in self.blocks())


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


def _with_places(block: CheckedRows) -> StoredBlock:
    """The rows with each text as its place among the different texts of its column."""
    cells, texts = dict(block.part.cells), dict[str, list[str]]()
    for name, values in cells.items():
        if values.dtype == object:
            places, different = pd.factorize(values[:, 0])
            texts[name] = different.tolist()
            cells[name] = places.astype(np.int32).reshape(-1, 1)
    return StoredBlock(Part(block.part.rows, cells, block.part.y_true), texts, block.keys)


def _write_block(file: Path, columns: Sequence[Column], block: StoredBlock) -> None:
    arrays = {_ROWS: block.part.rows, _TARGET: block.part.y_true}
    if block.keys is not None:
        arrays[_KEYS] = block.keys
    arrays |= {str(number): block.part.cells[column.name][:, 0] for number, column in enumerate(columns)}
    plain = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    # Its own function to write a file raises an error that does not tell what the system said.
    file.write_bytes(save(plain, metadata={_TEXTS: json.dumps(block.texts)}))


def _read_block(table: StoredTable, number: int) -> StoredBlock:
    try:
        with safe_open(table.folder / _file_name(number), framework="numpy") as file:
            texts = json.loads(file.metadata()[_TEXTS])
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no mapping
    except (SafetensorError, ValueError, KeyError, TypeError):
        raise StorageError(damaged_fault(table.folder)) from None
    columns = enumerate(table.recognised.columns)
    cells = {column.name: arrays[str(place)].reshape(-1, 1) for place, column in columns}
    return StoredBlock(Part(arrays[_ROWS], cells, arrays[_TARGET]), texts, arrays.get(_KEYS))


class _Levels:
    """The levels of categories, block after block; too many are refused as soon as they are met."""

    def __init__(self, columns: Iterable[Column], path: str, types: Mapping[str, str]) -> None:
        self._path, self._types = path, types
        self._levels: dict[str, set[str]] = {
            column.name: set() for column in columns if KINDS[column.kind] is CATEGORY
        }

    def add(self, texts: dict[str, list[str]], n_rows: int) -> None:
        for name, levels in self._levels.items():
            levels |= set(texts[name])
            if len(levels) > MAX_LEVELS:
                message = f"column {name!r} has over {MAX_LEVELS:,} different texts after {n_rows:,} rows"
                other = "" if name in self._types else ", or say what it is in data.types"
                hint = f"Leave it out with data.exclude{other}"
                raise DataError(Fault(f"{message}, too many levels for a category", self._path, hint=hint))
