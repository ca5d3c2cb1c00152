"""What says who a record is: its addresses, its links to other connections, and what it turned into.

A change of one marks the record, and ``sync.identity`` looks at the marked ones before scoring.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, select, update

from connectors.base import Page, Record, Succession
from connectors.salesforce.ids import long_id
from sync import identity
from sync.arrivals import Arrivals, waiting_for
from sync.mapping import ConnectionMap
from sync.store import tables, timelines
from sync.store.records import EQUAL
from sync.store.store import in_chunks, upsert
from sync.store.values import micros


@dataclass(frozen=True, kw_only=True)
class Ties:
    """Stores the ties of one connection's records, in the page's transaction."""

    map: ConnectionMap
    #: takes what waited for a record under a name it answers to
    arrivals: Arrivals

    def tie(self, tx: Connection, current: Sequence[tuple[int, Record]]) -> None:
        """Keeps the addresses and links of these people's records, by record number."""
        self._addresses(tx, current)
        self._links(tx, current)

    def _addresses(self, tx: Connection, current: Sequence[tuple[int, Record]]) -> None:
        table = tables.address
        answers = {(email, number) for number, record in current for email in record.emails if email}
        for some in in_chunks([number for number, _ in current]):
            here = set(some)
            rows = tx.execute(select(table.c.email, table.c.record).where(table.c.record.in_(some)))
            known = {(row.email, row.record) for row in rows}
            asked = {pair for pair in answers if pair[1] in here}
            lost = {email for email, _ in known - answers}
            for email, number in known - answers:
                tx.execute(delete(table).where(table.c.email == email, table.c.record == number))
            self._mark_holders(tx, lost)
            new = [
                {"connection": self.map.connection, "email": email, "record": number}
                for email, number in sorted(asked - known)
            ]
            upsert(tx, table, new)
            identity.mark_unidentified(tx, {number for _, number in known ^ asked})
        ids = {(waiting_for(id_), number) for number, record in current for id_ in (record.id, *record.aliases)}
        self._claim(tx, answers | ids)

    def _mark_holders(self, tx: Connection, emails: Iterable[str]) -> None:
        """An address that one record gave up may be unique among those that still answer to it."""
        table = tables.address
        for some in in_chunks(sorted(emails)):
            holders = tx.execute(select(table.c.record).where(table.c.email.in_(some))).scalars()
            identity.mark_unidentified(tx, holders)

    def succeed(self, tx: Connection, page: Page) -> None:
        """Keeps which records another one now stands for, whichever of the two came first."""
        named = [
            *page.successions,
            *(
                Succession(object=record.object, id=id_, into_object=record.object, into_id=record.id)
                for record in page.records
                for id_ in record.aliases
                if id_ != record.id
            ),
        ]
        known = {(one.object, one.id): one for one in named}
        news = self._keep(tx, known)
        table, record = tables.alias, tables.record
        for some in in_chunks(sorted({*(one.id for one in page.records), *(id_ for _, id_ in known)})):
            rows = tx.execute(
                select(record.c.number, record.c.object, record.c.crm_id, table.c.into_object)
                .join(
                    table,
                    (record.c.connection == table.c.connection)
                    & (record.c.object == table.c.object)
                    & (record.c.crm_id == table.c.crm_id),
                )
                .where(
                    record.c.connection == self.map.connection,
                    record.c.crm_id.in_(some),
                    # a converted lead that was deleted stays so; a merged one counts as merged, deleted or not
                    (record.c.state == "live")
                    | ((record.c.state == "deleted") & (table.c.into_object == record.c.object)),
                )
            ).all()
            self._put_behind(tx, rows, known, page)
        heirs = {(one.into_object, one.into_id) for one in news.values()}
        for object_ in {object_ for object_, _ in news} - self.map.people:
            gone = [id_ for of, id_ in news if of == object_]
            identity.touch_children(tx, self.map.connection, object_, gone)
        identity.mark_naming(tx, self.map.connection, {id_ for _, id_ in (*news, *heirs)})
        identity.mark_unidentified(tx, self._numbers(tx, heirs).values())
        self._inherit(tx, {*heirs, *((one.object, one.id) for one in page.records)})

    def _keep(self, tx: Connection, known: Mapping[tuple[str, str], Succession]) -> dict[tuple[str, str], Succession]:
        """Keeps the successions; those that were not known."""
        table = tables.alias
        stored = {
            (row.object, row.crm_id): (row.into_object, row.into_id)
            for some in in_chunks(sorted({id_ for _, id_ in known}))
            for row in tx.execute(
                select(table).where(table.c.connection == self.map.connection, table.c.crm_id.in_(some))
            )
        }
        news = {key: one for key, one in known.items() if stored.get(key) != (one.into_object, one.into_id)}
        upsert(
            tx,
            table,
            [
                {
                    "connection": self.map.connection,
                    "object": one.object,
                    "crm_id": one.id,
                    "into_object": one.into_object,
                    "into_id": one.into_id,
                }
                for _, one in sorted(news.items())
            ],
        )
        return news

    def _inherit(self, tx: Connection, keys: Iterable[tuple[str, str]]) -> None:
        """Gives these people's records, as far as they were read, what waited for those they stand for."""
        people = {(object_, id_) for object_, id_ in keys if object_ in self.map.people}
        by_object: dict[str, list[str]] = {}
        for object_, id_ in people:
            by_object.setdefault(object_, []).append(id_)
        for object_, ids in by_object.items():
            people |= set(identity.standing_for(tx, self.map.connection, [object_], ids).values())
        numbers = self._numbers(tx, people)
        named = identity.stood_for(tx, self.map.connection, numbers)
        self._claim(tx, {(waiting_for(id_), numbers[heir]) for id_, heir in named.items()})

    def _put_behind(
        self, tx: Connection, rows: Sequence[Any], known: Mapping[tuple[str, str], Succession], page: Page
    ) -> None:
        """The rows are read no more, or (a converted lead) written no more; it was sales that converted one."""
        record = tables.record
        for row in rows:
            values: dict[str, Any] = {"state": "merged", "differs": EQUAL, "echo": False, "gone_at": None}
            if row.object != row.into_object:
                one = known.get((row.object, row.crm_id))
                at = one.at if one is not None and one.at is not None else page.requested_at
                values |= {"state": "converted", "word": "accepted", "word_at": micros(at)}
            tx.execute(update(record).where(record.c.number == row.number).values(values))
        people = [row.number for row in rows if row.object in self.map.people]
        identity.mark_unidentified(tx, people)
        identity.mark_stale(tx, people)

    def _numbers(self, tx: Connection, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], int]:
        record = tables.record
        wanted = set(keys)
        return {
            (row.object, row.crm_id): row.number
            for some in in_chunks(sorted({id_ for _, id_ in wanted}))
            for row in tx.execute(
                select(record.c.object, record.c.crm_id, record.c.number).where(
                    record.c.connection == self.map.connection, record.c.crm_id.in_(some)
                )
            )
            if (row.object, row.crm_id) in wanted
        }

    def _claim(self, tx: Connection, answers: Iterable[tuple[str, int]]) -> None:
        """Gives each record what waited under a name it answers to."""
        pairs = sorted(answers)
        claimed = timelines.claim(tx, self.map.connection, sorted({name for name, _ in pairs}))
        if claimed:
            self.arrivals.place(tx, {(number, name): claimed[name] for name, number in pairs if name in claimed})

    def _links(self, tx: Connection, current: Sequence[tuple[int, Record]]) -> None:
        """The records of other connections that these name as the same person."""
        table = tables.link
        wanted = {
            (number, connection, object_): id_
            for number, record in current
            for (connection, object_), name in self.map.links.items()
            if (id_ := self._linked_id(connection, record.values.get(name)))
        }
        for some in in_chunks([number for number, _ in current]):
            here = set(some)
            known = {
                (row.record, row.connection, row.object): row.crm_id
                for row in tx.execute(select(table).where(table.c.record.in_(some)))
            }
            asked = {key: id_ for key, id_ in wanted.items() if key[0] in here}
            for number, connection, object_ in known.keys() - asked.keys():
                tx.execute(
                    delete(table).where(
                        table.c.record == number, table.c.connection == connection, table.c.object == object_
                    )
                )
            changed = {key: id_ for key, id_ in asked.items() if known.get(key) != id_}
            upsert(
                tx,
                table,
                [
                    {"record": number, "connection": connection, "object": object_, "crm_id": id_}
                    for (number, connection, object_), id_ in sorted(changed.items())
                ],
            )
            moved = {key[0] for key in [*changed, *(known.keys() - asked.keys())]}
            identity.mark_unidentified(tx, moved)
            identity.mark_stale(tx, moved)  # which of a person's records are written may change, too

    def _linked_id(self, connection: str, value: Any) -> str:
        """The id as its own connection spells it; "" for what is none."""
        text = "" if value is None else str(value).strip()
        if connection not in self.map.salesforce or not text:
            return text
        try:
            return long_id(text)
        except ValueError:
            return ""
