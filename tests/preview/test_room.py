"""What a table takes is told from its first block, in whatever form it is."""

import gzip

import numpy as np
import pandas as pd
import pytest
from support.configs import load

from dlreg.preview import room
from dlreg.preview.room import estimate_size
from dlreg.table import csv_scan

N_ROWS = 20_000


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(room, "SMALL", 1000)
    monkeypatch.setattr(csv_scan, "BLOCK_BYTES", 200_000)
    table = pd.DataFrame(np.random.default_rng(5).normal(size=(N_ROWS, 4)).round(5), columns=[*"abcy"])
    table.to_csv(tmp_path / "table.csv", index=False)
    # A compressed file is read in pieces of 64 kB, which here are a good part of it.
    (tmp_path / "table.csv.gz").write_bytes(gzip.compress((tmp_path / "table.csv").read_bytes()))
    return tmp_path


@pytest.mark.parametrize(("name", "tolerance"), [("table.csv", 0.05), ("table.csv.gz", 0.5)])
def test_rows_are_estimated_from_the_first_block(folder, name, tolerance):
    size = estimate_size(load(folder, f"data: {{path: {name}, target: y}}\n"))
    assert size.n_rows == pytest.approx(N_ROWS, rel=tolerance)
    assert size.memory_bytes > 900e6
    assert size.disk_bytes > size.n_rows * 4 * 16


def test_typed_cells_are_estimated_by_their_bytes(folder):
    pytest.importorskip("pyarrow")
    pd.read_csv(folder / "table.csv").to_parquet(folder / "table.parquet")
    size = estimate_size(load(folder, "data: {path: table.parquet, target: y}\n"))
    assert N_ROWS / 2 < size.n_rows < 4 * N_ROWS


def test_a_small_table_is_not_looked_at(folder, monkeypatch):
    monkeypatch.setattr(room, "SMALL", 10**9)
    assert estimate_size(load(folder, "data: {path: table.csv, target: y}\n")) is None
