"""Pipelines to export, of random weights, and what ONNX Runtime makes of them."""

import numpy as np
from support.pipelines import drawn, fit

from dlreg.evaluation.intervals import Intervals
from dlreg.exports.exported_run import ExportedRun
from dlreg.exports.tensors import read_graph
from dlreg.model.architecture import Network
from dlreg.pipeline.session import Pipeline

# The standard deviation of the targets of `some_pipeline`.
TARGET_SPREAD = 140.0
NO_INTERVALS = Intervals(0, np.empty(0))


def exported(columns, content, intervals=NO_INTERVALS, unit=None):
    """A run of these columns and this pipeline, without a directory."""
    return ExportedRun("target", unit, tuple(columns), read_graph(content), intervals)


def some_pipeline(columns, cells, *, n_members=1, mixture=None, preprocessing=None, **network):
    """The bytes of a pipeline of random weights, ready for ONNX Runtime and for an export."""
    n_rows = len(next(iter(cells.values())))
    y = np.random.default_rng(1).gamma(2.0, 100.0, n_rows)
    preprocessing = fit(columns, cells, y, **preprocessing or {})
    shape = {"hidden_layers": [16, 8], "categories": preprocessing.embedded_levels} | network
    built = Network(len(preprocessing.feature_names), **shape)
    return drawn(preprocessing, built, n_members=n_members, mixture=mixture)[0].SerializeToString()


def share_apart(predicted, content, cells, spread=TARGET_SPREAD):
    """How far predictions are from ONNX Runtime's at most, as a share of the target's spread, or theirs."""
    expected = Pipeline(content).predict(cells)
    assert (np.isnan(predicted) == np.isnan(expected)).all()
    return np.nanmax(np.abs(predicted - expected)) / max(spread, np.nanstd(expected))
