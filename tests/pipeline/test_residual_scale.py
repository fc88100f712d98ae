"""The expected size of an error is a further output of the graph."""

from dataclasses import replace

import numpy as np
import pytest
from support.pipelines import N_ROWS, drawn, fit, some_scale

from dlreg.model.architecture import Network
from dlreg.pipeline.residual_scale import add_residual_scale
from dlreg.pipeline.session import Pipeline
from dlreg.table.column import Column


@pytest.mark.parametrize("name", ["year of nothing", "residual_scale"])
@pytest.mark.parametrize("without", ["nothing", "features", "knots"])
def test_the_scale_of_residuals_is_a_further_output(table, name, without):
    columns, cells = table
    cells = {name if column == "whole" else column: values for column, values in cells.items()}
    columns = [Column(name, "number") if column.name == "whole" else column for column in columns]
    preprocessing = fit(columns, cells, np.random.default_rng(1).gamma(2.0, size=N_ROWS), target="log1p")
    x = preprocessing.transform(cells)
    scale = some_scale(x.shape[1])
    if without == "features":
        scale = replace(scale, features=np.empty(0))
    elif without == "knots":
        scale = replace(scale, knots=np.empty(0), bins=np.empty(0))
    for n_members in (1, 2):
        model, _ = drawn(preprocessing, Network(x.shape[1], [6]), n_members=n_members)
        before = Pipeline(model.SerializeToString()).run(cells)
        after = Pipeline(add_residual_scale(model, scale).SerializeToString()).run(cells)
        assert list(after) == [*before, "residual_scale"]
        assert all((after[output] == before[output]).all() for output in before)
        given = x[:, : len(scale.features)].astype(np.float64)
        expected = scale(given, before["prediction"])
        assert after["residual_scale"] == pytest.approx(expected, rel=1e-5)
        assert len(set(expected.round(6))) > 10
