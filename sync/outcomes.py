"""What became of a person's opportunities and deals, as sales' word. Pure."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time

from connectors.base import Value
from scoring.journey import Sales
from sync.days import score_day
from sync.store.values import micros


def outcome_words(outcomes: Sequence[Mapping[str, Value]], zone: str) -> list[Sales]:
    """At most one word: an open one is accepted, else the latest closed one counts, won before lost on one day.

    Each outcome has ``won``, ``closed``, ``since`` (the instant the person joined it), and of a closed one the instant
    ``closed_at`` or the date ``closed_on``, which stands for noon UTC; one that has neither says nothing.

    >>> outcome_words([{"won": False, "closed": True, "closed_on": date(2026, 11, 3)}], "UTC")[0].word
    'lost'
    """
    open_ = [since for one in outcomes if not one.get("closed") and isinstance(since := one.get("since"), datetime)]
    if open_:
        return [Sales(word="accepted", at=micros(max(open_)), on=score_day(max(open_), zone))]
    ended = [(score_day(at, zone), bool(one.get("won")), at) for one in outcomes if (at := _closed_at(one)) is not None]
    if not ended:
        return []
    on, won, at = max(ended)
    return [Sales(word="won" if won else "lost", at=micros(at), on=on)]


def _closed_at(one: Mapping[str, Value]) -> datetime | None:
    if isinstance(at := one.get("closed_at"), datetime):
        return at
    return datetime.combine(on, time(12), UTC) if isinstance(on := one.get("closed_on"), date) else None
