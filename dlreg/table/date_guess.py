"""The format of a column of dates, guessed from its cells."""

import re
from collections.abc import Iterator, Sequence

import pandas as pd

from dlreg.table.dates import date_pattern, parse_dates

_ISO_TIMES = ("%H:%M", "%H:%M:%S", "%H:%M:%S.%f")
_TIMES = ("%H:%M", "%H:%M:%S", "%I:%M %p", "%I:%M:%S %p", "%I:%M%p")
_OTHER_DATES = (
    "%d/%m/%Y", "%m/%d/%Y", "%Y/%m/%d", "%d.%m.%Y", "%Y.%m.%d", "%d-%m-%Y", "%m-%d-%Y", "%d/%m/%y",
    "%m/%d/%y", "%y/%m/%d", "%d.%m.%y", "%y.%m.%d", "%d-%m-%y", "%m-%d-%y", "%y-%m-%d",
    "%d-%b-%Y", "%d %b %Y", "%d %B %Y", "%d. %B %Y", "%b %d, %Y", "%B %d, %Y", "%d %b, %Y", "%d %B, %Y",
    "%A, %d %B %Y", "%A, %B %d, %Y", "%a, %d %b %Y", "%a %d %b %Y", "%a, %b %d, %Y", "%A %d %B %Y",
    "%Y-%b-%d", "%d/%b/%Y", "%Y %b %d", "%Y %B %d",
    "%Y-%m", "%Y/%m", "%m/%Y", "%b %Y", "%B %Y", "%b-%Y", "%d-%b-%y", "%d %b %y", "%d/%b/%y", "%b-%y",
    "%Y년 %m월 %d일", "%Y년%m월%d일", "%Y年%m月%d日",
)  # fmt: skip
# Formats of the time of day alone, which may be spans of time or names of shifts as well.
TIMES_OF_DAY = (*_TIMES, "%H:%M:%S.%f")


def guess_iso_format(texts: "pd.Series[str]", *, in_zone: bool = False) -> str | None:
    """The ISO 8601 format that fits every text: a date, or date and time, perhaps with an offset from UTC.

    Args:
        texts: The cells that are not missing, shape `(n_rows,)`.
        in_zone: Whether the moments are to be brought into one zone. If not, an offset that all texts have
            is a part of their format.

    Returns:
        The format. With several offsets among the texts, or with some that have one, it has %z.
    """
    return _first_fitting(texts, _iso_formats(str(texts.iloc[0]).strip(), in_zone=in_zone))


def guess_other_formats(texts: "pd.Series[str]") -> list[str]:
    """The common formats, ISO aside, that fit every text: more than one where day and month are unclear."""
    return [date_format for date_format in _other_formats() if _fits_all(texts, date_format)]


def guess_time_of_day(texts: "pd.Series[str]") -> str | None:
    """The common format of a time of day that fits every text."""
    return _first_fitting(texts, TIMES_OF_DAY)


def most_likely_format(texts: "pd.Series[str]") -> str | None:
    """The common format that fits most of the texts, if it fits at least half of them."""
    sample = texts.iloc[:1000]
    formats = [*_iso_formats(str(texts.iloc[0]).strip(), in_zone=False), *_other_formats()]
    shares = {date_format: parse_dates(sample, date_format).notna().mean() for date_format in formats}
    likely = max(shares, key=lambda date_format: shares[date_format])
    return likely if shares[likely] >= 0.5 else None


def written_offset(text: str) -> str:
    """The offset from UTC at the end of a date and time, or of its format, with a blank before it; or ""."""
    if ":" not in text:
        return ""
    found = re.search(r"(?<=[0-9A-Za-z])( ?Z| ?UTC| ?[+-][0-9]{2}(:?[0-9]{2})?)$", text)
    return found.group() if found else ""


def _iso_formats(example: str, *, in_zone: bool) -> Iterator[str]:
    yield "%Y-%m-%d"
    mark = example[10:11]
    if mark not in (" ", "T"):
        return
    suffix = written_offset(example)
    for time in _ISO_TIMES:
        if not (in_zone and suffix):
            yield f"%Y-%m-%d{mark}{time}{suffix}"
        yield f"%Y-%m-%d{mark}{time}%z"


def _other_formats() -> list[str]:
    dates = [*_OTHER_DATES, *TIMES_OF_DAY]
    with_times = [f"{date} {time}" for date in _OTHER_DATES for time in _TIMES]
    return [*dates, *with_times, *(f"%Y-%m-%d {time}" for time in _TIMES if "%p" in time)]


def _first_fitting(texts: "pd.Series[str]", formats: Iterator[str] | Sequence[str]) -> str | None:
    return next((date_format for date_format in formats if _fits_all(texts, date_format)), None)


def _fits_all(texts: "pd.Series[str]", date_format: str) -> bool:
    # The first texts rule out nearly every format at no cost, the very first one without pandas.
    if not re.fullmatch(date_pattern(date_format), str(texts.iloc[0]).strip()):
        return False
    return all(
        bool(parse_dates(part.str.strip(), date_format).notna().all()) for part in (texts.iloc[:20], texts)
    )
