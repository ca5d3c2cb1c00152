"""An empty store that finds our fields filled: another tool's values, or ours from a store that was lost.

Before scoring, the pass stops and asks. ``--adopt``: the values are saved, then replaced. ``--restored``: journeys are
seeded from our own fields too, and the changes of that pass have the cause ``backfill``.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Literal

from sqlalchemy import Connection, func, select

from connectors.base import Value
from scoring.journey import RANK, Journey, Status, join
from scoring.wording import STATUS_WORDS
from sync.mapping import ConnectionMap
from sync.store import tables
from sync.store.records import fields_of
from sync.store.store import upsert
from sync.store.values import at, dump

Adoption = Literal["ask", "adopt", "restored"]


def occupied(tx: Connection, map_: ConnectionMap) -> int:
    """How many records hold values in our fields although this store never scored anybody; 0 once it has."""
    record = tables.record
    if tx.execute(select(func.count()).select_from(tables.journey)).scalar_one():
        return 0
    if tx.execute(select(func.count()).select_from(tables.adopted)).scalar_one():
        return 0  # asked and answered; the pass was cut before it scored
    return tx.execute(
        select(func.count()).where(
            record.c.connection == map_.connection, record.c.observed != "{}", record.c.state == "live"
        )
    ).scalar_one()


def save_occupied(tx: Connection, map_: ConnectionMap, now: int) -> None:
    """Keeps every value that stands in our fields."""
    record = tables.record
    rows = tx.execute(select(record).where(record.c.connection == map_.connection, record.c.observed != "{}")).all()
    upsert(
        tx,
        tables.adopted,
        [
            {"record": row.number, "field": name, "value": dump(value), "at": now}
            for row in rows
            for name, value in fields_of(row).observed.items()
        ],
    )


def seed_journeys(tx: Connection, maps: Sequence[ConnectionMap], model: str, now: int) -> None:
    """Journeys from our own fields, as far as they are mapped: status, MQL dates and count; several of one person
    join.
    """
    record = tables.record
    by_words = {words: status for status, words in STATUS_WORDS.items()}
    seeded: dict[int, Journey] = {}
    for map_ in maps:
        names = {output.output: name for name, output in map_.outputs.items() if output.model == model}
        rows = tx.execute(
            select(record)
            .where(record.c.connection == map_.connection, record.c.observed != "{}", record.c.state == "live")
            .order_by(record.c.number)
        ).all()
        for row in rows:
            held = {output: fields_of(row).observed.get(name) for output, name in names.items()}
            status = by_words.get(str(held.get("mql_status")))
            if status is not None:
                journey = _journey(status, held, at(now).date())
                seeded[row.person] = join(seeded[row.person], journey) if row.person in seeded else journey
    upsert(
        tx,
        tables.journey,
        [
            {
                "person": person,
                "model": model,
                "journey": dump(journey.to_dict()),
                "status": journey.status,
                "score": 0,
                "tier": "",
                "cause": "backfill",
                "scored_on": at(now).date().isoformat(),
            }
            for person, journey in sorted(seeded.items())
        ],
    )


def _journey(status: Status, held: Mapping[str, Value], today: date) -> Journey:
    mql_since = _date(held.get("mql_since"))
    first = _date(held.get("first_mql_on")) or mql_since
    count = held.get("mql_count")
    return Journey(
        status=status,
        since=mql_since if status == "mql" and mql_since else today,
        cause="backfill",
        furthest="mql" if first and RANK[status] < RANK["mql"] else status,
        mql_since=mql_since,
        first_mql_on=first,
        mql_count=count if isinstance(count, int) else int(first is not None),
        recycled_on=_date(held.get("recycled_on")),
    )


def _date(value: Value) -> date | None:
    return value if isinstance(value, date) else None
