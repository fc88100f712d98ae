"""The calendar features, against datetime's arithmetic."""

import math
from datetime import datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.dates import series

from dlreg.features.calendar import calendar_feature_names, calendar_features, day_text
from dlreg.table import dates


def expected_features(moment: datetime, *, has_hours: bool) -> list[float]:
    midnight = datetime(moment.year, moment.month, moment.day)
    elapsed = (moment - datetime(1970, 1, 1)) / timedelta(days=1)
    shares = [(midnight - datetime(moment.year, 1, 1)).days / 365.25, moment.weekday() / 7]
    if has_hours:
        shares.append((moment - midnight) / timedelta(days=1))
    return [elapsed, *(wave(2 * math.pi * share) for share in shares for wave in (math.sin, math.cos))]


@settings(max_examples=200, deadline=None)
@given(moment=st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31)), has_hours=st.booleans())
def test_calendar_features_are_those_of_datetime(moment, has_hours):
    date_format = "%Y-%m-%d %H:%M:%S.%f" if has_hours else "%Y-%m-%d"
    moment = moment if has_hours else datetime(moment.year, moment.month, moment.day)
    text = moment.isoformat(" ", "microseconds") if has_hours else moment.date().isoformat()
    features = calendar_features(dates.parse_dates(series(text), date_format), date_format)
    assert features.shape == (1, len(calendar_feature_names(date_format)))
    assert features[0] == pytest.approx(expected_features(moment, has_hours=has_hours), abs=1e-6)


def test_a_missing_date_has_no_features():
    features = calendar_features(dates.parse_dates(series("2023-01-01", None), "%Y-%m-%d"), "%Y-%m-%d")
    assert np.isnan(features).tolist() == [[False] * 5, [True] * 5]


@pytest.mark.parametrize(
    ("days", "text"),
    [
        (0.0, "1970-01-01"),
        (19723.25, "2024-01-01 06:00:00"),
        (-719162.0, "0001-01-01"),
        (1e300, "9999-12-31"),
        (-1e300, "0001-01-01"),
    ],
)
def test_days_are_told_as_dates(days, text):
    assert day_text(days) == text
