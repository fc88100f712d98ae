"""What a request holds, as a table: an object of rows in JSON, JSON Lines, or a CSV."""

import codecs
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from dlreg.errors import Fault
from dlreg.runs.new_rows import table_of_frame
from dlreg.runs.prediction_lines import LineForm
from dlreg.runs.row_reader import Row
from dlreg.runs.trained_run import TrainedRun
from dlreg.serving.faults import REQUEST, RequestError
from dlreg.table.csv_file import csv_blocks
from dlreg.table.csv_format import CsvFormat, csv_format_of
from dlreg.table.json_lines import json_blocks, parse_json
from dlreg.table.source import stream_tables
from dlreg.table.table import RowBlock, Table
from dlreg.wording import nearest_word

BodyForm = Literal["json", "jsonl", "csv"]
MEDIA_TYPES: Mapping[str, BodyForm] = {
    "application/json": "json",
    "application/x-ndjson": "jsonl",
    "application/jsonl": "jsonl",
    "text/csv": "csv",
}
MAX_BODY_BYTES, MAX_JSON_ROWS = 8 << 20, 100_000
_ROWS, _SHAPE = "rows", 'Send {"rows": [{"COLUMN": VALUE, …}, …]}'


@dataclass(frozen=True)
class BodySource:
    """The rows of a request that are lines of text, as `dlreg.table.source.Source` has those of a file.

    Attributes:
        name: What messages call it.
        csv_format: How its text is written.
        text: Its bytes.
        read: Makes blocks of it.
    """

    name: str
    csv_format: CsvFormat
    text: bytes
    read: Callable[[io.BytesIO, str, CsvFormat], Iterator[RowBlock]]

    def blocks(self) -> Iterator[RowBlock]:
        """The rows, in blocks; from the start each time it is called."""
        return self.read(io.BytesIO(self.text), self.name, self.csv_format)


def form_of(content_type: str | None, content_encoding: str | None, encoding: str) -> BodyForm:
    """What a body holds by the headers of the request.

    Args:
        content_type: The header of that name.
        content_encoding: The header of that name.
        encoding: Of the text of a CSV, as the run reads it.

    Raises:
        RequestError: It is none of `MEDIA_TYPES`, or compressed, or text in another encoding (415).
    """
    if content_encoding not in (None, "", "identity"):
        hint = "Send it as it is, without the header Content-Encoding"
        raise RequestError(
            415, Fault(f"the body is compressed by {content_encoding[:40]!r}", REQUEST, hint=hint)
        )
    media_type, _, parameters = (content_type or "").partition(";")
    media_type = media_type.strip().lower()
    if media_type in MEDIA_TYPES:
        form = MEDIA_TYPES[media_type]
        _refuse_charset(parameters, encoding if form == "csv" else "utf-8")
        return form
    expected = ", ".join(dict.fromkeys(MEDIA_TYPES))
    found = f"found {media_type[:80]!r}" if media_type else "there is none"
    hint = "Send the header Content-Type: application/json"
    raise RequestError(415, Fault(f"expected a Content-Type of {expected}; {found}", REQUEST, hint=hint))


def _refuse_charset(parameters: str, encoding: str) -> None:
    for parameter in parameters.split(";"):
        name, _, value = parameter.strip().partition("=")
        charset = value.strip('" ')
        if name.lower() == "charset" and _codec(charset) != _codec(encoding):
            hint = f"Send it in {encoding}"
            raise RequestError(
                415, Fault(f"expected text in {encoding}, found {charset[:40]!r}", REQUEST, hint=hint)
            )


def _codec(name: str) -> str:
    try:
        return codecs.lookup(name).name.removesuffix("-sig")
    except LookupError:
        return name


def rows_of_json(body: bytes) -> list[Row]:
    """The rows of a body in JSON: `{"rows": [{"column": value, …}, …]}`.

    Raises:
        DataError: It is no object of JSON.
        RequestError: It holds something else, or more than `MAX_JSON_ROWS`.
    """
    # Counted before they are made: empty ones take a hundred times their bytes.
    if body.count(b"{") - 1 > MAX_JSON_ROWS:
        hint = "Send them in several requests, or use dlreg predict"
        raise RequestError(413, Fault(f"there are more than {MAX_JSON_ROWS:,} rows", REQUEST, hint=hint))
    content = parse_json(body.removeprefix(codecs.BOM_UTF8), REQUEST, hint=_SHAPE)
    if not isinstance(content, dict):
        raise RequestError(
            422, Fault(f"expected an object of JSON, found {_kind(content)}", REQUEST, hint=_SHAPE)
        )
    faults = [_unknown_key(key) for key in content if key != _ROWS]
    rows = content.get(_ROWS)
    if not isinstance(rows, list):
        faults.append(
            Fault(f"expected a list of rows at key 'rows', found {_kind(rows)}", REQUEST, hint=_SHAPE)
        )
    elif not rows:
        faults.append(Fault("there are no rows", REQUEST, hint="Give at least one"))
    else:
        faults += [
            Fault(f"expected an object of cells, found {_kind(row)}", REQUEST, hint=_SHAPE, row=number)
            for number, row in enumerate(rows, 1)
            if not isinstance(row, dict)
        ]
    if faults:
        raise RequestError(422, *faults)
    return rows or []


def _unknown_key(key: str) -> Fault:
    if key == "interval":
        hint = "It is a parameter: /predict?interval=0.9"
    else:
        hint = "Did you mean 'rows'?" if nearest_word(key, [_ROWS]) else "The only key is 'rows'"
    return Fault(f"unknown key {key!r}", REQUEST, hint=hint)


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "text", bool: str(value).lower(), type(None): "nothing"}
    return names.get(type(value), f"the number {value}")


def table_of_rows(run: TrainedRun, rows: Sequence[Row], name: str = REQUEST) -> Table:
    """Rows of JSON as a table that a run can read.

    Raises:
        DataError: Columns are missing, or cells are no numbers, text, true or false.
    """
    return table_of_frame(run, pd.DataFrame(rows, dtype=object), name)


def tables_of_lines(form: LineForm, body: bytes, run: TrainedRun) -> Iterator[Table]:
    """The rows of a body of lines, one table after the other.

    Raises:
        DataError: It holds no rows that the run can read.
    """
    csv_format = csv_format_of(run.config.data)
    source = BodySource(REQUEST, csv_format, body, json_blocks if form == "jsonl" else csv_blocks)
    yield from stream_tables(source, run.text_columns)
