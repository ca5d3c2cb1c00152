"""Records into the store: inputs, our own fields, deletions; ``sync.ties`` takes what says who they are.

Inputs are taken by the record's stamp, our own fields by ``sync.observe``. What marks a person for scoring is a change
of an input, never of our fields.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from connectors.base import Page, Record
from sync import identity
from sync.mapping import OUTCOME, ConnectionMap
from sync.observe import observe
from sync.store import tables, timelines
from sync.store.records import EQUAL, columns_of, fields_of, update_rows
from sync.store.store import in_chunks, upsert
from sync.store.values import dump, micros
from sync.ties import Ties


@dataclass(frozen=True, kw_only=True)
class Intake:
    """Stores the records of one connection's pages, in the page's transaction."""

    map: ConnectionMap
    now: Callable[[], datetime]
    ties: Ties
    in_scope: Callable[[Record], bool] = lambda _: True

    def take(self, tx: Connection, page: Page) -> None:
        """Stores a page's records, object by object; those outside the scope count as deleted."""
        inside: dict[str, list[Record]] = {}
        outside: dict[str, list[Record]] = {}
        for record in page.records:
            if self.in_scope(record):
                inside.setdefault(record.object, []).append(record)
            else:
                outside.setdefault(record.object, []).append(record)
        for object_, records in inside.items():
            self._take(tx, object_, records, page)
        self.ties.succeed(tx, page)
        for object_, records in outside.items():
            self._leave_out(tx, object_, records)

    def _take(self, tx: Connection, object_: str, records: Sequence[Record], page: Page) -> None:
        table = tables.record
        newest = {record.id: record for record in sorted(records, key=lambda one: one.stamp_at)}
        stored = {
            row.crm_id: row
            for some in in_chunks(list(newest))
            for row in tx.execute(
                select(table).where(
                    table.c.connection == self.map.connection, table.c.object == object_, table.c.crm_id.in_(some)
                )
            )
        }
        fresh = [record for id_, record in newest.items() if id_ not in stored]
        changed = [
            (stored[id_], record)
            for id_, record in newest.items()
            if id_ in stored and micros(record.stamp_at) >= stored[id_].stamp_at
        ]
        numbers = self._insert(tx, object_, fresh, page)
        touched = list(numbers.values()) + self._update(tx, object_, changed, page)
        numbers.update({record.id: row.number for row, record in changed})
        self._observe(tx, object_, [(row, newest[id_]) for id_, row in stored.items()], page)
        current = [(numbers[record.id], record) for record in [*fresh, *(record for _, record in changed)]]
        if object_ in self.map.people:
            identity.found(tx, [numbers[record.id] for record in fresh])
            self._parents(tx, current)
            self.ties.tie(tx, current)
            identity.mark_stale(tx, touched)
            return
        changed_ids = {row.crm_id for row, _ in changed if row.number in set(touched)} | {record.id for record in fresh}
        if object_ == OUTCOME:
            left = self._parents(tx, current)
            identity.touch_people(tx, self.map.connection, {id_ for ids in left.values() for id_ in ids})
            told = [*left, *(numbers[id_] for id_ in changed_ids)]
            identity.touch_pointed(tx, self.map.connection, told)
        else:
            identity.touch_children(tx, self.map.connection, object_, changed_ids)

    def _insert(self, tx: Connection, object_: str, records: Sequence[Record], page: Page) -> dict[str, int]:
        if not records:
            return {}
        rows = []
        for record in records:
            inputs = self._inputs(object_, record)
            word = self.map.word_of(object_, inputs)
            rows.append(
                {
                    "connection": self.map.connection,
                    "object": object_,
                    "crm_id": record.id,
                    "inputs": dump(inputs),
                    "unreadable": dump(list(record.unreadable)),
                    "stamp_at": micros(record.stamp_at),
                    "created_at": micros(record.created_at) if record.created_at else None,
                    "state": "live",
                    "identify": object_ in self.map.people,
                    "word": word,
                    "word_at": micros(page.requested_at) if word else None,
                    "observed": dump(self._ours(object_, record)),
                }
            )
        result = tx.execute(insert(tables.record).returning(tables.record.c.number, tables.record.c.crm_id), rows)
        return {crm_id: number for number, crm_id in result}

    def _update(self, tx: Connection, object_: str, pairs: Sequence[tuple[Any, Record]], page: Page) -> list[int]:
        """The numbers of the records whose inputs, word or life changed."""
        touched = []
        rows = []
        for row, record in pairs:
            inputs = self._inputs(object_, record)
            # a converted lead was accepted, whatever its frozen fields say
            word = row.word if row.state == "converted" else self.map.word_of(object_, inputs)
            text = dump(inputs)
            restored = row.state == "deleted" and micros(record.stamp_at) > row.stamp_at
            if text != row.inputs or restored or word != row.word:
                touched.append(row.number)
            elif micros(record.stamp_at) == row.stamp_at:
                continue
            rows.append(
                {
                    "key": row.number,
                    "inputs": text,
                    "unreadable": dump(list(record.unreadable)),
                    "stamp_at": micros(record.stamp_at),
                    "created_at": micros(record.created_at) if record.created_at else row.created_at,
                    "state": "live" if restored else row.state,
                    "identify": row.identify or (restored and object_ in self.map.people),
                    "gone_at": None if restored else row.gone_at,
                    "word": word,
                    "word_at": row.word_at if word == row.word else micros(page.requested_at) if word else None,
                }
            )
        update_rows(tx, rows)
        return touched

    def _observe(self, tx: Connection, object_: str, pairs: Sequence[tuple[Any, Record]], page: Page) -> None:
        """Our fields as read; a record with an older stamp is judged by the lag window, not here."""
        if object_ not in self.map.people or not self.map.outputs:
            return
        now = micros(self.now())
        rows = []
        for row, record in pairs:
            before = fields_of(row)
            after = observe(
                before,
                self._ours(object_, record),
                stamp=micros(record.stamp_at),
                requested_at=micros(page.requested_at),
                now=now,
            )
            if (after.observed, after.confirmed, after.echo) != (before.observed, before.confirmed, before.echo):
                rows.append({"key": row.number, **columns_of(after)})
        update_rows(tx, rows)

    def _inputs(self, object_: str, record: Record) -> dict[str, Any]:
        wanted = self.map.inputs.get(object_, frozenset())
        return {name: value for name, value in record.values.items() if name in wanted and value is not None}

    def _ours(self, object_: str, record: Record) -> dict[str, Any]:
        if object_ not in self.map.people:
            return {}
        return {name: value for name, value in record.values.items() if name in self.map.outputs and value is not None}

    def _parents(self, tx: Connection, current: Sequence[tuple[int, Record]]) -> dict[int, list[str]]:
        """Keeps whom these records point to; the number of each that points elsewhere now -> the ids it left."""
        left: dict[int, list[str]] = {}
        table = tables.parent
        wanted = {(number, object_): id_ for number, record in current for object_, id_ in record.parents.items()}
        for some in in_chunks([number for number, _ in current]):
            known = {
                (row.record, row.object): row.crm_id
                for row in tx.execute(select(table).where(table.c.record.in_(some)))
            }
            here = set(some)
            changed = {key: id_ for key, id_ in wanted.items() if key[0] in here and known.get(key) != id_}
            gone = [key for key in known if key not in wanted]
            for number, object_ in gone:
                tx.execute(delete(table).where(table.c.record == number, table.c.object == object_))
            upsert(
                tx,
                table,
                [{"record": number, "object": object_, "crm_id": id_} for (number, object_), id_ in changed.items()],
            )
            for key in [*changed, *gone]:
                left.setdefault(key[0], []).extend([known[key]] if key in known else [])
            identity.mark_stale(tx, {number for number, _ in [*changed, *gone]})
        return left

    def delete(self, tx: Connection, page: Page) -> None:
        """What is gone from the CRM: activities leave every timeline, records are kept as deleted."""
        gone = [
            timelines.activity_id(self.map.connection, deletion.source, deletion.id)
            for deletion in page.deletions
            if deletion.source
        ]
        timelines.displace(tx, {id_: [] for id_ in gone})
        for object_ in {deletion.object for deletion in page.deletions if deletion.object}:
            self._bury(tx, object_, [deletion.id for deletion in page.deletions if deletion.object == object_])

    def _leave_out(self, tx: Connection, object_: str, records: Sequence[Record]) -> None:
        """Records outside the scope count as deleted; a stamp just below theirs lets the same version come back."""
        record = tables.record
        for outside in records:
            stamp = micros(outside.stamp_at)
            here = (record.c.connection == self.map.connection) & (record.c.object == object_)
            known = tx.execute(
                select(record.c.number).where(
                    here,
                    record.c.crm_id == outside.id,
                    record.c.state.in_(("live", "converted")),
                    record.c.stamp_at <= stamp,
                )
            ).scalar()
            if known is not None:
                self._bury(tx, object_, [outside.id])
                tx.execute(update(record).where(record.c.number == known).values(stamp_at=stamp - 1))

    def _bury(self, tx: Connection, object_: str, ids: Sequence[str]) -> None:
        record = tables.record
        for some in in_chunks(ids):
            rows = tx.execute(
                select(record.c.number).where(
                    record.c.connection == self.map.connection,
                    record.c.object == object_,
                    record.c.crm_id.in_(some),
                    record.c.state.in_(("live", "converted")),
                )
            ).scalars()
            numbers = list(rows)
            values = {"state": "deleted", "differs": EQUAL, "echo": False, "gone_at": micros(self.now())}
            tx.execute(update(record).where(record.c.number.in_(numbers)).values(values))
            if object_ in self.map.people:
                identity.mark_stale(tx, numbers)
                identity.mark_unidentified(tx, numbers)
            elif object_ == OUTCOME:
                identity.touch_pointed(tx, self.map.connection, numbers)
            else:
                identity.touch_children(tx, self.map.connection, object_, some)
