"""Formats of dates, and columns of text that hold some."""

import pandas as pd

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


def series(*texts: str | None) -> pd.Series:
    """A column of text; None is a missing cell."""
    return pd.Series(list(texts), dtype="str")
