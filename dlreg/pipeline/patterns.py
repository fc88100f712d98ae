"""The regular expressions that a pipeline may hold: those of dates, and those of levels.

RE2 matches in time that grows with the text alone; the memory it takes grows with the expression and with
counted repetitions. So no other repetitions pass than those that dlreg writes.
"""

import re

# Digits, signs and text, some of it left to choose from or to leave out. Nothing but digits is repeated, and
# nothing is nested.
_PIECE = r"(?:\[(?:0-[59]|\+-)\](?:\{(?:1,)?[0-9]{1,2}\})?|\\\W|[^][(){}*+?.\\^$|])\??"
_DATE = re.compile(rf"(?:{_PIECE}|\((?:{_PIECE}|\|)*\))*", re.DOTALL)
MOST_CHARACTERS_OF_DATE = 1000
# What `dlreg.table.spelling` writes: texts in one case or in both, whole numbers, and blanks around them all.
_BLANKS = (
    "[\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u200b"
    "\u2028\u2029\u202f\u205f\u2060\u3000\ufeff]*"
)
_PARTS = (
    r"[^][(){}*+?.\\^$]", r"\\[^\w]", r"\[\w\w\]", re.escape(r"\+?"), re.escape("[+-]?"),
    re.escape(r"(?:\.0*|,00?)?"),
)  # fmt: skip
_AROUND = re.escape(_BLANKS)
_LEVELS = re.compile(f"{_AROUND}\\(\\?:(?:{'|'.join(_PARTS)})*\\){_AROUND}", re.DOTALL)
MOST_CHARACTERS_OF_LEVELS = 20_000


def is_known_pattern(pattern: str) -> bool:
    """Whether dlreg could have written a regular expression: a date's, or that of a category's levels."""
    is_date = len(pattern) <= MOST_CHARACTERS_OF_DATE and bool(_DATE.fullmatch(pattern))
    return is_date or (len(pattern) <= MOST_CHARACTERS_OF_LEVELS and bool(_LEVELS.fullmatch(pattern)))
