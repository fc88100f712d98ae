"""Checks of values that a type and a range do not express: paths, encodings, delimiters, date formats."""

import re
from collections.abc import Mapping
from itertools import pairwise
from typing import NamedTuple

LOCAL_PATH = re.compile("(?![A-Za-z][A-Za-z0-9+.-]*://)[^\0\ud800-\udfff]+")


class DateDirective(NamedTuple):
    """A part of a date that a format may have.

    Attributes:
        part: Its name.
        digits: The most digits it has; 0 for a month's name.
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
    "%H": DateDirective("hour", 2),
    "%M": DateDirective("minute", 2),
    "%S": DateDirective("second", 2),
    "%f": DateDirective("fraction of a second", 6),
}


class RefusedError(ValueError):
    """A check refuses a value; the message is put together where the key is known.

    Args:
        expected: What the key must be, to stand between its name and the value found.
        hint: A way out, a sentence of its own.
    """

    def __init__(self, expected: str, hint: str) -> None:
        super().__init__(expected, hint)
        self.expected = expected
        self.hint = hint


def check_local_path(path: str) -> str:
    """Returns the path.

    Raises:
        RefusedError: It is a URL, empty, or no file system could hold it.
    """
    if isinstance(path, str) and not LOCAL_PATH.fullmatch(path):
        if "://" in path:
            raise RefusedError(
                "must be a path on this machine",
                "Nothing is fetched or sent: download it first, or name a local path.",
            )
        raise RefusedError("must be a path of UTF-8 characters", "Name the file, for example table.csv.")
    return path


def check_text_encoding(name: str) -> str:
    """Returns the name of an encoding.

    Raises:
        RefusedError: Python knows no text encoding of this name.
    """
    try:
        "text".encode(name)
    except (LookupError, ValueError):
        hint = "Common ones are utf-8, cp949 and latin-1."
        raise RefusedError("must be a text encoding known to Python", hint) from None
    return name


def check_delimiter(text: str) -> str:
    """Returns the delimiter.

    Raises:
        RefusedError: It is not one character, or one that cells, quotes or lines are made of.
    """
    if len(text) != 1 or not text.isascii() or text.isalnum() or text in "\"'\r\n\0":
        hint = 'In double quotes, such as "," ";" or "\\t" for a tab.'
        raise RefusedError("must be one character of ASCII and no letter, digit, quote or line break", hint)
    return text


def check_date_format(text: str) -> str:
    """Returns a format of `SUPPORTED_DATE_DIRECTIVES`.

    Raises:
        RefusedError: It has another directive, no year or a part twice, or its parts cannot be told apart.
    """
    tokens = re.findall(r"%.?|[^%]+", text, re.DOTALL)
    directives = [token for token in tokens if token[0] == "%"]
    if not SUPPORTED_DATE_DIRECTIVES.keys() >= set(directives):
        raise RefusedError(
            f"may only use {', '.join(SUPPORTED_DATE_DIRECTIVES)}", "Such as %Y-%m-%d or %d/%m/%y."
        )
    parts = [SUPPORTED_DATE_DIRECTIVES[directive].part for directive in directives]
    if "year" not in parts:
        raise RefusedError("must contain %Y or %y", "Such as %Y-%m-%d or %d/%m/%y.")
    if repeated := [part for part in parts if parts.count(part) > 1]:
        raise RefusedError(f"must name the {repeated[0]} once", "Remove one of the directives.")
    for first, second in pairwise(tokens):
        # Names and fractions have no fixed width: where they end could not be told.
        if first in ("%b", "%B", "%f") and second in SUPPORTED_DATE_DIRECTIVES:
            raise RefusedError(f"must have a separator between {first} and {second}", "Such as %d %b %Y.")
    return text
