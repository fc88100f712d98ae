"""Predictions for new rows, streamed: one line per input row, in order, in bounded memory."""

import contextlib
import sys
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

import numpy as np

from dlreg.commands.formulas import escaped, find_formulas, formulas_of_names
from dlreg.commands.other_format import naming_set_option, with_dates_as_trained
from dlreg.errors import DataError, Fault, UsageError
from dlreg.evaluation.usable import Unusable, find_unusable
from dlreg.files.table_files import JSON_LINES_SUFFIXES, TABLE_SUFFIXES, table_files
from dlreg.files.whole_file import replacing, reporting_storage_errors, sweep_temporaries
from dlreg.runs.names import FILES
from dlreg.runs.new_rows import predict_table, refuse_level
from dlreg.runs.own_table import files_of_data
from dlreg.runs.prediction_lines import LineForm, form_of_file, kept_cells, line_writer
from dlreg.runs.strange_cells import (
    StrangeCells,
    refuse_strange,
    refuse_unseen,
    strange_sentences,
)
from dlreg.runs.trained_run import TrainedRun
from dlreg.table.csv_format import csv_format_of
from dlreg.table.kinds.unit_counts import count_without_unit
from dlreg.table.non_data_rows import describe_rows, find_non_data_rows
from dlreg.table.source import find_source, no_rows_fault, standard_input, stream_tables
from dlreg.wording import without_unit

# So many texts stay in the processor's cache, and in memory that Python has already.
LINES_AT_ONCE = 8192
# What names of files promise that is written as no lines of text.
_OTHER_FORMS = (TABLE_SUFFIXES | {".json"}) - {".csv", ".tsv", *JSON_LINES_SUFFIXES}


@dataclass(frozen=True)
class Options:
    """What is written of each row, and what the rows may be.

    Attributes:
        keep: Columns to copy from the input.
        spread: Write `y_spread` too, the standard deviation of the members of an ensemble.
        interval: Write `y_lower` and `y_upper` too, between which this share of new rows lies.
        max_unseen: The share of a column's cells that may be a level which no training row has; None for any
            but all of them.
        strict: Refuse whatever the training rows did not have.
        escape_formulas: Put a `'` before kept cells that a spreadsheet would take for formulas.
        form: `csv` or `jsonl`; None for that which the name of the output ends with, else `csv`.
    """

    keep: Sequence[str] = ()
    spread: bool = False
    interval: float | None = None
    max_unseen: float | None = None
    strict: bool = False
    escape_formulas: bool = False
    form: LineForm | None = None

    @property
    def predicted(self) -> list[str]:
        """The columns that are written beside the kept ones."""
        bounds = ["y_lower", "y_upper"] if self.interval else []
        return ["y_pred", *(["y_spread"] if self.spread else []), *bounds]


