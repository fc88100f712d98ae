"""Offsets from UTC, against the standard library's time zones."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlreg.table.time_zones import offset_of, zone_offsets

ZONES = sorted(available_timezones() - {"Factory", "localtime"})


@settings(max_examples=150, deadline=None)
@given(zone=st.sampled_from(ZONES), moments=st.lists(st.datetimes(datetime(1902, 1, 1), datetime(2099, 12, 31)), min_size=20, max_size=20))  # fmt: skip
def test_offsets_are_those_of_the_zone(zone, moments):
    moments = [moment.replace(microsecond=0, tzinfo=UTC) for moment in moments]
    seconds = np.array([round(moment.timestamp()) for moment in moments])
    expected = [moment.astimezone(ZoneInfo(zone)).utcoffset() / timedelta(seconds=1) for moment in moments]
    assert zone_offsets(zone).at(seconds).tolist() == expected


def test_an_offset_changes_at_the_very_second():
    berlin = zone_offsets("Europe/Berlin")
    change = round(datetime(2024, 3, 31, 1, tzinfo=UTC).timestamp())
    assert berlin.at(np.array([change - 1, change])).tolist() == [3600, 7200]


@pytest.mark.parametrize(
    ("name", "seconds"), [("UTC", 0), ("+01:00", 3600), ("-0530", -19800), ("+14:00", 50400)]
)
def test_a_fixed_offset_is_a_zone(name, seconds):
    assert zone_offsets(name).at(np.array([-(2**33), 0, 2**33])).tolist() == [seconds] * 3


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("Z", 0), ("UTC", 0), ("+01", 3600), ("-0130", -5400), ("+05:45", 20700), ("-00:00", 0)],
)
def test_offsets_of_cells(text, seconds):
    assert offset_of(text) == seconds


@pytest.mark.parametrize("text", ["", "+", "+1", "+15:00", "+01:20", "CET", "z"])
def test_what_is_no_offset(text):
    assert np.isnan(offset_of(text))
