"""What a run predicts for new rows, whatever they come from: a file, a data frame, a request."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from numbers import Real

import numpy as np
import pandas as pd

from dlreg.errors import DataError, Fault, UsageError, gathering, located
from dlreg.evaluation.intervals import Intervals
from dlreg.pipeline.graph import PREDICTION, RESIDUAL_SCALE, SPREAD
from dlreg.runs.strange_cells import StrangeCells, count_strange_cells
from dlreg.runs.trained_run import TrainedModel
from dlreg.table.cells import cells_fault
from dlreg.table.column import Column
from dlreg.table.columns import read_cells
from dlreg.table.csv_format import csv_format_of
from dlreg.table.date_guess import written_offset
from dlreg.table.date_writing import rewrite_dates
from dlreg.table.dates import has_offset
from dlreg.table.frame_table import DATA_FRAME, frame_block, frame_table
from dlreg.table.missing_columns import missing_columns
from dlreg.table.table import Table
from dlreg.table.time_zones import offset_of

# Where only the rows or only the training table say which clock moments are of: what was expected, a way out.
_WITHOUT_ZONE = (
    "expected moments without a time zone, as the run was trained with",
    "Bring them to the clocks of the training table, and drop the zone: "
    "dt.tz_convert(ZONE).dt.tz_localize(None)",
)
_WITH_ZONE = (
    "expected moments with a time zone, as the run was trained with",
    "Say which clocks they are of: dt.tz_localize(ZONE)",
)


@dataclass(frozen=True)
class PredictedRows:
    """What is predicted for rows, and what was strange about them.

    Attributes:
        columns: `y_pred`, `y_spread` where there are several members, and `y_lower` and `y_upper` where an
            interval is asked for: float64 of shape `(n_rows,)` each, in the target's units.
        strange: Cells unlike those of the training rows.
    """

    columns: Mapping[str, np.ndarray]
    strange: StrangeCells


def predict_table(
    run: TrainedModel, table: Table, *, interval: float | None = None, needed: Sequence[str] = ()
) -> PredictedRows:
    """Predicts the rows of a table.

    Args:
        run: The trained run.
        table: Holds the columns that the run reads, and perhaps others.
        interval: The share of new rows that lies between the bounds; None for no bounds.
        needed: Further columns that it must have.

    Raises:
        DataError: With each column that is missing, or has cells which are not what the column is.
    """
    return predict_cells(run, read_new_cells(run, table, needed), interval)


def read_new_cells(run: TrainedModel, table: Table, needed: Sequence[str] = ()) -> dict[str, np.ndarray]:
    """The cells of a table as the run's pipeline takes them, one array of shape `(n_rows, 1)` per column.

    Args:
        run: The trained run.
        table: Holds the columns that the run reads, and perhaps others.
        needed: Further columns that it must have.

    Raises:
        DataError: With each column that is missing, or has cells which are not what the column is.
    """
    wanted = [*(column.name for column in run.columns), *needed]
    lacking = [name for name in wanted if name not in table.frame.columns]
    if lacking:
        raise DataError(*missing_columns(lacking, list(table.frame.columns), table.name, len(wanted)))
    with located(table.name):
        return read_cells(table, run.columns)


def predict_cells(
    run: TrainedModel, cells: Mapping[str, np.ndarray], interval: float | None = None
) -> PredictedRows:
    """Predicts rows whose cells are read already.

    Args:
        run: The trained run.
        cells: As `read_new_cells` gives them.
        interval: The share of new rows that lies between the bounds; None for no bounds.
    """
    strange = count_strange_cells(run, cells)
    outputs = run.pipeline.run(cells)
    columns = {"y_pred": outputs[PREDICTION]}
    if SPREAD in outputs:
        columns["y_spread"] = outputs[SPREAD]
    if interval is not None:
        n_rows = len(columns["y_pred"])
        margins = run.intervals.margins(interval, n_rows, outputs.get(RESIDUAL_SCALE))
        if margins is not None:
            below, above = margins.T
            columns |= {"y_lower": columns["y_pred"] - below, "y_upper": columns["y_pred"] + above}
    return PredictedRows(columns, strange)


def table_of_frame(run: TrainedModel, frame: pd.DataFrame, name: str = DATA_FRAME) -> Table:
    """A data frame as a table that a run can read: its moments are written as in the run's own table.

    Args:
        run: The trained run.
        frame: Columns as in the training table, in any order, and perhaps others.
        name: What to call it in a message.

    Raises:
        DataError: Columns are missing, there are no rows, or cells that are neither numbers nor text, or
            moments that the format of the training table cannot tell, or of which only the table's or only
            the frame's have a time zone.
    """
    columns, names = {column.name: column for column in run.columns}, [str(name) for name in frame.columns]
    if lacking := [column for column in columns if column not in names]:
        raise DataError(*missing_columns(lacking, names, name, len(columns), line=None))
    known = frame.loc[:, [name in columns for name in names]]
    block = frame_block(known, csv_format_of(run.config.data), name)
    table = frame_table(block, run.text_columns)
    faults: list[Fault] = []
    for column, date_format in block.moments.items():
        wanted = columns[column]
        if wanted.kind == "date" and wanted.date_format != date_format:
            with gathering(faults):
                table = _with_moments_of_run(table, wanted, date_format)
    if faults:
        raise DataError(*faults)
    return table


def _with_moments_of_run(table: Table, wanted: Column, date_format: str) -> Table:
    """The table with a column of moments written as the run reads them.

    Raises:
        DataError: Only one of both has a time zone, or the run's format cannot tell the moments.
    """
    run_format = str(wanted.date_format)
    # An offset that all cells had is a part of the format, and the clocks are those of that offset.
    offset = written_offset(run_format).strip()
    is_fixed, has_zone = not math.isnan(offset_of(offset)), has_offset(date_format)
    if has_zone != (is_fixed or has_offset(run_format)):
        known = table.frame[wanted.name].notna().to_numpy()
        if known.any():
            expected, hint = _WITHOUT_ZONE if has_zone else _WITH_ZONE
            raise DataError(cells_fault(table, wanted.name, known, expected, hint))
    if "%z" in run_format:
        # Any offset will do, so that of UTC.
        wanted = replace(wanted, date_format=run_format.replace("%z", "Z"), time_zone=None)
    zone = _zone_name(offset) if is_fixed else wanted.time_zone
    return rewrite_dates(
        table, replace(wanted, date_format=date_format, latest_year=None, time_zone=zone), wanted
    )


def _zone_name(offset: str) -> str:
    """An offset from UTC as `dlreg.table.time_zones.zone_offsets` takes it."""
    return "UTC" if offset in ("Z", "UTC") else offset.ljust(len("+0000"), "0")


def refuse_level(intervals: Intervals, level: float, name: str = "--interval ") -> None:
    """Refuses an interval that is no share of rows, or that too few rows were kept for.

    Args:
        intervals: Those of a run.
        level: The share asked for.
        name: How it is asked for, up to the number: as an option, an argument of Python, a key of a request.

    Raises:
        UsageError: With the highest level that there is.
    """
    is_number = isinstance(level, Real)
    if not (is_number and 0 < level < 1):
        hint = f"Give the share of rows that the intervals shall hold, such as {name}0.9"
        found = f"{level:g}" if is_number else repr(level)
        message = f"{name.rstrip(' =')} takes a number between 0 and 1; found {found}"
        raise UsageError(Fault(message, hint=hint))
    if not intervals.n_rows or level > intervals.highest_level:
        n_rows = intervals.n_rows
        message = f"{name}{level:g} needs more rows to calibrate on than this run has: {n_rows:,}"
        hint = f"Ask for at most {_told_down(n_rows)}, or train" if n_rows else "Train"
        more = "on more rows, or with a larger training.validation_split where there are no folds"
        raise UsageError(Fault(message, hint=f"{hint} {more}"))


def _told_down(n_rows: int) -> str:
    """The highest level that there is of calibration rows, never rounded up: what it says has an interval."""
    decimals = max(3, len(str(n_rows + 1)))
    shown = n_rows * 10**decimals // (n_rows + 1)
    return f"0.{shown:0{decimals}}".rstrip("0")
