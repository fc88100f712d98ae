"""The regular expressions that a pipeline may hold: those of dates, and those of levels.

RE2 matches in time that grows with the text alone, but the memory that it takes grows with the expression,
counted repetitions and the bytes told apart, and what is faulty or grows too large it prints. So nothing
passes but what dlreg writes: `dlreg.table.dates.date_pattern`, `dlreg.table.spelling.any_of`.
"""

import re

# A character as `re.escape` writes it; control characters may be in a level's text.
_ESCAPED = r"\\[()\[\]{}?*+\-|^$\\.&~# \t\n\r\v\f]"
_PLAIN = r"[^()\[\]{}?*+\-|^$\\.&~# \t\n\r\v\f]"
# Digits are all that is repeated, a given number of times; a few characters may be left out.
_PIECE = (
    rf"(?:\[0-9\](?:\{{(?:[2-6]|1,(?:[2-6]|10|13))\}})?|\[0-5\]\??|\[\+-\]|[ :-]\?|{_ESCAPED}"
    r"|[^()\[\]{}?*+\-|^$\\.&~# \x00-\x1f\x7f-\x9f])"
)
_DATE = re.compile(rf"(?:{_PIECE}|\(\|?{_PIECE}+(?:\|{_PIECE}+)*\))+", re.DOTALL)
MOST_CHARACTERS_OF_DATE, MOST_CHOICES_OF_DATE = 1000, 20
_BLANKS = (
    "[\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u200b"
    "\u2028\u2029\u202f\u205f\u2060\u3000\ufeff]*"
)
# A whole number in any spelling, or a text in one case or in both.
_NUMBER = r"(?:\\\+\?|\[\+-\]\?|\\-)?[0-9]+\(\?:\\\.0\*\|,00\?\)\?"
_TEXT = rf"(?:{_PLAIN}|{_ESCAPED}|\[\w\w\])+"
_LEVEL = f"(?:{_NUMBER}|{_TEXT})"
_AROUND = re.escape(_BLANKS)
# No text may be a level, too, and is the first of them.
_LEVELS = re.compile(rf"{_AROUND}\(\?:(?:{_LEVEL})?(?:\|{_LEVEL})*\){_AROUND}", re.DOTALL)
MOST_CHARACTERS_OF_LEVELS = 8_000


def is_date_pattern(pattern: str) -> bool:
    """Whether dlreg could have written a regular expression for dates."""
    n_choices = pattern.count("?") + pattern.count("{") + pattern.count("(")
    is_short = len(pattern) <= MOST_CHARACTERS_OF_DATE and n_choices <= MOST_CHOICES_OF_DATE
    return is_short and bool(_DATE.fullmatch(pattern))


def is_level_pattern(pattern: str) -> bool:
    """Whether dlreg could have written a regular expression for the levels of a category."""
    return len(pattern) <= MOST_CHARACTERS_OF_LEVELS and bool(_LEVELS.fullmatch(pattern))


def pattern_memory(pattern: bytes) -> int:
    """About how many bytes RE2 takes to match a regular expression: a table with a line for each byte of it.

    Measured: 212 kB for a thousand characters of 680 kinds, 2 bytes each.
    """
    return len(pattern) * len(set(pattern))
