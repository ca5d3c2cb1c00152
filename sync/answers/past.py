"""One person on another day, and why the score is another than on a day before.

Activities are those up to the day; facts, model, audience and sales' word are those of now. A day to come is what the
score will be if nothing is done until then.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
from sqlalchemy import Connection

from scoring.difference import Shift, shifts
from scoring.ledger import Ledger
from sync.days import days_of
from sync.people import Person, gather
from sync.score import Scoring, evaluate, unprofiled
from sync.store.values import day_number


@dataclass(frozen=True, kw_only=True)
class Past:
    """A person on a day, and the way there from a day before."""

    person: int
    #: connection:object:id
    records: Sequence[str]
    model: str
    #: the score day of now
    today: date
    day: date
    #: None = not scored: outside the model's audience, or not to be profiled
    ledger: Ledger | None
    #: the earlier day; None = none was asked for
    since: date | None = None
    before: Ledger | None = None
    #: what the score changed by from ``since`` to ``day``, adding up
    shifts: Sequence[Shift] = ()

    def to_json(self) -> dict[str, Any]:
        """JSON values with stable keys; exact points as text, dates as ISO text."""
        return {
            "person": self.person,
            "records": list(self.records),
            "model": self.model,
            "today": self.today.isoformat(),
            "day": self.day.isoformat(),
            "ledger": self.ledger and self.ledger.to_json(),
            "since": self.since and self.since.isoformat(),
            "before": self.before and self.before.to_json(),
            "shifts": [
                {"why": shift.why, "key": shift.key, "label": shift.label, "points": f"{shift.points:f}"}
                for shift in self.shifts
            ],
        }


def past(tx: Connection, number: int, scoring: Scoring, *, on: date, since: date | None = None) -> Past:
    """The person of a number, which must have a live record, on a day; with what changed since an earlier one."""
    (person,) = gather(tx, [number], scoring.maps, scoring.zone)
    found = Past(
        person=number,
        records=[f"{row.connection}:{row.object}:{row.crm_id}" for row in person.records],
        model=scoring.model.model,
        today=scoring.day,
        day=on,
        ledger=_ledger(person, scoring, on),
    )
    if since is None:
        return found
    then = _up_to(person, since, scoring)
    before, aged = _ledger(then, scoring, since), _ledger(then, scoring, on)
    if found.ledger is None or before is None or aged is None:
        return replace(found, since=since)
    return replace(found, since=since, before=before, shifts=shifts(before, aged, found.ledger))


def _ledger(person: Person, scoring: Scoring, on: date) -> Ledger | None:
    (scored,) = evaluate([person], scoring, on)
    return scored.ledger if scored is not None and not unprofiled(person) else None


def _up_to(person: Person, day: date, scoring: Scoring) -> Person:
    """The person without what was done after the day."""
    days = days_of(np.ascontiguousarray(person.activities["at"]), scoring.zone)
    return replace(person, activities=person.activities[days <= day_number(day)])
