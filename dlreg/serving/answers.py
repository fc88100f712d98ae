"""The rows of a request, predicted: the numbers, and what is said of them."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
import orjson

from dlreg.errors import DataError, Fault
from dlreg.evaluation.usable import is_usable
from dlreg.runs.new_rows import PredictedRows, predict_cells, predict_table
from dlreg.runs.prediction_lines import LineForm, line_writer
from dlreg.runs.row_reader import Row
from dlreg.runs.strange_cells import StrangeCells, refuse_strange, refuse_unseen, strange_sentences
from dlreg.runs.trained_run import TrainedRun
from dlreg.serving.bodies import table_of_rows
from dlreg.serving.faults import REQUEST
from dlreg.serving.served_run import ServedRun
from dlreg.table.kinds.unit_counts import count_without_unit
from dlreg.table.table import Table
from dlreg.wording import nearest_word, without_unit


@dataclass(frozen=True)
class Refusals:
    """What of a table is refused, as `dlreg predict` has it.

    Attributes:
        max_unseen: The share of a column's cells that may be a level which no training row has; None for any
            but all of them.
        strict: Refuse whatever the training rows did not have.
    """

    max_unseen: float | None = None
    strict: bool = False


@dataclass(frozen=True)
class Answer:
    """What is predicted for the rows of a request.

    Attributes:
        columns: `y_pred` and, where asked for, `y_lower` and `y_upper`: float64 of shape `(n_rows,)` each.
        cells: How many cells were `missing`, `outside` of the training range and `unseen`, by column.
        n_unpredicted: Rows whose prediction is no number to use.
        warnings: All this in words, and what else may be misread.
    """

    columns: Mapping[str, np.ndarray]
    cells: Mapping[str, Mapping[str, int]]
    n_unpredicted: int
    warnings: Sequence[str]


def answer_tables(
    run: TrainedRun, tables: Iterable[Table], interval: float | None, refusals: Refusals
) -> Answer:
    """Predicts the rows of tables, one after the other.

    Args:
        run: The trained run.
        tables: The rows.
        interval: The share of new rows that lies between the bounds; None for no bounds.
        refusals: What may not be in them.

    Raises:
        DataError: No rows, columns missing, cells that are not what the column is, too many unknown levels,
            and with `refusals.strict` anything strange or unpredicted.
    """
    predicted: list[PredictedRows] = []
    bare = Counter[str]()
    for table in tables:
        predicted.append(predict_table(run, table, interval=interval))
        bare.update(count_without_unit(table, run.columns))
    if not predicted:
        raise DataError(Fault("there are no rows", REQUEST, hint="Give at least one"))
    strange = sum((rows.strange for rows in predicted), StrangeCells())
    columns = {
        name: np.concatenate([rows.columns[name] for rows in predicted]) for name in predicted[0].columns
    }
    return _answer(run, PredictedRows(columns, strange), refusals, bare)


def answer_rows(served: ServedRun, rows: Sequence[Row], interval: float | None, refusals: Refusals) -> Answer:
    """The same for rows of JSON, in a tenth of the time that a data frame takes.

    Raises:
        DataError: As `answer_tables` does.
    """
    run = served.run
    if not all(served.names <= row.keys() for row in rows):
        raise DataError(*_lacking(served, rows))
    if any(column.unit for column in run.columns):
        # Whose cells have none is counted in a table.
        return answer_tables(run, [table_of_rows(run, rows)], interval, refusals)
    return _answer(run, predict_cells(run, served.read_rows(rows), interval), refusals, {})


def _lacking(served: ServedRun, rows: Sequence[Row]) -> Iterator[Fault]:
    """A fault for each column that a row lacks: a mistyped name would be a missing cell."""
    for number, row in enumerate(rows, 1):
        for column in served.run.columns:
            if column.name not in row:
                near = nearest_word(column.name, list(row))
                hint = f"Did you mean {near!r}?" if near else "Give null where the cell is missing"
                yield Fault(f"there is no key {column.name!r}", REQUEST, hint=hint, row=number)


def _answer(run: TrainedRun, predicted: PredictedRows, refusals: Refusals, bare: Mapping[str, int]) -> Answer:
    """Refuses what may not be answered, and says what may be misread of the rest."""
    strange = predicted.strange
    columns = {name: values for name, values in predicted.columns.items() if name != "y_spread"}
    refuse_unseen(strange, REQUEST, refusals.max_unseen)
    if refusals.strict:
        refuse_strange(run, strange, REQUEST)
    warnings = [*strange_sentences(run, strange)]
    warnings += [without_unit(count, name) for name, count in bare.items()]
    usable = reduce(np.logical_and, map(is_usable, columns.values()))
    n_unpredicted = len(usable) - int(np.count_nonzero(usable))
    if n_unpredicted:
        message = f"{n_unpredicted:,} rows have no finite prediction"
        if refusals.strict:
            raise DataError(Fault(message, REQUEST, hint="Is a number too large?"))
        warnings.append(message)
    return Answer(columns, strange.as_json(), n_unpredicted, warnings)


def as_json(given: Answer) -> bytes:
    """`predictions`: an object for each row; `cells`, `unpredicted` and `warnings`: what may be misread."""
    columns = [_cells(values) for values in given.columns.values()]
    names = list(given.columns)
    return orjson.dumps(
        {
            "predictions": [dict(zip(names, cells, strict=True)) for cells in zip(*columns, strict=True)],
            "cells": given.cells,
            "unpredicted": given.n_unpredicted,
            "warnings": given.warnings,
        }
    )


def as_lines(given: Answer, form: LineForm) -> bytes:
    """A line for each row, as `dlreg predict` writes them."""
    writer = line_writer(form, (), list(given.columns))
    rows = np.arange(len(given.columns["y_pred"]))
    return (writer.header + writer.lines(rows, (), list(given.columns.values()))).encode()


def about_lines(given: Answer) -> str:
    """What may be misread of lines, in one line of ASCII: a header holds nothing else."""
    return json.dumps({"cells": given.cells, "unpredicted": given.n_unpredicted})


def _cells(values: np.ndarray) -> list[float | None]:
    usable = is_usable(values)
    numbers: list[float | None] = values.tolist()
    if usable.all():
        return numbers
    return [value if known else None for value, known in zip(numbers, usable.tolist(), strict=True)]
