"""Predictions for new rows, streamed: one line per input row, in order, in bounded memory."""

import contextlib
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, BinaryIO

import pandas as pd

from dlreg.atomic_file import replacing, reporting_storage_errors, sweep_temporaries
from dlreg.columns import read_cells
from dlreg.csv_file import Table, stream_tables
from dlreg.csv_scan import as_utf8, open_csv
from dlreg.dataset import csv_format_of, missing_column
from dlreg.errors import DataError, Fault, located
from dlreg.trained_run import TrainedRun


def predict(run: TrainedRun, csv: str, output: str, keep: Sequence[str] = ()) -> dict[str, int]:
    """Predicts each row of a CSV and writes `row`, the kept columns and `y_pred`.

    Args:
        run: The trained run.
        csv: A file, or `-` for standard input. The target column is not needed.
        output: A file, replaced in one step when all rows are done, or `-` for standard output.
        keep: Columns to copy from the input.

    Returns:
        How many rows there were (`rows`), and how many cells of a category were unseen in training,
        by column (`unseen in …`).

    Raises:
        DataError: No rows, columns missing, cells that are not what the column is.
        StorageError: The output cannot be written.
    """
    counts: Counter[str] = Counter(rows=0)
    name = "standard input" if csv == "-" else csv
    with _open_input(csv, run.config.data.encoding) as stream, _open_output(output) as target:
        text_columns = {*run.text_columns, *keep}
        for table in stream_tables(stream, name, csv_format_of(run.config.data), text_columns):
            frame = _predict_block(run, table, keep, counts)
            frame.to_csv(target, index=False, header=not counts["rows"], lineterminator="\n")
            counts["rows"] += len(frame)
        if not counts["rows"]:
            raise DataError(Fault("the file has no rows of data", name))
    return dict(counts)


def _predict_block(run: TrainedRun, table: Table, keep: Sequence[str], counts: Counter[str]) -> pd.DataFrame:
    header = list(table.frame.columns)
    wanted = [*(column.name for column in run.columns), *keep]
    lacking = [name for name in wanted if name not in header]
    if lacking:
        raise DataError(*(missing_column(name, header, table.name) for name in lacking))
    with located(table.name):
        cells = read_cells(table, run.columns)
    counts.update({f"unseen in {name}": count for name, count in run.count_unseen(cells).items() if count})
    frame = table.frame[list(keep)].copy()
    frame.insert(0, "row", range(counts["rows"], counts["rows"] + len(frame)), allow_duplicates=True)
    frame.insert(len(frame.columns), "y_pred", run.pipeline.predict(cells), allow_duplicates=True)
    return frame


@contextlib.contextmanager
def _open_input(csv: str, encoding: str) -> Iterator[BinaryIO]:
    if csv == "-":
        yield as_utf8(sys.stdin.buffer, encoding)
    else:
        with open_csv(csv, encoding) as stream:
            yield stream


@contextlib.contextmanager
def _open_output(output: str) -> Iterator[IO[str]]:
    if output == "-":
        yield sys.stdout
        return
    path = Path(output)
    with reporting_storage_errors(path):
        sweep_temporaries(path.parent)
        with (
            replacing(path) as descriptor,
            open(descriptor, "w", encoding="utf-8", newline="", closefd=False) as target,
        ):
            yield target
