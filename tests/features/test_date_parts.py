"""Parts of dates as categories, against datetime, and which of them are used."""

from datetime import datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.dates import series

from dlreg.features.date_parts import (
    HOUR,
    MONTH_DAY,
    WEEKDAY,
    DateOptions,
    LeftOutPart,
    fit_date_parts,
    part_texts,
    possible_parts,
)
from dlreg.table import dates
from dlreg.table.column import Column

CALENDAR, FORWARD = DateOptions("calendar"), DateOptions("calendar", goes_forward=True)


def used(cells, options=CALENDAR, date_format="%Y-%m-%d"):
    columns = (Column("x", "number"), Column("day", "date", date_format))
    parts, left_out = fit_date_parts(columns, {"day": np.array(cells, dtype=object).reshape(-1, 1)}, options)
    return [part.name for part in parts.get("day", ())], [(part.part, part.n_levels) for part in left_out]


def days(first, n):
    return [(datetime.fromisoformat(first) + timedelta(days=k)).strftime("%Y-%m-%d") for k in range(n)]


@settings(max_examples=200, deadline=None)
@given(moment=st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31)))
def test_parts_are_those_of_datetime(moment):
    date_format = "%Y-%m-%d %H:%M:%S.%f"
    moments = dates.parse_dates(series(moment.isoformat(" ", "microseconds"), None), date_format)
    texts = {part.name: part_texts(part, moments).tolist() for part in possible_parts(date_format)}
    assert texts == {
        "month_day": [f"{moment.month:02}-{moment.day:02}", ""],
        "weekday": [moment.strftime("%A"), ""],
        "hour": [f"{moment.hour:02}", ""],
    }


def test_the_leap_day_is_a_level_of_its_own():
    assert len(MONTH_DAY.levels) == 1 + 366
    moments = dates.parse_dates(series("2023-02-28", "2024-02-29", "2023-03-01", "2024-12-31"), "%Y-%m-%d")
    assert part_texts(MONTH_DAY, moments).tolist() == ["02-28", "02-29", "03-01", "12-31"]


@pytest.mark.parametrize(
    ("date_format", "parts"),
    [("%Y-%m-%d", (MONTH_DAY, WEEKDAY)), ("epoch_seconds", (MONTH_DAY, WEEKDAY, HOUR)), ("%H:%M", (HOUR,))],
)
def test_a_format_has_the_parts_that_it_spells(date_format, parts):
    assert possible_parts(date_format) == parts


def test_without_the_calendar_there_are_none():
    assert used(days("2020-01-01", 2000), DateOptions()) == ([], [])


def test_days_of_a_single_year_are_left_out_and_told():
    assert used(days("2021-01-01", 365)) == (["weekday"], [("month_day", 365)])
    assert used(days("2021-01-01", 365) * 2) == (["month_day", "weekday"], [])
    assert used(days("2015-01-01", 365 * 7)) == (["month_day", "weekday"], [])


def test_a_day_of_the_year_that_is_one_day_is_left_out_where_rows_go_forward_in_time():
    hourly = days("2021-01-01", 365) * 24
    assert used(hourly, FORWARD) == (["weekday"], [("month_day", 365)])
    assert used(days("2015-01-01", 365 * 7), FORWARD) == (["month_day", "weekday"], [])


def test_what_is_left_out_says_how_many_rows_there_are():
    columns = (Column("day", "date", "%Y-%m-%d"),)
    cells = {"day": np.array([*days("2021-01-01", 40), "", ""], dtype=object).reshape(-1, 1)}
    parts, left_out = fit_date_parts(columns, cells, CALENDAR)
    assert parts == {"day": (WEEKDAY,)}
    assert left_out == (LeftOutPart("day", "month_day", 40, 40),)


def test_a_level_alone_is_no_part():
    assert used(["2021-01-04", "2021-01-11"] * 20) == (["month_day"], [])
    assert used(["2021-01-04"] * 20) == ([], [])


def test_times_of_day_without_a_day_are_used_where_later_rows_are_predicted():
    cells = [f"{hour:02}:15" for hour in range(24) for _ in range(6)]
    assert used(cells, FORWARD, "%H:%M") == (["hour"], [])
