"""The calendar features that a network can use of dates."""

import numpy as np
import pandas as pd

from dlreg.table.dates import MICROSECONDS, has_date, has_time

SECONDS_PER_DAY = 86400
# The first day of year 1 and the last one of year 9999, in days since 1970.
_CALENDAR = -719_162, 2_932_896


def calendar_feature_names(date_format: str) -> tuple[str, ...]:
    """The names of the features `calendar_features` makes of a format, shape `(n_features,)`."""
    names = ["seconds_of_day"]
    if has_date(date_format):
        names = ["elapsed_days", "year_sin", "year_cos", "week_sin", "week_cos"]
    return (*names, "day_sin", "day_cos") if has_time(date_format) else tuple(names)


def calendar_features(moments: "pd.Series[pd.Timestamp]", date_format: str) -> np.ndarray:
    """What a network can use of dates: one straight line of time, and where in each cycle it is.

    `elapsed_days` counts from 1970-01-01. The position in the year, the week and (where the format
    has an hour) the day is an angle φ = 2π · share of the cycle gone by, given as sin φ and cos φ, so
    that 31 December is next to 1 January; rounded to six decimals. Of a time of day alone there are
    `seconds_of_day`, and the position in the day.

    Args:
        moments: Shape `(n_rows,)`.
        date_format: The format they came from.

    Returns:
        Shape `(n_rows, n_features)`, in the order of `calendar_feature_names`; NaN for NaT.
    """
    times = moments.to_numpy(dtype="datetime64[us]")
    ticks = times.astype(np.int64)
    # The fraction apart from the whole seconds, as `dlreg.pipeline.calendar` has them: the same to the bit.
    seconds = ticks // MICROSECONDS
    fraction = (ticks % MICROSECONDS) / MICROSECONDS
    days = seconds // SECONDS_PER_DAY
    seconds_of_day = (seconds % SECONDS_PER_DAY) + fraction
    straight, shares = seconds_of_day, []
    if has_date(date_format):
        new_year = times.astype("datetime64[Y]").astype("datetime64[D]").astype(np.int64)
        straight = (seconds + fraction) / SECONDS_PER_DAY
        # 1970-01-01 was a Thursday; the week starts on Monday.
        shares = [(days - new_year) / 365.25, (days + 3) % 7 / 7]
    if has_time(date_format):
        shares.append(seconds_of_day / SECONDS_PER_DAY)
    angles = [2 * np.pi * share for share in shares]
    # Rounded, because libraries differ in a sine's last bits and a quantile scaler tells such values apart.
    cycles = [np.round(wave(angle) * 1e6) / 1e6 for angle in angles for wave in (np.sin, np.cos)]
    features = np.column_stack([straight, *cycles])
    features[np.isnat(times)] = np.nan
    return features


def day_text(elapsed_days: float) -> str:
    """The day, and the time of it if there is one, that is so many days after 1970 began."""
    # What a stranger's run says may be no day that a calendar has.
    days = float(np.clip(elapsed_days, *_CALENDAR))
    moment = str(np.datetime64(round(days * SECONDS_PER_DAY), "s"))
    return moment.removesuffix("T00:00:00").replace("T", " ")
