"""Dates as text: their formats, and the moments they name.

A format is a strptime pattern. It is turned into a regular expression here, once, because the same
expression guards the dates inside `pipeline.onnx`: what counts as a date is the same in both.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

import numpy as np
import pandas as pd

from dlreg.config.date_formats import EPOCHS, SUPPORTED_DATE_DIRECTIVES, split_format
from dlreg.table.column import Column
from dlreg.table.time_zones import offset_of, zone_offsets

_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
NAMES: Mapping[str, tuple[str, ...]] = {
    "B": _MONTHS,
    "b": tuple(month[:3] for month in _MONTHS),
    "A": _WEEKDAYS,
    "a": tuple(day[:3] for day in _WEEKDAYS),
    "p": ("AM", "PM"),
}
# As strptime: 69 to 99 are 1969 to 1999, 00 to 68 are 2000 to 2068.
LATEST_YEAR = 2068
MICROSECONDS = 1_000_000
_OFFSETS = ("Z", "UTC", "[+-][0-9]{2}:?[0-9]{2}", "[+-][0-9]{2}")
_EPOCH_PATTERNS = {
    "epoch_seconds": r"-?[0-9]{1,10}(|\.[0-9]{1,6})",
    "epoch_milliseconds": r"-?[0-9]{1,13}(|\.0)",
}


@dataclass(frozen=True)
class DateField:
    """One directive of a format.

    Attributes:
        directive: The letter after the percent sign.
        separator: The literal text after the field.
        padded: Whether it touches another field of digits, so that only its full width tells where it ends.
        optional: Whether it may be left out, with a blank before it: an offset at the end.
    """

    directive: str
    separator: str
    padded: bool = False
    optional: bool = False

    @property
    def width(self) -> int:
        """The most digits the field has; 0 for a name or an offset."""
        return SUPPORTED_DATE_DIRECTIVES[f"%{self.directive}"].digits

    @property
    def pattern(self) -> str:
        """A regular expression for the field's own text."""
        if self.directive in NAMES:
            return f"({'|'.join(spellings(self.directive))})"
        if self.directive == "z":
            forms = ["", *(f" ?{form}" for form in _OFFSETS)] if self.optional else _OFFSETS
            return f"({'|'.join(forms)})"
        fixed = self.padded or self.directive in "Yy"
        if self.directive == "S":  # strptime knows leap seconds, no calendar does
            return "[0-5][0-9]" if fixed else "[0-5]?[0-9]"
        return f"[0-9]{{{self.width}}}" if fixed else f"[0-9]{{1,{self.width}}}"


def spellings(directive: str) -> dict[str, int]:
    """The names that a directive reads, in each case they are written in, with their places from 1 on."""
    return {
        spelt: place
        for place, name in enumerate(NAMES[directive], start=1)
        for spelt in (name, name.upper(), name.lower(), name.capitalize())
    }


@cache
def parse_format(date_format: str) -> tuple[str, tuple[DateField, ...]]:
    """Takes a strptime format apart: the literal text before the first field, and the fields."""
    lead, fields = "", list[DateField]()
    for token in split_format(date_format):
        if token in SUPPORTED_DATE_DIRECTIVES:
            field = DateField(token[1], "")
            touches = bool(fields) and not fields[-1].separator and field.width > 0 < fields[-1].width
            if touches:
                fields[-1] = replace(fields[-1], padded=True)
            fields.append(replace(field, padded=touches))
        elif fields:
            fields[-1] = replace(fields[-1], separator=token)
        else:
            lead = token
    if date_format.endswith("%z") and len(fields) > 1 and fields[-2].separator in ("", " "):
        fields[-2:] = [replace(fields[-2], separator=""), replace(fields[-1], optional=True)]
    return lead, tuple(fields)


def counts_per_second(date_format: str) -> int | None:
    """How many of what a format counts since 1970 make a second; None where it spells dates out."""
    return EPOCHS.get(date_format)


def has_date(date_format: str) -> bool:
    """Whether a format names days, and not a time of day alone."""
    return date_format in EPOCHS or bool({"%Y", "%y"} & set(split_format(date_format)))


def has_time(date_format: str) -> bool:
    """Whether a format names hours."""
    return date_format in EPOCHS or bool({"%H", "%I"} & set(split_format(date_format)))


def has_offset(date_format: str) -> bool:
    """Whether a format names moments of UTC, whatever clock hangs where they were written down."""
    return date_format in EPOCHS or "%z" in date_format


@cache
def date_pattern(date_format: str) -> str:
    """A regular expression for a cell without blanks around it, as Python and RE2 both read it."""
    if date_format in EPOCHS:
        return _EPOCH_PATTERNS[date_format]
    lead, fields = parse_format(date_format)
    return re.escape(lead) + "".join(map(_field_pattern, fields))


def parse_column(texts: "pd.Series[str]", column: Column) -> "pd.Series[pd.Timestamp]":
    """The moments that the cells of a column of dates name, see `parse_dates`."""
    return parse_dates(
        texts, str(column.date_format), latest_year=column.latest_year, time_zone=column.time_zone
    )


