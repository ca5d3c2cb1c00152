"""Persons as the scoring core sees them: gathered from the store, many at once, in the order asked for."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import Connection, Row, select

from config.parts import UNTIMED
from connectors.base import Value
from connectors.salesforce.ids import long_id
from scoring.compile import Touchpoint
from scoring.journey import Sales, latest_word
from sync import identity
from sync.days import score_day
from sync.facts import Facts, PersonRecord, facts_of
from sync.joining import LIVING
from sync.mapping import OUTCOME, ConnectionMap
from sync.outcomes import outcome_words
from sync.store import tables, timelines
from sync.store.store import in_chunks
from sync.store.values import at, load

#: activities of one person that count
MOST_ACTIVITIES = 1_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Person:
    """One person, whole."""

    number: int
    #: the rows of the live records, lowest number first; empty when every record is gone
    records: Sequence[Row[Any]]
    #: those and the rows of leads that were converted, whose facts are read, too
    read: Sequence[Row[Any]]
    #: what each of those says of the facts, in the same order
    told: Sequence[PersonRecord]
    facts: Facts
    activities: timelines.Activities
    sales: Sales | None
    #: of those, the ones that are written
    written: frozenset[int]
    #: the CRM's creation time of the oldest record, and its connection
    created_at: int
    created_in: str


def gather(tx: Connection, numbers: Sequence[int], maps: Sequence[ConnectionMap], zone: str) -> list[Person]:
    """The persons with these numbers, in that order; of connections without a map nothing is known."""
    mapped = {map_.connection for map_ in maps}
    rows = [row for row in _rows(tx, numbers) if row.connection in mapped]
    by_person: dict[int, list[Row[Any]]] = {}
    for row in rows:
        by_person.setdefault(row.person, []).append(row)
    parents = _parents(tx, [row for row in rows if row.state in LIVING])
    outcomes = _outcomes(tx, rows, maps)
    linked = _linked(tx, by_person.values(), maps)
    packed = _packed(tx, [row.number for row in rows])
    return [
        _person(
            number,
            by_person.get(number, []),
            _whole([packed[row.number] for row in by_person.get(number, []) if row.number in packed]),
            parents,
            outcomes,
            linked,
            maps,
            zone,
        )
        for number in numbers
    ]


def touchpoints(tx: Connection, maps: Sequence[ConnectionMap] = ()) -> list[Touchpoint]:
    """Every touchpoint there is, by number; the maps know of which the CRM may tell the day alone."""
    untimed = {
        (map_.connection, kind) for map_ in maps for kind, one in map_.activities.items() if one.from_ in UNTIMED
    }
    found = []
    for row in tx.execute(select(tables.touchpoint).order_by(tables.touchpoint.c.number)):
        ids, labels = load(row.ids), load(row.labels)
        found.append(
            Touchpoint(
                number=row.number,
                kind=row.kind,
                attributes={name: (id_, labels.get(name, "")) for name, id_ in ids.items()},
                exact=(row.connection, row.kind) not in untimed,
            )
        )
    return found


def _person(
    number: int,
    rows: Sequence[Row[Any]],
    activities: timelines.Activities,
    parents: Mapping[int, Mapping[str, Mapping[str, Value]]],
    outcomes: Mapping[int, Sequence[Mapping[str, Value]]],
    linked: Collection[tuple[str, str]],
    maps: Sequence[ConnectionMap],
    zone: str,
) -> Person:
    read = [row for row in rows if row.state in LIVING]
    told = [
        PersonRecord(
            number=row.number,
            connection=row.connection,
            object=row.object,
            inputs=load(row.inputs),
            parents=parents.get(row.number, {}),
            converted=row.state == "converted",
        )
        for row in read
    ]
    said = [Sales(word=row.word, at=row.word_at, on=score_day(at(row.word_at), zone)) for row in read if row.word]
    oldest = min(((row.created_at or 0, row.connection) for row in read), default=(0, ""))
    live = [row for row in read if row.state == "live"]
    return Person(
        number=number,
        records=live,
        read=read,
        told=told,
        written=_written(live, linked, maps),
        facts=facts_of(maps, told, zone),
        activities=activities,
        sales=latest_word([*said, *outcome_words([one for row in rows for one in outcomes.get(row.number, ())], zone)]),
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


def _written(
    live: Sequence[Row[Any]], linked: Collection[tuple[str, str]], maps: Sequence[ConnectionMap]
) -> frozenset[int]:
    """Of a person's records in one connection all, or those linked to; the one whose facts count first if none is."""
    numbers: set[int] = set()
    for map_ in maps:
        here = [row for row in live if row.connection == map_.connection]
        if map_.linked_only and len(here) > 1:
            named = [row for row in here if (row.connection, row.crm_id) in linked]
            here = named or [min(here, key=lambda row: (map_.order.index(row.object), row.number))]
        numbers.update(row.number for row in here)
    return frozenset(numbers)


