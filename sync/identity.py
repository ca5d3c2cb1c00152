"""Which records are one person, and which value is the fact.

A person's number is the lowest record number of its records. Records are joined by merges (aliases). One value a fact:
the first known in a fixed order, never by modification time, which our own writes move.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, delete, func, select, update

from connectors.base import Value
from scoring.journey import Journey, join
from sync.mapping import HAND_OFF, ConnectionMap, meaning_of
from sync.store import tables
from sync.store.store import in_chunks, upsert
from sync.store.values import dump, load

#: true as soon as any record of the person says so
STRICTEST = frozenset({"opted_out", "bounced", "do_not_profile"})


@dataclass(frozen=True, kw_only=True, slots=True)
class PersonRecord:
    """A live record of a person, with the inputs of the records it points to."""

    number: int
    connection: str
    object: str
    inputs: Mapping[str, Value]
    #: company, owner -> inputs
    parents: Mapping[str, Mapping[str, Value]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """The facts of a person, and the record each came from."""

    values: Mapping[str, str | int | float | bool | date]
    sources: Mapping[str, int]


def facts_of(maps: Sequence[ConnectionMap], records: Sequence[PersonRecord], zone: str) -> Facts:
    """One value a fact: by connection order, contact before lead, lowest record number; an unknown fact is left out.

    Opt-outs and bounces hold if any record says so. Instants become the date in the zone.
    """
    order = {map_.connection: place for place, map_ in enumerate(maps)}
    by_connection = {map_.connection: map_ for map_ in maps}
    values: dict[str, str | int | float | bool | date] = {}
    sources: dict[str, int] = {}
    for record in sorted(records, key=lambda one: (order[one.connection], one.object != "contact", one.number)):
        for name, source in by_connection[record.connection].facts.items():
            if name == HAND_OFF or (name in values and not (name in STRICTEST and values[name] is False)):
                continue
            for object_, field in source.columns.items():
                inputs = record.inputs if object_ == record.object else record.parents.get(object_, {})
                value = meaning_of(source, inputs.get(field))
                if value is not None:
                    values[name] = value.astimezone(ZoneInfo(zone)).date() if isinstance(value, datetime) else value
                    sources[name] = record.number
                    break
    return Facts(values=values, sources=sources)


def found(tx: Connection, numbers: Iterable[int]) -> None:
    """New records begin as persons of their own; known ones stay with theirs."""
    new = sorted(numbers)
    for some in in_chunks(new):
        tx.execute(update(tables.record).where(tables.record.c.number.in_(some)).values(person=tables.record.c.number))
    upsert(tx, tables.person, [{"number": number, "stale": True} for number in new])


def unite(tx: Connection, groups: Iterable[Sequence[int]]) -> None:
    """Makes one person of each group of records, under the lowest number.

    Journeys join; the order of groups does not matter.
    """
    record = tables.record
    for group in groups:
        rows = tx.execute(
            select(record.c.person).distinct().where(record.c.number.in_(list(group)), record.c.person.is_not(None))
        )
        persons = sorted(row.person for row in rows)
        if len(persons) < 2:
            continue
        stays, goes = persons[0], persons[1:]
        tx.execute(update(record).where(record.c.person.in_(goes)).values(person=stays))
        _join_journeys(tx, stays, goes)
        person = tables.person
        fresh_at = tx.execute(select(func.max(person.c.fresh_at)).where(person.c.number.in_(persons))).scalar()
        tx.execute(update(person).where(person.c.number == stays).values(fresh_at=fresh_at, stale=True))
        tx.execute(delete(person).where(person.c.number.in_(goes)))


def _join_journeys(tx: Connection, stays: int, goes: Sequence[int]) -> None:
    journey = tables.journey
    rows = tx.execute(select(journey).where(journey.c.person.in_([stays, *goes])).order_by(journey.c.person)).all()
    by_model: dict[str, list[dict[str, object]]] = {}
    for row in rows:
        by_model.setdefault(row.model, []).append(dict(row._mapping))  # noqa: SLF001 - SQLAlchemy's public name for it
    tx.execute(delete(journey).where(journey.c.person.in_([stays, *goes])))
    joined = []
    for group in by_model.values():
        whole = Journey.from_dict(load(str(group[0]["journey"])))
        for other in group[1:]:
            whole = join(whole, Journey.from_dict(load(str(other["journey"]))))
        joined.append({**group[0], "person": stays, "journey": dump(whole.to_dict()), "status": whole.status})
    upsert(tx, journey, joined)


def mark_stale(tx: Connection, records: Iterable[int]) -> None:
    """The persons of these records are to be scored again."""
    record, person = tables.record, tables.person
    for some in in_chunks(sorted(set(records))):
        theirs = select(record.c.person).where(record.c.number.in_(some), record.c.person.is_not(None))
        tx.execute(update(person).where(person.c.number.in_(theirs)).values(stale=True))


def mark_fresh(tx: Connection, fresh_at: Mapping[int, int]) -> None:
    """The persons of these records have something new: record number -> the later of its instant and its change."""
    record, person = tables.record, tables.person
    by_person: dict[int, int] = {}
    for some in in_chunks(sorted(fresh_at)):
        rows = tx.execute(
            select(record.c.number, record.c.person).where(record.c.number.in_(some), record.c.person.is_not(None))
        )
        for number, of in rows:
            by_person[of] = max(by_person.get(of, 0), fresh_at[number])
    for some in in_chunks(sorted(by_person)):
        known = {
            row.number: row.fresh_at
            for row in tx.execute(select(person.c.number, person.c.fresh_at).where(person.c.number.in_(some)))
        }
        rows_ = [{"number": of, "stale": True, "fresh_at": max(by_person[of], known.get(of) or 0)} for of in some]
        upsert(tx, person, rows_)
