"""Many columns are bound to a session once; a call finds in them its own cells and no others."""

import numpy as np
import pytest
from support.pipelines import N_ROWS, drawn, fit

from dlreg.errors import RunDirError
from dlreg.model.architecture import Network
from dlreg.pipeline import session
from dlreg.pipeline.session import Pipeline
from dlreg.table.column import Column


@pytest.fixture(scope="module")
def wide():
    """A pipeline of more numbers than are given to a call as they are, and their cells, with gaps."""
    generator = np.random.default_rng(0)
    cells = {f"x{place}": generator.normal(size=(N_ROWS, 1)) for place in range(session.MANY_COLUMNS)}
    for column in cells.values():
        column[generator.random(N_ROWS) < 0.1] = np.nan
    columns = [Column(name, "number") for name in cells]
    preprocessing = fit(columns, cells, generator.normal(size=N_ROWS))
    graph, _ = drawn(preprocessing, Network(len(preprocessing.feature_names), hidden_layers=[8]))
    return graph.SerializeToString(), cells


@pytest.mark.parametrize("cores", [1, 2])
def test_they_are_predicted_from_as_a_call_of_its_own_predicts(wide, monkeypatch, cores):
    model, cells = wide
    monkeypatch.setattr(session, "usable_cores", lambda: cores)
    pipeline, sizes = Pipeline(model), (1, 3, 256, N_ROWS)
    found = [
        pipeline.predict({name: column[:size] for name, column in cells.items()})
        for size in (*sizes, *reversed(sizes))
    ]
    monkeypatch.setattr(session, "MANY_COLUMNS", len(cells) + 1)
    expected = pipeline.predict(cells)
    assert len(np.unique(expected)) > N_ROWS / 2
    for size, predictions in zip((*sizes, *reversed(sizes)), found, strict=True):
        assert np.array_equal(predictions, expected[:size])


@pytest.mark.parametrize("change", ["one less", "one more", "another name", "no number"])
def test_cells_of_other_columns_are_refused(wide, change):
    model, cells = wide
    pipeline, other = Pipeline(model), dict(cells)
    pipeline.predict(cells)
    column = other.pop("x7")
    match change:
        case "one more":
            other |= {"x7": column, "z": column}
        case "another name":
            other["z"] = column
        case "no number":
            other["x7"] = np.full(column.shape, "red", dtype=object)
    with pytest.raises(RunDirError, match="the pipeline cannot be run"):
        pipeline.predict(other)


def test_many_columns_with_texts_among_them_are_predicted_too(wide):
    _, cells = wide
    texts = np.resize(np.array(["", "red", "green"], dtype=object), (N_ROWS, 1))
    columns = [*(Column(name, "number") for name in cells), Column("t", "category")]
    preprocessing = fit(columns, cells | {"t": texts}, np.arange(float(N_ROWS)))
    network = Network(len(preprocessing.feature_names), hidden_layers=[8])
    graph, _ = drawn(preprocessing, network)
    pipeline = Pipeline(graph.SerializeToString())
    assert np.isfinite(pipeline.predict(cells | {"t": texts})).all()
