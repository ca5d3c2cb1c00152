"""Which records are one person: looks at those whose ties changed, and keeps persons and journeys in step.

Runs after the pull and before scoring, over what the store knows by then, so that the order of pages does not matter.
A person's number is the lowest record number of its records.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, select, tuple_, update

from scoring.journey import Journey, join
from sync.joining import LIVING, Key, Known, persons_of
from sync.store import tables
from sync.store.store import in_chunks, upsert
from sync.store.values import DAY_US, dump, load

#: marked records looked at in one transaction
CHUNK_RECORDS = 2_000
#: how long, in microseconds, and how many instants of new activities are kept of a person until the next evaluation
FRESH_FOR, FRESH_MOST = 7 * DAY_US, 200


@dataclass(frozen=True, kw_only=True, slots=True)
class News:
    """New activities of one record, in microseconds."""

    #: the latest of their instants, and of the changes of those known before; 0 for none that is news
    at: int
    instants: frozenset[int]


def found(tx: Connection, numbers: Iterable[int]) -> None:
    """New records begin as persons of their own."""
    new = sorted(numbers)
    for some in in_chunks(new):
        tx.execute(update(tables.record).where(tables.record.c.number.in_(some)).values(person=tables.record.c.number))
    upsert(tx, tables.person, [{"number": number, "stale": True} for number in new])


def mark_unidentified(tx: Connection, numbers: Iterable[int]) -> None:
    """Who these records are is to be looked at again."""
    record = tables.record
    for some in in_chunks(sorted(set(numbers))):
        tx.execute(update(record).where(record.c.number.in_(some), record.c.person.is_not(None)).values(identify=True))


def mark_naming(tx: Connection, connection: str, ids: Iterable[str]) -> None:
    """Who links to records of these ids is to be looked at again."""
    link = tables.link
    for some in in_chunks(sorted(set(ids))):
        naming = tx.execute(select(link.c.record).where(link.c.connection == connection, link.c.crm_id.in_(some)))
        mark_unidentified(tx, naming.scalars())


def identify_some(tx: Connection) -> int:
    """Settles who some of the marked records are, and everybody tied to them; how many were marked, 0 = none is left.

    Harmless to repeat.
    """
    record = tables.record
    marked = list(
        tx.execute(
            select(record.c.number).where(record.c.identify).order_by(record.c.number).limit(CHUNK_RECORDS)
        ).scalars()
    )
    if not marked:
        return 0
    around = _Around(tx)
    around.widen(marked)
    before = {row.number: row.person for row in around.rows.values()}
    groups = persons_of(around.known(), around.successions)
    _keep(tx, before, groups)
    for some in in_chunks(sorted(before)):
        tx.execute(update(record).where(record.c.number.in_(some), record.c.identify).values(identify=False))
    return len(marked)


class _Around:
    """The records that are tied to some, directly or through others, and their ties."""

    def __init__(self, tx: Connection) -> None:
        self._tx = tx
        #: by number
        self.rows: dict[int, Any] = {}
        self.successions: dict[Key, Key] = {}
        self._links: dict[int, set[Key]] = {}
        self._emails: dict[int, set[str]] = {}
        self._keys: set[Key] = set()

    def widen(self, numbers: Iterable[int]) -> None:
        """Takes in these records and everything tied to them."""
        new = set(numbers)
        while new:
            keys = self._read(new)
            new = self._of_keys(keys) | self._of_persons(new) | self._of_addresses(new)
            new -= self.rows.keys()

    def known(self) -> list[Known]:
        """The records with their ties."""
        return [
            Known(
                number=row.number,
                key=(row.connection, row.object, row.crm_id),
                state=row.state,
                links=tuple(sorted(self._links.get(row.number, ()))),
                emails=tuple(sorted(self._emails.get(row.number, ()))),
            )
            for row in self.rows.values()
        ]

    def _read(self, numbers: set[int]) -> set[Key]:
        """Reads these records and their links; the keys that are new."""
        record, link = tables.record, tables.link
        columns = [record.c[name] for name in ("number", "connection", "object", "crm_id", "state", "person")]
        keys: set[Key] = set()
        for some in in_chunks(sorted(numbers)):
            for row in self._tx.execute(select(*columns).where(record.c.number.in_(some))):
                self.rows[row.number] = row
                keys.add((row.connection, row.object, row.crm_id))
            for row in self._tx.execute(select(link).where(link.c.record.in_(some))):
                key = (row.connection, row.object, row.crm_id)
                self._links.setdefault(row.record, set()).add(key)
                keys.add(key)
        return keys

    def _of_keys(self, keys: set[Key]) -> set[int]:
        """The records behind keys, behind what stands for them or what they stand for, and those linking to them."""
        alias, link, record = tables.alias, tables.link, tables.record
        found: set[int] = set()
        new = keys - self._keys
        while new:
            self._keys |= new
            following: set[Key] = set()
            for some in in_chunks(sorted(new)):
                here = tuple_(alias.c.connection, alias.c.object, alias.c.crm_id).in_(some)
                there = tuple_(alias.c.connection, alias.c.into_object, alias.c.into_id).in_(some)
                for condition in (here, there):
                    for row in self._tx.execute(select(alias).where(condition)):
                        key = (row.connection, row.object, row.crm_id)
                        into = (row.connection, row.into_object, row.into_id)
                        self.successions[key] = into
                        following |= {key, into}
                named = tuple_(link.c.connection, link.c.object, link.c.crm_id).in_(some)
                found.update(self._tx.execute(select(link.c.record).where(named)).scalars())
                mine = tuple_(record.c.connection, record.c.object, record.c.crm_id).in_(some)
                found.update(
                    self._tx.execute(select(record.c.number).where(mine, record.c.person.is_not(None))).scalars()
                )
            new = following - self._keys
        return found

    def _of_persons(self, numbers: set[int]) -> set[int]:
        record = tables.record
        persons = {self.rows[number].person for number in numbers if number in self.rows}
        return {
            number
            for some in in_chunks(sorted(persons))
            for number in self._tx.execute(select(record.c.number).where(record.c.person.in_(some))).scalars()
        }

    def _of_addresses(self, numbers: set[int]) -> set[int]:
        address = tables.address
        emails: set[str] = set()
        for some in in_chunks(sorted(numbers)):
            for row in self._tx.execute(select(address.c.record, address.c.email).where(address.c.record.in_(some))):
                self._emails.setdefault(row.record, set()).add(row.email)
                emails.add(row.email)
        return {
            number
            for some in in_chunks(sorted(emails))
            for number in self._tx.execute(select(address.c.record).where(address.c.email.in_(some))).scalars()
        }


def _keep(tx: Connection, before: Mapping[int, int], groups: Sequence[Sequence[int]]) -> None:
    """Gives every group of records its person: those that changed take the journeys of all they were, joined."""
    was = {group[0]: sorted({before[number] for number in group}) for group in groups}
    times: dict[int, int] = {}
    for olds in was.values():
        for old in olds:
            times[old] = times.get(old, 0) + 1
    changed = {new: olds for new, olds in was.items() if olds != [new] or times[new] > 1}
    if not changed:
        return
    record = tables.record
    rows = [
        {"key": number, "new_person": group[0]}
        for group in groups
        if group[0] in changed
        for number in group
        if before[number] != group[0]
    ]
    if rows:
        statement = update(record).where(record.c.number == bindparam("key")).values(person=bindparam("new_person"))
        tx.execute(statement, rows)
    olds = sorted({old for olds in changed.values() for old in olds})
    _move_journeys(tx, changed, olds)
    _move_marks(tx, changed, olds)
    for old in sorted(set(olds) - was.keys()):
        heir = min(new for new, theirs in changed.items() if old in theirs)
        tx.execute(update(tables.transition).where(tables.transition.c.person == old).values(person=heir))


def _move_journeys(tx: Connection, changed: Mapping[int, Sequence[int]], olds: Sequence[int]) -> None:
    journey = tables.journey
    standing: dict[int, list[dict[str, Any]]] = {}
    for some in in_chunks(olds):
        for row in tx.execute(select(journey).where(journey.c.person.in_(some)).order_by(journey.c.person)):
            standing.setdefault(row.person, []).append(dict(row._mapping))  # noqa: SLF001 - SQLAlchemy's public name for it
        tx.execute(delete(journey).where(journey.c.person.in_(some)))
    rows = []
    for new, theirs in sorted(changed.items()):
        by_model: dict[str, list[dict[str, Any]]] = {}
        for old in theirs:
            for kept in standing.get(old, ()):
                by_model.setdefault(kept["model"], []).append(kept)
        for same in by_model.values():
            whole = Journey.from_dict(load(same[0]["journey"]))
            for other in same[1:]:
                whole = join(whole, Journey.from_dict(load(other["journey"])))
            rows.append({**same[0], "person": new, "journey": dump(whole.to_dict()), "status": whole.status})
    upsert(tx, journey, rows)


def _move_marks(tx: Connection, changed: Mapping[int, Sequence[int]], olds: Sequence[int]) -> None:
    person = tables.person
    standing: dict[int, Any] = {}
    for some in in_chunks(olds):
        standing |= {row.number: row for row in tx.execute(select(person).where(person.c.number.in_(some)))}
        tx.execute(delete(person).where(person.c.number.in_(some)))
    rows = []
    for new, theirs in sorted(changed.items()):
        marks = [standing[old] for old in theirs if old in standing]
        fresh = [mark.fresh_at for mark in marks if mark.fresh_at is not None]
        rows.append(
            {
                "number": new,
                "stale": True,
                "fresh_at": max(fresh, default=None),
                "fresh": dump(sorted({at for mark in marks for at in load(mark.fresh)})[-FRESH_MOST:]),
                "maps_digest": marks[0].maps_digest if marks else "",
                "write": next((how for how in ("empty", "nothing") if how in {mark.write for mark in marks}), "all"),
            }
        )
    upsert(tx, person, rows)


def ambiguous(tx: Connection) -> int:
    """How many addresses more than one person answers to; nobody is joined by those."""
    address, record = tables.address, tables.record
    shared = (
        select(address.c.email)
        .join(record, record.c.number == address.c.record)
        .where(record.c.state.in_(LIVING))
        .group_by(address.c.email)
        .having(func.count(record.c.person.distinct()) > 1)
    )
    return tx.execute(select(func.count()).select_from(shared.subquery())).scalar_one()


def standing_for(
    tx: Connection, connection: str, objects: Iterable[str], ids: Iterable[str]
) -> dict[str, tuple[str, str]]:
    """Id -> object and id of the record that stands for it, of those of these objects that were merged or converted."""
    alias, wanted = tables.alias, list(objects)
    found: dict[str, tuple[str, str]] = {}
    asked = {id_: id_ for id_ in ids}
    while asked:
        into: dict[str, tuple[str, str]] = {}
        for some in in_chunks(sorted(set(asked.values()))):
            rows = tx.execute(
                select(alias).where(
                    alias.c.connection == connection, alias.c.object.in_(wanted), alias.c.crm_id.in_(some)
                )
            )
            into |= {row.crm_id: (row.into_object, row.into_id) for row in rows}
        # one that comes back to where it was would go round for ever
        following = {first: into[at] for first, at in asked.items() if at in into and into[at] != found.get(first)}
        found |= following
        asked = {first: id_ for first, (_, id_) in following.items() if id_ != first}
    return found


def stood_for(tx: Connection, connection: str, keys: Iterable[tuple[str, str]]) -> dict[str, tuple[str, str]]:
    """Id of every record that one of these (object, id) stands for, directly or through others -> that one."""
    alias = tables.alias
    found: dict[str, tuple[str, str]] = {}
    asked = {key: key for key in keys}
    while asked:
        following: dict[tuple[str, str], tuple[str, str]] = {}
        for some in in_chunks(sorted({id_ for _, id_ in asked})):
            for row in tx.execute(select(alias).where(alias.c.connection == connection, alias.c.into_id.in_(some))):
                heir = asked.get((row.into_object, row.into_id))
                if heir is not None and row.crm_id not in found:
                    found[row.crm_id] = heir
                    following[row.object, row.crm_id] = heir
        asked = following
    return found


def touch_children(tx: Connection, connection: str, object_: str, ids: Iterable[str]) -> None:
    """The people that point to these records, or to one that they stand for, are to be scored again."""
    parent, record = tables.parent, tables.record
    wanted = set(ids)
    wanted |= stood_for(tx, connection, {(object_, id_) for id_ in wanted}).keys()
    for some in in_chunks(sorted(wanted)):
        children = tx.execute(
            select(parent.c.record)
            .join(record, record.c.number == parent.c.record)
            .where(record.c.connection == connection, parent.c.object == object_, parent.c.crm_id.in_(some))
        ).scalars()
        mark_stale(tx, list(children))


def touch_pointed(tx: Connection, connection: str, numbers: Sequence[int]) -> None:
    """The people that these records point to are to be scored again."""
    parent = tables.parent
    for some in in_chunks(numbers):
        pointed = tx.execute(select(parent.c.crm_id).where(parent.c.record.in_(some))).scalars()
        touch_people(tx, connection, pointed)


def touch_people(tx: Connection, connection: str, ids: Iterable[str]) -> None:
    """The people behind these ids are to be scored again."""
    record = tables.record
    for some in in_chunks(sorted(set(ids))):
        people = tx.execute(
            select(record.c.number).where(
                record.c.connection == connection, record.c.person.is_not(None), record.c.crm_id.in_(some)
            )
        ).scalars()
        mark_stale(tx, list(people))


def mark_stale(tx: Connection, records: Iterable[int]) -> None:
    """The persons of these records are to be scored again."""
    record, person = tables.record, tables.person
    for some in in_chunks(sorted(set(records))):
        theirs = select(record.c.person).where(record.c.number.in_(some), record.c.person.is_not(None))
        tx.execute(update(person).where(person.c.number.in_(theirs)).values(stale=True))


def mark_fresh(tx: Connection, news: Mapping[int, News], now: int) -> None:
    """The persons of these records have something new: record number -> what."""
    record, person = tables.record, tables.person
    by_person: dict[int, list[News]] = {}
    for some in in_chunks(sorted(news)):
        rows = tx.execute(
            select(record.c.number, record.c.person).where(record.c.number.in_(some), record.c.person.is_not(None))
        )
        for number, of in rows:
            by_person.setdefault(of, []).append(news[number])
    for some in in_chunks(sorted(by_person)):
        known = {
            row.number: row
            for row in tx.execute(
                select(person.c.number, person.c.fresh_at, person.c.fresh).where(person.c.number.in_(some))
            )
        }
        rows_ = []
        for of in some:
            before = known.get(of)
            at = max(one.at for one in by_person[of])
            instants = {instant for one in by_person[of] for instant in one.instants}
            if before is not None:
                at, instants = max(at, before.fresh_at or at), instants.union(load(before.fresh))
            rows_.append({"number": of, "stale": True, "fresh_at": at, "fresh": dump(_recent(instants, now))})
        upsert(tx, person, rows_)


def _recent(instants: Iterable[int], now: int) -> list[int]:
    """The newest of those that a cause may still be read from, and those to come."""
    return sorted(at for at in instants if at >= now - FRESH_FOR)[-FRESH_MOST:]
