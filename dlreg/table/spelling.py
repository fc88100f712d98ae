"""Texts that mean the same: blanks around a cell, spellings of yes and no, of whole numbers, and case.

Said twice, as a function and as a pattern: rows are read with the one, and `pipeline.onnx` knows the levels
of a category by the other, so that any runtime takes a cell as dlreg does.
"""

import re
from collections.abc import Iterable
from functools import cache

# Those of Unicode, and three that nobody sees: zero width space, word joiner, byte order mark.
BLANK_CHARACTERS = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u200b"
    "\u2028\u2029\u202f\u205f\u2060\u3000\ufeff"
)
BLANKS = f"[{BLANK_CHARACTERS}]*"
_SIGNS, _NO_DECIMALS = (r"\+?", "[+-]?"), r"(?:\.0*|,00?)?"
_WHOLE_NUMBER = re.compile(rf"([+-]?)(0|[1-9][0-9]*){_NO_DECIMALS}")
# What columns of yes and no hold, language by language.
_PAIRS = (
    (("true",), ("false",)), (("yes",), ("no",)), (("y",), ("n",)), (("t",), ("f",)), (("on",), ("off",)),
    (("ja",), ("nein",)), (("j",), ("n",)), (("wahr",), ("falsch",)), (("oui",), ("non",)),
    (("vrai",), ("faux",)), (("sí", "si"), ("no",)), (("verdadero",), ("falso",)), (("sì",), ("no",)),
    (("vero",), ("falso",)), (("sim",), ("não", "nao")), (("verdadeiro",), ("falso",)), (("ja",), ("nee",)),
    (("waar",), ("onwaar",)), (("tak",), ("nie",)), (("ja",), ("nej",)), (("evet",), ("hayır",)),
    (("да",), ("нет",)), (("истина",), ("ложь",)), (("예", "네"), ("아니오", "아니요")), (("참",), ("거짓",)),
    (("はい",), ("いいえ",)), (("真",), ("偽", "假")), (("是",), ("否",)),
)  # fmt: skip
_MEANINGS = {
    word: meaning
    for pair in _PAIRS
    for words, meaning in zip(pair, ("true", "false"), strict=True)
    for word in words
}
_DIGITS = {"1": "true", "0": "false"}


def canonical_text(text: str, *, is_boolean: bool = False, fold_case: bool = False) -> str:
    """The one text that stands for all of the same meaning: `Elm` for ` Elm `, `3` for `3.0`.

    Args:
        text: A cell as it is in the file.
        is_boolean: Whether it is of a column of yes and no, whose cells become `true` and `false`.
        fold_case: Whether case is to be overlooked; letters become small.
    """
    text = text.strip(BLANK_CHARACTERS)
    if number := _WHOLE_NUMBER.fullmatch(text):
        sign, digits = number.groups()
        text = f"-{digits}" if sign == "-" and digits != "0" else digits
    if is_boolean:
        return _DIGITS.get(text) or _MEANINGS.get(small_letters(text), text)
    return small_letters(text) if fold_case else text


def are_booleans(texts: Iterable[str]) -> bool:
    """Whether texts are words for yes and no, perhaps with 1 and 0 among them.

    They are of one language, or of several where one of them has both: T and Y alone are two levels.
    """
    words = {small_letters(canonical_text(text)) for text in texts} - _DIGITS.keys()
    if any(words.intersection(yes) and words.intersection(no) for yes, no in _PAIRS):
        return words <= _MEANINGS.keys()
    return bool(words) and any(words <= {*yes, *no} for yes, no in _PAIRS)


def small_letters(text: str) -> str:
    """Text without capitals, but for letters whose small twin has another capital, such as ẞ."""
    return "".join(map(_small_letter, text))


@cache
def _small_letter(letter: str) -> str:
    small = letter.lower()
    return small if len(small) == 1 and small.upper() == letter else letter


def level_pattern(level: str, *, is_boolean: bool = False, fold_case: bool = False) -> str:
    """A regular expression for all texts of which `canonical_text` makes this level, but for blanks around.

    Both Python and RE2 read it.
    """
    if is_boolean and level in _DIGITS.values():
        words = [_letters(word) for word, meaning in _MEANINGS.items() if meaning == level]
        numbers = [_whole_number(digit) for digit, meaning in _DIGITS.items() if meaning == level]
        return "|".join((*words, *numbers))
    if _WHOLE_NUMBER.fullmatch(level):
        return _whole_number(level)
    return _letters(level) if fold_case and not is_boolean else re.escape(level)


def _whole_number(number: str) -> str:
    if number.startswith("-"):
        return re.escape(number) + _NO_DECIMALS
    return _SIGNS[number == "0"] + number + _NO_DECIMALS


def _letters(text: str) -> str:
    """A pattern for a text in small letters, in any case."""
    capitals = ((letter, letter.upper()) for letter in text)
    return "".join(
        f"[{capital}{letter}]" if _small_letter(capital) == letter != capital else re.escape(letter)
        for letter, capital in capitals
    )


def any_of(patterns: Iterable[str]) -> str:
    """A regular expression for a cell that is one of these, with any blanks around it."""
    return f"{BLANKS}(?:{'|'.join(patterns)}){BLANKS}"
