"""The files of a run directory with a line for each row: `predictions.csv` and its like."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from dlreg.errors import Fault, RunDirError
from dlreg.runs.contents import ROWS_PER_BLOCK, refuse_large
from dlreg.runs.names import PREDICTIONS
from dlreg.runs.number_texts import lines_of_numbers
from dlreg.runs.reading import open_file

COLUMNS = ("row", "y_true", "y_pred")
# A figure of more points looks the same.
MOST_ROWS = 500_000
MAX_LINE_BYTES = 200
# Positions up to here are whole numbers in double precision.
MOST_PLACES = 1 << 53
_HEADER = f"{','.join(COLUMNS)}\n".encode()


class PredictedRows(NamedTuple):
    """Some rows, what was observed and what is predicted; all arrays have the shape `(n_rows,)`.

    Attributes:
        rows: Their 0-based positions in the CSV.
        y_true: What was observed, in the target's units.
        y_pred: What is predicted, in the target's units.
    """

    rows: np.ndarray
    y_true: np.ndarray
    y_pred: np.ndarray


def predictions_csv(predicted: PredictedRows, *, header: bool = True) -> bytes:
    """What was observed and what is predicted, a line for each row.

    Args:
        predicted: The rows.
        header: Whether the names of the columns come first.
    """
    content = bytearray(_HEADER if header else b"")
    for start in range(0, len(predicted.rows), ROWS_PER_BLOCK):
        block = slice(start, start + ROWS_PER_BLOCK)
        content += lines_of_numbers(values[block] for values in predicted).encode("ascii")
    return bytes(content)


def read_predictions(
    path: Path, record: Mapping[str, Any], name: str = PREDICTIONS, most_rows: int = MOST_ROWS
) -> PredictedRows:
    """The rows of a file of predictions; of more than `most_rows` every second, third … one.

    Raises:
        RunDirError: The file is damaged, or not one that `predictions_csv` made.
    """
    file = path / name
    with open_file(path, record, name) as stream:
        n_rows = sum(block.count(b"\n") for block in iter(partial(stream.read, 1 << 20), b""))
        stream.seek(0)
        with _refusing_other_lines(file):
            _skip_header(stream)
            lines = islice(_lines(stream), 0, None, -(-(n_rows - 1) // most_rows) or 1)
            return _parsed(lines if n_rows > 1 else (), file)


def read_prediction_blocks(path: Path, record: Mapping[str, Any], name: str) -> Iterator[PredictedRows]:
    """All rows of a file of predictions, block by block.

    Raises:
        RunDirError: The file is damaged, or not one that `predictions_csv` made.
    """
    file = path / name
    with open_file(path, record, name) as stream, _refusing_other_lines(file):
        _skip_header(stream)
        while lines := list(islice(_lines(stream), ROWS_PER_BLOCK)):
            yield _parsed(lines, file)


@contextmanager
def _refusing_other_lines(file: Path) -> Iterator[None]:
    try:
        yield
    except ValueError:
        raise RunDirError(
            Fault("expected rows of row, y_true and y_pred", str(file), hint="Train again")
        ) from None


def _skip_header(stream: BinaryIO) -> None:
    if stream.readline(len(_HEADER) + 1) != _HEADER:
        raise ValueError


def _parsed(lines: Iterable[bytes], file: Path) -> PredictedRows:
    table = np.loadtxt(lines, delimiter=",", comments=None, ndmin=2) if lines else np.empty((0, 3))
    places = table[:, 0]
    if not ((places >= 0) & (places < MOST_PLACES) & (places % 1 == 0)).all():
        raise ValueError
    refuse_large(table, file)
    return PredictedRows(places.astype(np.int64), table[:, 1], table[:, 2])


def _lines(file: BinaryIO) -> Iterator[bytes]:
    for line in iter(partial(file.readline, MAX_LINE_BYTES), b""):
        if line.count(b",") != len(COLUMNS) - 1:
            raise ValueError
        yield line
