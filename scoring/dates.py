"""Dates as people read them."""

from datetime import date

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def day_in_words(on: date, day: date) -> str:
    """The date as people read it on ``day``: the year only when it is another.

    >>> day_in_words(date(2026, 11, 3), date(2026, 12, 1)), day_in_words(date(2025, 11, 3), date(2026, 12, 1))
    ('3 Nov', '3 Nov 2025')
    """
    short = f"{on.day} {_MONTHS[on.month - 1]}"
    return short if on.year == day.year else f"{short} {on.year}"
