"""What a message says of columns that a CSV lacks: which columns were most likely meant."""

import unicodedata
from collections.abc import Sequence

from dlreg.errors import Fault
from dlreg.table.csv_opening import no_names_fault
from dlreg.wording import nearest_word

# Near matches take time, and a screen is soon full.
MOST_NEAR_MATCHES = 20
# So many missing columns, and such a share of those that are needed, are those of another table.
_LEAST_FOR_ANOTHER, _SHARE_OF_ANOTHER = 4, 0.9
# What may stand between columns of a table that is read as one.
_OTHER_DELIMITERS = (" ", ":", "^", "~")


def missing_columns(
    names: Sequence[str], header: Sequence[str], path: str, n_needed: int = 1, line: int | None = 1
) -> list[Fault]:
    """The faults of columns that a CSV lacks; each of the first `MOST_NEAR_MATCHES` has its near match.

    A CSV whose first line holds no names has one fault, and so has one that seems to be another table.

    Args:
        names: Those that it lacks.
        header: Those that it has.
        path: The file.
        n_needed: How many columns are needed, those that it has among them.
        line: Of the header; None where there are no lines.
    """
    fault = no_names_fault(names, header, path) if line else None
    if fault := fault or other_table_fault(names, header, path, n_needed, line):
        return [fault]
    faults = [
        Fault(f"there is no column {name!r}", path, line, hint=near_column(name, header))
        for name in names[:MOST_NEAR_MATCHES]
    ]
    return faults + further_columns(names, path, line)


def other_table_fault(
    names: Sequence[str], header: Sequence[str], path: str, n_needed: int, line: int | None = 1
) -> Fault | None:
    """The one fault of a CSV that lacks nearly all columns that are needed; None where it may be right.

    Names that are like those of the CSV are mistyped, and told one by one.
    """
    n_missing, examples = len(names), names[:MOST_NEAR_MATCHES]
    if n_missing < _LEAST_FOR_ANOTHER or n_missing < _SHARE_OF_ANOTHER * n_needed:
        return None
    if 2 * sum(nearest_word(name, header, fold=_folded) is not None for name in examples) >= len(examples):
        return None
    has = f"only {n_needed - n_missing:,}" if n_missing < n_needed else "none"
    more = ", …" if n_missing > len(names[:3]) else ""
    message = f"this looks like another table: it has {has} of the {n_needed:,} columns that are needed"
    message += f", and lacks {', '.join(map(repr, names[:3]))}{more}"
    return Fault(message, path, line, hint=_delimiter_or_columns(names[0], header))


def further_columns(names: Sequence[str], path: str, line: int | None = 1) -> list[Fault]:
    """One fault for all missing columns beyond the first `MOST_NEAR_MATCHES`; none if there are no more."""
    further = len(names) - MOST_NEAR_MATCHES
    hint = "Is it the right table, and data.delimiter right?"
    return [Fault(f"{further:,} more columns are missing", path, line, hint=hint)] if further > 0 else []


def near_column(name: str, header: Sequence[str]) -> str:
    """A hint: the column most like a name, a delimiter that would make it one, or all columns."""
    near = nearest_word(name, header, fold=_folded)
    if near:
        is_alike = unicodedata.normalize("NFKC", near) == unicodedata.normalize("NFKC", name)
        copy = (
            " It looks the same, but is made of other characters: copy it from the file" if is_alike else ""
        )
        return f"Did you mean {near!r}?{copy}"
    return _delimiter_or_columns(name, header)


def _delimiter_or_columns(name: str, header: Sequence[str]) -> str:
    for mark in (";", "\t", "|", ",", *(_OTHER_DELIMITERS if len(header) == 1 else ())):
        if any(name in column.split(mark) for column in header if mark in column):
            return f"The delimiter looks like {mark!r}: set data.delimiter, or --delimiter of dlreg init"
    more = f" and {len(header) - 20:,} more" if len(header) > 20 else ""
    return f"The columns are {', '.join(map(repr, header[:20]))}{more}"


def _folded(name: str) -> str:
    """A name without what people overlook: case, blanks, the way accents and syllables are composed."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())
