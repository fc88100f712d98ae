"""Offsets from UTC: those that stand in cells, and those of a time zone over the years."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np

from dlreg.config.date_formats import FIXED_ZONE

# A zone is taken to keep, before and after, the offset it has at either end.
FIRST_YEAR, LAST_YEAR = 1900, 2100
# No zone has changed its offset twice within so many days and then stayed as it was.
_DAYS_BETWEEN_LOOKS = 7
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# What may follow the sign of an offset, in seconds.
OFFSETS: Mapping[str, int] = {
    text: 3600 * hours + 60 * minutes
    for hours in range(15)
    for minutes in (0, 15, 30, 45)
    for text in (
        *([f"{hours:02}"] if minutes == 0 else []),
        f"{hours:02}{minutes:02}",
        f"{hours:02}:{minutes:02}",
    )
}


@dataclass(frozen=True, eq=False)
class ZoneOffsets:
    """The offsets of a time zone.

    Attributes:
        changes: When the zone changed its offset, in seconds since 1970 UTC, ascending, shape `(n_changes,)`.
        offsets: Its offset before the first of them, and from each of them on, in seconds east of UTC, shape
            `(n_changes + 1,)`.
    """

    changes: np.ndarray
    offsets: np.ndarray

    def at(self, seconds: np.ndarray) -> np.ndarray:
        """The offsets at moments in seconds since 1970 UTC, of the same shape."""
        return np.asarray(self.offsets[np.searchsorted(self.changes, seconds, side="right")])


@cache
def zone_offsets(name: str) -> ZoneOffsets:
    """The offsets of a time zone, or of an offset such as +01:00, as `check_time_zone` takes them."""
    if fixed := FIXED_ZONE.fullmatch(name):
        sign, hours, minutes = fixed.groups()
        seconds = 3600 * int(hours or 0) + 60 * int(minutes or 0)
        return ZoneOffsets(np.empty(0, dtype=np.int64), np.array([-seconds if sign == "-" else seconds]))
    zone = ZoneInfo(name)
    first, last = (_seconds(datetime(year, 1, 1, tzinfo=UTC)) for year in (FIRST_YEAR, LAST_YEAR))
    changes: list[int] = []
    offsets = [_offset(zone, first)]
    step = _DAYS_BETWEEN_LOOKS * 86400
    for start in range(first, last, step):
        before, after = start, start + step
        if _offset(zone, after) == offsets[-1]:
            continue
        while after - before > 1:
            middle = (before + after) // 2
            before, after = (middle, after) if _offset(zone, middle) == offsets[-1] else (before, middle)
        changes.append(after)
        offsets.append(_offset(zone, after))
    return ZoneOffsets(np.array(changes, dtype=np.int64), np.array(offsets))


def offset_of(text: str) -> float:
    """An offset as it stands in a cell, such as Z or +01:00, in seconds; NaN where it is none."""
    if text in ("Z", "UTC"):
        return 0.0
    return (-1.0 if text[:1] == "-" else 1.0) * OFFSETS.get(text[1:], np.nan)


def _seconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(seconds=1)


def _offset(zone: ZoneInfo, seconds: int) -> int:
    moment = (_EPOCH + timedelta(seconds=seconds)).astimezone(zone)
    return (moment.utcoffset() or timedelta()) // timedelta(seconds=1)
