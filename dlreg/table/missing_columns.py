"""What a message says of columns that a CSV lacks: which columns were most likely meant."""

import unicodedata
from collections.abc import Sequence

from dlreg.errors import Fault
from dlreg.table.csv_opening import no_names_fault
from dlreg.wording import nearest_word

# Near matches take time, and a screen is soon full.
MOST_NEAR_MATCHES = 20
# What may stand between columns of a table that is read as one.
_OTHER_DELIMITERS = (" ", ":", "^", "~")


def missing_columns(names: Sequence[str], header: Sequence[str], path: str) -> list[Fault]:
    """The faults of columns that a CSV lacks; each of the first `MOST_NEAR_MATCHES` has its near match.

    A CSV whose first line holds no names has one fault.
    """
    if no_names := no_names_fault(names, header, path):
        return [no_names]
    faults = [
        Fault(f"there is no column {name!r}", path, 1, hint=near_column(name, header))
        for name in names[:MOST_NEAR_MATCHES]
    ]
    return faults + further_columns(names, path)


def further_columns(names: Sequence[str], path: str) -> list[Fault]:
    """One fault for all missing columns beyond the first `MOST_NEAR_MATCHES`; none if there are no more."""
    further = len(names) - MOST_NEAR_MATCHES
    hint = "Is it the right table, and data.delimiter right?"
    return [Fault(f"{further:,} more columns are missing", path, 1, hint=hint)] if further > 0 else []


def near_column(name: str, header: Sequence[str]) -> str:
    """A hint: the column most like a name, a delimiter that would make it one, or all columns."""
    near = nearest_word(name, header, fold=_folded)
    if near:
        is_alike = unicodedata.normalize("NFKC", near) == unicodedata.normalize("NFKC", name)
        copy = (
            " It looks the same, but is made of other characters: copy it from the file" if is_alike else ""
        )
        return f"Did you mean {near!r}?{copy}"
    for mark in (";", "\t", "|", ",", *(_OTHER_DELIMITERS if len(header) == 1 else ())):
        if any(name in column.split(mark) for column in header if mark in column):
            return f"The delimiter looks like {mark!r}: set data.delimiter, or --delimiter of dlreg init"
    more = f" and {len(header) - 20:,} more" if len(header) > 20 else ""
    return f"The columns are {', '.join(map(repr, header[:20]))}{more}"


def _folded(name: str) -> str:
    """A name without what people overlook: case, blanks, the way accents and syllables are composed."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())