def _linked(
    tx: Connection, persons: Iterable[Sequence[Row[Any]]], maps: Sequence[ConnectionMap]
) -> set[tuple[str, str]]:
    """Connection and id of the records that others link to, of persons that have several in one connection."""
    choosing = {map_.connection for map_ in maps if map_.linked_only}
    asked: list[int] = []
    for rows in persons:
        live = [row.connection for row in rows if row.state == "live"]
        if any(live.count(connection) > 1 for connection in choosing):
            asked += [row.number for row in rows if row.state == "live"]
    link = tables.link
    named: dict[tuple[str, str], list[str]] = {}
    for some in in_chunks(asked):
        for row in tx.execute(select(link).where(link.c.record.in_(some))):
            named.setdefault((row.connection, row.object), []).append(row.crm_id)
    found: set[tuple[str, str]] = set()
    for (connection, object_), ids in named.items():
        standing = identity.standing_for(tx, connection, [object_], ids)
        found.update((connection, standing[id_][1] if id_ in standing else id_) for id_ in ids)
    return found


def _outcomes(
    tx: Connection, rows: Sequence[Row[Any]], maps: Sequence[ConnectionMap]
) -> dict[int, list[Mapping[str, Value]]]:
    """Record number -> what became of the opportunities and deals it takes part in. Two plain look-ups, as below."""
    parent = tables.parent
    found: dict[int, list[Mapping[str, Value]]] = {}
    for map_ in maps:
        # a merge moves roles without a stamp, so those that point to a merged contact are read, too
        by_id = {row.crm_id: row.number for row in rows if row.connection == map_.connection}
        for some in in_chunks(sorted(by_id)) if OUTCOME in map_.inputs else ():
            one = parent.c.object.in_(map_.people) & parent.c.crm_id.in_(some)
            several = parent.c.object.in_([f"{of}:{id_}" for of in sorted(map_.people) for id_ in some])
            pointing = tx.execute(select(parent.c.record, parent.c.crm_id).where(one | several)).all()
            became = _became(tx, map_.connection, sorted({row.record for row in pointing}))
            for row in pointing:
                if row.record in became:
                    found.setdefault(by_id[row.crm_id], []).append(became[row.record])
    return found


def _became(tx: Connection, connection: str, numbers: Sequence[int]) -> dict[int, Mapping[str, Value]]:
    """Record number -> what became of it, of those that are living outcomes of the connection."""
    record = tables.record
    return {
        row.number: {"since": at(row.created_at or row.stamp_at), **load(row.inputs)}
        for some in in_chunks(numbers)
        for row in tx.execute(select(record).where(record.c.number.in_(some)))
        if (row.connection, row.object, row.state) == (connection, OUTCOME, "live")
    }


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
        for id_, (_, heir) in identity.standing_for(tx, connection, [object_], list(by_id)).items():
            by_id.setdefault(heir, []).extend(by_id[id_])
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
    """All of them, sorted; of very many the newest, so that every sum of points stays exact."""
    if not parts:
        return timelines.NOTHING
    whole = parts[0] if len(parts) == 1 else timelines.distinct(np.concatenate(parts))
    return whole[-MOST_ACTIVITIES:]


def find(tx: Connection, who: str) -> list[int]:
    """The numbers of the persons an e-mail address, a CRM id or ``connection:id`` names."""
    record, address, alias = tables.record, tables.address, tables.alias
    wanted = who.strip()
    if "@" in wanted:
        ids = select(address.c.record).where(address.c.email == wanted.casefold())
        return list(tx.execute(_persons(record.c.number.in_(ids))).scalars())
    connection, _, crm_id = wanted.rpartition(":")
    here = (record.c.connection == connection) if connection else record.c.connection.is_not(None)
    if len(crm_id) == 15 and crm_id.isalnum() and not crm_id.isdigit():
        crm_id = long_id(crm_id)  # Salesforce shows the short form too
    direct = list(tx.execute(_persons((record.c.crm_id == crm_id) & here)).scalars())
    if direct:
        return direct
    into = select(alias.c.into_id).where(alias.c.crm_id == crm_id)
    return list(tx.execute(_persons(record.c.crm_id.in_(into) & here)).scalars())


def _persons(condition: Any) -> Any:
    record = tables.record
    return select(record.c.person).distinct().where(condition, record.c.person.is_not(None)).order_by(record.c.person)
