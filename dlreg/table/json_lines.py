"""Rows of JSON Lines: an object of cells on each line, as logs, queues and web services write them.

https://jsonlines.org
"""

import codecs
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

import pandas as pd

from dlreg.errors import DataError, Fault
from dlreg.table.csv_format import CsvFormat
from dlreg.table.csv_scan import MAX_COLUMNS
from dlreg.table.frame_table import FrameBlock, frame_block

_OPENING = re.compile(rb'(\xef\xbb\xbf)?\s*\{\s*(["}]|$)')
MOST_BLOCK_ROWS, BLOCK_BYTES, MAX_LINE_BYTES = 1 << 16, 4 << 20, 8 << 20
# Python reads no longer ones.
_MOST_DIGITS = 4000
_HINT = "Write one object a line, such as the output of: jq -c '.[]'"


def is_json_lines(opening: bytes) -> bool:
    """Whether text begins like an object of JSON."""
    return _OPENING.match(opening) is not None


def json_blocks(stream: BinaryIO, name: str, csv_format: CsvFormat) -> Iterator[FrameBlock]:
    """The rows of JSON Lines, in blocks of bounded size; blank lines are none.

    The columns are the keys of the first block, in the order in which they come; a cell whose key is not
    there is missing, as null is.

    Args:
        stream: The text, in UTF-8.
        name: What to call it in a message.
        csv_format: Which texts mean a missing value, and how numbers are written as text.

    Raises:
        DataError: A line is no object, or has a key twice, a cell that is no number, text, true or false, or
            a key that no row of the first block has.
    """
    header: dict[str, None] = {}
    is_first = True
    for rows, lines in _blocks(stream, name):
        if is_first:
            header = dict.fromkeys(key for row in rows for key in row)
            is_first = False
            if len(header) > MAX_COLUMNS:
                raise DataError(_many_columns(len(header), name))
        for row, line in zip(rows, lines, strict=True):
            if not row.keys() <= header.keys():
                key = next(key for key in row if key not in header)
                hint = "Give the first row every key, null where there is no value"
                message = f"key {key!r} comes first here, and would be a column that no row before has"
                raise DataError(Fault(message, name, line, hint=hint))
        frame = pd.DataFrame({key: _column(rows, key) for key in header}, index=range(len(rows)))
        yield frame_block(frame, csv_format, name, lines)


def _many_columns(n_columns: int, name: str, line: int | None = None) -> Fault:
    message = f"a table has at most {MAX_COLUMNS:,} columns, found {n_columns:,}"
    return Fault(message, name, line, hint="Leave columns out when you write it")


def _column(rows: list[dict[str, Any]], key: str) -> "pd.Series[Any]":
    return pd.Series([row.get(key) for row in rows], dtype=object)


def _blocks(stream: BinaryIO, name: str) -> Iterator[tuple[list[dict[str, Any]], list[int]]]:
    """Rows, and the 1-based line of each."""
    rows: list[dict[str, Any]] = []
    lines: list[int] = []
    line, n_bytes = 0, 0
    while text := stream.readline(MAX_LINE_BYTES + 1):
        line += 1
        text = text.removeprefix(codecs.BOM_UTF8) if line == 1 else text
        if len(text) > MAX_LINE_BYTES:
            message = f"the line has more than {MAX_LINE_BYTES >> 20} MB"
            raise DataError(Fault(message, name, line, hint=_HINT))
        if text.isspace():
            continue
        # Counted before they are made.
        if (n_keys := text.count(b'":')) > MAX_COLUMNS:
            raise DataError(_many_columns(n_keys, name, line))
        rows.append(parse_object(text, name, line))
        lines.append(line)
        n_bytes += len(text)
        if len(rows) == MOST_BLOCK_ROWS or n_bytes >= BLOCK_BYTES:
            yield rows, lines
            rows, lines, n_bytes = [], [], 0
    if rows:
        yield rows, lines


def parse_object(text: bytes, name: str, line: int | None = None) -> dict[str, Any]:
    """The object that a text holds.

    Raises:
        DataError: It is no object, or has a key twice.
    """
    value = parse_json(text, name, line)
    if not isinstance(value, dict):
        found = text.strip()[:40].decode(errors="replace")
        raise DataError(
            Fault(f"expected an object of JSON on each line, found {found!r}", name, line, hint=_HINT)
        )
    return value


def parse_json(text: bytes, name: str, line: int | None = None, hint: str = _HINT) -> Any:
    """What a text in JSON holds; NaN and infinite numbers are numbers.

    Args:
        text: In UTF-8.
        name: What to call it in a message.
        line: The line that it is; None if it is not one of several.
        hint: What to do where it is no JSON.

    Raises:
        DataError: It is no JSON in UTF-8, or an object has a key twice.
    """
    try:
        decoded = text.decode("utf-8")
    except UnicodeDecodeError as error:
        message = f"JSON is UTF-8, and the byte {text[error.start]:#04x} is not"
        raise DataError(Fault(message, name, line, error.start + 1, hint="Save it as UTF-8")) from None
    try:
        return json.loads(decoded, object_pairs_hook=_without_repeated_keys, parse_int=_whole_number)
    except json.JSONDecodeError as error:
        place = line if line is not None else error.lineno
        raise DataError(Fault(f"no JSON: {error.msg}", name, place, error.colno, hint=hint)) from None
    except _RepeatedKeyError as error:
        message = f"key {error.args[0]!r} stands twice in one object"
        raise DataError(Fault(message, name, line, hint="Give each key once")) from None
    except RecursionError:
        raise DataError(Fault("the JSON is nested too deeply", name, line, hint=hint)) from None


class _RepeatedKeyError(Exception):
    """An object has a key twice."""


def _without_repeated_keys(pairs: list[tuple[str, Any]]) -> Mapping[str, Any]:
    cells = dict(pairs)
    if len(cells) < len(pairs):
        keys = [key for key, _ in pairs]
        raise _RepeatedKeyError(next(key for key in keys if keys.count(key) > 1))
    return cells


def _whole_number(text: str) -> int | float:
    return int(text) if len(text) <= _MOST_DIGITS else float(text)
