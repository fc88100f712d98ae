"""The stages between cells and network, run alone, against `Preprocessing.transform`."""

import itertools
from typing import get_args

import numpy as np
import onnxruntime as ort
import pytest
from support.tables import part_of

from dlreg.config.sections.preprocessing import NumericScaling
from dlreg.features.date_parts import DateOptions
from dlreg.features.preprocessing import fit_preprocessing
from dlreg.pipeline.cells import cells_graph
from dlreg.pipeline.scaling import scaling_graph
from dlreg.table.column import Column

COLUMNS = {
    "number": (Column("x", "number"), Column("z", "number")),
    "date": (Column("day", "date", "%Y-%m-%d"),),
    "category": (Column("city", "category"), Column("open", "boolean")),
}


def make_cells(seed):
    generator = np.random.default_rng(seed)
    cells = {
        "x": generator.normal(1e9, 1e3, 80),
        "z": generator.integers(0, 3, 80).astype(float),
        "day": (np.datetime64("2020-01-01") + generator.integers(0, 900, 80)).astype(str).astype(object),
        "city": generator.choice(list("abcdefghijkl"), 80).astype(object),
        "open": generator.choice(["yes", "no", ""], 80).astype(object),
    }
    cells["x"][::7], cells["day"][::9] = np.nan, ""
    return {name: values.reshape(-1, 1) for name, values in cells.items()}


def run(graph, inputs):
    session = ort.InferenceSession(graph.SerializeToString())
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(None, inputs), strict=True))


@pytest.mark.parametrize("kinds", ["number", "category", "number date category", "date category"])
@pytest.mark.parametrize("categorical", ["onehot", "ordinal", "embedding"])
@pytest.mark.parametrize("numeric", get_args(NumericScaling))
def test_the_stages_give_the_rows_that_a_network_reads(numeric, categorical, kinds):
    columns = tuple(itertools.chain(*(COLUMNS[kind] for kind in kinds.split())))
    cells = {column.name: make_cells(1)[column.name] for column in columns}
    y = np.random.default_rng(2).normal(size=80)
    preprocessing = fit_preprocessing(
        part_of(cells, y), columns, numeric=numeric, missing="median", missing_indicator=True,
        categorical=categorical, target="none", dates=DateOptions("calendar"),
    )  # fmt: skip
    features = run(
        cells_graph(columns, preprocessing.features, preprocessing.levels),
        {f"in{index}": cells[column.name] for index, column in enumerate(columns)},
    )
    assert list(features) == [feature.key for part in preprocessing.features for feature in part]
    (rows,) = run(scaling_graph(preprocessing), features).values()
    np.testing.assert_allclose(rows, preprocessing.transform(cells), rtol=1e-6, atol=1e-6)
