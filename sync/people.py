"""Persons as the scoring core sees them: gathered from the store, many at once, in the order asked for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import Connection, Row, select

from connectors.base import Value
from scoring.compile import Touchpoint
from scoring.journey import Sales, latest_word
from sync.days import score_day
from sync.identity import Facts, PersonRecord, facts_of
from sync.mapping import ConnectionMap
from sync.store import tables, timelines
from sync.store.store import in_chunks
from sync.store.values import at, load


@dataclass(frozen=True, kw_only=True, slots=True)
class Person:
    """One person, whole."""

    number: int
    #: the rows of the live records, lowest number first; empty when every record is gone
    records: Sequence[Row[Any]]
    facts: Facts
    activities: timelines.Activities
    sales: Sales | None
    #: the CRM's creation time of the oldest live record, and its connection
    created_at: int
    created_in: str


def gather(tx: Connection, numbers: Sequence[int], maps: Sequence[ConnectionMap], zone: str) -> list[Person]:
    """The persons with these numbers, in that order."""
    rows = _rows(tx, numbers)
    live: dict[int, list[Row[Any]]] = {}
    holding: dict[int, list[int]] = {}
    for row in rows:
        holding.setdefault(row.person, []).append(row.number)
        if row.state == "live":
            live.setdefault(row.person, []).append(row)
    parents = _parents(tx, [row for row in rows if row.state == "live"])
    packed = _packed(tx, [row.number for row in rows])
    return [
        _person(
            number,
            live.get(number, []),
            _whole([packed[of] for of in holding.get(number, []) if of in packed]),
            parents,
            maps,
            zone,
        )
        for number in numbers
    ]


def touchpoints(tx: Connection) -> list[Touchpoint]:
    """Every touchpoint there is, by number."""
    found = []
    for row in tx.execute(select(tables.touchpoint).order_by(tables.touchpoint.c.number)):
        ids, labels = load(row.ids), load(row.labels)
        found.append(
            Touchpoint(
                number=row.number,
                kind=row.kind,
                attributes={name: (id_, labels.get(name, "")) for name, id_ in ids.items()},
            )
        )
    return found


def _person(
    number: int,
    records: Sequence[Row[Any]],
    activities: timelines.Activities,
    parents: Mapping[int, Mapping[str, Mapping[str, Value]]],
    maps: Sequence[ConnectionMap],
    zone: str,
) -> Person:
    facts = facts_of(
        maps,
        [
            PersonRecord(
                number=row.number,
                connection=row.connection,
                object=row.object,
                inputs=load(row.inputs),
                parents=parents.get(row.number, {}),
            )
            for row in records
        ],
        zone,
    )
    said = [Sales(word=row.word, at=row.word_at, on=score_day(at(row.word_at), zone)) for row in records if row.word]
    oldest = min(((row.created_at or 0, row.connection) for row in records), default=(0, ""))
    return Person(
        number=number,
        records=records,
        facts=facts,
        activities=activities,
        sales=latest_word(said),
        created_at=oldest[0],
        created_in=oldest[1],
    )


def _rows(tx: Connection, numbers: Sequence[int]) -> list[Row[Any]]:
    record = tables.record
    return [
        row
        for some in in_chunks(numbers)
        for row in tx.execute(
            select(record).where(record.c.person.in_(some), record.c.state != "deleted").order_by(record.c.number)
        )
    ]


def _parents(tx: Connection, rows: Sequence[Row[Any]]) -> dict[int, dict[str, Mapping[str, Value]]]:
    """Record number -> object -> inputs of the record it points to. Two plain look-ups: a join of them goes astray."""
    parent, record = tables.parent, tables.record
    connections = {row.number: row.connection for row in rows}
    pointing: dict[tuple[str, str], dict[str, list[int]]] = {}
    for some in in_chunks(list(connections)):
        for row in tx.execute(select(parent).where(parent.c.record.in_(some))):
            by_id = pointing.setdefault((connections[row.record], row.object), {})
            by_id.setdefault(row.crm_id, []).append(row.record)
    found: dict[int, dict[str, Mapping[str, Value]]] = {}
    for (connection, object_), by_id in pointing.items():
        here = (record.c.connection == connection) & (record.c.object == object_) & (record.c.state == "live")
        for ids in in_chunks(sorted(by_id)):
            for crm_id, inputs in tx.execute(
                select(record.c.crm_id, record.c.inputs).where(here, record.c.crm_id.in_(ids))
            ):
                values = load(inputs)
                for number in by_id[crm_id]:
                    found.setdefault(number, {})[object_] = values
    return found


def _packed(tx: Connection, numbers: Sequence[int]) -> dict[int, timelines.Activities]:
    timeline = tables.timeline
    return {
        number: timelines.unpack(blob)
        for some in in_chunks(numbers)
        for number, blob in tx.execute(
            select(timeline.c.record, timeline.c.activities).where(timeline.c.record.in_(some))
        )
    }


def _whole(parts: Sequence[timelines.Activities]) -> timelines.Activities:
    if not parts:
        return timelines.NOTHING
    return parts[0] if len(parts) == 1 else timelines.distinct(np.concatenate(parts))


def find(tx: Connection, who: str) -> list[int]:
    """The numbers of the persons an e-mail address, a CRM id or ``connection:id`` names."""
    record, address, alias = tables.record, tables.address, tables.alias
    wanted = who.strip()
    if "@" in wanted:
        ids = select(address.c.record).where(address.c.email == wanted.casefold())
        return list(tx.execute(_persons(record.c.number.in_(ids))).scalars())
    connection, _, crm_id = wanted.rpartition(":")
    here = (record.c.connection == connection) if connection else record.c.connection.is_not(None)
    direct = list(tx.execute(_persons((record.c.crm_id == crm_id) & here)).scalars())
    if direct:
        return direct
    through = select(alias.c.record).where(alias.c.crm_id == crm_id)
    return list(tx.execute(_persons(record.c.number.in_(through) & here)).scalars())


def _persons(condition: Any) -> Any:
    record = tables.record
    return select(record.c.person).distinct().where(condition, record.c.person.is_not(None)).order_by(record.c.person)
