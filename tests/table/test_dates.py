"""Dates: what counts as one, what is guessed, and the calendar features, against datetime's arithmetic."""

import math
from datetime import datetime, timedelta

import numpy as np
import onnxruntime as ort
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from dlreg.config.schema import SUPPORTED_DATE_DIRECTIVES
from dlreg.features.calendar import calendar_feature_names, calendar_features
from dlreg.pipeline.calendar import calendar_nodes
from dlreg.pipeline.graph import Graph
from dlreg.table import dates

FORMATS = [
    "%Y-%m-%d",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%d %H:%M:%S.%f",
    "%Y-%m-%dT%H:%M:%S+09:00",
    "%Y-%m-%dT%H:%MZ",
    "%d/%m/%Y %H:%M",
    "%m/%d/%y",
    "%d.%m.%Y",
    "%Y%m%d",
    "%Y%m%d%H%M%S",
    "%d %b %Y",
    "%B %d, %Y",
    "%d-%b-%y",
    "%Y년 %m월 %d일",
    "%Y-%m",
    "%Y",
    "on %d of %B %Y at %H h",
    "(%Y) [%m] {%d}",
]
MOMENTS = st.datetimes(datetime(1970, 1, 1), datetime(2068, 12, 31, 23, 59, 59))


def series(*texts: str | None) -> pd.Series:
    return pd.Series(list(texts), dtype="str")


@pytest.mark.parametrize("date_format", FORMATS)
@settings(max_examples=60, deadline=None)
@given(moment=MOMENTS)
def test_what_strftime_writes_is_read_back(date_format, moment):
    text = moment.strftime(date_format)
    (found,) = dates.parse_dates(series(text), date_format)
    assert found == datetime.strptime(text, date_format).replace(tzinfo=None)


def test_every_directive_of_the_config_is_parsed():
    assert {f"%{field.directive}" for form in FORMATS for field in dates.parse_format(form)[1]} == set(
        SUPPORTED_DATE_DIRECTIVES
    )
    with pytest.raises(ValueError, match="%j is not one of"):
        dates.parse_format("%Y-%j")


@pytest.mark.parametrize(
    ("date_format", "text"),
    [
        ("%Y-%m-%d", "2023-02-30"),
        ("%Y-%m-%d", "2023-13-01"),
        ("%Y-%m-%d", "2023-00-01"),
        ("%Y-%m-%d", "2023-01-01 00:00"),
        ("%Y-%m-%d", "23-01-01"),
        ("%Y-%m-%d", " 2023-01-01"),
        ("%Y-%m-%d", "2023-01-01\n"),
        ("%Y-%m-%d", "２０２３-01-01"),
        ("%Y-%m-%d", "0000-01-01"),
        ("%Y-%m-%d", "2023-01-0a"),
        ("%Y-%m-%d", ""),
        ("%Y-%m-%d %H:%M", "2023-01-01 24:00"),
        ("%Y-%m-%d %H:%M", "2023-01-01 12:60"),
        ("%Y-%m-%d %H:%M:%S", "2023-01-01 12:30:60"),
        ("%Y.%m.%d", "2023x01x01"),
        ("%Y%m%d", "2023101"),
        ("%d %b %Y", "1 Foo 2023"),
        ("%d %B %Y", "1 Jan 2023"),
        ("%d/%m/%Y", "02/29/2023"),
    ],
)
def test_what_is_no_date_is_missing(date_format, text):
    assert dates.parse_dates(series(text, None), date_format).isna().all()


@pytest.mark.parametrize(("short", "year"), [("00", 2000), ("68", 2068), ("69", 1969), ("99", 1999)])
def test_years_of_two_digits_are_those_of_posix(short, year):
    (moment,) = dates.parse_dates(series(f"01/02/{short}"), "%d/%m/%y")
    assert (moment.year, moment.month, moment.day) == (year, 2, 1)


@pytest.mark.parametrize(
    ("texts", "date_format"),
    [
        (["2023-01-31", "2024-02-29"], "%Y-%m-%d"),
        (["2023-01-31 05:06", "2024-02-29 23:59"], "%Y-%m-%d %H:%M"),
        (["2023-01-31T05:06:07"], "%Y-%m-%dT%H:%M:%S"),
        (["2023-01-31 05:06:07.5", "2023-01-31 05:06:07.123456"], "%Y-%m-%d %H:%M:%S.%f"),
        (["2023-01-31T05:06Z"], "%Y-%m-%dT%H:%MZ"),
        (["2023-01-31 05:06+09:00"], "%Y-%m-%d %H:%M+09:00"),
        (["2023-01-31T05:06Z", "2023-01-31T05:06+01:00"], None),
        (["2023-01-31", "2023-02-30"], None),
        (["2023-01-31", "2023-01-31 05:06"], None),
        (["31/01/2023"], None),
        (["20230131"], None),
        (["text"], None),
    ],
)
def test_iso_formats_are_recognised(texts, date_format):
    assert dates.guess_iso_format(series(*texts)) == date_format