def parse_dates(
    texts: "pd.Series[str]", date_format: str, *, latest_year: int | None = None, time_zone: str | None = None
) -> "pd.Series[pd.Timestamp]":
    """The moments that texts of one format name; NaT where a text is missing or no such date.

    Args:
        texts: Shape `(n_rows,)`; blanks around them do not count.
        date_format: As `dlreg.config.date_formats.check_date_format` takes it.
        latest_year: A year of two digits is one of the hundred years up to this one; 2068 if None.
        time_zone: Where the clocks hang that moments with an offset are read from; those without one are as
            they are there. UTC if None.
    """
    texts = texts.str.strip(" ")
    texts = texts.where(texts.str.fullmatch(date_pattern(date_format)).fillna(False).astype(bool))
    if date_format in EPOCHS:
        return _in_zone(_counted_moments(texts, EPOCHS[date_format]), time_zone)
    if "%z" not in date_format:
        return _wall_moments(texts, date_format, latest_year)
    parts = _parts_around(texts, date_format, "z")
    # A cell without an offset is on the zone's own clock.
    is_local = parts["field"] == ""
    offsets = parts["field"].str.strip(" ").map(offset_of, na_action="ignore").astype(float)
    texts = (parts["before"] + parts["after"]).where(is_local | offsets.notna())
    _, fields = parse_format(date_format)
    cut = " %z" if fields[-1].optional and date_format.endswith(" %z") else "%z"
    moments = _wall_moments(texts, date_format.replace(cut, ""), latest_year)
    return moments.where(is_local, _in_zone(moments - pd.to_timedelta(offsets, unit="s"), time_zone))


def _wall_moments(
    texts: "pd.Series[str]", date_format: str, latest_year: int | None
) -> "pd.Series[pd.Timestamp]":
    """The moments of texts that match the pattern of a format without an offset; NaT where there is none."""
    moments = pd.to_datetime(texts, format=date_format, errors="coerce").astype("datetime64[us]")
    # pandas knows a year 0, which no calendar has.
    moments = moments.where(moments.dt.year >= 1)
    if "%j" in date_format:
        # As strptime, pandas takes day 366 of a year of 365 days for the next year's first.
        days = pd.to_numeric(_parts_around(texts, date_format, "j")["field"])
        moments = moments.where(moments.dt.day_of_year == days)
    if "%y" in date_format and latest_year is not None:
        moments = _in_century(moments, latest_year, "Y" if "%j" in date_format else "M")
    return moments


def _in_century(
    moments: "pd.Series[pd.Timestamp]", latest_year: int, unit: Literal["Y", "M"]
) -> "pd.Series[pd.Timestamp]":
    """The same days of the years up to the latest; NaT for a 29 February that its year does not have.

    Args:
        moments: In other years that end in the same two digits; of each hundred one is a leap year.
        latest_year: The last of the hundred years.
        unit: What the days are counted in.
    """
    times = moments.to_numpy(dtype="datetime64[us]")
    starts = times.astype(f"datetime64[{unit}]")
    years = moments.dt.year.fillna(latest_year).to_numpy(dtype=np.int64)
    shifts = latest_year - years - (latest_year - years) % 100
    moved = starts + shifts * (12 if unit == "M" else 1)
    shifted = moved.astype("datetime64[us]") + (times - starts.astype("datetime64[us]"))
    shifted[shifted.astype(f"datetime64[{unit}]") != moved] = np.datetime64("NaT")
    return pd.Series(shifted, index=moments.index)


def _counted_moments(texts: "pd.Series[str]", per_second: int) -> "pd.Series[pd.Timestamp]":
    counts = pd.to_numeric(texts).to_numpy(dtype=np.float64)
    times = np.full(len(counts), np.datetime64("NaT", "us"))
    known = ~np.isnan(counts)
    times[known] = np.rint(counts[known] * (MICROSECONDS // per_second)).astype("datetime64[us]")
    return pd.Series(times, index=texts.index)


def _in_zone(moments: "pd.Series[pd.Timestamp]", time_zone: str | None) -> "pd.Series[pd.Timestamp]":
    """What a clock in the zone shows at moments of UTC."""
    if time_zone is None:
        return moments
    times = moments.to_numpy(dtype="datetime64[us]")
    seconds = times.astype("datetime64[s]").astype(np.int64)
    offsets = zone_offsets(time_zone).at(seconds).astype("timedelta64[s]")
    return pd.Series(times + offsets, index=moments.index)


def _parts_around(texts: "pd.Series[str]", date_format: str, directive: str) -> pd.DataFrame:
    """Texts that match a format, cut into what is `before` a field, the `field`, and what is `after` it."""
    lead, fields = parse_format(date_format)
    place = [field.directive for field in fields].index(directive)
    before = re.escape(lead) + "".join(map(_field_pattern, fields[:place]))
    after = re.escape(fields[place].separator) + "".join(map(_field_pattern, fields[place + 1 :]))
    pattern = f"^(?P<before>{before})(?P<field>{fields[place].pattern})(?P<after>{after})$"
    return texts.str.extract(pattern)[["before", "field", "after"]]


def _field_pattern(field: DateField) -> str:
    return field.pattern + re.escape(field.separator)
