"""Preprocessed rows on disk: shuffled once, then read pool by pool in an order of each epoch.

Rows are dealt to buckets at random, and each bucket, which fits in memory, is put in random order: together a
uniform shuffle of all rows. An epoch visits blocks of that file in an order drawn from `(seed, epoch)`, some
blocks to a pool, and shuffles every pool anew for each member, from `(seed, epoch, pool, member)`. The next
pools are read while one is trained on.
"""

import errno
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from dlreg.arrays import aligned_zeros
from dlreg.engine.trainer import Pool, ValidationRows

# Of wide rows fewer go into a pool.
POOL_ROWS, POOL_BYTES = 262_144, 16 << 20
BLOCKS_PER_POOL = 16
BUCKET_BYTES = 24 << 20
VALIDATED_AT_ONCE = 65_536
READ_AHEAD = 2
FLOAT_BYTES = 4
_X, _Y, _BUCKET = "{}.x.f32", "{}.y.f32", "bucket-{:04}.f32"
# Beside those of epochs, which are not negative.
_DEAL, _BUCKET_ORDER = 1 << 62, (1 << 62) + 1

# Preprocessed rows, `(n_rows, n_features)`, and their scaled targets, `(n_rows, 1)`; both float32.
Rows = tuple[np.ndarray, np.ndarray]


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

    def read_into(self, start: int, x: np.ndarray, y: np.ndarray) -> None:
        """Reads as many rows as fit into two arrays, from the `start`-th on."""
        for pattern, array in ((_X, x), (_Y, y)):
            with (self.folder / pattern.format(self.name)).open("rb", buffering=0) as file:
                file.seek(start * array.shape[1] * FLOAT_BYTES)
                view = memoryview(array.data).cast("B")
                while view:
                    n_bytes = file.readinto(view)
                    if not n_bytes:
                        raise OSError(errno.EIO, "the file ends too soon", file.name)
                    view = view[n_bytes:]


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


def write_shuffled(rows: DiskRows, blocks: Iterable[Rows], seed: int) -> None:
    """Writes rows in a random order, of which memory holds a part at a time.

    Args:
        rows: What is written.
        blocks: The rows in their order.
        seed: Of the random one.

    Raises:
        OSError: The disk is full, or the system refuses.
    """
    width = rows.n_features + 1
    n_buckets = max(1, -(-rows.n_rows * width * FLOAT_BYTES // BUCKET_BYTES))
    paths = [rows.folder / _BUCKET.format(number) for number in range(n_buckets)]
    with ExitStack() as stack:
        files = [stack.enter_context(path.open("wb", buffering=0)) for path in paths]
        for number, (x, y) in enumerate(blocks):
            buckets = np.random.default_rng((seed, _DEAL, number)).integers(0, n_buckets, len(x), np.uint16)
            order = np.argsort(buckets, kind="stable")
            dealt = np.hstack([x, y])[order]
            ends = np.cumsum(np.bincount(buckets, minlength=n_buckets))
            for file, part in zip(files, np.split(dealt, ends[:-1]), strict=True):
                file.write(part.data)
    write_rows(rows, _shuffled_buckets(paths, width, seed))


def _shuffled_buckets(paths: Iterable[Path], width: int, seed: int) -> Iterator[Rows]:
    for number, path in enumerate(paths):
        rows = np.fromfile(path, np.float32).reshape(-1, width)
        path.unlink()
        rows = rows[np.random.default_rng((seed, _BUCKET_ORDER, number)).permutation(len(rows))]
        yield rows[:, :-1], rows[:, -1:]


def pool_size(n_rows: int, n_features: int, batch_size: int) -> int:
    """Rows of a full pool: whole batches, and no more than there are."""
    most = min(POOL_ROWS, POOL_BYTES // (FLOAT_BYTES * (n_features + 1)), n_rows)
    return batch_size * max(1, -(-most // batch_size))


def read_pools(rows: DiskRows, n_pool_rows: int, seed: int, n_members: int, epoch: int) -> Iterator[Pool]:
    """The pools of an epoch, each full but the last.

    Args:
        rows: All training rows, shuffled.
        n_pool_rows: Of a full pool.
        seed: Of the order.
        n_members: How many networks are trained side by side.
        epoch: 0-based.
    """
    block_size = max(1, n_pool_rows // BLOCKS_PER_POOL)
    n_blocks = -(-rows.n_rows // block_size)
    starts = np.random.default_rng((seed, epoch)).permutation(n_blocks) * block_size
    sizes = np.minimum(block_size, rows.n_rows - starts)
    buffers = _Buffers(n_pool_rows, rows.n_features)

    def read(number: int, extents: list[tuple[int, int]]) -> Pool:
        x, y = buffers.next()
        end = 0
        for start, size in extents:
            rows.read_into(start, x[end : end + size], y[end : end + size])
            end += size
        orders = [
            np.random.default_rng((seed, epoch, number, member)).permutation(end)
            for member in range(n_members)
        ]
        return Pool(x, y, orders)

    pools = enumerate(_cut(zip(starts.tolist(), sizes.tolist(), strict=True), n_pool_rows))
    return _ahead(partial(read, number, extents) for number, extents in pools)


def read_validation(rows: DiskRows) -> Iterator[ValidationRows]:
    """The rows to validate on, in arrays of one size."""
    size = max(1, min(VALIDATED_AT_ONCE, POOL_BYTES // (FLOAT_BYTES * (rows.n_features + 1)), rows.n_rows))
    buffers = _Buffers(size, rows.n_features)

    def read(start: int) -> ValidationRows:
        x, y = buffers.next()
        n_rows = min(size, rows.n_rows - start)
        rows.read_into(start, x[:n_rows], y[:n_rows])
        return ValidationRows(x, y, n_rows)

    return _ahead(partial(read, start) for start in range(0, rows.n_rows, size))


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


def _cut(extents: Iterable[tuple[int, int]], size: int) -> Iterator[list[tuple[int, int]]]:
    """Consecutive extents, start and size of each, cut into lists of so many rows, but for the last."""
    pool: list[tuple[int, int]] = []
    room = size
    for start, n_rows in extents:
        while n_rows >= room:
            yield [*pool, (start, room)]
            start, n_rows, pool, room = start + room, n_rows - room, [], size
        if n_rows:
            pool.append((start, n_rows))
            room -= n_rows
    if pool:
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
