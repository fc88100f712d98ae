"""Dates in another format than they are written in: for a file whose dates are not as those of training."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from dlreg.errors import DataError
from dlreg.table.cells import cells_fault
from dlreg.table.column import Column
from dlreg.table.dates import NAMES, has_offset, parse_column, parse_format
from dlreg.table.table import Table

_PIECES: Mapping[str, Callable[[pd.Timestamp], str]] = {
    "Y": lambda moment: f"{moment.year:04}",
    "y": lambda moment: f"{moment.year % 100:02}",
    "m": lambda moment: f"{moment.month:02}",
    "B": lambda moment: NAMES["B"][moment.month - 1],
    "b": lambda moment: NAMES["b"][moment.month - 1],
    "d": lambda moment: f"{moment.day:02}",
    "j": lambda moment: f"{moment.day_of_year:03}",
    "A": lambda moment: NAMES["A"][moment.day_of_week],
    "a": lambda moment: NAMES["a"][moment.day_of_week],
    "H": lambda moment: f"{moment.hour:02}",
    "I": lambda moment: f"{(moment.hour - 1) % 12 + 1:02}",
    "p": lambda moment: NAMES["p"][moment.hour // 12],
    "M": lambda moment: f"{moment.minute:02}",
    "S": lambda moment: f"{moment.second:02}",
    "f": lambda moment: f"{moment.microsecond:06}",
}


def rewrite_dates(table: Table, written: Column, wanted: Column) -> Table:
    """A table one of whose columns of dates is written in the format of another.

    Args:
        table: Its cells.
        written: The column as it is.
        wanted: The column as a pipeline reads it.

    Raises:
        DataError: Cells that are no dates of the format, or that the other format cannot tell: it has no time
            of day, or years of another century.
    """
    name = written.name
    texts = table.frame[name].astype("str")
    moments = parse_column(texts, written)
    bad = (texts.notna() & moments.isna()).to_numpy()
    if bad.any():
        expected = f"expected dates of the form {written.date_format}"
        raise DataError(cells_fault(table, name, bad, expected, "Set the format in data.dates"))
    unique = moments.dropna().drop_duplicates()
    rewritten = moments.map(dict(zip(unique, (_write(moment, wanted) for moment in unique), strict=True)))
    rewritten = rewritten.astype("str").where(moments.notna())
    again = parse_column(rewritten, wanted)
    lost = np.asarray(moments.notna() & (again != moments))
    if lost.any():
        expected = f"the run was trained with dates of the form {wanted.date_format}, which cannot tell these"
        hint = "Write the dates of this file as those of the training table"
        raise DataError(cells_fault(table, name, lost, expected, hint))
    return replace(table, frame=table.frame.assign(**{name: rewritten}))


def _write(moment: pd.Timestamp, column: Column) -> str:
    """A moment as a clock shows it; "" where the format counts, or asks for an offset from UTC."""
    date_format = str(column.date_format)
    lead, fields = ("", ()) if has_offset(date_format) else parse_format(date_format)
    return lead + "".join(_PIECES[field.directive](moment) + field.separator for field in fields)
