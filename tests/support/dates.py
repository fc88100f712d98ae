"""Formats of dates, any that a config may name, and columns of text that hold some."""

from datetime import datetime, timedelta, timezone

import pandas as pd
from hypothesis import strategies as st

from dlreg.config.checks import RefusedError
from dlreg.config.date_formats import check_date_format

FORMATS = [
    "%Y-%m-%d",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%d %H:%M:%S.%f",
    "%Y-%m-%dT%H:%M:%S+09:00",
    "%Y-%m-%dT%H:%MZ",
    "%Y-%m-%d %H:%M:%S%z",
    "%d/%m/%Y %H:%M",
    "%m/%d/%y",
    "%m/%d/%Y %I:%M %p",
    "%d.%m.%y %I:%M:%S%p",
    "%d.%m.%Y",
    "%Y%m%d",
    "%Y%m%d%H%M%S",
    "%Y-%j",
    "%y%j",
    "%d %b %Y",
    "%B %d, %Y",
    "%d-%b-%y",
    "%A, %d %B %Y",
    "%a %b %d %H:%M:%S %z %Y",
    "%d/%b/%Y:%H:%M:%S %z",
    "%Y년 %m월 %d일",
    "%Y-%m",
    "%Y",
    "on %d of %B %Y at %H h",
    "(%Y) [%m] {%d}",
    "%H:%M",
    "%I:%M:%S.%f %p",
]
SEPARATORS = ("-", "/", ".", " ", ", ", ":", "T", "_", "년 ", " | ", "+", "")


def series(*texts: str | None) -> pd.Series:
    """A column of text; None is a missing cell."""
    return pd.Series(list(texts), dtype="str")


def moments_of(*, first_year: int, last_year: int) -> st.SearchStrategy[datetime]:
    """Moments with an offset from UTC, such as zones have."""
    quarters = st.integers(-4 * 12, 4 * 14).map(lambda quarter: timezone(timedelta(minutes=15 * quarter)))
    return st.datetimes(
        datetime(first_year, 1, 1), datetime(last_year, 12, 31, 23, 59, 59, 999999), timezones=quarters
    )


@st.composite
def date_formats(draw: st.DrawFn) -> str:
    """A format of some parts in any order, with or without marks between them."""
    day = draw(st.sampled_from([["%m", "%d"], ["%b", "%d"], ["%B", "%d"], ["%j"], ["%m"], []]))
    weekday = draw(st.sampled_from([[], [], ["%a"], ["%A"]]))
    hours = draw(st.sampled_from([[], ["%H"], ["%H", "%M"], ["%I", "%p"], ["%I", "%M", "%p"]]))
    seconds = draw(st.sampled_from([[], ["%S"], ["%S", "%f"]])) if "%M" in hours else []
    date = draw(st.permutations([draw(st.sampled_from(["%Y", "%y"])), *day, *weekday]))
    time = draw(st.permutations([*hours, *seconds]))
    zone = draw(st.sampled_from([[], ["%z"]])) if hours else []
    parts = [] if hours and not zone and draw(st.integers(0, 5)) == 0 else date
    directives = [*parts, *time, *zone]
    marks = draw(st.lists(st.sampled_from(SEPARATORS), min_size=len(directives), max_size=len(directives)))
    lead = draw(st.sampled_from(["", "", "on ", "(", "2"]))
    text = lead + "".join(directive + mark for directive, mark in zip(directives, marks, strict=True))
    try:
        return check_date_format(text.rstrip())
    except RefusedError:
        return draw(st.sampled_from(FORMATS))