@pytest.mark.parametrize(
    ("texts", "formats"),
    [
        (["01/02/2023", "03/04/2023"], ["%d/%m/%Y", "%m/%d/%Y"]),
        (["01/02/2023", "13/04/2023"], ["%d/%m/%Y"]),
        (["01/02/2023", "03/14/2023"], ["%m/%d/%Y"]),
        (["13/01/2023", "01/14/2023"], []),
        (["1/2/23 5:06"], ["%d/%m/%y %H:%M", "%m/%d/%y %H:%M"]),
        (["31.12.2023"], ["%d.%m.%Y"]),
        (["12 Mar 2023"], ["%d %b %Y"]),
        (["May 12, 2023"], ["%b %d, %Y", "%B %d, %Y"]),
        (["2023년 1월 5일"], ["%Y년 %m월 %d일"]),
        (["2023-01"], ["%Y-%m"]),
        (["text"], []),
    ],
)
def test_day_and_month_are_not_guessed(texts, formats):
    assert dates.guess_other_formats(series(*texts)) == formats


def test_the_format_of_most_texts():
    assert dates.most_likely_format(series("2023-01-01", "2023-02-30", "2023-03-01")) == "%Y-%m-%d"
    assert dates.most_likely_format(series("31/01/2023", "30/02/2023", "28/02/2023")) == "%d/%m/%Y"
    assert dates.most_likely_format(series("2023-01-01", "x", "y")) is None


def expected_features(moment: datetime, *, has_hours: bool) -> list[float]:
    midnight = datetime(moment.year, moment.month, moment.day)
    elapsed = (moment - datetime(1970, 1, 1)) / timedelta(days=1)
    shares = [(midnight - datetime(moment.year, 1, 1)).days / 365.25, moment.weekday() / 7]
    if has_hours:
        shares.append((moment - midnight) / timedelta(days=1))
    return [elapsed, *(wave(2 * math.pi * share) for share in shares for wave in (math.sin, math.cos))]


@settings(max_examples=200, deadline=None)
@given(moment=st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31)), has_hours=st.booleans())
def test_calendar_features_are_those_of_datetime(moment, has_hours):
    date_format = "%Y-%m-%d %H:%M:%S.%f" if has_hours else "%Y-%m-%d"
    moment = moment if has_hours else datetime(moment.year, moment.month, moment.day)
    text = moment.isoformat(" ", "microseconds") if has_hours else moment.date().isoformat()
    found = calendar_features(dates.parse_dates(series(text), date_format), date_format)
    assert found.shape == (1, len(calendar_feature_names(date_format)))
    assert found[0] == pytest.approx(expected_features(moment, has_hours=has_hours), abs=1e-6)


def test_a_missing_date_has_no_features():
    features = calendar_features(dates.parse_dates(series("2023-01-01", None), "%Y-%m-%d"), "%Y-%m-%d")
    assert np.isnan(features).tolist() == [[False] * 5, [True] * 5]


def graph_of(date_format: str) -> ort.InferenceSession:
    graph = Graph()
    features = calendar_nodes(graph, "text", date_format)
    out = [helper.make_tensor_value_info(name, TensorProto.DOUBLE, None) for name in features]
    text = helper.make_tensor_value_info("text", TensorProto.STRING, [None, 1])
    return ort.InferenceSession(graph.model([text], out).SerializeToString())


@pytest.mark.parametrize("date_format", FORMATS)
def test_the_graph_reads_dates_as_python_does(date_format):
    generator = np.random.default_rng(len(date_format))
    moments = [
        datetime(1970, 1, 1) + timedelta(seconds=int(s)) for s in generator.integers(0, 3_000_000_000, 50)
    ]
    texts = [moment.strftime(date_format) for moment in moments]
    # Each text once more with one character changed: some are dates still, most are not.
    for text in texts[:40]:
        place = int(generator.integers(len(text)))
        texts.append(text[:place] + str(generator.choice([*"0123456789-/: aJ", ""])) + text[place + 1 :])
    texts += ["", " ", "x", "\n"]
    column = series(*texts)
    expected = calendar_features(dates.parse_dates(column, date_format), date_format)
    cells = np.array(texts, dtype=object).reshape(-1, 1)
    found = np.column_stack(graph_of(date_format).run(None, {"text": cells}))
    assert np.isnan(expected[50:, 0]).sum() > 4
    # The last place of a rounded sine may differ by one.
    np.testing.assert_allclose(found, expected, atol=1.1e-6, rtol=1e-15)
