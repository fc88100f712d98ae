"""Preprocessed rows on disk: shuffled once, then read pool by pool in an order of each epoch.

Rows are dealt to buckets at random, and each bucket, which fits in memory, is put in random order: together a
uniform shuffle of all rows. An epoch visits blocks of that file in an order drawn from `(seed, epoch)`, some
blocks to a pool, and shuffles every pool anew for each member, from `(seed, epoch, pool, member)`. The next
pools are read while one is trained on. With cross-validation each fold is a file of its own.
"""

import errno
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import numpy as np

from dlreg.arrays import aligned_zeros
from dlreg.engine.program import NO_ROW
from dlreg.engine.trainer import Pool, ValidationRows

# Of wide rows fewer go into a pool.
POOL_ROWS, POOL_BYTES = 131_072, 16 << 20
BLOCKS_PER_POOL = 16
# All are open at once, and a process may have few files open; of a very large table each is larger.
BUCKET_BYTES, MOST_BUCKETS = 4 << 20, 200
VALIDATED_AT_ONCE = 65_536
READ_AHEAD = 2
FLOAT_BYTES = 4
_X, _Y, _BUCKET = "{}.x.f32", "{}.y.f32", "bucket-{:04}.f32"
# Beside those of epochs, which are not negative.
_DEAL, _BUCKET_ORDER, _BLOCKS = 1 << 62, (1 << 62) + 1, (1 << 62) + 2

# Preprocessed rows, `(n_rows, n_features)`, and their scaled targets, `(n_rows, 1)`; both float32.
Rows = tuple[np.ndarray, np.ndarray]
# Consecutive rows of a file: the first one's number, and how many there are.
Extent = tuple[int, int]


@dataclass(frozen=True)
class DiskRows:
    """Rows in two files, one of their features and one of their targets.

    Attributes:
        folder: Where the files are.
        name: What they are called after.
        n_rows: How many rows there are.
        n_features: Numbers of each, without the target.
    """

    folder: Path
    name: str
    n_rows: int
    n_features: int

    @property
    def is_whole(self) -> bool:
        """Whether the files are there, and as large as they were written."""
        sizes = {_X: self.n_rows * self.n_features * FLOAT_BYTES, _Y: self.n_rows * FLOAT_BYTES}
        paths = {self.folder / pattern.format(self.name): size for pattern, size in sizes.items()}
        return all(path.is_file() and path.stat().st_size == size for path, size in paths.items())

    def read_into(self, start: int, x: np.ndarray, y: np.ndarray) -> None:
        """Reads as many rows as fit into two arrays, from the `start`-th on."""
        for pattern, array in ((_X, x), (_Y, y)):
            with (self.folder / pattern.format(self.name)).open("rb", buffering=0) as file:
                file.seek(start * array.shape[1] * FLOAT_BYTES)
                view = memoryview(array.reshape(-1).view(np.uint8).data)
                while view:
                    n_bytes = file.readinto(view)
                    if not n_bytes:
                        raise OSError(errno.EIO, "the file ends too soon", file.name)
                    view = view[n_bytes:]


@dataclass(frozen=True)
class ShuffledRows:
    """Training rows on disk in random order.

    Attributes:
        folds: Those of each fold; without cross-validation all of them as one.
    """

    folds: tuple[DiskRows, ...]

    @property
    def n_features(self) -> int:
        """Numbers of each row, without the target."""
        return self.folds[0].n_features

    @property
    def n_rows(self) -> int:
        """All rows."""
        return sum(fold.n_rows for fold in self.folds)

    @property
    def rows_per_epoch(self) -> int:
        """Rows of an epoch: those of the member that leaves the smallest fold out, or all."""
        smallest = min(fold.n_rows for fold in self.folds) if len(self.folds) > 1 else 0
        return self.n_rows - smallest


def write_rows(rows: DiskRows, blocks: Iterable[Rows]) -> None:
    """Writes rows in their order.

    Args:
        rows: What is written.
        blocks: The rows.

    Raises:
        OSError: The disk is full, or the system refuses.
    """
    paths = (rows.folder / pattern.format(rows.name) for pattern in (_X, _Y))
    with ExitStack() as stack:
        files = [stack.enter_context(path.open("wb")) for path in paths]
        for block in blocks:
            for file, array in zip(files, block, strict=True):
                file.write(np.ascontiguousarray(array).data)


