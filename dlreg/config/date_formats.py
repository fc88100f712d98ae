"""Checks of how a column of dates is written: its format, and the time zone of its moments."""

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

from dlreg.config.checks import RefusedError


class DateDirective(NamedTuple):
    """A part of a date that a format may have.

    Attributes:
        part: Its name.
        digits: The most digits it has; 0 for a name and an offset.
    """

    part: str
    digits: int


SUPPORTED_DATE_DIRECTIVES: Mapping[str, DateDirective] = {
    "%Y": DateDirective("year", 4),
    "%y": DateDirective("year", 2),
    "%m": DateDirective("month", 2),
    "%b": DateDirective("month", 0),
    "%B": DateDirective("month", 0),
    "%d": DateDirective("day", 2),
    "%j": DateDirective("day", 3),
    "%a": DateDirective("weekday", 0),
    "%A": DateDirective("weekday", 0),
    "%H": DateDirective("hour", 2),
    "%I": DateDirective("hour", 2),
    "%p": DateDirective("half of the day", 0),
    "%M": DateDirective("minute", 2),
    "%S": DateDirective("second", 2),
    "%f": DateDirective("fraction of a second", 6),
    "%z": DateDirective("offset from UTC", 0),
}
# Formats that strptime has no directive for: how many of what they count make a second.
EPOCHS: Mapping[str, int] = {"epoch_seconds": 1, "epoch_milliseconds": 1000}
_TIME_OF_DAY = {"%H", "%I", "%p", "%M", "%S", "%f"}
_DATE_EXAMPLES = 'Such as "%Y-%m-%d", "%d/%m/%y" or, for a time of day alone, "%H:%M".'
_ZONE_EXAMPLES = 'Such as UTC, "+01:00" or Europe/Berlin.'
FIXED_ZONE = re.compile(r"UTC|([+-])(0[0-9]|1[0-4]):?(00|15|30|45)")


def split_format(text: str) -> list[str]:
    """The directives and, between them, the literal texts of a format."""
    return re.findall(r"%.?|[^%]+", text, re.DOTALL)


def check_date_format(text: str) -> str:
    """Returns a format of `SUPPORTED_DATE_DIRECTIVES`, or one of `EPOCHS`.

    Raises:
        RefusedError: It has another directive, a part twice or none that it needs, or its parts cannot be
            told apart.
    """
    if text in EPOCHS:
        return text
    tokens = split_format(text)
    directives = [token for token in tokens if token[0] == "%"]
    if not SUPPORTED_DATE_DIRECTIVES.keys() >= set(directives):
        names = f"{', '.join(SUPPORTED_DATE_DIRECTIVES)}, or be {' or '.join(EPOCHS)}"
        raise RefusedError(f"may only use {names}", _DATE_EXAMPLES)
    _check_parts(directives)
    for first, second in pairwise(tokens):
        _check_border(first, second)
    return text


def _check_parts(directives: Sequence[str]) -> None:
    parts = [SUPPORTED_DATE_DIRECTIVES[directive].part for directive in directives]
    is_time_alone = "hour" in parts and _TIME_OF_DAY.issuperset(directives)
    if "year" not in parts and not is_time_alone:
        raise RefusedError("must contain %Y or %y, unless it is a time of day alone", _DATE_EXAMPLES)
    if repeated := [part for part in parts if parts.count(part) > 1]:
        raise RefusedError(f"must name the {repeated[0]} once", "Remove one of the directives.")
    if "%j" in directives and "month" in parts:
        raise RefusedError("must name the month or %j, the day of the year", "Remove one of the directives.")
    if ("%I" in directives) != ("%p" in directives):
        hint = "%I is the hour of twelve, which %p tells apart; %H is the hour of 24."
        raise RefusedError("must have %I and %p together", hint)


def _check_border(first: str, second: str) -> None:
    """Refuses two neighbours of which nothing would tell where the first one ends."""
    directive = SUPPORTED_DATE_DIRECTIVES.get(first)
    if directive is None:
        return
    # Names, fractions and offsets have no fixed width. What comes before an offset, AM or PM can be told.
    if second in SUPPORTED_DATE_DIRECTIVES:
        if second != "%z" and not (_has_width(first) and (_has_width(second) or second == "%p")):
            raise RefusedError(f"must have a separator between {first} and {second}", "Such as %d %b %Y.")
    elif re.match("[0-9:Z+-]" if first == "%z" else "[0-9]" if directive.digits else "[A-Za-z]", second):
        hint = "Put a blank or another mark between them."
        raise RefusedError(f"must not have {second[0]!r} right after {first}", hint)


def _has_width(directive: str) -> bool:
    return SUPPORTED_DATE_DIRECTIVES[directive].digits > 0 and directive != "%f"


def check_time_zone(name: str) -> str:
    """Returns the name of a time zone, or an offset from UTC.

    Raises:
        RefusedError: It is neither.
    """
    if not FIXED_ZONE.fullmatch(name):
        try:
            ZoneInfo(name)
        except (ValueError, OSError, KeyError):
            raise RefusedError("must be UTC, an offset or a time zone known here", _ZONE_EXAMPLES) from None
    return name
