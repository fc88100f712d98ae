"""Checks of values that a type and a range do not express: paths, encodings, delimiters, gates."""

import re

from dlreg.limits import LimitError, read_limit

# In place of a delimiter: runs of blanks and tabs.
WHITESPACE = "whitespace"
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
