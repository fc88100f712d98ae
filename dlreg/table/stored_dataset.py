"""The parts of a table that does not fit in memory: on disk, with a sample of all of them in memory."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from dlreg.config.schema import Config
from dlreg.config.sections.data import FORWARD_METHODS
from dlreg.errors import DataError, located
from dlreg.table.cell_store import StoredBlock, StoredTable, UnstoredTable
from dlreg.table.column import Column
from dlreg.table.columns import KINDS
from dlreg.table.dataset import constant_target, empty_columns
from dlreg.table.division import PARTS, TRAIN, Divided, Division, forward_division, refuse_empty_parts
from dlreg.table.kinds.category import CATEGORY
from dlreg.table.parts import Dataset, Part, join_parts
from dlreg.table.row_draws import draw
from dlreg.table.splits import leaving_out
from dlreg.table.table_names import file_of_part, name_of_table
from dlreg.table.unseen_levels import unseen_sentence

AnyTable = StoredTable | UnstoredTable
# What is fitted to a sample is fitted to so many rows, of many columns to fewer.
SAMPLE_ROWS, SAMPLE_BYTES = 500_000, 48 << 20
# Of a column of texts, whose rows share them.
CELL_BYTES = 8


@dataclass(frozen=True)
class TrainingFacts:
    """What is exact of the training rows, however many there are.

    Attributes:
        levels: Of each category, with how many rows have each; a missing cell, "", is one.
        ranges: The least and the greatest number of each column of numbers.
        with_gaps: The columns with missing cells.
        target_range: The least and the greatest target.
    """

    levels: dict[str, Mapping[str, int]]
    ranges: dict[str, tuple[float, float]]
    with_gaps: frozenset[str]
    target_range: tuple[float, float]


@dataclass(frozen=True)
class StoredDataset:
    """The three parts of a table, on disk.

    Attributes:
        columns: What the model reads, in the order of the CSV.
        n_rows: How many rows each part has.
        notes: What a user should know of the rows.
        target_unit: The unit of the target, as `Column.unit`.
        in_memory: A sample of each part, and of each fold.
        division: Which row of the table is in which part, and in which fold.
        fold_sizes: How many training rows each fold has; empty without cross-validation.
        digest: The SHA-256 of `Divided` of all rows with a target, block by block.
        facts: What is exact of the training rows.
        tables: The table whose rows are divided, "", and those of parts that have a file of their own.
    """

    columns: tuple[Column, ...]
    n_rows: dict[str, int]
    notes: tuple[str, ...]
    target_unit: str | None
    in_memory: Dataset
    division: Division
    fold_sizes: tuple[int, ...]
    digest: str
    facts: TrainingFacts
    tables: Mapping[str, AnyTable]

    @property
    def rows_per_epoch(self) -> int:
        """Training rows of an epoch: all but those of the smallest fold."""
        return self.n_rows[PARTS[TRAIN]] - min(self.fold_sizes, default=0)

    def blocks(self, *names: str) -> Iterator[tuple[str, Part]]:
        """The rows of these parts, block by block, in the order of the files."""
        asked = {name: table for name, table in self.tables.items() if not name or name in names}
        for name, block, divided in _divided(asked, self.division):
            for code, part in enumerate(PARTS):
                if part in names and (name == part or not name):
                    places = np.flatnonzero(divided.parts == code)
                    if places.size:
                        yield part, block.take(places)

    def folded_blocks(self) -> Iterator[tuple[Part, np.ndarray]]:
        """The training rows, block by block, with the fold of each; without cross-validation all are in 0."""
        for _, block, divided in _divided({"": self.tables[""]}, self.division):
            places = np.flatnonzero(divided.parts == TRAIN)
            yield block.take(places), _folds(divided)[places]


class _Seen:
    """What one pass over all rows gathers."""

    def __init__(self, columns: Sequence[Column], n_folds: int) -> None:
        self.fold_sizes = np.zeros(n_folds, dtype=np.int64)
        self.sampled_folds: list[np.ndarray] = []
        self.n_rows = dict.fromkeys(PARTS, 0)
        self.levels: dict[str, dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
        self.ranges: dict[str, tuple[float, float]] = {}
        self.with_gaps: set[str] = set()
        self.target_range = (np.inf, -np.inf)
        self.digest = hashlib.sha256()
        self.sample: dict[str, list[Part]] = {name: [] for name in PARTS}
        self._columns = columns

    def add_folds(self, folds: np.ndarray, sampled_folds: np.ndarray) -> None:
        """Takes notice of the folds of some training rows, and of those of them that are sampled."""
        self.fold_sizes += np.bincount(folds, minlength=len(self.fold_sizes))
        self.sampled_folds.append(sampled_folds)

    def add(self, part: str, block: StoredBlock, places: np.ndarray, sampled: np.ndarray) -> None:
        """Takes notice of some rows of a block, which are all of one part."""
        self.n_rows[part] += len(places)
        if len(sampled):
            self.sample[part].append(block.take(sampled))
        for column in self._columns:
            values = block.part.cells[column.name][:, 0][places]
            if KINDS[column.kind] is CATEGORY:
                counts = np.bincount(values, minlength=len(block.texts[column.name]))
                self.levels[part][column.name].update(
                    {text: n for text, n in zip(block.texts[column.name], counts.tolist(), strict=True) if n}
                )
            elif part == PARTS[TRAIN]:
                self._look_at_numbers(column.name, values, block.texts.get(column.name))
        if part == PARTS[TRAIN]:
            self.target_range = _wider(self.target_range, block.part.y_true[places])

    def _look_at_numbers(self, name: str, values: np.ndarray, texts: list[str] | None) -> None:
        if texts is not None:
            has_gaps = "" in texts and bool((values == texts.index("")).any())
        else:
            has_gaps = bool(np.isnan(values).any())
            known = values[~np.isnan(values)] if has_gaps else values
            self.ranges[name] = _wider(self.ranges.get(name, (np.inf, -np.inf)), known)
        if has_gaps:
            self.with_gaps.add(name)


def divide_stored(config: Config, tables: Mapping[str, AnyTable]) -> StoredDataset:
    """Divides a table on disk into parts.

    Args:
        config: Says how.
        tables: As in `StoredDataset`.

    Raises:
        DataError: A part that was asked for is empty, a column has no value in training, the target does not
            vary.
    """
    table = tables[""]
    columns, seed = table.recognised.columns, config.training.seed
    share = sampled_share(sum(table.n_rows for table in tables.values()), len(columns))
    with located(name_of_table(config.data.path)):
        division = _division(config, table, share)
        seen = _Seen(columns, division.n_folds or 0)
        for name, block, divided in _divided(tables, division):
            is_sampled = draw(seed, "sample", block.part.rows) < share
            if not name:
                seen.digest.update(bytes(divided))
            for code, part in enumerate(PARTS):
                is_part = divided.parts == code
                if is_part.any():
                    places, sampled = np.flatnonzero(is_part), np.flatnonzero(is_part & is_sampled)
                    seen.add(part, block, places, sampled)
                    if code == TRAIN and divided.folds is not None:
                        seen.add_folds(divided.folds[places], divided.folds[sampled])
        counts = {name: n for name, n in seen.n_rows.items() if name not in tables}
        refuse_empty_parts(division, counts, seen.fold_sizes.tolist())
    return _dataset(config, tables, division, seen)


def _dataset(
    config: Config, tables: Mapping[str, AnyTable], division: Division, seen: _Seen
) -> StoredDataset:
    path, recognised = name_of_table(config.data.path), tables[""].recognised
    sample = {name: join_parts(blocks, recognised.columns) for name, blocks in seen.sample.items()}
    low, high = seen.target_range
    faults = [
        *empty_columns(sample["train"], path),
        *constant_target(np.array([low, high]), config.data.target, path),
    ]
    if faults:
        raise DataError(*faults)
    notes = list(tables[""].notes)
    for name, other in tables.items():
        notes += [f"{file_of_part(config.data, name)}: {note}" for note in other.notes] if name else []
    notes += _unseen(recognised.columns, seen)
    folds = leaving_out(_places_of_folds(division, seen))
    n_rows, n_sampled = sum(seen.n_rows.values()), sum(len(part.rows) for part in sample.values())
    if n_sampled < n_rows:
        told = "pointed out beside this, or predicted out of fold," if folds else "pointed out beside this"
        notes.append(f"what is {told} is that of {n_sampled:,} of {n_rows:,} rows, a sample")
    train_levels = seen.levels[PARTS[TRAIN]]
    facts = TrainingFacts(
        dict(train_levels),
        seen.ranges,
        frozenset(seen.with_gaps),
        seen.target_range,
    )
    return StoredDataset(
        recognised.columns,
        seen.n_rows,
        tuple(notes),
        recognised.target_unit,
        Dataset(recognised.columns, sample, tuple(notes), folds, recognised.target_unit),
        division,
        tuple(seen.fold_sizes.tolist()),
        seen.digest.hexdigest(),
        facts,
        tables,
    )


def _places_of_folds(division: Division, seen: _Seen) -> list[np.ndarray]:
    """The positions of each fold's rows among the sampled training rows."""
    if not division.n_folds:
        return []
    folds = np.concatenate(seen.sampled_folds)
    sizes = np.bincount(folds, minlength=division.n_folds)
    refuse_empty_parts(division, seen.n_rows, sizes.tolist())
    return [np.flatnonzero(folds == fold).astype(np.int32) for fold in range(division.n_folds)]


