"""Calendar days of the installation's time zone: the score day, and the day of each activity.

A day is a number: whole days since 1970-01-01. DST changes are exact to the second from 1970 to 2100; before and after,
the nearest known offset holds.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from sync.store.values import EPOCH, day_number

DAY_S = 86_400
MICROS = 1_000_000
#: years whose clock changes are looked up; somebody enters 9999-12-31 for "never"
FIRST_YEAR, LAST_YEAR = 1970, 2100


def score_day(now: datetime, zone: str) -> date:
    """The date of ``now`` in the zone.

    >>> score_day(datetime.fromisoformat("2026-03-01T23:30:00+00:00"), "Europe/Berlin")
    datetime.date(2026, 3, 2)
    """
    return now.astimezone(ZoneInfo(zone)).date()


def days_of(at: NDArray[np.int64], zone: str) -> NDArray[np.int64]:
    """The day number in the zone of each instant (microseconds since 1970, UTC); same length and order.

    >>> days_of(np.array([0, 82_800_000_000]), "Europe/Berlin").tolist()
    [0, 1]
    """
    seconds = np.floor_divide(at, MICROS)
    if not len(seconds):
        return seconds
    starts, offsets = _offsets(zone, _year(seconds.min()), _year(seconds.max()))
    offset = offsets[np.maximum(np.searchsorted(starts, seconds, side="right") - 1, 0)]
    days: NDArray[np.int64] = np.floor_divide(seconds + offset, DAY_S)
    return days


def _year(second: np.int64) -> int:
    return min(max((EPOCH + timedelta(seconds=int(second))).year, FIRST_YEAR), LAST_YEAR)


@lru_cache(maxsize=64)
def _offsets(zone: str, first_year: int, last_year: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """UTC offsets in seconds, each with the second since 1970 from which it holds, ascending."""
    place = ZoneInfo(zone)

    def offset(second: int) -> int:
        shift = (EPOCH + timedelta(seconds=second)).astimezone(place).utcoffset()
        return int(shift.total_seconds()) if shift is not None else 0

    begin = (day_number(date(first_year, 1, 1)) - 2) * DAY_S
    end = (day_number(date(last_year, 12, 31)) + 3) * DAY_S
    starts: list[int] = [begin]
    values: list[int] = [offset(begin)]
    for day_start in range(begin, end, DAY_S):
        if offset(day_start + DAY_S) != values[-1]:
            low, high = day_start, day_start + DAY_S  # the change lies in (low, high]
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if offset(middle) == values[-1] else (low, middle)
            starts.append(high)
            values.append(offset(high))
    return np.array(starts, dtype=np.int64), np.array(values, dtype=np.int64)


def all_days(numbers: Sequence[int]) -> list[date]:
    """Day numbers as dates.

    >>> all_days([0])
    [datetime.date(1970, 1, 1)]
    """
    return [EPOCH.date() + timedelta(days=int(number)) for number in numbers]
