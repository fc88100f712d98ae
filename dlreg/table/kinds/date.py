"""Columns of dates, all of one format: ISO is recognised, another format has to be named."""

import numpy as np
import pandas as pd

from dlreg.errors import DataError, Fault
from dlreg.table import dates
from dlreg.table.cells import cells_fault, read_text
from dlreg.table.column import Column, Kind
from dlreg.table.csv_file import Table


def _recognise(table: Table, name: str) -> Column | None:
    texts = table.frame[name].dropna().astype("str")
    if texts.empty:
        return None
    iso = dates.guess_iso_format(texts)
    if iso:
        return Column(name, "date", iso)
    if dates.guess_other_formats(texts) or _look_like_dates(texts):
        return _declare(table, name)
    return None


def _look_like_dates(texts: "pd.Series[str]") -> bool:
    day = r"[0-9]{1,4}[-/.][0-9]{1,2}[-/.][0-9]{1,4}|[0-9]{1,2}[- ][A-Za-z]{3,9}[- ,]+[0-9]{2,4}"
    # An address such as 10.0.0.1 is none.
    pattern = rf"\s*({day})(?![0-9]|[.][0-9]).*"
    return bool(texts.str.fullmatch(pattern).mean() >= 0.5)


def _declare(table: Table, name: str) -> Column:
    """The column if its dates are ISO; others are refused, since dd/mm and mm/dd cannot be told apart."""
    texts = table.frame[name].dropna().astype("str")
    if texts.empty:
        hint = f"Leave it out with data.exclude, or set data.dates: {{{name}: FORMAT}}"
        raise DataError(Fault(f"column {name!r} has no dates to tell the format from", table.name, hint=hint))
    iso = dates.guess_iso_format(texts)
    if iso:
        return Column(name, "date", iso)
    formats = dates.guess_other_formats(texts)
    nearly = None if formats else dates.most_likely_format(texts)
    if nearly:
        _check_dates(table, name, nearly)
    choices = " or ".join(f'data.dates: {{{name}: "{date_format}"}}' for date_format in formats[:3])
    hint = (
        f"Set {choices}" if formats else "Write them as YYYY-MM-DD, set their strptime format in data.dates"
    )
    row = int(np.flatnonzero(table.frame[name].notna().to_numpy())[0])
    message = f"column {name!r} seems to hold dates that are not ISO (YYYY-MM-DD), such as {texts.iloc[0]!r}"
    hint = f"{hint}, or data.types: {{{name}: category}}"
    raise DataError(Fault(message, table.name, table.line(row), hint=hint))


def _check_dates(table: Table, name: str, date_format: str) -> None:
    cells = table.frame[name].astype("str")
    bad = (cells.notna() & dates.parse_dates(cells, date_format).isna()).to_numpy()
    if bad.any():
        hint = f"Mend the cells, set the format in data.dates, or data.types: {{{name}: category}}"
        raise DataError(cells_fault(table, name, bad, f"expected dates of the form {date_format}", hint))


def _read(table: Table, column: Column) -> np.ndarray:
    _check_dates(table, column.name, str(column.date_format))
    return read_text(table, column.name)


def _read_moments(table: Table, column: Column) -> np.ndarray:
    moments = dates.parse_dates(table.frame[column.name].astype("str"), str(column.date_format))
    return moments.to_numpy(dtype="datetime64[us]")


DATE = Kind(
    "date", is_text=True, recognise=_recognise, declare=_declare, read=_read, read_order=_read_moments
)
