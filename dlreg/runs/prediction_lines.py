"""Predicted rows as lines: of a CSV, or of JSON."""

import io
import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from csv import writer as csv_writer
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from dlreg.evaluation.usable import is_usable
from dlreg.files.table_files import JSON_LINES_SUFFIXES
from dlreg.runs.number_texts import joined_lines, number_texts
from dlreg.table.table import Table

LineForm = Literal["csv", "jsonl"]
# What makes quotes round a cell necessary.
_QUOTED = ',"\n\r'
_JSON_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")


@dataclass(frozen=True)
class Kept:
    """The cells of a column of the input that is copied.

    Attributes:
        texts: As they are written; "" where one is missing.
        are_numbers: Whether they are numbers, as opposed to text that may look like some.
    """

    texts: list[str]
    are_numbers: bool

    def take(self, rows: slice) -> "Kept":
        """Some of them."""
        return Kept(self.texts[rows], self.are_numbers)


@dataclass(frozen=True)
class LineWriter:
    """How predicted rows become lines.

    Attributes:
        header: What stands before all lines.
        lines: From the numbers of rows, their kept cells and their predictions to a line for each.
    """

    header: str
    lines: Callable[[np.ndarray, Sequence[Kept], Sequence[np.ndarray]], str]


def form_of_file(path: str) -> LineForm:
    """What lines a file of this name has."""
    return "jsonl" if Path(path).suffix.lower() in JSON_LINES_SUFFIXES else "csv"


def line_writer(
    form: LineForm,
    kept: Sequence[str],
    predicted: Sequence[str],
    written: Callable[[Sequence[str]], list[str]] = list,
) -> LineWriter:
    """How rows of these columns become lines of a form.

    Args:
        form: Of the lines.
        kept: The names of columns of the input that are copied.
        predicted: The names of those that are predicted.
        written: What becomes of kept cells, and of their names, in a CSV.
    """
    if form == "jsonl":
        return LineWriter("", partial(_json_lines, ["row", *kept, *predicted]))
    names = [[name] for name in written(kept)]
    header = _csv_text([["row"], *names, *([name] for name in predicted)])
    return LineWriter(header, partial(_csv_lines, written))


def kept_cells(block: Table, names: Sequence[str], numbers: Collection[str]) -> Mapping[str, Kept]:
    """The cells of these columns of a block as they are written.

    Args:
        block: Rows of the input.
        names: The columns.
        numbers: Columns that hold numbers, however the input is written.
    """
    frame, typed = block.frame, {name for rows in block.blocks() for name in rows.number_columns}
    if any(pd.api.types.is_numeric_dtype(frame[name]) for name in names):
        frame = pd.concat([rows.texts(names) for rows in block.blocks()])
    return {name: Kept(frame[name].fillna("").tolist(), name in numbers or name in typed) for name in names}


def _csv_lines(
    written: Callable[[Sequence[str]], list[str]],
    rows: np.ndarray,
    kept: Sequence[Kept],
    predictions: Sequence[np.ndarray],
) -> str:
    copies = [written(column.texts) for column in kept]
    return _csv_text([number_texts(rows), *copies, *(_texts(values, "") for values in predictions)])


def _csv_text(columns: Sequence[Sequence[str]]) -> str:
    """A line of CSV for each row."""
    text = "".join(map("".join, columns))
    if not any(mark in text for mark in _QUOTED):
        return joined_lines(columns)
    lines = io.StringIO()
    # It writes the same text as pandas, several times as fast.
    csv_writer(lines, lineterminator="\n").writerows(zip(*columns, strict=True))
    return lines.getvalue()


def _json_lines(
    names: Sequence[str], rows: np.ndarray, kept: Sequence[Kept], predictions: Sequence[np.ndarray]
) -> str:
    """An object of JSON for each row."""
    columns = [
        number_texts(rows),
        *map(_json_cells, kept),
        *(_texts(values, "null") for values in predictions),
    ]
    keys = [f"{json.dumps(name, ensure_ascii=False)}: " for name in names]
    lines = (
        ", ".join(key + cell for key, cell in zip(keys, cells, strict=True))
        for cells in zip(*columns, strict=True)
    )
    return "".join(f"{{{line}}}\n" for line in lines)


def _json_cells(column: Kept) -> list[str]:
    return [_json_cell(text, is_number=column.are_numbers) for text in column.texts]


def _json_cell(text: str, *, is_number: bool) -> str:
    if not text:
        return "null"
    # Numbers with units or marks of their own stay as they are written.
    return text if is_number and _JSON_NUMBER.fullmatch(text) else json.dumps(text, ensure_ascii=False)


def _texts(values: np.ndarray, nothing: str) -> list[str]:
    """Numbers as they are written; another text for what is no number to use."""
    cells = number_texts(values)
    for place in np.flatnonzero(~is_usable(values)).tolist():
        cells[place] = nothing
    return cells
