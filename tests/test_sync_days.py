"""The day of an activity is the date on the wall of the installation's time zone, to the second."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.days import all_days, days_of, score_day
from sync.store.values import at, day_number, micros

HOUR_US = 3_600_000_000
FAR_SPAN = (datetime.fromisoformat("1990-01-01"), datetime.fromisoformat("2036-01-01"))
#: zone and what is odd about it
ZONES = [
    ("UTC", "no offset, no change"),
    ("Europe/Berlin", "clocks change at 01:00 UTC"),
    ("America/New_York", "clocks change at 02:00 local time"),
    ("America/St_Johns", "half-hour offset; until 2011 clocks changed at 00:01"),
    ("America/Havana", "clocks change at midnight: a day of 23 hours begins at 01:00"),
    ("Asia/Kathmandu", "offset of 5 h 45 min"),
    ("Australia/Lord_Howe", "clocks change by half an hour"),
    ("Africa/Casablanca", "clocks go back for Ramadan"),
    ("Africa/Cairo", "clocks change at midnight, and were still for years"),
    ("Antarctica/Troll", "clocks change by two hours"),
    ("Pacific/Apia", "skipped 30 December 2011"),
    ("Pacific/Kiritimati", "14 hours ahead"),
    ("Pacific/Pago_Pago", "11 hours behind"),
    ("Asia/Tehran", "ended daylight saving in 2022"),
    ("America/Sao_Paulo", "ended daylight saving in 2019, at midnight"),
]


def day_start(on, zone):
    """The first instant of a date in the zone."""
    return datetime(on.year, on.month, on.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)


def expected(moments, zone):
    place = ZoneInfo(zone)
    return [day_number(at(int(moment)).astimezone(place).date()) for moment in moments]


@pytest.mark.parametrize(("zone", "remark"), ZONES, ids=[zone for zone, _ in ZONES])
def test_every_hour_of_two_years_falls_on_the_day_of_the_wall_calendar(zone, remark):
    begin = micros(datetime(2010, 12, 31, tzinfo=UTC)) if zone in {"Pacific/Apia", "America/St_Johns"} else None
    begin = begin or micros(datetime(2024, 12, 30, tzinfo=UTC))
    hours = begin + np.arange(2 * 366 * 24, dtype=np.int64) * HOUR_US
    assert days_of(hours, zone).tolist() == expected(hours, zone), remark


@pytest.mark.parametrize(("zone", "remark"), ZONES, ids=[zone for zone, _ in ZONES])
def test_the_second_before_midnight_and_midnight_are_two_days(zone, remark):
    days = [date(2026, 1, 1) + timedelta(days=number) for number in range(366)]
    starts = np.array([micros(day_start(day, zone)) for day in days], dtype=np.int64)
    assert days_of(starts, zone).tolist() == expected(starts, zone), remark
    assert days_of(starts - 1, zone).tolist() == expected(starts - 1, zone), remark


@given(
    zone=st.sampled_from([zone for zone, _ in ZONES]),
    moments=st.lists(
        st.integers(micros(datetime(1970, 1, 3, tzinfo=UTC)), micros(datetime(2036, 12, 31, tzinfo=UTC))), max_size=20
    ),
)
def test_any_instant_falls_on_the_day_of_the_wall_calendar(zone, moments):
    assert days_of(np.array(moments, dtype=np.int64), zone).tolist() == expected(moments, zone)


@given(
    zone=st.sampled_from([zone for zone, _ in ZONES]),
    moment=st.datetimes(*FAR_SPAN, timezones=st.just(UTC)),
)
def test_the_score_day_is_the_day_of_an_activity_now(zone, moment):
    today = days_of(np.array([micros(moment)], dtype=np.int64), zone)
    assert day_number(score_day(moment, zone)) == today[0]


def test_company_of_a_far_date_changes_nothing():
    """Somebody enters 9999-12-31 for "never": nothing fails, nothing takes long, and the others keep their days."""
    moments = np.array([micros(datetime(year, 12, 31, 22, 59, tzinfo=UTC)) for year in (1, 2026, 9999)], dtype=np.int64)
    ours = days_of(moments, "Europe/Berlin")
    assert ours[1] == day_number(date(2026, 12, 31))
    assert ours[0] < ours[1] < ours[2]


def test_no_activities_have_no_days():
    assert days_of(np.array([], dtype=np.int64), "Europe/Berlin").tolist() == []


def test_day_numbers_become_dates():
    assert all_days([day_number(date(2024, 2, 29)), 0]) == [date(2024, 2, 29), date(1970, 1, 1)]
