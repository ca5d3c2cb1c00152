"""What the value of a fact is: text, a number, a boolean or a date; blank text is unknown.

Texts compare trimmed and case-folded. A day number counts whole days since 1970-01-01.
"""

import re
from collections.abc import Mapping
from datetime import date
from typing import Literal

FactValue = str | int | float | bool | date
Kind = Literal["text", "number", "bool", "date"]

EPOCH = date(1970, 1, 1).toordinal()


def fold(text: str) -> str:
    """The form in which texts compare.

    >>> fold("  Straße ")
    'strasse'
    """
    return text.strip().casefold()


def kind_of(value: FactValue) -> Kind:
    """The kind of a value; a boolean is no number.

    >>> kind_of(True), kind_of(1.5)
    ('bool', 'number')
    """
    if isinstance(value, str):
        return "text"
    if isinstance(value, bool):
        return "bool"
    return "date" if isinstance(value, date) else "number"


def comparable(value: FactValue) -> tuple[Kind, FactValue]:
    """The value with its kind, equal exactly when two values are the same for a condition.

    >>> comparable("GmbH ") == comparable("gmbh"), comparable(1) == comparable(True)
    (True, False)
    """
    return kind_of(value), fold(value) if isinstance(value, str) else value


def known(facts: Mapping[str, FactValue], name: str) -> FactValue | None:
    """The value of a fact, None when it is unknown: absent, or blank text.

    >>> known({"title": " ", "employees": 0}, "title"), known({"employees": 0}, "employees")
    (None, 0)
    """
    value = facts.get(name)
    return None if isinstance(value, str) and not value.strip() else value


def iso_date(text: str) -> date | None:
    """The date that a text writes as year-month-day, None when it writes none.

    >>> iso_date("2026-01-31"), iso_date("20260131")
    (datetime.date(2026, 1, 31), None)
    """
    try:
        return date.fromisoformat(text) if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text) else None
    except ValueError:
        return None


def day_number(day: date) -> int:
    """Whole days since 1970-01-01.

    >>> day_number(date(1970, 1, 31))
    30
    """
    return day.toordinal() - EPOCH
