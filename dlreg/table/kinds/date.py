"""Columns of dates, all of one format: ISO is recognised, another format has to be named."""

import numpy as np
import pandas as pd

from dlreg.errors import DataError, Fault
from dlreg.table.cells import cells_fault
from dlreg.table.column import Column, Kind
from dlreg.table.date_guess import (
    guess_iso_format,
    guess_other_formats,
    guess_time_of_day,
    most_likely_format,
    written_offset,
)
from dlreg.table.dates import has_date, has_offset, has_time, parse_column, parse_dates
from dlreg.table.table import Table

# Times of day as few as these may be the names of shifts; a column of them is a category, as it ever was.
_FEW_TIMES = 20


def date_column(table: Table, name: str, date_format: str, latest_year: int | None = None) -> Column:
    """A column of dates of this format; with the table's time zone if they are moments of UTC."""
    time_zone = table.csv_format.time_zone if has_offset(date_format) else None
    return Column(name, "date", date_format, latest_year, time_zone)


def _recognise(table: Table, name: str) -> Column | None:
    texts = _known_texts(table, name)
    if texts.empty:
        return None
    if iso := _iso_column(table, name, texts):
        return iso
    if guess_time_of_day(texts) and texts.nunique() <= _FEW_TIMES:
        return None
    if guess_other_formats(texts) or _look_like_dates(texts):
        return _declare(table, name)
    return None


def _texts(table: Table, name: str) -> "pd.Series[str]":
    return table.frame[name].astype("str").str.strip()


def _known_texts(table: Table, name: str) -> "pd.Series[str]":
    return _texts(table, name).dropna()


def _iso_column(table: Table, name: str, texts: "pd.Series[str]") -> Column | None:
    """The column if all its dates are ISO.

    Raises:
        DataError: They have several offsets from UTC, and the config does not say what to make of them.
    """
    in_zone = table.csv_format.time_zone is not None
    iso = guess_iso_format(texts, in_zone=in_zone)
    if iso and "%z" in iso and not in_zone:
        raise DataError(_offsets_fault(table, name, texts))
    return date_column(table, name, iso) if iso else None


def _offsets_fault(table: Table, name: str, texts: "pd.Series[str]") -> Fault:
    offsets = texts.map(written_offset)
    other = texts[offsets != offsets.iloc[0]].iloc[0]
    row = int(np.flatnonzero(table.frame[name].notna().to_numpy())[0])
    message = (
        f"column {name!r} has dates of several offsets from UTC, such as {texts.iloc[0]!r} and {other!r}"
    )
    hint = (
        "Set data.time_zone: UTC, or to the zone of cells without an offset, such as Europe/Berlin, "
        f"or data.types: {{{name}: category}}"
    )
    return table.fault(message, row, hint)


def _look_like_dates(texts: "pd.Series[str]") -> bool:
    day = r"[0-9]{1,4}[-/.][0-9]{1,2}[-/.][0-9]{1,4}|[0-9]{1,2}[- ][A-Za-z]{3,9}[- ,]+[0-9]{2,4}"
    # An address such as 10.0.0.1 is none.
    pattern = rf"\s*({day})(?![0-9]|[.][0-9]).*"
    return bool(texts.str.fullmatch(pattern).mean() >= 0.5)


def _declare(table: Table, name: str) -> Column:
    """The column if its dates are ISO; others are refused, since dd/mm and mm/dd cannot be told apart."""
    texts = _known_texts(table, name)
    if texts.empty:
        hint = f"Leave it out with data.exclude, or set data.dates: {{{name}: FORMAT}}"
        raise DataError(Fault(f"column {name!r} has no dates to tell the format from", table.name, hint=hint))
    if iso := _iso_column(table, name, texts):
        return iso
    formats = guess_other_formats(texts)
    nearly = None if formats else most_likely_format(texts)
    if nearly:
        _check_dates(table, date_column(table, name, nearly))
    choices = " or ".join(f'data.dates: {{{name}: "{date_format}"}}' for date_format in formats[:3])
    hint = (
        f"Set {choices}" if formats else "Write them as YYYY-MM-DD, set their strptime format in data.dates"
    )
    row = int(np.flatnonzero(table.frame[name].notna().to_numpy())[0])
    message = f"column {name!r} seems to hold dates that are not ISO (YYYY-MM-DD), such as {texts.iloc[0]!r}"
    hint = f"{hint}, or data.types: {{{name}: category}}"
    raise DataError(table.fault(message, row, hint))


def _check_dates(table: Table, column: Column) -> None:
    texts, name = _texts(table, column.name), column.name
    bad = (texts.notna() & parse_column(texts, column).isna()).to_numpy()
    if bad.any():
        hint = f"Mend the cells, set the format in data.dates, or data.types: {{{name}: category}}"
        if any_offset := _format_of_any_offset(str(column.date_format), texts[bad]):
            hint = f'Train with data.time_zone: UTC and data.dates: {{{name}: "{any_offset}"}}'
        expected = f"expected dates of the form {column.date_format}"
        raise DataError(cells_fault(table, name, bad, expected, hint))


def _format_of_any_offset(date_format: str, bad: "pd.Series[str]") -> str | None:
    """The format with any offset from UTC, if that alone is wrong with cells."""
    if has_offset(date_format) or not (has_date(date_format) and has_time(date_format)):
        return None
    any_offset = date_format.removesuffix(written_offset(date_format)) + "%z"
    return any_offset if parse_dates(bad, any_offset).notna().all() else None


def _read(table: Table, column: Column) -> np.ndarray:
    _check_dates(table, column)
    return _texts(table, column.name).fillna("").to_numpy(dtype=object)


def _read_moments(table: Table, column: Column) -> np.ndarray:
    moments = parse_column(_texts(table, column.name), column)
    return moments.to_numpy(dtype="datetime64[us]")


DATE = Kind(
    "date", is_text=True, recognise=_recognise, declare=_declare, read=_read, read_order=_read_moments
)
