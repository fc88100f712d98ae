"""Whatever dlreg exports is allowed to run, and nothing else; what a hostile file holds is in tests/hostile."""

import typing
from dataclasses import replace

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.dates import date_formats
from support.pipelines import N_ROWS, SCALINGS, drawn, fit, some_scale
from support.trees import some_trees

from dlreg.config.sections.model import Activation
from dlreg.errors import RunDirError
from dlreg.model.architecture import Network
from dlreg.model.embeddings import fit_embedding
from dlreg.model.mixture import mean_of
from dlreg.pipeline import vetting
from dlreg.pipeline.patterns import is_date_pattern, is_level_pattern
from dlreg.pipeline.residual_scale import add_residual_scale
from dlreg.pipeline.session import Pipeline
from dlreg.table.dates import date_pattern
from dlreg.table.spelling import BLANKS, any_of, canonical_text, level_pattern


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
        mixture = mean_of([0] * (1 + index % 2), np.ones(1 + index % 2))
        if index % 4 == 0:
            mixture = replace(mixture, trees=some_trees(n_features))
        pipeline, _ = drawn(preprocessing, network, n_members=1 + index % 2, mixture=mixture)
        models.append(add_residual_scale(pipeline, some_scale(n_features)))
    return models


def test_whatever_is_exported_is_allowed_to_run(exported):
    for model in exported:
        _, memory = vetting.vet_model(model.SerializeToString())
        assert memory.rows_per_call(longest_text=30) > 300


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
    _, memory = vetting.vet_model(exported)
    assert 10 < memory.rows_per_call(longest_text=30) < N_ROWS
    x = preprocessing.transform(cells)
    expected = preprocessing.target.inverse(model.predict(x, verbose=0)[:, 0].astype(np.float64))
    assert Pipeline(exported).predict(cells) == pytest.approx(expected, rel=1e-4, abs=1e-4)


def node_of(operator, **attributes):
    return onnx.helper.make_node(operator, ["text"], ["a", "b"], **attributes)


@settings(max_examples=200, deadline=None)
@given(date_format=date_formats())
def test_the_pattern_of_any_date_format_is_allowed(date_format):
    assert is_date_pattern(date_pattern(date_format))


@settings(max_examples=200, deadline=None)
@given(levels=st.lists(st.text(min_size=1), min_size=1, max_size=5), fold_case=st.booleans())
def test_the_pattern_of_any_levels_is_allowed(levels, fold_case):
    # As they are learnt: without blanks around them, and never empty.
    levels = [text for level in levels if (text := canonical_text(level, fold_case=fold_case))]
    assert not levels or is_level_pattern(
        any_of([level_pattern(text, fold_case=fold_case) for text in levels])
    )


@pytest.mark.parametrize("level", ["true", "false", "0", "-7", "12", "9" * 1000, "ß" * 1000, "k" * 1000])
def test_the_patterns_of_odd_levels_are_allowed(level):
    for options in ({}, {"is_boolean": True}, {"fold_case": True}):
        assert is_level_pattern(any_of([level_pattern(level, **options)]))


@pytest.mark.parametrize(
    "pattern",
    ["((a))", "(a|(b))", "(a)*", "(a)+", "(a){9}", "a*", "a+", "a{2}", "[a-z]", "[^0-9]", ".", "(?i)a", "a??",
     "[0-9]*", "[0-9]{1,100}", "[0-9]{2,3}", "^a$", "(a", "a)", r"\d", r"\pN", "a" * 1001,
     "[0-9]{1,99}", "[0-9]{1,0}", "a?", "()", "(||)", "(a||b)", r"\€", "\x1b[0-9]{4}", "\x9b", "-?" * 21, "(a)" * 21],
)  # fmt: skip
def test_other_patterns_are_refused(pattern):
    assert not is_date_pattern(pattern)
    assert not is_level_pattern(pattern)


@pytest.mark.parametrize(
    "inside",
    ["|", "a||b", r"\+?", r"\+?\+?1(?:\.0*|,00?)?", r"(?:\.0*|,00?)?", r"1(?:\.0*|,00?)?" * 2, "a*", "a?", r"\€",
     "[a-z]", "(a)", "x" * 8001],
)  # fmt: skip
def test_other_patterns_of_levels_are_refused(inside):
    assert not is_level_pattern(f"{BLANKS}(?:{inside}){BLANKS}")


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
