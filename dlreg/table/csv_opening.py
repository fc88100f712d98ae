"""What may stand where the names of the columns should be: data, comments, columns aligned by blanks."""

import json
import re
from collections.abc import Sequence

from dlreg.errors import Fault
from dlreg.table.kinds.units import split_number
from dlreg.wording import nearest_word, shorten

DELIMITERS = (",", ";", "\t", "|")
_COMMENT_MARKS = ("#", "%", "//")
# Names that are tried, each against all columns.
_MOST_WANTED = 20


def comment_mark(text: str) -> str | None:
    """What a line starts with if it starts as a comment does."""
    return next((mark for mark in _COMMENT_MARKS if text.lstrip().startswith(mark)), None)


def is_comment(text: str) -> bool:
    """Whether a line starts as a comment does."""
    return comment_mark(text) is not None


def comment_fault(first_line: str, path: str, line: int) -> Fault:
    """The fault of a file that starts with comments.

    Args:
        first_line: The first of them.
        path: The file.
        line: The 1-based line at which it stands.
    """
    message = f"expected column names, found a comment: {shorten(first_line.strip())!r}"
    mark = comment_mark(first_line)
    hint = f'Set data.comment: "{mark}"'
    return Fault(message, path, line, hint=hint)


def aligned_fault(message: str, header: str, path: str) -> Fault:
    """The fault of a table whose columns are aligned by runs of blanks.

    Args:
        message: What cannot be done with it.
        header: Its first line.
        path: The file.
    """
    hint = "Set data.delimiter: whitespace"
    # Where single blanks stand inside of names, runs of them stand between.
    if " " in re.sub(" {2,}", "", header.strip()):
        names = ", ".join(json.dumps(name, ensure_ascii=False) for name in re.split(" {2,}", header.strip()))
        hint += f", data.skip_rows: 1, data.header: false and data.names: [{names}]; no cell may hold a blank"
    return Fault(f"{message}: the columns are aligned by runs of blanks", path, 1, hint=hint)


def data_fault(names: Sequence[str], path: str, line: int = 1) -> Fault | None:
    """The fault of a file whose first row is one of data, so that it has no names; None if it may have some.

    Args:
        names: The cells of the first row.
        path: The file.
        line: The line of the first row.
    """
    numbers = [number.number for name in names if (number := split_number(name))]
    has_decimals = any(re.search("[0-9][.,][0-9]", number) for number in numbers)
    if not numbers or (2 * len(numbers) < len(names) and not has_decimals):
        return None
    message = f"the file has no header: its first line holds data, {shorten(', '.join(names))}"
    hint = f"Set data.header: false and data.names to a name for each of the {len(names):,} columns"
    return Fault(message, path, line, hint=hint)


def no_names_fault(wanted: Sequence[str], names: Sequence[str], path: str) -> Fault | None:
    """The one fault of a file that lacks columns because its first line holds no names; None if it may.

    Args:
        wanted: The columns that it lacks.
        names: Those that it has.
        path: The file.
    """
    if not wanted or not names:
        return None
    if len(names) == 1 and is_comment(names[0]):
        return comment_fault(names[0], path, 1)
    if len(names) == 1 and "  " in names[0].strip() and not any(mark in names[0] for mark in DELIMITERS):
        return aligned_fault(f"there is no column {wanted[0]!r}", names[0], path)
    if any(nearest_word(name, names) for name in wanted[:_MOST_WANTED]):
        return None
    return data_fault(names, path)
