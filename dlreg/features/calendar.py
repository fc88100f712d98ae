"""The calendar features that a network can use of dates."""

import numpy as np
import pandas as pd

SECONDS_PER_DAY = 86400.0


def calendar_feature_names(date_format: str) -> tuple[str, ...]:
    """The names of the features `calendar_features` makes of a format, shape `(n_features,)`."""
    names = ("elapsed_days", "year_sin", "year_cos", "week_sin", "week_cos")
    return (*names, "day_sin", "day_cos") if "%H" in date_format else names


def calendar_features(moments: "pd.Series[pd.Timestamp]", date_format: str) -> np.ndarray:
    """What a network can use of dates: one straight line of time, and where in each cycle it is.

    `elapsed_days` counts from 1970-01-01. The position in the year, the week and (where the format
    has an hour) the day is an angle φ = 2π · share of the cycle gone by, given as sin φ and cos φ, so
    that 31 December is next to 1 January; rounded to six decimals.

    Args:
        moments: Shape `(n_rows,)`.
        date_format: The format they came from.

    Returns:
        Shape `(n_rows, n_features)`, in the order of `calendar_feature_names`; NaN for NaT.
    """
    epoch = pd.Timestamp("1970-01-01")
    seconds = (moments - epoch).dt.total_seconds().to_numpy(dtype=np.float64)
    days = np.floor(seconds / SECONDS_PER_DAY)
    new_year = (moments.dt.to_period("Y").dt.start_time - epoch).dt.days.to_numpy(dtype=np.float64)
    # 1970-01-01 was a Thursday; the week starts on Monday.
    shares = [(days - new_year) / 365.25, np.mod(days + 3, 7) / 7]
    if "%H" in date_format:
        shares.append((seconds - days * SECONDS_PER_DAY) / SECONDS_PER_DAY)
    angles = [2 * np.pi * share for share in shares]
    # Rounded, because libraries differ in a sine's last bits and a quantile scaler tells such values apart.
    cycles = [np.round(wave(angle) * 1e6) / 1e6 for angle in angles for wave in (np.sin, np.cos)]
    return np.column_stack([seconds / SECONDS_PER_DAY, *cycles])
