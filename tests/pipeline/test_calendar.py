"""Dates inside the graph are read as Python reads them."""

from datetime import datetime, timedelta

import numpy as np
import onnxruntime as ort
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper
from support.dates import FORMATS, date_formats, series

from dlreg.features.calendar import calendar_features
from dlreg.features.date_parts import part_texts, possible_parts
from dlreg.pipeline.calendar import calendar_nodes
from dlreg.pipeline.graph import Graph
from dlreg.pipeline.vetting import OPERATORS
from dlreg.table.column import Column
from dlreg.table.dates import parse_column

OFFSETS = ("", "Z", "+0100", "+02:00", " -05:30", "+14", " UTC", "+0099", "+15:00")
ZONES = ("UTC", "-03:30", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe")


def graph_of(column):
    graph = Graph()
    numbers, texts = calendar_nodes(graph, "text", column, possible_parts(column.date_format))
    out = [helper.make_tensor_value_info(name, TensorProto.DOUBLE, None) for name in numbers]
    out += [helper.make_tensor_value_info(name, TensorProto.STRING, None) for name in texts]
    text = helper.make_tensor_value_info("text", TensorProto.STRING, [None, 1])
    assert {(node.domain, node.op_type) for node in graph.nodes} <= OPERATORS.keys()
    return ort.InferenceSession(graph.model([text], out).SerializeToString())


def check_agreement(column, texts):
    """Compares both, and returns which texts are no dates."""
    moments = parse_column(series(*texts), column)
    expected = calendar_features(moments, column.date_format)
    parts = possible_parts(column.date_format)
    cells = np.array(texts, dtype=object).reshape(-1, 1)
    outputs = graph_of(column).run(None, {"text": cells})
    features = np.column_stack(outputs[: expected.shape[1]])
    for part, levels in zip(parts, outputs[expected.shape[1] :], strict=True):
        assert levels[:, 0].tolist() == part_texts(part, moments).tolist(), part.name
    np.testing.assert_array_equal(features[:, 0], expected[:, 0])
    # The last place of a rounded sine may differ by one.
    np.testing.assert_allclose(features, expected, atol=1.1e-6, rtol=0)
    return np.isnan(expected[:, 0])


def mutated(texts, generator):
    """Each text with one character changed: some are dates still, most are not."""
    for text in texts:
        place = int(generator.integers(len(text)))
        yield text[:place] + str(generator.choice([*"0123456789-/: aJAPpMZ+", ""])) + text[place + 1 :]


def texts_of(date_format, generator, n=50):
    seconds = generator.integers(0, 3_000_000_000, n)
    moments = [
        datetime(1970, 1, 1) + timedelta(seconds=int(s), microseconds=int(s) % 999_983) for s in seconds
    ]
    offsets = generator.choice(OFFSETS, n) if date_format.endswith("%z") else ["+0930"] * n
    return [
        moment.strftime(date_format.replace("%z", offset.strip() or " ")).strip()
        for moment, offset in zip(moments, offsets, strict=True)
    ]


@pytest.mark.parametrize("date_format", FORMATS)
def test_the_graph_reads_dates_as_python_does(date_format):
    generator = np.random.default_rng(len(date_format))
    texts = texts_of(date_format, generator)
    column = Column("x", "date", date_format, time_zone="Europe/Berlin")
    wrong = check_agreement(column, [*texts, *mutated(texts, generator), "", " ", "x", "\n"])
    assert wrong[50:].sum() > 4
    if not date_format.endswith("%z"):
        assert not wrong[:50].any()


@settings(max_examples=60, deadline=None)
@given(
    date_format=date_formats(), seed=st.integers(0, 999), latest=st.none() | st.integers(1990, 2100),
    zone=st.sampled_from(ZONES), case=st.sampled_from(["strip", "upper", "lower", "title"]),
)  # fmt: skip
def test_any_format_is_read_as_python_reads_it(date_format, seed, latest, zone, case):
    generator = np.random.default_rng(seed)
    texts = [getattr(f" {text}  ", case)() for text in texts_of(date_format, generator, 20)]
    column = Column("x", "date", date_format, latest, zone)
    check_agreement(column, [*texts, *mutated(texts, generator)])


@pytest.mark.parametrize("zone", [None, *ZONES])
def test_moments_that_are_counted(zone):
    generator = np.random.default_rng(5)
    seconds = generator.uniform(-2_000_000_000, 4_000_000_000, 400)
    texts = [f"{second:.{place % 7}f}" for place, second in enumerate(seconds)]
    odd = ["-0.5", "-0", "9999999999", "1e9", "1.2345678", "", " 5 ", "+5", "1,5", ".5", "99999999999"]
    wrong = check_agreement(Column("x", "date", "epoch_seconds", time_zone=zone), [*texts, *odd])
    assert wrong.nonzero()[0].tolist() == [len(texts) + place for place in (3, 4, 5, 7, 8, 9, 10)]
    texts = [f"{round(second * 1000)}{'.0' * (place % 2)}" for place, second in enumerate(seconds)]
    wrong = check_agreement(Column("x", "date", "epoch_milliseconds", time_zone=zone), [*texts, "5.5"])
    assert wrong.nonzero()[0].tolist() == [len(texts)]


@pytest.mark.parametrize("texts", [["", ""], ["  "], ["", " 5:06 pm "], ["5:06PM"], ["x", "Wed"]])
def test_a_batch_without_dates_or_of_one(texts):
    for date_format in ("%I:%M %p", "%I:%M%p", "%H:%M %a %Y", "%Y %H%z"):
        check_agreement(Column("x", "date", date_format, time_zone="UTC"), texts)


def test_blanks_around_a_date_do_not_count():
    column = Column("x", "date", "%d %b %Y")
    assert not check_agreement(column, ["1 Jan 2020", " 1 Jan 2020", "1 Jan 2020   "]).any()
    assert check_agreement(column, ["\t1 Jan 2020", "1  Jan 2020", "1 Jan 2020\u00a0"]).all()
