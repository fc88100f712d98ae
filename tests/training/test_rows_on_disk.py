"""Rows are shuffled on disk without loss, and every epoch meets each of them once."""

import resource
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from dlreg.engine.program import NO_ROW
from dlreg.training import rows_on_disk
from dlreg.training.rows_on_disk import (
    DiskRows,
    ShuffledRows,
    pool_size,
    read_left_out,
    read_pools,
    read_validation,
    write_rows,
    write_shuffled,
)


def table(n_rows, n_features=3):
    """Rows whose first feature is their number."""
    x = np.random.default_rng(n_rows).normal(size=(n_rows, n_features)).astype(np.float32)
    x[:, 0] = np.arange(n_rows)
    return x, -x[:, :1]


def in_blocks(x, y, *cuts):
    edges = [0, *cuts, len(x)]
    return [(x[start:end], y[start:end]) for start, end in pairwise(edges)]


def with_folds(blocks, folds):
    """The blocks as they are shuffled, with the fold of each row."""
    edges = np.cumsum([0, *(len(x) for x, _ in blocks)])
    return [(block, folds[start:end]) for block, (start, end) in zip(blocks, pairwise(edges), strict=True)]


def one_fold(folder, n_rows):
    return ShuffledRows((DiskRows(folder, "train", n_rows, 3),))


@pytest.fixture
def shuffled(tmp_path, monkeypatch):
    # Several buckets of a small table.
    monkeypatch.setattr(rows_on_disk, "BUCKET_BYTES", 4000)
    x, y = table(1000)
    rows = one_fold(tmp_path, 1000)
    write_shuffled(rows, with_folds(in_blocks(x, y, 10, 500, 500), np.zeros(1000)), seed=1)
    return rows


FOLD_SIZES = (300, 340, 360)


@pytest.fixture
def folded(tmp_path, monkeypatch):
    """The rows in three folds: row n is in the fold `fold_of(n)`."""
    monkeypatch.setattr(rows_on_disk, "BUCKET_BYTES", 4000)
    x, y = table(1000)
    rows = ShuffledRows(
        tuple(DiskRows(tmp_path, f"train-{fold}", size, 3) for fold, size in enumerate(FOLD_SIZES))
    )
    write_shuffled(rows, with_folds(in_blocks(x, y, 10, 500, 500), fold_of(np.arange(1000))), seed=1)
    return rows


def fold_of(numbers):
    mixed = np.random.default_rng(3).permutation(1000)[np.asarray(numbers, dtype=int)]
    return np.searchsorted(np.cumsum(FOLD_SIZES), mixed, side="right")


def all_of(rows):
    x, y = np.empty((rows.n_rows, rows.n_features), np.float32), np.empty((rows.n_rows, 1), np.float32)
    rows.read_into(0, x, y)
    return x, y


def test_a_shuffle_loses_no_row_and_keeps_rows_whole(shuffled):
    x, y = all_of(shuffled.folds[0])
    expected_x, expected_y = table(1000)
    order = x[:, 0].astype(int)
    assert sorted(order) == list(range(1000))
    assert np.array_equal(x, expected_x[order])
    assert np.array_equal(y, expected_y[order])
    folder = shuffled.folds[0].folder
    assert {entry.name for entry in folder.iterdir()} == {"train.x.f32", "train.y.f32"}


def test_a_shuffle_deals_each_fold_into_files_of_its_own(folded):
    for fold, rows in enumerate(folded.folds):
        numbers = all_of(rows)[0][:, 0].astype(int)
        assert sorted(numbers) == np.flatnonzero(fold_of(np.arange(1000)) == fold).tolist()
        assert numbers.tolist() != sorted(numbers)


def test_a_shuffle_of_many_buckets_opens_few_files(tmp_path, monkeypatch):
    monkeypatch.setattr(rows_on_disk, "BUCKET_BYTES", 16)
    x, y = table(3000)
    rows = one_fold(tmp_path, 3000)
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    n_open = len(list(Path("/proc/self/fd").iterdir()))
    resource.setrlimit(resource.RLIMIT_NOFILE, (n_open + 210, limit[1]))
    try:
        write_shuffled(rows, with_folds(in_blocks(x, y, 700), np.zeros(3000)), seed=1)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limit)
    assert sorted(all_of(rows.folds[0])[0][:, 0].astype(int)) == list(range(3000))


def test_a_shuffle_is_uniform(tmp_path, monkeypatch):
    monkeypatch.setattr(rows_on_disk, "BUCKET_BYTES", 200)
    x, y = table(60)
    places = np.zeros((60, 60))
    for seed in range(2000):
        rows = one_fold(tmp_path, 60)
        write_shuffled(rows, with_folds(in_blocks(x, y, 25), np.zeros(60)), seed=seed)
        places[np.arange(60), all_of(rows.folds[0])[0][:, 0].astype(int)] += 1
    expected = 2000 / 60
    # Chi squared of 59² degrees of freedom, five standard deviations.
    chi_squared = np.sum((places - expected) ** 2 / expected)
    assert chi_squared == pytest.approx(59**2, abs=5 * np.sqrt(2 * 59**2))


