"""Whatever dlreg exports is allowed to run, and nothing else; what a hostile file holds is in tests/hostile."""

import typing

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from support.dates import date_formats
from support.pipelines import N_ROWS, SCALINGS, drawn, fit, some_scale

from dlreg.config.schema import Activation
from dlreg.errors import RunDirError
from dlreg.model.architecture import Network
from dlreg.model.embeddings import fit_embedding
from dlreg.pipeline import vetting
from dlreg.pipeline.residual_scale import add_residual_scale
from dlreg.pipeline.session import Pipeline
from dlreg.table.dates import date_pattern


@pytest.fixture(scope="module")
def exported(table):
    """A pipeline of every preprocessing and target; every activation is in one of them."""
    columns, cells = table
    y = np.random.default_rng(1).gamma(2.0, 100.0, N_ROWS)
    choices = [
        {"numeric": numeric, "categorical": categorical}
        for numeric in SCALINGS
        for categorical in ("onehot", "ordinal")
    ]
    choices += [{"target": "log", "numeric": "none"}, {"target": "log1p", "missing": "mean"}]
    models = []
    for index, activation in enumerate(typing.get_args(Activation)):
        preprocessing = fit(
            columns, cells, y, **choices[index % len(choices)], clip_predictions=index % 2 == 0
        )
        n_features = len(preprocessing.feature_names)
        numbers = preprocessing.transform(cells)[:, : preprocessing.n_numbers]
        embedding = fit_embedding(("none", "periodic", "piecewise_linear")[index % 3], numbers)
        network = Network(n_features, [4], activation, batch_norm=index % 2 == 1, embedding=embedding)
        pipeline, _ = drawn(preprocessing, network, n_members=1 + index % 2)
        models.append(add_residual_scale(pipeline, some_scale(n_features)))
    return models


def test_whatever_is_exported_is_allowed_to_run(exported):
    for model in exported:
        _, rows = vetting.vet_model(model.SerializeToString())
        assert rows > 300


def test_what_a_pipeline_says_of_itself_passes_and_goes_no_further(exported):
    model = onnx.ModelProto()
    model.CopyFrom(exported[0])
    model.producer_version = "1.2.3"
    model.metadata_props.add(key="dlreg.unit", value="€")
    vetted, _ = vetting.vet_model(model.SerializeToString())
    assert not onnx.load_from_string(vetted).metadata_props
    model.metadata_props.add(key="ort_config", value="{}")
    with pytest.raises(RunDirError, match="metadata of the name 'ort_config'"):
        vetting.vet_model(model.SerializeToString())


def test_no_operator_is_allowed_that_is_not_exported(exported):
    emitted = {}
    for model in exported:
        for node in model.graph.node:
            names = emitted.setdefault((node.domain, node.op_type), set())
            names |= {attribute.name for attribute in node.attribute}
    assert emitted == vetting.OPERATORS


def test_a_wide_network_is_given_fewer_rows_at_a_time(table):
    columns, cells = table
    y = np.random.default_rng(1).normal(size=N_ROWS)
    preprocessing = fit(columns, cells, y)
    features = len(preprocessing.feature_names)
    exported, model = drawn(preprocessing, Network(features, [90_000], "linear"))
    exported = exported.SerializeToString()
    _, rows = vetting.vet_model(exported)
    assert 10 < rows < N_ROWS
    x = preprocessing.transform(cells)
    expected = preprocessing.target.inverse(model.predict(x, verbose=0)[:, 0].astype(np.float64))
    assert Pipeline(exported).predict(cells) == pytest.approx(expected, rel=1e-4, abs=1e-4)


def node_of(operator, **attributes):
    return onnx.helper.make_node(operator, ["text"], ["a", "b"], **attributes)


@settings(max_examples=200, deadline=None)
@given(date_format=date_formats())
def test_the_pattern_of_any_date_format_is_allowed(date_format):
    vetting._check_node(node_of("RegexFullMatch", pattern=date_pattern(date_format)), {})


@pytest.mark.parametrize(
    "pattern",
    ["((a))", "(a|(b))", "(a)*", "(a)+", "(a){9}", "a*", "a+", "a{2}", "[a-z]", "[^0-9]", ".", "(?i)a", "a??",
     "[0-9]*", "[0-9]{1,100}", "[0-9]{2,3}", "^a$", "(a", "a)", r"\d", r"\pN", "a" * 1001],
)  # fmt: skip
def test_other_patterns_are_refused(pattern):
    with pytest.raises(RunDirError, match="neither a date's nor a level's"):
        vetting._check_node(node_of("RegexFullMatch", pattern=pattern), {})


@pytest.mark.parametrize(
    ("attributes", "allowed"),
    [
        ({"delimiter": "-", "maxsplit": 1}, True),
        ({"delimiter": "", "maxsplit": 0}, True),
        ({"maxsplit": 0}, True),
        ({"delimiter": "-", "maxsplit": 0}, False),
        ({"delimiter": "", "maxsplit": 1}, False),
        ({"delimiter": "-", "maxsplit": 2}, False),
        ({"delimiter": "-"}, False),
        ({"delimiter": ""}, False),
    ],
)
def test_a_text_is_split_in_two_or_trimmed(attributes, allowed):
    node = node_of("StringSplit", **attributes)
    if allowed:
        vetting._check_node(node, {})
    else:
        with pytest.raises(RunDirError, match="StringSplit"):
            vetting._check_node(node, {})
