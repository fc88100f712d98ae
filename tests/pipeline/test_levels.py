"""A category's cells in the graph: each spelling of a level is that level, whatever else is there."""

import random

import numpy as np
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper

from dlreg.pipeline.graph import Graph, table_value
from dlreg.pipeline.levels import MOST_BYTES_AT_ONCE, free_text, level_nodes
from dlreg.pipeline.patterns import is_level_pattern
from dlreg.table.column import Column
from dlreg.table.spelling import canonical_text

ODD_LEVELS = [
    "",
    "Elm",
    "elm",
    "a|b",
    "[x]",
    "(?i)z",
    "\\d",
    "tab\there",
    "line\nbreak",
    "3",
    "-3",
    "0",
    "07",
    "é",
    "대구",
    "🌳",
]


def levels_in_graph(column, levels, texts):
    """What the graph makes of texts, and the expressions it does so with."""
    graph = Graph()
    result = level_nodes(graph, "cells", column, levels)
    graph.nodes.append(helper.make_node("Identity", [result], ["levels"]))
    model = graph.model(
        [table_value("cells", TensorProto.STRING)], [table_value("levels", TensorProto.STRING)]
    )
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {"cells": np.array(texts, dtype=object).reshape(-1, 1)})
    patterns = [node.attribute[0].s.decode() for node in graph.nodes if node.op_type == "RegexFullMatch"]
    return found[:, 0].tolist(), patterns


@pytest.mark.parametrize("fold_case", [False, True])
def test_the_graph_makes_of_a_cell_what_the_table_does(fold_case):
    levels = sorted({canonical_text(level, fold_case=fold_case) for level in ODD_LEVELS})
    spelt = [
        f"{before}{level}{after}"
        for level in ODD_LEVELS
        for before in ("", " \xa0")
        for after in ("", "\t\u3000")
    ]
    texts = [
        *spelt,
        "ELM",
        "É",
        "3.0",
        "+3",
        "3.5",
        "-3,0",
        "7",
        "007",
        "x",
        "Zed",
        "a",
        "elmo",
        "3.000",
        "3,000",
    ]
    found, patterns = levels_in_graph(Column("c", "category", fold_case=fold_case), levels, texts)
    meant = [canonical_text(text, fold_case=fold_case) for text in texts]
    assert found == [text if text in levels else free_text(levels) for text in meant]
    assert all(map(is_level_pattern, patterns))


def test_booleans_are_known_in_every_spelling():
    texts = ["True", "TRUE", "yes", "1.0", "oui", "예", " ja ", "FALSE", "0", "non", "아니오", "", "maybe"]
    found, patterns = levels_in_graph(Column("c", "boolean"), ["false", "true"], texts)
    assert found == ["true"] * 7 + ["false"] * 4 + ["unseen"] * 2
    assert all(map(is_level_pattern, patterns))


@pytest.mark.parametrize(("n_levels", "length"), [(1, 5), (2, 1000), (999, 60)])
def test_many_and_long_levels_are_told_apart_without_a_word_on_stderr(n_levels, length, capfd):
    generator = random.Random(n_levels)
    levels = sorted(
        {"".join(generator.choices("abcdefgh éß", k=length - 2)).strip() + "x" for _ in range(n_levels)}
    )
    texts = [*levels, "none"]
    found, patterns = levels_in_graph(Column("c", "category", fold_case=True), levels, texts)
    assert found == [*levels, "unseen"]
    assert max(map(len, patterns)) < 2 * MOST_BYTES_AT_ONCE
    assert all(map(is_level_pattern, patterns))
    # RE2 says there that an expression is too long for its fast way.
    assert capfd.readouterr().err == ""


def test_of_very_many_levels_each_is_known_with_spaces_around_it_without_an_expression(monkeypatch):
    monkeypatch.setattr("dlreg.pipeline.levels.MOST_SPELT_LEVELS", 3)
    found, patterns = levels_in_graph(
        Column("c", "category"), ["a b", "c", "d", "é"], ["a b", " c", "é ", "x"]
    )
    assert found == ["a b", "c", "é", "x"]
    assert patterns == []


def test_the_text_of_no_level_is_none_of_them():
    assert free_text(["unseen", "unseen?"]) == "unseen??"


@pytest.mark.parametrize(
    "pattern",
    [
        "a*",
        "(a|b)*",
        "a{1000}",
        "[a-z]*",
        "(?i)a",
        ".*",
        "\\d+",
        "(?:a)",
        "[\t ]*(?:a+)[\t ]*",
        "[\t ]*(?:(?:a)*)[\t ]*",
    ],
)
def test_no_other_repetition_passes(pattern):
    assert not is_level_pattern(pattern)
