"""A SavedModel predicts what ONNX Runtime does, in a process that has no dlreg."""

import subprocess
import sys

import numpy as np
import pytest
from support.exported import exported, share_apart, some_pipeline
from support.pipelines import DATE_FORMATS, N_ROWS, drawn, fit, some_scale
from support.trees import some_trees

from dlreg.evaluation.intervals import LEVEL, Intervals
from dlreg.exports.saved_model import write_saved_model
from dlreg.exports.tensorflow_operators import LOOKUPS, OPERATORS
from dlreg.exports.tensors import read_graph
from dlreg.features.date_parts import DateOptions
from dlreg.model.architecture import Network
from dlreg.model.embeddings import PiecewiseLinear
from dlreg.model.mixture import Mixture
from dlreg.pipeline.networks import ACTIVATIONS
from dlreg.pipeline.residual_scale import add_residual_scale
from dlreg.pipeline.session import Pipeline
from dlreg.pipeline.vetting import EARLIER_OPERATORS
from dlreg.pipeline.vetting import OPERATORS as WRITTEN
from dlreg.table.column import Column

LOADING = """
import sys, numpy as np, tensorflow as tf
model = tf.saved_model.load("saved").signatures["serving_default"]
given = np.load("cells.npz")
cells = {name: tf.constant(cell if cell.dtype == float else np.char.encode(cell, "utf-8")) for name, cell in given.items()}
for name, value in model(**cells).items():
    np.save(f"{name}.npy", value.numpy())
assert not any(name.startswith("dlreg") for name in sys.modules)
"""


def test_a_fresh_process_without_dlreg_predicts_the_same(table, tmp_path):
    columns, cells = table
    cells = {name: column.copy() for name, column in cells.items()}
    for place, name in enumerate(DATE_FORMATS):
        cells[name][place : place + 3, 0] = ["nonsense", " ", "2023-02-29"]
    cells["prediction"][:4, 0] = ["never seen", " a\t", "\u3000b", "A"]
    y = np.random.default_rng(1).gamma(2.0, 100.0, N_ROWS)
    preprocessing = fit(columns, cells, y, numeric="quantile", dates=DateOptions("calendar", holidays="KR"))
    width = len(preprocessing.feature_names)
    model, _ = drawn(preprocessing, Network(width, [8], "mish"), n_members=2)
    content = add_residual_scale(model, some_scale(width)).SerializeToString()
    intervals = Intervals(99, np.linspace(-1.0, 3.0, 99), are_signed=True)
    names = write_saved_model(exported(columns, content, intervals), tmp_path / "saved")
    assert list(names) == [column.name for column in columns]
    named = {
        names[name]: column if column.dtype == float else column.astype(str) for name, column in cells.items()
    }
    np.savez(tmp_path / "cells.npz", **named)
    subprocess.run([sys.executable, "-I", "-c", LOADING], cwd=tmp_path, check=True, capture_output=True)
    found = {path.stem: np.load(path)[:, 0] for path in tmp_path.glob("*.npy")}
    outputs = Pipeline(content).run(cells)
    below, above = intervals.margins(LEVEL, N_ROWS, outputs["residual_scale"]).T
    expected = {
        "y_pred": outputs["prediction"], "y_spread": outputs["spread"],
        "y_lower": outputs["prediction"] - below, "y_upper": outputs["prediction"] + above,
    }  # fmt: skip
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        assert np.max(np.abs(found[name] - values)) < 3e-6 * outputs["prediction"].std(), name


def two_numbers():
    columns = (Column("a", "number"), Column("b", "number"))
    return columns, {name: np.random.default_rng(4).normal(size=(200, 1)) for name in "ab"}


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation_is_as_onnx_runtime_has_it(activation):
    columns, cells = two_numbers()
    content = some_pipeline(columns, cells, activation=activation)
    assert share_apart(in_tensorflow(content, cells), content, cells) < 3e-6


@pytest.mark.parametrize("n_members", [1, 2])
def test_members_that_share_weights_are_as_onnx_runtime_has_them(n_members):
    columns, cells = two_numbers()
    embedding = PiecewiseLinear(*np.ones((2, 2, 4), dtype=np.float32))
    for options in ({}, {"embedding": embedding, "feature_scale": True}):
        content = some_pipeline(columns, cells, n_members=n_members, shared_members=3, **options)
        assert share_apart(in_tensorflow(content, cells), content, cells) < 3e-6


def test_trees_beside_networks_are_as_onnx_runtime_has_them():
    columns, cells = two_numbers()
    mixture = Mixture(np.array([0.4]), trees=some_trees(2, 50, weight=0.6))
    content = some_pipeline(columns, cells, mixture=mixture)
    assert share_apart(in_tensorflow(content, cells), content, cells) < 3e-6


def in_tensorflow(content, cells):
    """What the operators give one after the other."""
    import tensorflow as tf

    from dlreg.exports.tensorflow_operators import apply, constant

    graph = read_graph(content)
    tensors = {name: tf.constant(column) for name, column in cells.items()}
    tensors |= {name: constant(values) for name, values in graph.constants.items()}
    for node in graph.nodes:
        tensors[node.outputs[0]] = apply(node, [tensors[name] for name in node.inputs])
    return tensors[graph.outputs[0]].numpy()[:, 0]


def test_every_operator_of_a_pipeline_is_known_in_tensorflow():
    assert {name for _, name in {**WRITTEN, **EARLIER_OPERATORS}} == OPERATORS.keys() | LOOKUPS
