"""The header of a CSV file: the names of its columns, and what is wrong with them."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence

from dlreg.errors import DataError, Fault
from dlreg.table.csv_format import CsvFormat
from dlreg.table.csv_opening import DELIMITERS, data_fault, is_comment
from dlreg.table.kinds.units import split_number

MOST_DUPLICATES = 20


def parse_header(text: bytes, path: str, csv_format: CsvFormat, line: int) -> tuple[str, ...]:
    """The column names; one without a name is called `Unnamed: ` and its 0-based number.

    Args:
        text: The first row, UTF-8.
        path: The file, for messages.
        csv_format: How it is written.
        line: The 1-based line at which the row starts.

    Raises:
        DataError: With every fault: names that stand twice, another delimiter, numbers instead of names.
    """
    source = io.StringIO(text.decode("utf-8"), newline="")
    try:
        cells = next(csv.reader(source, delimiter=csv_format.separator, strict=True))
    except csv.Error as error:
        hint = "Is the first line a header?"
        raise DataError(Fault(f"the header cannot be read: {error}", path, line, hint=hint)) from None
    names = tuple(cell if cell.strip() else f"Unnamed: {index}" for index, cell in enumerate(cells))
    duplicates = list(_duplicates(names))
    repeated = {name for name, count in Counter(names).items() if count > 1}
    if repeated and all(map(split_number, repeated)) and (no_header := data_fault(cells, path, line)):
        raise DataError(no_header)
    faults = [
        Fault(message, path, line, hint=hint)
        for message, hint in (
            *duplicates,
            *_other_delimiter(names, csv_format.separator),
            *_numbers_alone(cells, csv_format.decimal),
        )
    ]
    if faults:
        raise DataError(*faults)
    return names


def _duplicates(names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """A message and a hint for each name that stands twice; the last ones of many in one."""
    first_numbers: dict[str, int] = {}
    messages = []
    for number, name in enumerate(names, start=1):
        first = first_numbers.setdefault(name, number)
        if first != number:
            messages.append(f"two columns are named {name!r}: number {first} and {number}")
    for message in messages[:MOST_DUPLICATES]:
        yield message, "Give each column a name of its own"
    if len(messages) > MOST_DUPLICATES:
        more = f"{len(messages) - MOST_DUPLICATES:,} more columns have the name of another"
        yield more, "Is the first line a header, and ends with LF or CRLF?"


def _other_delimiter(names: Sequence[str], delimiter: str) -> Iterator[tuple[str, str]]:
    marks = [mark for mark in DELIMITERS if len(names) == 1 and mark in names[0]]
    if re.fullmatch("sep=.?", names[0], re.IGNORECASE):
        mark = names[0][4:]
        key = f'data.delimiter: "{mark}"' if mark else "data.delimiter"
        hint = f"Set data.skip_rows: 1 and {key}"
        yield f"expected column names, found {names[0]!r}, which tells Excel the delimiter", hint
    elif marks and not is_comment(names[0]):
        hint = f"The delimiter looks like {marks[0]!r}: set data.delimiter, or --delimiter of dlreg init"
        yield f"expected columns separated by {delimiter!r}, found one", hint


def _numbers_alone(cells: Sequence[str], decimal: str) -> Iterator[tuple[str, str]]:
    filled = [cell for cell in cells if cell.strip()]
    if filled and all(_is_number(cell.replace(decimal, ".")) for cell in filled):
        message = f"expected column names, found only numbers: {', '.join(filled[:5])}"
        yield message, "Set data.header: false and data.names to a name for each column"


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
