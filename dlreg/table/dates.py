"""Dates as text: their formats, parsed and guessed.

A format is a strptime pattern. It is turned into a regular expression here, once, because the same
expression guards the dates inside `pipeline.onnx`: what counts as a date is the same in both.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import pandas as pd

from dlreg.config.checks import SUPPORTED_DATE_DIRECTIVES

MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
MONTH_NAMES = {"B": MONTHS, "b": tuple(month[:3] for month in MONTHS)}
_ISO_TIMES = ("%H:%M", "%H:%M:%S", "%H:%M:%S.%f")
_OTHER_DATES = (
    "%d/%m/%Y", "%m/%d/%Y", "%Y/%m/%d", "%d.%m.%Y", "%Y.%m.%d", "%d-%m-%Y", "%m-%d-%Y", "%d/%m/%y",
    "%m/%d/%y", "%y/%m/%d", "%d.%m.%y", "%y.%m.%d", "%d-%m-%y", "%y-%m-%d",
    "%d-%b-%Y", "%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y",
    "%Y-%m", "%Y/%m", "%m/%Y", "%b %Y", "%B %Y", "%b-%Y", "%b-%y", "%Y년 %m월 %d일", "%Y년%m월%d일",
)  # fmt: skip


@dataclass(frozen=True)
class DateField:
    """One directive of a format.

    Attributes:
        directive: The letter after the percent sign.
        separator: The literal text after the field.
        padded: Whether it touches another field, so that only its full width tells where it ends.
    """

    directive: str
    separator: str
    padded: bool

    @property
    def width(self) -> int:
        """The most digits the field has; 0 for a month's name."""
        return SUPPORTED_DATE_DIRECTIVES[f"%{self.directive}"].digits

    @property
    def pattern(self) -> str:
        """A regular expression for the field's own text."""
        if self.directive in MONTH_NAMES:
            return f"({'|'.join(MONTH_NAMES[self.directive])})"
        fixed = self.padded or self.directive in "Yy"
        if self.directive == "S":  # strptime knows leap seconds, no calendar does
            return "[0-5][0-9]" if fixed else "[0-5]?[0-9]"
        return f"[0-9]{{{self.width}}}" if fixed else f"[0-9]{{1,{self.width}}}"


def parse_format(date_format: str) -> tuple[str, tuple[DateField, ...]]:
    """Takes a strptime format apart: the literal text before the first field, and the fields.

    Raises:
        ValueError: A directive that is not one of `SUPPORTED_DATE_DIRECTIVES`.
    """
    lead, *parts = re.split(r"%(.)", date_format)
    directives, separators = parts[0::2], parts[1::2]
    unknown = [directive for directive in directives if f"%{directive}" not in SUPPORTED_DATE_DIRECTIVES]
    if unknown:
        raise ValueError(f"%{unknown[0]} is not one of {' '.join(SUPPORTED_DATE_DIRECTIVES)}")
    touches_next = [not separator for separator in separators[:-1]] + [False]
    touches_last = [False, *touches_next[:-1]]
    padded = [before or after for before, after in zip(touches_last, touches_next, strict=True)]
    return lead, tuple(map(DateField, directives, separators, padded))


@cache
def date_pattern(date_format: str) -> str:
    """A regular expression, of the kind that both Python and RE2 read, for a whole cell."""
    lead, fields = parse_format(date_format)
    return re.escape(lead) + "".join(field.pattern + re.escape(field.separator) for field in fields)


def parse_dates(texts: "pd.Series[str]", date_format: str) -> "pd.Series[pd.Timestamp]":
    """The moments that texts of one format name; NaT where a text is missing or no such date."""
    matched = texts.where(texts.str.fullmatch(date_pattern(date_format)).fillna(False).astype(bool))
    moments = pd.to_datetime(matched, format=date_format, errors="coerce")
    # pandas knows a year 0, which no calendar has.
    return moments.where(moments.dt.year >= 1)


def guess_iso_format(texts: "pd.Series[str]") -> str | None:
    """The ISO 8601 format that fits every text: a date, or date and time, with an optional fixed zone."""
    return next(
        (date_format for date_format in _iso_formats(str(texts.iloc[0])) if _fits_all(texts, date_format)),
        None,
    )


def guess_other_formats(texts: "pd.Series[str]") -> list[str]:
    """The common formats, ISO aside, that fit every text: more than one where day and month are unclear."""
    return [date_format for date_format in _other_formats() if _fits_all(texts, date_format)]


def most_likely_format(texts: "pd.Series[str]") -> str | None:
    """The common format that fits most of the texts, if it fits at least half of them."""
    sample = texts.iloc[:1000]
    formats = [*_iso_formats(str(texts.iloc[0])), *_other_formats()]
    shares = {date_format: parse_dates(sample, date_format).notna().mean() for date_format in formats}
    likely = max(shares, key=lambda date_format: shares[date_format])
    return likely if shares[likely] >= 0.5 else None


def _iso_formats(example: str) -> Iterator[str]:
    zone = re.search(r"(?<=[0-9])(Z|[+-][0-9]{2}:?[0-9]{2})$", example) if ":" in example else None
    suffix = zone.group() if zone else ""
    mark = example[10:11] if example[10:11] in (" ", "T") else ""
    yield "%Y-%m-%d"
    for time in _ISO_TIMES if mark else ():
        yield f"%Y-%m-%d{mark}{time}{suffix}"


def _other_formats() -> list[str]:
    return [date + time for date in _OTHER_DATES for time in ("", " %H:%M", " %H:%M:%S")]


def _fits_all(texts: "pd.Series[str]", date_format: str) -> bool:
    # The first texts rule out nearly every format at no cost, the very first one without pandas.
    if not re.fullmatch(date_pattern(date_format), str(texts.iloc[0])):
        return False
    return all(bool(parse_dates(part, date_format).notna().all()) for part in (texts.iloc[:20], texts))
