"""The expected size of an error is a further output of the graph."""

from dataclasses import replace

import numpy as np
import pytest
from support.pipelines import N_ROWS, drawn, fit, some_scale

from dlreg.features import encoding
from dlreg.model.architecture import Network
from dlreg.model.levels import spread_levels
from dlreg.pipeline.residual_scale import add_residual_scale
from dlreg.pipeline.session import Pipeline
from dlreg.table.column import Column


@pytest.mark.parametrize("name", ["year of nothing", "residual_scale"])
@pytest.mark.parametrize("without", ["nothing", "features", "knots", "one-hot levels"])
def test_the_scale_of_residuals_is_a_further_output(monkeypatch, table, name, without):
    columns, cells = table
    cells = {name if column == "whole" else column: values for column, values in cells.items()}
    columns = [Column(name, "number") if column.name == "whole" else column for column in columns]
    monkeypatch.setattr(encoding, "MOST_ONEHOT_LEVELS", 2)
    categorical = "embedding" if without == "one-hot levels" else "onehot"
    y = np.random.default_rng(1).gamma(2.0, size=N_ROWS)
    preprocessing = fit(columns, cells, y, target="log1p", categorical=categorical)
    x, levels = preprocessing.transform(cells), preprocessing.embedded_levels
    network = Network(x.shape[1], [6], categories=levels)
    spread = spread_levels(x, levels)
    scale = some_scale(spread.shape[1])
    if without == "features":
        scale = replace(scale, features=np.empty(0))
    elif without == "knots":
        scale = replace(scale, knots=np.empty(0), bins=np.empty(0))
    for n_members in (1, 2):
        model, _ = drawn(preprocessing, network, n_members=n_members)
        before = Pipeline(model.SerializeToString()).run(cells)
        after = Pipeline(add_residual_scale(model, scale, levels).SerializeToString()).run(cells)
        assert list(after) == [*before, "residual_scale"]
        assert all((after[output] == before[output]).all() for output in before)
        given = spread[:, : len(scale.features)]
        expected = scale(given, before["prediction"])
        assert after["residual_scale"] == pytest.approx(expected, rel=1e-5)
        assert len(set(expected.round(6))) > 10
