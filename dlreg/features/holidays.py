"""Public holidays of a country as a table of days, from a package that predicting does not need."""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib.util import find_spec

import numpy as np

from dlreg.config.schema import Config
from dlreg.errors import ConfigError, Fault, UsageError
from dlreg.wording import nearest_word

# Of a day by its code: 0 is a missing date.
LEVELS = ("", "no", "holiday", "day before", "day after")
_NO, _HOLIDAY, _BEFORE, _AFTER = range(1, 5)
YEARS_TO_COME = 20
# Outside of these hardly any country's holidays are known.
_FIRST_YEAR, _LAST_YEAR = 1900, 2100


@dataclass(frozen=True)
class HolidayTable:
    """The code of each day of some years, as in `LEVELS`; of any other day it is that of no holiday.

    Attributes:
        country: As in `data.holidays`.
        first_year: The first year.
        last_year: The last one.
        first_day: Days from 1970-01-01 to the first of them.
        codes: Of each day.
        days: The holidays, as YYYY-MM-DD.
    """

    country: str
    first_year: int
    last_year: int
    first_day: int
    codes: tuple[int, ...]
    days: tuple[str, ...]

    def codes_of(self, days: np.ndarray) -> np.ndarray:
        """The codes of days since 1970-01-01, int64 of shape `(n_rows,)`."""
        padded = np.array([_NO, *self.codes, _NO])
        codes: np.ndarray = padded[np.clip(days - self.first_day + 1, 0, len(self.codes) + 1)]
        return codes


def refuse_unknown_holidays(config: Config) -> None:
    """Makes sure that the holidays a config asks for are known.

    Raises:
        UsageError: The library is not installed.
        ConfigError: It does not know the country, or its part.
    """
    code = config.data.holidays
    if code is None:
        return
    if find_spec("holidays") is None:
        message = "data.holidays needs a library that is not installed: holidays"
        raise UsageError(Fault(message, hint="pip install 'dlreg[holidays]'"))
    from holidays import list_supported_countries

    country, _, part = code.partition("-")
    countries = list_supported_countries(include_aliases=False)
    known = countries.get(country)
    message = hint = ""
    if known is None:
        near = nearest_word(country, countries)
        message = f"data.holidays is {code}: no holidays are known of {country}"
        hint = f"Did you mean {near}?" if near else "Write a code of ISO 3166, such as KR or DE-BY"
    elif part and part not in known:
        near = nearest_word(part, known)
        message = f"data.holidays is {code}: {country} has no part {part} with holidays of its own"
        hint = f"Did you mean {country}-{near}?" if near else f"Its parts are {', '.join(known) or 'none'}"
    if message:
        raise ConfigError(config.fault(message, "data", "holidays", hint=hint))


@cache
def holiday_table(code: str, first_year: int, last_year: int) -> HolidayTable:
    """The holidays of a country, or of a part of it, in some years and `YEARS_TO_COME` more."""
    from holidays import country_holidays

    first, last = max(first_year, _FIRST_YEAR), min(last_year + YEARS_TO_COME, _LAST_YEAR)
    country, _, part = code.partition("-")
    # A year more at both ends: of its days before and after.
    found = set(country_holidays(country, subdiv=part or None, years=range(first - 1, last + 2)))
    start, end, one = date(first, 1, 1), date(last, 12, 31), timedelta(days=1)
    all_days = [start + place * one for place in range((end - start).days + 1)]
    codes = [
        _HOLIDAY if day in found else _BEFORE if day + one in found else _AFTER if day - one in found else _NO
        for day in all_days
    ]
    days = tuple(str(day) for day in all_days if day in found)
    return HolidayTable(code, first, last, (start - date(1970, 1, 1)).days, tuple(codes), days)
