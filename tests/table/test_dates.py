"""Dates: what counts as one, and which moment it names, against datetime's strptime."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.dates import FORMATS, date_formats, moments_of, series

from dlreg.config.date_formats import SUPPORTED_DATE_DIRECTIVES
from dlreg.table import dates

CASES = st.sampled_from([str.strip, str.upper, str.lower, str.title])


def check_against_strptime(moment, date_format, zone, case=str.strip):
    text = moment.strftime(date_format)
    expected = datetime.strptime(text, date_format)
    if expected.tzinfo:
        expected = expected.astimezone(ZoneInfo(zone))
    (parsed,) = dates.parse_dates(series(f" {case(text)} "), date_format, time_zone=zone)
    assert parsed == expected.replace(tzinfo=None)


@pytest.mark.parametrize("date_format", FORMATS)
@settings(max_examples=40, deadline=None)
@given(moment=moments_of(first_year=1970, last_year=2068))
def test_what_strftime_writes_is_read_as_strptime_reads_it(date_format, moment):
    check_against_strptime(moment, date_format, "Europe/Berlin")


@settings(max_examples=300, deadline=None)
@given(
    date_format=date_formats(),
    moment=moments_of(first_year=1970, last_year=2068),
    zone=st.sampled_from(["UTC", "Asia/Seoul", "America/St_Johns"]),
)
def test_any_format_is_read_as_strptime_reads_it(date_format, moment, zone):
    check_against_strptime(moment, date_format, zone)


@settings(max_examples=60, deadline=None)
@given(moment=moments_of(first_year=1970, last_year=2068), case=CASES)
@pytest.mark.parametrize("date_format", ["%A, %d %B %Y", "%a %d-%b-%y", "%d/%m/%Y %I:%M:%S %p"])
def test_names_are_read_in_any_case(date_format, moment, case):
    check_against_strptime(moment, date_format, "UTC", case)


@settings(max_examples=200, deadline=None)
@given(moment=st.datetimes(datetime(1902, 1, 1), datetime(2099, 12, 1)), data=st.data())
def test_moments_are_read_off_the_clocks_of_the_zone(moment, data):
    zone = data.draw(
        st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Tehran"])
    )
    moment = moment.replace(microsecond=0)
    expected = moment.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    seconds = (moment - datetime(1970, 1, 1)) // timedelta(seconds=1)
    for text, date_format in (
        (moment.isoformat() + "Z", "%Y-%m-%dT%H:%M:%S%z"),
        (f"{seconds}", "epoch_seconds"),
        (f"{seconds}000", "epoch_milliseconds"),
    ):
        (parsed,) = dates.parse_dates(series(text), date_format, time_zone=zone)
        assert parsed == expected


def test_a_text_without_an_offset_is_on_the_clocks_of_the_zone():
    texts = series(
        "2023-07-01 12:00:00", "2023-07-01 12:00:00Z", "2023-07-01 12:00:00 -0100", "2023-07-01 12:00:00+02"
    )
    parsed = dates.parse_dates(texts, "%Y-%m-%d %H:%M:%S%z", time_zone="Europe/Berlin")
    assert [moment.hour for moment in parsed] == [12, 14, 15, 12]
    parsed = dates.parse_dates(texts, "%Y-%m-%d %H:%M:%S%z", time_zone="-09:30")
    assert [f"{moment:%d %H:%M}" for moment in parsed] == ["01 12:00", "01 02:30", "01 03:30", "01 00:30"]


def test_every_directive_of_the_config_is_parsed():
    assert {f"%{field.directive}" for form in FORMATS for field in dates.parse_format(form)[1]} == set(
        SUPPORTED_DATE_DIRECTIVES
    )


@pytest.mark.parametrize(
    ("text", "date_format", "moment"),
    [
        ("0", "epoch_seconds", "1970-01-01"),
        ("-1.5", "epoch_seconds", "1969-12-31 23:59:58.500000"),
        ("1700000000.123456", "epoch_seconds", "2023-11-14 22:13:20.123456"),
        ("1700000000123", "epoch_milliseconds", "2023-11-14 22:13:20.123000"),
        ("1700000000123.0", "epoch_milliseconds", "2023-11-14 22:13:20.123000"),
    ],
)
def test_moments_that_are_counted(text, date_format, moment):
    (parsed,) = dates.parse_dates(series(text), date_format)
    assert parsed == datetime.fromisoformat(moment)


@pytest.mark.parametrize(
    ("date_format", "text"),
    [
        ("%Y-%m-%d", "2023-02-30"),
        ("%Y-%m-%d", "2023-13-01"),
        ("%Y-%m-%d", "2023-00-01"),
        ("%Y-%m-%d", "2023-01-01 00:00"),
        ("%Y-%m-%d", "23-01-01"),
        ("%Y-%m-%d", "\t2023-01-01"),
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
        ("%Y-%j", "2023-366"),
        ("%Y-%j", "2024-367"),
        ("%Y-%j", "2023-000"),
        ("%H:%M", "24:00"),
        ("%H:%M", "7"),
        ("%I:%M %p", "00:30 AM"),
        ("%I:%M %p", "13:30 PM"),
        ("%I:%M %p", "1:30"),
        ("%I:%M %p", "1:30 XM"),
        ("%A %Y", "Caturday 2023"),
        ("%d %b %Y", "1 jAN 2023"),
        ("%d %b %Y", "1 ſep 2023"),
        ("%Y %H:%M%z", "2023 05:06+15:00"),
        ("%Y %H:%M%z", "2023 05:06+01:20"),
        ("%Y %H:%M%z", "2023 05:06+1"),
        ("%Y %H:%M%z", "2023 05:06 CET"),
        ("%Y %H:%M%z", "2023 05:06  Z"),
        ("epoch_seconds", "1e9"),
        ("epoch_seconds", "17000000000"),
        ("epoch_milliseconds", "1700000000000.5"),
    ],
)
def test_what_is_no_date_is_missing(date_format, text):
    assert dates.parse_dates(series(text, None), date_format).isna().all()


@pytest.mark.parametrize(("short", "year"), [("00", 2000), ("68", 2068), ("69", 1969), ("99", 1999)])
def test_years_of_two_digits_are_those_of_posix(short, year):
    (moment,) = dates.parse_dates(series(f"01/02/{short}"), "%d/%m/%y")
    assert (moment.year, moment.month, moment.day) == (year, 2, 1)


@settings(max_examples=200, deadline=None)
@given(moment=st.datetimes(datetime(1000, 1, 1), datetime(2999, 12, 31)), later=st.integers(0, 99))
@pytest.mark.parametrize("date_format", ["%d-%b-%y", "%y%j", "%m/%d/%y %H:%M"])
def test_years_of_two_digits_are_the_latest_up_to_a_year(date_format, moment, later):
    text = moment.strftime(date_format)
    (parsed,) = dates.parse_dates(series(text), date_format, latest_year=moment.year + later)
    assert parsed == moment.replace(
        second=0, microsecond=0, **({} if "%H" in date_format else {"hour": 0, "minute": 0})
    )


def test_a_leap_day_of_a_year_without_one_is_no_date():
    texts = series("29-Feb-00", "28-Feb-00")
    assert dates.parse_dates(texts, "%d-%b-%y", latest_year=1999).isna().tolist() == [True, False]
    assert dates.parse_dates(texts, "%d-%b-%y", latest_year=2000).notna().all()
