"""What a word on the command line may name: columns and runs, found without a look at rows."""

import csv
import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from dlreg.files.plain_file import open_plain
from dlreg.runs.names import PREPROCESSING, RUN
from dlreg.runs.nearby import runs_in
from dlreg.table.compressed import decompressed
from dlreg.table.csv_opening import DELIMITERS

_MOST_BYTES = 1 << 20
_ENCODINGS = ("utf-8-sig", "cp949", "latin-1")


def columns_of_table(path: Path) -> list[str]:
    """The names in the first line of a CSV, which may be compressed.

    Raises:
        Exception: Whatever stands in the way of it.
    """
    with open_plain(path, follow_link=True) as file:
        line = decompressed(file, str(path)).readline(_MOST_BYTES)
    text = next(text for encoding in _ENCODINGS if (text := _decoded(line, encoding)) is not None)
    if "\0" in text:
        return []
    return next(csv.reader([text], delimiter=max(DELIMITERS, key=text.count)), [])


def columns_of_run(path: Path) -> list[str]:
    """The names of the columns that a run predicts from.

    Raises:
        Exception: Whatever stands in the way of it.
    """
    with open_plain(path / PREPROCESSING, follow_link=True) as file:
        return [*json.loads(file.read(_MOST_BYTES))["columns"]]


def runs_beginning(typed: str) -> Iterator[str]:
    """The run directories whose path begins with what is typed, and those in such folders."""
    folder = typed[: typed.rfind("/") + 1]
    for path in islice(sorted(Path(folder or ".").iterdir()), 10_000):
        if path.name.startswith(typed[len(folder) :]) and not path.name.startswith(".") and path.is_dir():
            found = [path] if (path / RUN).is_file() else runs_in(path)
            yield from (f"{folder}{run.relative_to(folder or '.')}" for run in found)


def _decoded(line: bytes, encoding: str) -> str | None:
    try:
        return line.decode(encoding).strip("\r\n")
    except UnicodeDecodeError:
        return None