@pytest.mark.parametrize(("n_pool_rows", "n_pools"), [(96, 11), (992, 2), (1024, 1)])
def test_an_epoch_meets_every_row_once_for_each_member(shuffled, n_pool_rows, n_pools):
    x, y = table(1000)
    met = [[], []]
    sizes = []
    for pool in read_pools(shuffled, [None, None], 0, n_rows=1000, n_pool_rows=n_pool_rows, seed=1):
        sizes.append(len(pool.orders[0]))
        for numbers, order in zip(met, pool.orders, strict=True):
            rows = pool.x[order][:, 0].astype(int)
            assert np.array_equal(pool.x[order], x[rows])
            assert np.array_equal(pool.y[order], y[rows])
            numbers += rows.tolist()
    assert sizes == [n_pool_rows] * (n_pools - 1) + [1000 - n_pool_rows * (n_pools - 1)]
    assert met[0] != met[1]
    assert [sorted(numbers) for numbers in met] == [list(range(1000))] * 2


def test_each_epoch_has_an_order_of_its_own_which_is_always_the_same(shuffled):
    def order(epoch):
        pools = read_pools(shuffled, [None], epoch, n_rows=1000, n_pool_rows=96, seed=1)
        return [int(number) for pool in pools for number in pool.x[pool.orders[0]][:, 0]]

    assert order(0) == order(0)
    assert order(0) != order(1)
    # Neighbours of one epoch are none in the next: the sets of rows that share a pool differ.
    assert len(set(order(0)[:96]) & set(order(1)[:96])) < 40


@pytest.mark.parametrize("n_pool_rows", [64, 320, 704])
def test_a_member_never_meets_the_fold_it_leaves_out_and_every_other_row_about_once(folded, n_pool_rows):
    left_out = [0, 1, 2, 1]
    met, shares = [[] for _ in left_out], []
    for pool in read_pools(folded, left_out, 0, n_rows=700, n_pool_rows=n_pool_rows, seed=1):
        (n_met,) = {len(order) for order in pool.orders}
        assert n_met == n_pool_rows or sum(map(len, met)) + 4 * n_met == 4 * 700
        for numbers, order in zip(met, pool.orders, strict=True):
            numbers += pool.x[order][:, 0].astype(int).tolist()
        shares.append(np.bincount(fold_of(pool.x[pool.orders[0]][:, 0]), minlength=3)[1:] / n_met)
    folds = fold_of(np.arange(1000))
    for fold, numbers in zip(left_out, met, strict=True):
        assert len(numbers) == folded.rows_per_epoch == 700
        counts = np.bincount(numbers, minlength=1000)
        assert not counts[folds == fold].any()
        assert counts.max() <= 2
        # A pool takes whole rows of each fold, so that one may be too many for an epoch.
        n_left_over = np.sum(counts[folds != fold] == 0)
        assert n_left_over <= 2 * -(-700 // n_pool_rows)
    assert np.ptp(shares, axis=0).max() < 0.05
    assert met[1] != met[3]


@pytest.mark.parametrize(("n_rows", "n_epochs"), [(700, 12), (300, 40)])
def test_every_row_is_met_while_refitting(folded, n_rows, n_epochs):
    met = np.zeros(1000, dtype=int)
    for epoch in range(n_epochs):
        for pool in read_pools(folded, [None], epoch, n_rows=n_rows, n_pool_rows=64, seed=1):
            np.add.at(met, pool.x[pool.orders[0]][:, 0].astype(int), 1)
    # Of 1,000 rows an epoch has as many as the epochs before, drawn anew in each.
    assert met.min() > 0
    assert met.sum() == n_epochs * n_rows


def test_each_member_is_measured_on_the_fold_it_leaves_out(folded, monkeypatch):
    monkeypatch.setattr(rows_on_disk, "VALIDATED_AT_ONCE", 300)
    left_out, seen = [2, 0, 2], [[], [], []]
    blocks = 0
    for block in read_left_out(folded, left_out):
        blocks += 1
        for numbers, places in zip(seen, block.places, strict=True):
            numbers += block.x[places[places != NO_ROW]][:, 0].astype(int).tolist()
    assert blocks == 4
    for fold, numbers in zip(left_out, seen, strict=True):
        assert sorted(numbers) == np.flatnonzero(fold_of(np.arange(1000)) == fold).tolist()


def test_validation_rows_are_read_in_blocks_of_one_size(tmp_path, monkeypatch):
    monkeypatch.setattr(rows_on_disk, "VALIDATED_AT_ONCE", 300)
    x, y = table(1000)
    rows = DiskRows(tmp_path, "validation", 1000, 3)
    write_rows(rows, in_blocks(x, y, 1, 999))
    blocks = [(block.x[: block.n_rows].copy(), len(block.x)) for block in read_validation(rows)]
    assert np.array_equal(np.concatenate([block for block, _ in blocks]), x)
    assert {size for _, size in blocks} == {300}
    assert list(read_validation(DiskRows(tmp_path, "none", 0, 3))) == []


@pytest.mark.parametrize(
    ("n_rows", "n_features", "batch_size", "expected"),
    [(10**9, 10, 32, 131_072), (10**9, 10_000, 32, 448), (100, 10, 32, 128), (10, 10, 10, 10)],
)
def test_a_pool_is_of_whole_batches_and_bounded(n_rows, n_features, batch_size, expected):
    assert pool_size(n_rows, n_features, batch_size) == expected


def test_a_file_that_ends_too_soon_is_an_error(shuffled):
    (shuffled.folds[0].folder / "train.x.f32").write_bytes(b"1234")
    with pytest.raises(OSError, match="ends too soon"):
        list(read_pools(shuffled, [None], 0, n_rows=1000, n_pool_rows=96, seed=1))