def predict(run: TrainedRun, csv: str, output: str, options: Options) -> tuple[dict[str, Any], list[Fault]]:
    """Predicts each row of a table and writes `row`, the kept columns and `y_pred`; warns of strange cells.

    A prediction that is no number to use leaves its cell empty, in JSON null.

    Args:
        run: The trained run.
        csv: A file, or `-` for standard input. The target column is not needed.
        output: A file, replaced in one step when all rows are done, or `-` for standard output.
        options: What is written, and what is refused.

    Returns:
        What `--json` prints: `output`, how many `rows` there were and how many of them are `unpredicted`, how
        many `cells` were `missing`, `outside` of the training range and `unseen`, and how many kept ones look
        like `formulas`, by column. And the fault of the unpredicted rows, if there are any.

    Raises:
        UsageError: A spread is asked for where there is one member, a column to be kept twice, an interval
            that is no share of rows, or a larger one than the rows it is calibrated on can tell of,
            formulas to be escaped in JSON, or an output that would replace what is read.
        DataError: No rows, columns missing, cells that are not what the column is, levels of which too many
            are unknown, and with `strict` anything strange or unpredicted.
        StorageError: The output cannot be written.
    """
    form = options.form or form_of_file(output)
    _check_options(run, options, form)
    if output != "-":
        _check_output(run, csv, Path(output), is_named=options.form is not None)
    csv_format = csv_format_of(run.config.data)
    source = standard_input(csv_format) if csv == "-" else find_source(csv, csv_format)
    n_rows, strange, bare, unusable = 0, StrangeCells(), Counter[str](), Unusable()
    formulas = formulas_of_names(options.keep if form == "csv" else ())
    writer = line_writer(form, options.keep, options.predicted, escaped if options.escape_formulas else list)
    with naming_set_option(), _open_output(output) as target:
        # Numbers are read as such, and once more as text where they are kept as they are written.
        numbers = {column.name for column in run.columns} - set(run.text_columns)
        text_columns = {*run.text_columns, *options.keep} - numbers
        for block in stream_tables(source, text_columns):
            others = describe_rows(block, find_non_data_rows(block, None))
            with _pointing_at(others):
                table = with_dates_as_trained(block, run)
                predicted = predict_table(run, table, interval=options.interval, needed=options.keep)
            if options.strict:
                refuse_strange(run, predicted.strange, table.name)
            for place in others:
                warnings.warn(f"predicted, but no observation: {place}", stacklevel=1)
            strange += predicted.strange
            rows = np.arange(n_rows, n_rows + len(table.frame))
            unusable += find_unusable(rows, *(predicted.columns[name] for name in options.predicted))
            if options.strict and unusable.count:
                raise DataError(*unusable.faults(source.name))
            bare.update(count_without_unit(table, run.columns))
            if not n_rows:
                # Before anything is written: what follows is mostly like what comes first.
                refuse_unseen(strange, source.name, options.max_unseen)
                target.write(writer.header)
            kept = kept_cells(block, options.keep, numbers)
            if form == "csv":
                formulas += find_formulas({name: cells.texts for name, cells in kept.items()}, n_rows)
            for start in range(0, len(rows), LINES_AT_ONCE):
                lines = slice(start, start + LINES_AT_ONCE)
                copies = [cells.take(lines) for cells in kept.values()]
                predictions = [predicted.columns[name][lines] for name in options.predicted]
                target.write(writer.lines(rows[lines], copies, predictions))
            n_rows += len(table.frame)
        if not n_rows:
            raise DataError(no_rows_fault(source.name))
        refuse_unseen(strange, source.name, options.max_unseen)
    for sentence in strange_sentences(run, strange):
        warnings.warn(sentence, stacklevel=1)
    for name, count in bare.items():
        warnings.warn(f"{without_unit(count, name)}, taken as in training", stacklevel=1)
    if not options.escape_formulas:
        for sentence in formulas.sentences:
            warnings.warn(sentence, stacklevel=1)
    if unusable.count:
        warnings.warn(
            f"{unusable.count:,} rows have no finite prediction: nothing is written there", stacklevel=1
        )
    report = {
        "output": output,
        "rows": n_rows,
        "unpredicted": unusable.count,
        "cells": strange.as_json(),
        "formulas": dict(formulas.counts),
    }
    return report, unusable.faults(source.name)


@contextlib.contextmanager
def _pointing_at(others: Sequence[str]) -> Iterator[None]:
    """Has the faults of cells point at rows that are no observations, if there are any.

    Args:
        others: These rows, in words.
    """
    try:
        yield
    except DataError as error:
        if not others:
            raise
        way_out = f"Or leave out what is no observation ({others[0]}); at the end data.skip_footer: 1 does so"
        faults = (
            replace(fault, hint=f"{fault.hint}. {way_out}" if fault.hint else way_out)
            for fault in error.faults
        )
        raise DataError(*faults) from None


def _check_options(run: TrainedRun, options: Options, form: LineForm) -> None:
    if options.escape_formulas and form != "csv":
        hint = "No spreadsheet reads JSON Lines: leave it out, or write a CSV"
        raise UsageError(Fault("--escape-formulas is for a CSV", hint=hint))
    if options.spread and not run.pipeline.has_spread:
        hint = "Train with model.ensemble: 5 of ensemble_kind: independent, or leave --spread out"
        raise UsageError(Fault("--spread needs a run of several members, this one has one", hint=hint))
    if options.interval is not None:
        refuse_level(run.intervals, options.interval)
    columns = ["row", *options.keep, *options.predicted]
    if repeated := [name for name in options.keep if columns.count(name) > 1]:
        hint = "Give each once; rename a column of the CSV that is called like one of dlreg's"
        raise UsageError(Fault(f"--keep {repeated[0]!r}: the output would have two such columns", hint=hint))


def _check_output(run: TrainedRun, csv: str, output: Path, *, is_named: bool) -> None:
    """Refuses a file that is read, or is the run's, and a name that promises another form."""
    if output.suffix.lower() in _OTHER_FORMS and not is_named:
        hint = "Give a name that ends in .csv or .jsonl, or say by --format which of them it shall be"
        raise UsageError(Fault("predict writes a CSV or JSON Lines", str(output), hint=hint))
    read: list[str | Path] = [*files_of_data(run.config).values()]
    read += [] if csv == "-" else table_files(csv)
    if any(_is_same(output, file) for file in read):
        hint = "Give another --output"
        raise UsageError(Fault("the predictions would replace a table that is read", str(output), hint=hint))
    if output.name in FILES and _is_same(output.parent, run.path):
        hint = "Give another --output"
        raise UsageError(Fault("the predictions would replace a file of the run", str(output), hint=hint))


def _is_same(path: Path, other: str | Path) -> bool:
    try:
        return path.samefile(other)
    except OSError:
        return False


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