def _folds(divided: Divided) -> np.ndarray:
    return np.zeros_like(divided.parts) if divided.folds is None else divided.folds


def _unseen(columns: Sequence[Column], seen: _Seen) -> Iterator[str]:
    known = seen.levels[PARTS[TRAIN]]
    for column in columns:
        for part in (name for name in PARTS if name in seen.levels and name != PARTS[TRAIN]):
            counts = seen.levels[part][column.name]
            unseen = {level: n for level, n in counts.items() if level not in known[column.name]}
            if unseen:
                yield unseen_sentence(part, column.name, list(unseen), sum(unseen.values()))


def _divided(
    tables: Mapping[str, AnyTable], division: Division
) -> Iterator[tuple[str, StoredBlock, Divided]]:
    """Each block with the name of its table, and where its rows are."""
    for name, table in tables.items():
        for block in table.blocks():
            if name:
                parts = np.full(len(block.part.rows), PARTS.index(name), dtype=np.uint8)
                yield name, block, Divided(parts, None)
            else:
                yield name, block, division.divide(block.part.rows, block.keys)


def sampled_share(n_rows: int, n_columns: int) -> float:
    """The share of all rows that is kept in memory."""
    most = min(SAMPLE_ROWS, SAMPLE_BYTES // (CELL_BYTES * (n_columns + 1)))
    return min(1.0, most / max(n_rows, 1))


def _division(config: Config, table: AnyTable, share: float) -> Division:
    method, seed = config.data.split, config.training.seed
    test_split, validation_split = config.data.test_split or 0.0, config.training.validation_split
    if method not in FORWARD_METHODS:
        return Division(method, seed, test_split, validation_split, n_folds=config.training.cross_validation)
    rule = partial(
        forward_division, method, seed=seed, test_split=test_split, validation_split=validation_split
    )
    if method == "ordered":
        # Their order is known without looking.
        return rule(np.arange(table.count_rows()))
    keys = (
        block.keys[draw(seed, "sample", block.part.rows) < share]
        for block in table.blocks()
        if block.keys is not None
    )
    return rule(np.concatenate(list(keys)))


def _wider(known: tuple[float, float], values: np.ndarray) -> tuple[float, float]:
    if not len(values):
        return known
    return min(known[0], float(values.min())), max(known[1], float(values.max()))