def write_shuffled(rows: ShuffledRows, blocks: Iterable[tuple[Rows, np.ndarray]], seed: int) -> None:
    """Writes the rows of each fold in a random order, of which memory holds a part at a time.

    Args:
        rows: What is written.
        blocks: The rows in their order, with the fold of each, `(n_rows,)`.
        seed: Of the random order.

    Raises:
        OSError: The disk is full, or the system refuses.
    """
    width = rows.n_features + 1
    row_bytes = width * FLOAT_BYTES
    n_rows = sum(fold.n_rows for fold in rows.folds)
    bucket_bytes = max(BUCKET_BYTES, n_rows * row_bytes // MOST_BUCKETS)
    counts = [max(1, -(-fold.n_rows * row_bytes // bucket_bytes)) for fold in rows.folds]
    edges = [0, *accumulate(counts)]
    paths = [rows.folds[0].folder / _BUCKET.format(number) for number in range(edges[-1])]
    with ExitStack() as stack:
        files = [stack.enter_context(path.open("wb", buffering=0)) for path in paths]
        for number, ((x, y), folds) in enumerate(blocks):
            generator = np.random.default_rng((seed, _DEAL, number))
            buckets = np.empty(len(x), np.uint16)
            for fold, count in enumerate(counts):
                places = np.flatnonzero(folds == fold)
                buckets[places] = edges[fold] + generator.integers(0, count, len(places), np.uint16)
            order = np.argsort(buckets, kind="stable")
            dealt = np.hstack([x, y])[order]
            ends = np.cumsum(np.bincount(buckets, minlength=len(paths)))
            for file, part in zip(files, np.split(dealt, ends[:-1]), strict=True):
                file.write(part.data)
    for fold_rows, (start, end) in zip(rows.folds, pairwise(edges), strict=True):
        write_rows(fold_rows, _shuffled_buckets(paths, range(start, end), width, seed))


def _shuffled_buckets(paths: Sequence[Path], numbers: Iterable[int], width: int, seed: int) -> Iterator[Rows]:
    for number in numbers:
        rows = np.fromfile(paths[number], np.float32).reshape(-1, width)
        paths[number].unlink()
        rows = rows[np.random.default_rng((seed, _BUCKET_ORDER, number)).permutation(len(rows))]
        yield rows[:, :-1], rows[:, -1:]


def pool_size(n_rows: int, n_features: int, batch_size: int) -> int:
    """Rows that a member meets in a full pool: whole batches, and no more than there are."""
    most = min(POOL_ROWS, POOL_BYTES // (FLOAT_BYTES * (n_features + 1)), n_rows)
    return batch_size * max(1, -(-most // batch_size))


def read_pools(
    rows: ShuffledRows,
    left_out: Sequence[int | None],
    epoch: int,
    *,
    n_rows: int,
    n_pool_rows: int,
    seed: int,
) -> Iterator[Pool]:
    """The pools of an epoch, each full but the last.

    A pool has as large a share of every fold. A member that leaves a fold out meets the other rows of the
    pool, as many as every member: some of them twice where its own fold is larger than others.

    Args:
        rows: All rows that a member may meet.
        n_rows: That each meets.
        n_pool_rows: Of them in a full pool.
        seed: Of the order.
        left_out: Of each member the fold that it leaves out; None for none.
        epoch: 0-based.
    """
    edges = [*range(0, n_rows, n_pool_rows), n_rows]
    # Where each pool's share of a fold ends.
    shares = [np.diff([fold.n_rows * edge // n_rows for edge in edges]).tolist() for fold in rows.folds]
    pools = [
        _cut(
            _blocks_in_order(fold, max(1, share[0] // BLOCKS_PER_POOL), (seed, _BLOCKS, epoch, number)), share
        )
        for number, (fold, share) in enumerate(zip(rows.folds, shares, strict=True))
    ]
    buffers = _Buffers(max(map(sum, zip(*shares, strict=True))), rows.n_features)

    def read(number: int, extents_of_folds: Sequence[Sequence[Extent]]) -> Pool:
        x, y = buffers.next()
        end = 0
        for fold, extents in zip(rows.folds, extents_of_folds, strict=True):
            for start, size in extents:
                fold.read_into(start, x[end : end + size], y[end : end + size])
                end += size
        n_met = edges[number + 1] - edges[number]
        folds = np.repeat(np.arange(len(shares)), [share[number] for share in shares])
        met = {fold: np.flatnonzero(folds != (-1 if fold is None else fold)) for fold in set(left_out)}
        orders = [
            np.resize(np.random.default_rng((seed, epoch, number, member)).permutation(met[fold]), n_met)
            for member, fold in enumerate(left_out)
        ]
        return Pool(x, y, orders)

    return _ahead(partial(read, number, extents) for number, extents in enumerate(zip(*pools, strict=True)))


def read_validation(rows: DiskRows) -> Iterator[ValidationRows]:
    """The rows to validate on, in arrays of one size."""
    size = _validated_at_once(rows.n_rows, rows.n_features)
    buffers = _Buffers(size, rows.n_features)

    def read(start: int) -> ValidationRows:
        x, y = buffers.next()
        n_rows = min(size, rows.n_rows - start)
        rows.read_into(start, x[:n_rows], y[:n_rows])
        return ValidationRows(x, y, n_rows)

    return _ahead(partial(read, start) for start in range(0, rows.n_rows, size))


def read_left_out(rows: ShuffledRows, left_out: Sequence[int]) -> Iterator[ValidationRows]:
    """The same of cross-validation: each member is measured on the rows of the fold that it leaves out.

    Args:
        rows: All training rows.
        left_out: Of each member the fold that it leaves out.
    """
    n_folds, n_most = len(rows.folds), max(fold.n_rows for fold in rows.folds)
    size = max(1, _validated_at_once(n_folds * n_most, rows.n_features) // n_folds)
    buffers = _Buffers(n_folds * size, rows.n_features)

    def read(start: int) -> ValidationRows:
        x, y = buffers.next()
        places = np.full((n_folds, size), NO_ROW, np.int32)
        for number, fold in enumerate(rows.folds):
            n_rows, first = max(0, min(size, fold.n_rows - start)), number * size
            fold.read_into(start, x[first : first + n_rows], y[first : first + n_rows])
            places[number, :n_rows] = np.arange(first, first + n_rows)
        return ValidationRows(x, y, None, places[list(left_out)])

    return _ahead(partial(read, start) for start in range(0, n_most, size))


def _validated_at_once(n_rows: int, n_features: int) -> int:
    return max(1, min(VALIDATED_AT_ONCE, POOL_BYTES // (FLOAT_BYTES * (n_features + 1)), n_rows))


class _Buffers:
    """Arrays that are filled in turn: those being read, and the one in use."""

    def __init__(self, n_rows: int, n_features: int) -> None:
        self._arrays = [
            (aligned_zeros((n_rows, n_features)), aligned_zeros((n_rows, 1))) for _ in range(READ_AHEAD + 2)
        ]
        self._n_used = 0

    def next(self) -> Rows:
        self._n_used += 1
        return self._arrays[self._n_used % len(self._arrays)]


def _blocks_in_order(rows: DiskRows, size: int, seed: tuple[int, ...]) -> Iterator[Extent]:
    """All rows in blocks of one size, but for one, in random order."""
    n_blocks = -(-rows.n_rows // size)
    for start in (np.random.default_rng(seed).permutation(n_blocks) * size).tolist():
        yield start, min(size, rows.n_rows - start)


def _cut(extents: Iterator[Extent], sizes: Iterable[int]) -> Iterator[list[Extent]]:
    """Extents one after the other, cut into lists of so many rows each."""
    start = n_left = 0
    for size in sizes:
        pool: list[Extent] = []
        while size:
            if not n_left:
                start, n_left = next(extents)
            n_rows = min(n_left, size)
            pool.append((start, n_rows))
            start, n_left, size = start + n_rows, n_left - n_rows, size - n_rows
        yield pool


def _ahead(tasks: Iterable[Callable[[], Any]]) -> Iterator[Any]:
    """What each task returns, in order; the next ones are done by a thread meanwhile."""
    with ThreadPoolExecutor(1) as thread:
        waiting: deque[Future[Any]] = deque()
        for task in tasks:
            waiting.append(thread.submit(task))
            if len(waiting) > READ_AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
