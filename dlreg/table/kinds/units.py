"""Numbers as people write them: with a unit, in brackets where they are negative, in digits of any script."""

import re
import unicodedata
from functools import cache
from typing import NamedTuple

# Longer texts are none that a person wrote as a number.
LONGEST_TEXT, LONGEST_UNIT = 100, 24
_MINUS_SIGNS = "\u2010\u2011\u2012\u2013\u2212"
_APOSTROPHES = "\u2018\u2019\u02bc"
_SYMBOLS = "$¢-¥֏؋߾߿৲৳৻૱௹฿៛\u20a0-\u20cf"
_CURRENCIES = (
    "AED|ARS|AUD|BRL|CAD|CHF|CLP|CNY|COP|CZK|DKK|EGP|EUR|GBP|HKD|HUF|IDR|ILS|INR|ISK|JPY|KRW|MXN|MYR|NOK|NZD"
    "|PEN|PHP|PKR|PLN|RMB|RON|RSD|RUB|SAR|SEK|SGD|THB|TRY|TWD|UAH|USD|VND|ZAR|Fr|SFr|Rs|Kr|Kč|zł|Ft|RM|Rp|DM"
)
_BEFORE = rf"(?:[A-Z]{{1,3}}\.?)?[{_SYMBOLS}](?:[A-Z]{{1,3}})?|(?i:{_CURRENCIES})\.?"
_WORD = rf"(?:[^\W\d_]|[{_SYMBOLS}%‰°\"″′])+\.?(?:\^?-?[2-4]|[⁻¹²³⁴]+)?"
_AFTER = rf"{_WORD}(?:(?: ?[/·⋅*] ?(?:10+ ?)?| ){_WORD}){{0,3}}"
# Marks are told from digits later, by how the file is written; here they only have to stand between them.
_DIGITS = r"(?:[0-9](?:[0-9.,'_ ]*[0-9])?[.,]?|[.,][0-9]+)(?:[eE][-+]?[0-9]+)?"
_NUMBER = re.compile(
    rf"(?P<sign>[-+])? *(?P<before>{_BEFORE})? *(?P<inner_sign>[-+])? *"
    rf"(?P<digits>{_DIGITS})(?P<final_sign>-(?![^\W\d_]))? *(?P<after>{_AFTER})?"
)
_IN_BRACKETS = re.compile(r"(\D*)\(([^()]*[0-9][^()]*)\)(\D*)")
# Parts of a number in another notation: an exponent without digits, 3d5, 0x1F.
_NO_UNIT = re.compile(r"[eE]|[dDeE][-+]?[0-9]+|[xX][0-9a-fA-F]+")
_MULTIPLE_LETTERS, _MULTIPLE_SIGNS = ("k", "K", "M", "B"), "千万億亿萬천만억조"
_MULTIPLE_WORDS = re.compile(
    "thousand|hundred|(milli|billi)on(s|en)?|milliards?|milliarden|bn|ml?n|mio|mill|tsd|mrd|mia|lakhs?|crores?|cr"
    "|тыс|млн|млрд"
)


class WrittenNumber(NamedTuple):
    """A number taken apart.

    Attributes:
        number: Its sign, digits and marks, of ASCII alone, without blanks around.
        unit: What stands before and after; "" where nothing does.
    """

    number: str
    unit: str


def split_number(text: str) -> WrittenNumber | None:
    """Takes a number as people write it apart, such as `€71.62`, `16.6 %`, `(79.01)`, `−5` or `１２ ㎡`.

    Brackets around it, or a minus after it, make it negative, as in accounts. The marks between its digits
    are left as they are: what they mean depends on the file.

    Returns:
        None if it is no such number.
    """
    if len(text) > LONGEST_TEXT:
        return None
    plain = (text if text.isascii() else "".join(map(_plain, text))).strip()
    bracketed = _IN_BRACKETS.fullmatch(plain)
    match = _NUMBER.fullmatch("".join(bracketed.groups()) if bracketed else plain)
    if not match:
        return None
    before, after = match["before"] or "", match["after"] or ""
    # What looks like a digit but counts nothing, as a footnote's ², starts no unit.
    if after and (_NO_UNIT.fullmatch(after) or after[0] in "⁻¹²³⁴" or unicodedata.category(after[0]) == "No"):
        return None
    signs = [sign for sign in (match["sign"], match["inner_sign"], match["final_sign"]) if sign]
    if len(signs) + bool(bracketed) > 1 or len(before) + len(after) > LONGEST_UNIT:
        return None
    sign = "-" if bracketed or "-" in signs else ""
    return WrittenNumber(sign + match["digits"], f"{before} {after}".strip())


@cache
def folded_unit(unit: str) -> str:
    """A unit without what tells no two apart: blanks, points, a plural's s, how a power is written."""
    joined = re.sub(r"[\s.^]", "", unicodedata.normalize("NFKC", unit))
    return re.sub(r"(?<=[^\W\d_]{2})(?<![su])s(?![^\W\d_])", "", joined)


@cache
def counts_multiples(unit: str) -> bool:
    """Whether a unit stands for thousands or more, as in `5k` or `3 Mio. €`: then bare numbers are others."""
    words = re.findall(r"[^\W\d_]+", unit)
    return any(
        word in _MULTIPLE_LETTERS or _MULTIPLE_WORDS.fullmatch(word.lower()) or word[0] in _MULTIPLE_SIGNS
        for word in words
    )


@cache
def _plain(character: str) -> str:
    """A character as ASCII writes it, if there it has the same meaning."""
    category = unicodedata.category(character)
    digit = unicodedata.decimal(character, None)
    if digit is not None:
        return str(digit)
    if category in ("Zs", "Cf"):
        return " " if category == "Zs" else ""
    if character in _MINUS_SIGNS:
        return "-"
    if character in _APOSTROPHES:
        return "'"
    # Of full width, or several letters as one character: ％, ㎡.
    if category == "So" or unicodedata.east_asian_width(character) == "F":
        return unicodedata.normalize("NFKC", character)
    return character
