"""Dates: what counts as one, what is guessed, and the calendar features, against datetime's arithmetic."""

from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.dates import FORMATS, series

from dlreg.config.checks import SUPPORTED_DATE_DIRECTIVES
from dlreg.table import dates

MOMENTS = st.datetimes(datetime(1970, 1, 1), datetime(2068, 12, 31, 23, 59, 59))


@pytest.mark.parametrize("date_format", FORMATS)
@settings(max_examples=60, deadline=None)
@given(moment=MOMENTS)
def test_what_strftime_writes_is_read_back(date_format, moment):
    text = moment.strftime(date_format)
    (parsed,) = dates.parse_dates(series(text), date_format)
    assert parsed == datetime.strptime(text, date_format).replace(tzinfo=None)


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
