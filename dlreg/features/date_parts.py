"""Parts of dates as categories: what a network can use sharply, where a cycle or a bin blurs it.

A part is a code, a whole number; the text of a code is a level like that of any other category, and is
encoded as `preprocessing.categorical` says. The training rows tell which levels there are: what none of them
has is none of the levels.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from dlreg.config.schema import Config
from dlreg.config.sections.data import FORWARD_METHODS
from dlreg.features.holidays import LEVELS, HolidayTable, holiday_table
from dlreg.table.column import Column
from dlreg.table.dates import has_date, has_time, parse_column

# A part with fewer training rows for each of its levels is left out: its levels would be learnt by heart.
LEAST_ROWS_PER_LEVEL = 2
# Where later rows are predicted from earlier ones, levels of fewer days on average are the days themselves.
LEAST_DAYS_PER_LEVEL = 2
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True)
class DateOptions:
    """How dates become features.

    Attributes:
        method: `cycles`, or `calendar` for the parts beside them.
        goes_forward: Whether later rows are predicted from earlier ones.
        holidays: The country whose holidays are a part, too, as in `data.holidays`.
    """

    method: str = "cycles"
    goes_forward: bool = False
    holidays: str | None = None


@dataclass(frozen=True)
class DatePart:
    """A part of a date as a category.

    Attributes:
        name: As in `Date.month_day`.
        levels: The text of each code from 0 on; 0, "", is that of a missing date.
        table: The code of each day, of holidays.
    """

    name: str
    levels: tuple[str, ...]
    table: HolidayTable | None = None


@dataclass(frozen=True)
class LeftOutPart:
    """A part whose levels hardly repeat in the training rows.

    Attributes:
        column: The column of dates.
        part: The name of the part.
        n_levels: How many levels it has.
        n_rows: How many training rows have a date.
    """

    column: str
    part: str
    n_levels: int
    n_rows: int


DateParts = Mapping[str, tuple[DatePart, ...]]
# Of a leap year.
MONTH_DAY = DatePart(
    "month_day",
    ("", *pd.date_range("2000-01-01", "2000-12-31").strftime("%m-%d")),
)
WEEKDAY = DatePart("weekday", ("", *_WEEKDAYS))
HOUR = DatePart("hour", ("", *(f"{hour:02}" for hour in range(24))))


def _day_of_leap_year(moments: "pd.Series[pd.Timestamp]") -> "pd.Series[int]":
    return moments.dt.day_of_year + (~moments.dt.is_leap_year & (moments.dt.month > 2))


# From moments, shape `(n_rows,)`, to codes; `dlreg.pipeline.calendar` has the same in a graph.
_CODES: Mapping[str, Callable[["pd.Series[pd.Timestamp]"], "pd.Series[int]"]] = {
    MONTH_DAY.name: _day_of_leap_year,
    WEEKDAY.name: lambda moments: moments.dt.day_of_week + 1,
    HOUR.name: lambda moments: moments.dt.hour + 1,
}


def date_options(config: Config) -> DateOptions:
    """What a config says of dates."""
    data = config.data
    return DateOptions(config.preprocessing.dates, data.split in FORWARD_METHODS, data.holidays)


def possible_parts(date_format: str) -> tuple[DatePart, ...]:
    """The parts that dates of a format have."""
    parts = (MONTH_DAY, WEEKDAY) if has_date(date_format) else ()
    return (*parts, HOUR) if has_time(date_format) else parts


def holiday_part(country: str, moments: "pd.Series[pd.Timestamp]") -> DatePart:
    """Whether days are at holidays of a country, in the years of some moments and those to come."""
    years = moments.dt.year
    return DatePart("holiday", LEVELS, holiday_table(country, int(years.min()), int(years.max())))


def read_moments(column: Column, cells: np.ndarray) -> "pd.Series[pd.Timestamp]":
    """The moments that cells of a column of dates name, from shape `(n_rows, 1)` to `(n_rows,)`."""
    return parse_column(pd.Series(cells[:, 0], dtype="str"), column)


def part_codes(part: DatePart, moments: "pd.Series[pd.Timestamp]") -> np.ndarray:
    """The code of each moment, int64 of shape `(n_rows,)`."""
    if part.table is not None:
        days = moments.to_numpy(dtype="datetime64[D]").astype(np.int64)
        return np.where(moments.notna().to_numpy(), part.table.codes_of(days), 0)
    return _CODES[part.name](moments).fillna(0).to_numpy(dtype=np.int64)


def part_texts(part: DatePart, moments: "pd.Series[pd.Timestamp]") -> np.ndarray:
    """The level of each moment, dtype object, shape `(n_rows,)`."""
    texts: np.ndarray = np.array(part.levels, dtype=object)[part_codes(part, moments)]
    return texts


def fit_date_parts(
    columns: Sequence[Column], cells: Mapping[str, np.ndarray], options: DateOptions
) -> tuple[dict[str, tuple[DatePart, ...]], tuple[LeftOutPart, ...]]:
    """The parts to use of each column of dates, by its name, and those that are left out.

    A fixed rule on the training rows: a part needs `LEAST_ROWS_PER_LEVEL` rows for each of its levels and,
    where later rows are predicted from earlier ones, `LEAST_DAYS_PER_LEVEL` days. A part of one level is
    none, and is not told unless it is that of holidays.

    Args:
        columns: What the cells are.
        cells: Those of the training rows, as `read_cells` gives them.
        options: Whether there are to be any parts.
    """
    used: dict[str, tuple[DatePart, ...]] = {}
    left_out: list[LeftOutPart] = []
    dates = [column for column in columns if column.kind == "date"]
    for column in dates if options.method == "calendar" or options.holidays else ():
        moments = read_moments(column, cells[column.name])
        parts: list[DatePart] = []
        for part in _asked_parts(str(column.date_format), moments, options):
            codes = part_codes(part, moments)
            n_levels, n_rows = np.unique(codes[codes > 0]).size, int(np.sum(codes > 0))
            if (
                (part.table is not None and n_levels == 1)
                or n_rows < LEAST_ROWS_PER_LEVEL * n_levels
                or (has_date(str(column.date_format)) and not _repeats(codes, moments, options))
            ):
                left_out.append(LeftOutPart(column.name, part.name, n_levels, n_rows))
            elif n_levels > 1:
                parts.append(part)
        if parts:
            used[column.name] = tuple(parts)
    return used, tuple(left_out)


def _asked_parts(
    date_format: str, moments: "pd.Series[pd.Timestamp]", options: DateOptions
) -> tuple[DatePart, ...]:
    parts = possible_parts(date_format) if options.method == "calendar" else ()
    if options.holidays and has_date(date_format) and moments.notna().any():
        return (*parts, holiday_part(options.holidays, moments))
    return parts


def _repeats(codes: np.ndarray, moments: "pd.Series[pd.Timestamp]", options: DateOptions) -> bool:
    """Whether the levels are those of several days each, where that matters."""
    if not options.goes_forward:
        return True
    pairs = pd.DataFrame({"code": codes, "day": moments.dt.normalize()})[codes > 0].drop_duplicates()
    return len(pairs) >= LEAST_DAYS_PER_LEVEL * pairs["code"].nunique()
