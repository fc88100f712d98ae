"""What a pipeline says of itself."""

import json

import numpy as np
import pytest
from support.pipelines import N_ROWS, drawn, fit

from dlreg import __version__
from dlreg.model.architecture import Network
from dlreg.pipeline.metadata import with_metadata
from dlreg.pipeline.session import Pipeline

INTERVALS = {"rows": 2, "scores": [0.1, 1 / 3]}


@pytest.fixture(scope="module")
def model(table):
    columns, cells = table
    preprocessing = fit(columns, cells, np.random.default_rng(1).gamma(2.0, size=N_ROWS))
    return drawn(preprocessing, Network(len(preprocessing.feature_names), [4]))[0]


def test_a_pipeline_says_what_it_is_and_stays_as_it_was(model):
    before = model.SerializeToString()
    told = with_metadata(model, "소요 시간", "분", INTERVALS)
    assert model.SerializeToString() == before
    assert told.graph == model.graph
    assert (told.producer_name, told.producer_version) == ("dlreg", __version__)
    texts = {entry.key: entry.value for entry in told.metadata_props}
    assert json.loads(texts.pop("dlreg.intervals")) == INTERVALS
    assert texts == {
        "dlreg.name": "소요 시간",
        "dlreg.version": __version__,
        "dlreg.target": "소요 시간",
        "dlreg.unit": "분",
    }


def test_it_runs_as_before_and_is_the_same_bytes_each_time(model, table):
    _, cells = table
    told = with_metadata(model, "y", None, INTERVALS).SerializeToString()
    assert told == with_metadata(model, "y", None, INTERVALS).SerializeToString()
    assert b"dlreg.unit" not in told
    expected = Pipeline(model.SerializeToString()).predict(cells)
    assert np.array_equal(Pipeline(told).predict(cells), expected)
