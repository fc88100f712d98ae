"""Predictions are the same to the bit, whichever rows are predicted together, and by however many threads."""

import itertools
import resource
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from support.pipelines import N_ROWS, drawn, fit, some_scale

from dlreg.config.sections.model import Activation
from dlreg.model.architecture import Network
from dlreg.model.embeddings import fit_embedding
from dlreg.pipeline import memory, session
from dlreg.pipeline.residual_scale import add_residual_scale
from dlreg.pipeline.session import Pipeline
from dlreg.table.column import Column

SIZES = {1: 9, 2: 12, 3: 20, 5: 30, 37: N_ROWS, 88: N_ROWS}


@pytest.fixture(scope="module")
def numbers():
    """Columns of numbers and their cells: their graph is small."""
    generator = np.random.default_rng(0)
    cells = {name: generator.normal(size=(N_ROWS, 1)) for name in "abcde"}
    return tuple(Column(name, "number") for name in cells), cells


def model_of(columns, cells, n_members=1, embedding="none", target="standard", **options):
    y = np.random.default_rng(1).gamma(2.0, size=N_ROWS)
    preprocessing = fit(columns, cells, y, target=target)
    x = preprocessing.transform(cells)
    fitted = fit_embedding(embedding, x[:, : preprocessing.n_numbers])
    network = Network(x.shape[1], embedding=fitted, **options)
    graph, _ = drawn(preprocessing, network, n_members=n_members)
    return add_residual_scale(graph, some_scale(x.shape[1])).SerializeToString()


def rows_of(cells, rows):
    return {name: column[rows] for name, column in cells.items()}


def assert_alike_whatever_the_block(model, cells):
    pipeline = Pipeline(model)
    expected = pipeline.run(cells)
    for size, n_rows in SIZES.items():
        parts = [
            pipeline.run(rows_of(cells, slice(start, min(start + size, n_rows))))
            for start in range(0, n_rows, size)
        ]
        for name, values in expected.items():
            found = np.concatenate([part[name] for part in parts])
            assert np.array_equal(found, values[:n_rows]), (name, size)


@pytest.mark.parametrize("activation", get_args(Activation))
def test_a_row_is_predicted_alike_whatever_rows_are_beside_it(numbers, activation):
    model = model_of(*numbers, hidden_layers=[7, 16], activation=activation)
    assert_alike_whatever_the_block(model, numbers[1])


def test_so_it_is_with_columns_of_every_kind(table):
    assert_alike_whatever_the_block(model_of(*table, 2, "periodic", hidden_layers=[16, 5]), table[1])


@pytest.mark.parametrize(
    ("embedding", "n_members", "hidden_layers"),
    list(itertools.product(["none", "periodic", "piecewise_linear"], [1, 3], [[], [64, 5], [33, 20, 64]])),
)
def test_so_it_is_by_ensembles_and_embeddings(numbers, embedding, n_members, hidden_layers):
    model = model_of(
        *numbers, n_members, embedding, "log1p" if n_members > 1 else "log", hidden_layers=hidden_layers,
        activation="mish", parametric_activation=True,
    )  # fmt: skip
    assert_alike_whatever_the_block(model, numbers[1])


@pytest.mark.parametrize("cores", [1, 2, 3, 64])
def test_any_number_of_threads_gives_the_same(numbers, monkeypatch, cores):
    _, cells = numbers
    model = model_of(*numbers, 3, "periodic", hidden_layers=[64, 64])
    many = {name: np.tile(column, (17, 1)) for name, column in cells.items()}
    monkeypatch.setattr(session, "usable_cores", lambda: 1)
    expected = Pipeline(model).run(many)
    monkeypatch.setattr(session, "usable_cores", lambda: cores)
    found = Pipeline(model).run(many)
    assert all(np.array_equal(found[name], values) for name, values in expected.items())


@pytest.mark.parametrize("cores", [1, 2, 8, 64])
@pytest.mark.parametrize("n_rows", [1, 255, 257, 1000, 100_003])
@pytest.mark.parametrize("bytes_per_row", [100, 90_000])
def test_threads_share_the_memory_of_a_call(monkeypatch, cores, n_rows, bytes_per_row):
    monkeypatch.setattr(session, "usable_cores", lambda: cores)
    pipeline = Pipeline.__new__(Pipeline)
    pipeline._memory = memory.Memory(
        memory.Need(bytes_per_row, 0), memory.Need(memory.MAX_ROWS * bytes_per_row, 0)
    )
    n_threads, rows = pipeline._division({"x": np.zeros((n_rows, 1))}, n_rows)
    assert 1 <= n_threads <= min(cores, session.MOST_THREADS)
    assert rows % session.ROWS_ALIKE == 0
    assert n_threads * rows * bytes_per_row <= memory.MAX_BYTES_PER_CALL
    assert rows <= session.MOST_ROWS_PER_CALL
    # Every thread has something to do.
    assert (n_threads - 1) * rows < n_rows


def test_a_session_starts_no_threads_and_one_core_is_kept_busy_alone(numbers):
    _, cells = numbers
    pipeline = Pipeline(model_of(*numbers, 3, "periodic", hidden_layers=[64, 64]))
    before = len(list(Path("/proc/self/task").iterdir()))
    began = resource.getrusage(resource.RUSAGE_THREAD).ru_utime
    whole = resource.getrusage(resource.RUSAGE_SELF).ru_utime
    for _ in range(50):
        pipeline.run(rows_of(cells, slice(0, 200)))
    assert len(list(Path("/proc/self/task").iterdir())) == before
    ours = resource.getrusage(resource.RUSAGE_THREAD).ru_utime - began
    assert resource.getrusage(resource.RUSAGE_SELF).ru_utime - whole < 1.2 * ours + 0.05


@pytest.mark.parametrize(
    "text", ["std::bad_alloc", "Failed to allocate memory for requested buffer of size 9"]
)
def test_a_session_that_finds_no_memory_blames_no_pipeline(numbers, monkeypatch, text):
    class Session:
        def run(self, *_):
            raise RuntimeError(text)

    pipeline = Pipeline(model_of(*numbers, hidden_layers=[4]))
    monkeypatch.setattr(pipeline, "_session", Session())
    with pytest.raises(MemoryError, match=text):
        pipeline.run(numbers[1])
