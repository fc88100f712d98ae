"""Checks of values that a type and a range do not express: paths, encodings, gates and the like."""

import re

from dlreg.limits import LimitError, read_limit, read_metric

# In place of a delimiter: runs of blanks and tabs.
WHITESPACE = "whitespace"
_SECONDS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0}
_NUMBER = r"([0-9]{1,9}(?:\.[0-9]{1,9})?)"
_TIME = re.compile("".join(f"(?:{_NUMBER}{unit})?" for unit in _SECONDS))
_DATABASE = re.compile(r"[a-z][a-z0-9+]*://[^\s\0\ud800-\udfff]+")
# As SQLAlchemy has it: a fourth slash begins a whole path.
_RELATIVE_FILE = re.compile(r"sqlite(\+\w+)?:///(?!/)")
LOCAL_PATH = re.compile("(?![A-Za-z][A-Za-z0-9+.-]*://)[^\0\ud800-\udfff]+")


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
        RefusedError: It is neither `whitespace` nor one character that no cell, quote or line is made of.
    """
    if text != WHITESPACE and (len(text) != 1 or not text.isascii() or text.isalnum() or text in "\"'\r\n\0"):
        hint = 'In double quotes, such as "," ";" or "\\t" for a tab; or whitespace for runs of blanks.'
        raise RefusedError("must be one character of ASCII and no letter, digit, quote or line break", hint)
    return text


def check_comment(text: str) -> str:
    """Returns what a comment starts with.

    Raises:
        RefusedError: It is empty, long, or has quotes, blanks or line breaks.
    """
    if not re.fullmatch(r"[^\s\"\0\ud800-\udfff]{1,20}", text):
        raise RefusedError("must be up to 20 characters without blanks and quotes", 'In quotes, such as "#".')
    return text


def check_gate(text: str) -> str:
    """Returns the expression of a gate.

    Raises:
        RefusedError: It is malformed, or names an unknown metric or part.
    """
    try:
        read_limit(text)
    except LimitError as error:
        raise RefusedError(error.expected, f"{error.hint}.") from None
    return text


def check_metric(text: str) -> str:
    """Returns the name of a metric to choose by.

    Raises:
        RefusedError: It is malformed, unknown, or of rows that nothing may be chosen by.
    """
    try:
        read_metric(text)
    except LimitError as error:
        raise RefusedError(error.expected, f"{error.hint}.") from None
    return text


def seconds_of(time: str | float) -> float | None:
    """How many seconds a text such as 90, 90s, 10m, 2h or 1h30m stands for; None where it is no time."""
    if not isinstance(time, str):
        return float(time)
    match = _TIME.fullmatch(f"{time}s" if re.fullmatch(_NUMBER, time) else time)
    numbers = match.groups(default="0") if time and match else ()
    return (
        sum(float(number) * unit for number, unit in zip(numbers, _SECONDS.values(), strict=True))
        if numbers
        else None
    )


def check_time(text: str) -> str:
    """Returns the text of a length of time.

    Raises:
        RefusedError: It is none, or of no length.
    """
    seconds, hint = seconds_of(text), "A number alone is in seconds."
    if seconds is None:
        raise RefusedError("must be a time such as 90s, 10m, 2h or 1h30m", hint)
    if seconds == 0:
        raise RefusedError("must be a time above 0, such as 90s, 10m, 2h or 1h30m", hint)
    return text


def check_database(url: str) -> str:
    """Returns the URL of a database.

    Raises:
        RefusedError: It is none, or names a file that would be another one from another folder.
    """
    if not _DATABASE.fullmatch(url):
        hint = "Such as postgresql://host/name, or null for a file in the study directory."
        raise RefusedError("must be the URL of a database", hint)
    if _RELATIVE_FILE.match(url):
        hint = "A fourth slash begins it: sqlite:////home/me/studies.db."
        raise RefusedError("must have the whole path of its file", hint)
    return url


def check_country(code: str) -> str:
    """Returns the code of a country, or of a part of one.

    Raises:
        RefusedError: It does not have the form of one.
    """
    if not re.fullmatch("[A-Z]{2}(-[A-Za-z0-9]{1,8})?", code):
        hint = (
            f"Did you mean {code.upper()}?" if re.fullmatch("[a-zA-Z]{2}", code) else "Such as KR or DE-BY."
        )
        raise RefusedError("must be the code of a country, perhaps with that of a part of it", hint)
    return code
