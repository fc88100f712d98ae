"""The formats that are guessed from cells."""

import pytest
from support.dates import series

from dlreg.table import date_guess


@pytest.mark.parametrize(
    ("texts", "date_format"),
    [
        (["2023-01-31", "2024-02-29"], "%Y-%m-%d"),
        (["2023-01-31 05:06", "2024-02-29 23:59"], "%Y-%m-%d %H:%M"),
        (["2023-01-31T05:06:07"], "%Y-%m-%dT%H:%M:%S"),
        (["2023-01-31 05:06:07.5", "2023-01-31 05:06:07.123456"], "%Y-%m-%d %H:%M:%S.%f"),
        (["2023-01-31T05:06Z"], "%Y-%m-%dT%H:%MZ"),
        (["2023-01-31 05:06+09:00"], "%Y-%m-%d %H:%M+09:00"),
        (["2023-01-31 05:06:07 -0500", "2023-02-01 05:06:07 -0500"], "%Y-%m-%d %H:%M:%S -0500"),
        (["2023-01-31 05:06:07 UTC"], "%Y-%m-%d %H:%M:%S UTC"),
        (["2023-01-31T05:06Z", "2023-01-31T05:06+01:00"], "%Y-%m-%dT%H:%M%z"),
        (["2023-01-31T05:06:07", " 2023-01-31T05:06:07 +0100 "], "%Y-%m-%dT%H:%M:%S%z"),
        (["2023-01-31 05:06:07.25+01", "2023-01-31 05:06:07.5Z"], "%Y-%m-%d %H:%M:%S.%f%z"),
        (["2023-01-31T05:06Z", "2023-01-31"], None),
        (["2023-01-31 05:06 PM"], None),
        (["2023-01-31", "2023-02-30"], None),
        (["2023-01-31", "2023-01-31 05:06"], None),
        (["31/01/2023"], None),
        (["20230131"], None),
        (["text"], None),
    ],
)
def test_iso_formats_are_recognised(texts, date_format):
    assert date_guess.guess_iso_format(series(*texts)) == date_format


@pytest.mark.parametrize(
    ("texts", "date_format"),
    [
        (["2023-01-31"], "%Y-%m-%d"),
        (["2023-01-31 05:06"], "%Y-%m-%d %H:%M"),
        (["2023-01-31T05:06Z"], "%Y-%m-%dT%H:%M%z"),
        (["2023-01-31 05:06 UTC", "2023-01-31 05:06"], "%Y-%m-%d %H:%M%z"),
        (["2023-01-31 05:06:07+09:00"], "%Y-%m-%d %H:%M:%S%z"),
    ],
)
def test_offsets_to_be_brought_into_a_zone_are_fields(texts, date_format):
    assert date_guess.guess_iso_format(series(*texts), in_zone=True) == date_format


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
        (["01/29/2022 04:00 AM", "12/31/2022 12:00 pm"], ["%m/%d/%Y %I:%M %p"]),
        (["29.1.2022 4:00:05 pm"], ["%d.%m.%Y %I:%M:%S %p"]),
        (["1/13/22 4:00PM"], ["%m/%d/%y %I:%M%p"]),
        (["2023-01-31 05:06 PM"], ["%Y-%m-%d %I:%M %p"]),
        (["20-Aug-52", "05-DEC-66", "1-jan-70"], ["%d-%b-%y"]),
        (["31.12.52"], ["%d.%m.%y"]),
        (["Monday, 3 January 2022"], ["%A, %d %B %Y"]),
        (["Mon, 03 Jan 2022 05:06:07"], ["%a, %d %b %Y %H:%M:%S"]),
        (["Monday, January 3, 2022"], ["%A, %B %d, %Y"]),
        (["2022년 1월 3일 05:06"], ["%Y년 %m월 %d일 %H:%M"]),
        (["2022年1月3日"], ["%Y年%m月%d日"]),
        (["05:06", "23:59"], ["%H:%M"]),
        (["5:06:07 PM"], ["%I:%M:%S %p"]),
        (["25:06"], []),
        (["text"], []),
    ],
)
def test_day_and_month_are_not_guessed(texts, formats):
    assert date_guess.guess_other_formats(series(*texts)) == formats


@pytest.mark.parametrize(
    ("texts", "date_format"),
    [
        (["05:06", "23:59"], "%H:%M"),
        (["05:06:07"], "%H:%M:%S"),
        (["05:06:07.5"], "%H:%M:%S.%f"),
        (["12:00 AM", "5:06 pm"], "%I:%M %p"),
        (["5:06am"], "%I:%M%p"),
        (["05:06", "24:00"], None),
        (["2023-01-01"], None),
    ],
)
def test_times_of_day(texts, date_format):
    assert date_guess.guess_time_of_day(series(*texts)) == date_format


def test_the_format_of_most_texts():
    assert date_guess.most_likely_format(series("2023-01-01", "2023-02-30", "2023-03-01")) == "%Y-%m-%d"
    assert date_guess.most_likely_format(series("31/01/2023", "30/02/2023", "28/02/2023")) == "%d/%m/%Y"
    assert (
        date_guess.most_likely_format(series("1/2/2022 5:06 PM", "1/2/2022", "1/30/2022 1:06 AM"))
        == "%m/%d/%Y %I:%M %p"
    )
    assert date_guess.most_likely_format(series("2023-01-01", "x", "y")) is None
