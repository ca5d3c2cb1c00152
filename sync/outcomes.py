"""What became of a person's opportunities, as sales' word. Pure."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time

from connectors.base import Value
from scoring.journey import Sales
from sync.days import score_day
from sync.store.values import micros


def outcome_words(outcomes: Sequence[Mapping[str, Value]], zone: str) -> list[Sales]:
    """At most one word: an open one is accepted, else the latest closed one counts, won before lost on one day.

    Each outcome has ``won``, ``closed``, ``closed_on`` (a date) and ``since`` (the instant the person joined it). A
    closed one is dated by its close date, at noon UTC.

    >>> outcome_words([{"won": False, "closed": True, "closed_on": date(2026, 11, 3)}], "UTC")[0].word
    'lost'
    """
    open_ = [since for one in outcomes if not one.get("closed") and isinstance(since := one.get("since"), datetime)]
    if open_:
        return [Sales(word="accepted", at=micros(max(open_)), on=score_day(max(open_), zone))]
    closed = [(on, bool(one.get("won"))) for one in outcomes if isinstance(on := one.get("closed_on"), date)]
    if not closed:
        return []
    on, won = max(closed)
    noon = datetime.combine(on, time(12), UTC)
    return [Sales(word="won" if won else "lost", at=micros(noon), on=score_day(noon, zone))]
