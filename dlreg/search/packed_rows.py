"""The rows of a search as arrays that many processes share: without test rows, which no trial may see.

Numbers and places are plain arrays; a text is its place among the different texts of its column, so that a
process has each text once. In a file they are mapped into the memory of every process, and not copied.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from dlreg.table.column import Column
from dlreg.table.parts import Dataset, Part
from dlreg.table.splits import Fold

# What a processor reads at once.
_ALIGNMENT = 64
_SEEN = ("train", "validation")


@dataclass(frozen=True)
class ArrayInFile:
    """Where an array lies.

    Attributes:
        path: The file.
        offset: Of its first byte.
        dtype: What its numbers are, as `numpy.dtype.str` says.
        shape: Of the array.
    """

    path: Path
    offset: int
    dtype: str
    shape: tuple[int, ...]

    def read(self) -> np.ndarray:
        """The array, mapped into memory and read-only."""
        if 0 in self.shape:
            return np.empty(self.shape, self.dtype)
        return np.memmap(self.path, np.dtype(self.dtype), "r", self.offset, self.shape)


@dataclass(frozen=True)
class PackedRows:
    """The training and validation rows of a dataset.

    Attributes:
        columns: What the model reads.
        target_unit: As in `Dataset`.
        n_folds: How many folds of cross-validation there are.
        texts: The different texts of each column of texts, by its name.
        arrays: All the rest, by part and name: positions in `texts` where a column is one of texts.
    """

    columns: tuple[Column, ...]
    target_unit: str | None
    n_folds: int
    texts: Mapping[str, list[str]]
    arrays: Mapping[str, np.ndarray | ArrayInFile]


def pack_rows(dataset: Dataset) -> PackedRows:
    """The rows of a dataset but its test rows."""
    texts: dict[str, list[str]] = {}
    arrays: dict[str, np.ndarray] = {}
    parts = [dataset.parts[name] for name in _SEEN]
    for name, part in zip(_SEEN, parts, strict=True):
        arrays |= {f"{name}.rows": part.rows, f"{name}.y_true": part.y_true}
    for column in dataset.columns:
        cells = [part.cells[column.name] for part in parts]
        if cells[0].dtype == object:
            different, places = np.unique(np.concatenate(cells), return_inverse=True)
            texts[column.name] = different.tolist()
            column_places = places.astype(np.int32).reshape(-1, 1)
            cells = np.split(column_places, [len(cells[0])])
        arrays |= {f"{name}.cells.{column.name}": own for name, own in zip(_SEEN, cells, strict=True)}
    for number, fold in enumerate(dataset.folds):
        arrays |= {f"folds.{number}.{name}": places for name, places in fold._asdict().items()}
    return PackedRows(dataset.columns, dataset.target_unit, len(dataset.folds), texts, arrays)


def store_arrays(packed: PackedRows, path: Path, descriptor: int) -> PackedRows:
    """Writes the arrays into a file, and returns the same rows with their places in it.

    Args:
        packed: The rows.
        path: The file, empty.
        descriptor: The same, open to write, and left open.

    Raises:
        OSError: The disk is full, or the system refuses.
    """
    stored: dict[str, np.ndarray | ArrayInFile] = {}
    with open(descriptor, "wb", closefd=False) as file:
        for name, array in packed.arrays.items():
            assert isinstance(array, np.ndarray)  # noqa: S101
            file.write(bytes(-file.tell() % _ALIGNMENT))
            stored[name] = ArrayInFile(path, file.tell(), array.dtype.str, array.shape)
            file.write(np.ascontiguousarray(array).data)
    return replace(packed, arrays=stored)


def unpack_rows(packed: PackedRows) -> Dataset:
    """The dataset again, with no test rows."""
    arrays = {
        name: array.read() if isinstance(array, ArrayInFile) else array
        for name, array in packed.arrays.items()
    }
    texts = {name: np.array(different, dtype=object) for name, different in packed.texts.items()}

    def part(name: str) -> Part:
        cells = {column.name: arrays[f"{name}.cells.{column.name}"] for column in packed.columns}
        cells |= {column: different[cells[column]] for column, different in texts.items()}
        return Part(arrays[f"{name}.rows"], cells, arrays[f"{name}.y_true"])

    parts = {name: part(name) for name in _SEEN}
    folds = tuple(
        Fold(*(arrays[f"folds.{number}.{name}"] for name in Fold._fields)) for number in range(packed.n_folds)
    )
    return Dataset(
        packed.columns,
        {**parts, "test": parts["train"].take(slice(0))},
        (),
        folds,
        packed.target_unit,
    )
