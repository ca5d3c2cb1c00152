"""Pull: pages into the store. A page and its cursor are one transaction, the cursor moves last.

Applying a page twice, or late, changes nothing that a newer one said: inputs are taken by the record's stamp, our own
fields by ``sync.observe``. What marks a person for scoring is a change of an input or of the timeline, never of our
fields.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from connectors.base import Activity, Connector, Page, Record
from sync import identity
from sync.mapping import ConnectionMap
from sync.observe import LAG_WINDOW, observe
from sync.store import tables, timelines
from sync.store.records import columns_of, fields_of, update_rows
from sync.store.store import Store, get_meta, in_chunks, set_meta, upsert
from sync.store.values import dump, load, micros

#: the meta value that says how often names of known touchpoints changed; part of the maps' digest
RELABELLED = "relabelled"
#: the meta value, by connection, of the end of its first complete pull
FIRST_COMPLETE = "first_complete:"


@dataclass(kw_only=True)
class Pulled:
    """What a pull brought, counted."""

    records: int = 0
    activities: int = 0
    deletions: int = 0


@dataclass(kw_only=True)
class Reader:
    """Applies the pages of one connection."""

    store: Store
    map: ConnectionMap
    now: Callable[[], datetime]
    retention: timedelta
    pulled: Pulled = field(default_factory=Pulled)
    _touchpoints: dict[tuple[str, str], tuple[int, str]] = field(default_factory=dict)

    def apply(self, page: Page, asked: str = "") -> None:
        """Stores one page and its cursor: all of it, or nothing. ``asked`` is what the stream is read for."""
        known = dict(self._touchpoints)
        with self.store.begin() as tx:
            for object_ in dict.fromkeys(record.object for record in page.records):
                self._records(tx, object_, [record for record in page.records if record.object == object_], page)
            self._activities(tx, page.activities, known)
            self._deletions(tx, page)
            if page.stream:
                self._move_cursor(tx, page, asked)
        self._touchpoints = known
        self.pulled.records += len(page.records)
        self.pulled.activities += len(page.activities)
        self.pulled.deletions += len(page.deletions)

    def _move_cursor(self, tx: Connection, page: Page, asked: str) -> None:
        row = {
            "connection": self.map.connection,
            "stream": page.stream,
            "cursor": dump(dict(page.next_cursor)),
            "asked": asked,
            "moved_at": micros(self.now()),
        }
        upsert(tx, tables.cursor, [row])

    # Records

    def _records(self, tx: Connection, object_: str, records: Sequence[Record], page: Page) -> None:
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
            self._addresses(tx, object_, current)
            self._aliases(tx, object_, current)
            identity.mark_stale(tx, touched)
        else:
            self._touch_children(
                tx, object_, {row.crm_id for row, _ in changed if row.number in set(touched)} | {r.id for r in fresh}
            )

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
            word = self.map.word_of(object_, inputs)
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
            if after is not before and (after.observed != before.observed or before.echo):
                rows.append({"key": row.number, **columns_of(after)})
        update_rows(tx, rows)

    def _inputs(self, object_: str, record: Record) -> dict[str, Any]:
        wanted = self.map.inputs.get(object_, frozenset())
        return {name: value for name, value in record.values.items() if name in wanted and value is not None}

    def _ours(self, object_: str, record: Record) -> dict[str, Any]:
        if object_ not in self.map.people:
            return {}
        return {name: value for name, value in record.values.items() if name in self.map.outputs and value is not None}

    def _parents(self, tx: Connection, current: Sequence[tuple[int, Record]]) -> None:
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
            identity.mark_stale(tx, {number for number, _ in [*changed, *gone]})

    def _addresses(self, tx: Connection, object_: str, current: Sequence[tuple[int, Record]]) -> None:
        table = tables.address
        answers = {(email, number) for number, record in current for email in record.emails if email}
        for some in in_chunks([number for number, _ in current]):
            rows = tx.execute(select(table.c.email, table.c.record).where(table.c.record.in_(some)))
            for email, number in {(row.email, row.record) for row in rows} - answers:
                tx.execute(delete(table).where(table.c.email == email, table.c.record == number))
        upsert(
            tx,
            table,
            [
                {"connection": self.map.connection, "email": email, "record": number}
                for email, number in sorted(answers)
            ],
        )
        answers |= {(waiting_for(object_, record.id), number) for number, record in current}
        claimed = timelines.claim(tx, self.map.connection, sorted({name for name, _ in answers}))
        if claimed:
            self._arrive(tx, {(number, name): claimed[name] for name, number in answers if name in claimed})

    def _aliases(self, tx: Connection, object_: str, current: Sequence[tuple[int, Record]]) -> None:
        """Joins merged records with the one that stands for them, whichever came first."""
        table, record = tables.alias, tables.record
        stands_for = {id_: number for number, one in current for id_ in one.aliases if id_ != one.id}
        upsert(
            tx,
            table,
            [
                {"connection": self.map.connection, "object": object_, "crm_id": id_, "record": number}
                for id_, number in sorted(stands_for.items())
            ],
        )
        for some in in_chunks(sorted({*stands_for, *(one.id for _, one in current)})):
            losers = tx.execute(
                select(record.c.number, table.c.record)
                .join(
                    record,
                    (record.c.connection == table.c.connection)
                    & (record.c.object == table.c.object)
                    & (record.c.crm_id == table.c.crm_id),
                )
                .where(
                    table.c.connection == self.map.connection,
                    table.c.object == object_,
                    table.c.crm_id.in_(some),
                    record.c.number != table.c.record,
                    record.c.state != "merged",
                )
            ).all()
            if losers:
                gone = [row.number for row in losers]
                tx.execute(
                    update(record).where(record.c.number.in_(gone)).values(state="merged", differs=0, echo=False)
                )
                identity.unite(tx, [(row.number, row.record) for row in losers])

    def _touch_children(self, tx: Connection, object_: str, ids: Iterable[str]) -> None:
        parent, record = tables.parent, tables.record
        for some in in_chunks(sorted(ids)):
            children = tx.execute(
                select(parent.c.record)
                .join(record, record.c.number == parent.c.record)
                .where(
                    record.c.connection == self.map.connection, parent.c.object == object_, parent.c.crm_id.in_(some)
                )
            ).scalars()
            identity.mark_stale(tx, list(children))

    # Activities

    def _activities(
        self, tx: Connection, activities: Sequence[Activity], known: dict[tuple[str, str], tuple[int, str]]
    ) -> None:
        if not activities:
            return
        oldest = self.now() - self.retention
        placed: dict[tuple[int, str], list[tuple[int, int, int]]] = {}
        keep: dict[int, list[int]] = {}
        changed_at: dict[int, int] = {}
        find = self._finder(tx, activities)
        for activity in activities:
            if activity.at < oldest:
                continue
            kind = self.map.kind_of(activity)
            id_ = timelines.activity_id(self.map.connection, activity.source, activity.id)
            if kind is None:
                if activity.may_have_moved:
                    keep[id_] = []
                continue
            number = self._touchpoint(tx, kind.kind, kind.attributes, known)
            places = find(activity)
            for place in places:
                placed.setdefault(place, []).append((micros(activity.at), number, id_))
            if activity.may_have_moved:
                keep[id_] = [record for record, _ in places if record]
            changed_at[id_] = max(micros(activity.at), micros(activity.changed_at) if activity.changed_at else 0)
        if keep:
            timelines.displace(tx, keep)
        self._arrive(tx, {place: timelines.pack(rows) for place, rows in placed.items()}, changed_at)

    def _arrive(
        self,
        tx: Connection,
        placed: Mapping[tuple[int, str], timelines.Activities],
        changed_at: Mapping[int, int] | None = None,
    ) -> None:
        """Puts activities on their records (number, _), or lets them wait for one (0, name)."""
        here: dict[int, timelines.Activities] = {}
        for (number, _), activities in placed.items():
            if number:
                here[number] = timelines.merge(here.get(number, timelines.NOTHING), activities)
        timelines.wait(
            tx, self.map.connection, {name: activities for (number, name), activities in placed.items() if not number}
        )
        fresh: dict[int, int] = {}
        for arrival in timelines.add(tx, here):
            instants = dict(zip(here[arrival.record]["id"].tolist(), here[arrival.record]["at"].tolist(), strict=True))
            fresh[arrival.record] = max((changed_at or {}).get(id_, instants[id_]) for id_ in arrival.changed)
        identity.mark_fresh(tx, fresh)

    def _finder(self, tx: Connection, activities: Sequence[Activity]) -> Callable[[Activity], list[tuple[int, str]]]:
        """Where an activity hangs: record numbers, else the name it waits under."""
        record, alias, address = tables.record, tables.alias, tables.address
        by_id: dict[str, int] = {}
        for some in in_chunks(sorted({id_ for activity in activities for id_ in activity.records})):
            for table, number in ((alias, alias.c.record), (record, record.c.number)):
                rows = tx.execute(
                    select(table.c.crm_id, number).where(
                        table.c.connection == self.map.connection,
                        table.c.object.in_(self.map.people),
                        table.c.crm_id.in_(some),
                    )
                )
                for crm_id, of in rows:
                    by_id.setdefault(crm_id, of)
        by_email: dict[str, list[int]] = {}
        for some in in_chunks(sorted({activity.email for activity in activities if activity.email})):
            rows = tx.execute(
                select(address.c.email, address.c.record)
                .join(record, record.c.number == address.c.record)
                .where(address.c.connection == self.map.connection, address.c.email.in_(some), record.c.state == "live")
                .order_by(address.c.record)
            )
            for email, of in rows:
                by_email.setdefault(email, []).append(of)

        def find(activity: Activity) -> list[tuple[int, str]]:
            if activity.records:
                object_ = min(self.map.people)
                return [
                    (by_id[id_], "") if id_ in by_id else (0, waiting_for(object_, id_))
                    for id_ in dict.fromkeys(activity.records)
                ]
            if not activity.email:
                return []
            return [(number, "") for number in by_email.get(activity.email, [])] or [(0, activity.email)]

        return find

    def _touchpoint(
        self, tx: Connection, kind: str, attributes: Mapping[str, Any], known: dict[tuple[str, str], tuple[int, str]]
    ) -> int:
        table = tables.touchpoint
        ids = dump({name: attribute.id for name, attribute in attributes.items()})
        labels = dump({name: attribute.label for name, attribute in attributes.items() if attribute.label})
        if not known:
            for row in tx.execute(select(table).where(table.c.connection == self.map.connection)):
                known[row.kind, row.ids] = (row.number, row.labels)
        if (kind, ids) not in known:
            number = tx.execute(
                insert(table)
                .values(connection=self.map.connection, kind=kind, ids=ids, labels=labels)
                .returning(table.c.number)
            ).scalar_one()
            known[kind, ids] = (number, labels)
        number, before = known[kind, ids]
        if load(before) | load(labels) != load(before):
            renamed = dump(load(before) | load(labels))
            tx.execute(update(table).where(table.c.number == number).values(labels=renamed))
            set_meta(tx, RELABELLED, str(int(get_meta(tx, RELABELLED) or "0") + 1))
            known[kind, ids] = (number, renamed)
        return number

    # Deletions

    def _deletions(self, tx: Connection, page: Page) -> None:
        record = tables.record
        gone = [
            timelines.activity_id(self.map.connection, deletion.source, deletion.id)
            for deletion in page.deletions
            if deletion.source
        ]
        timelines.displace(tx, {id_: [] for id_ in gone})
        for object_ in {deletion.object for deletion in page.deletions if deletion.object}:
            ids = [deletion.id for deletion in page.deletions if deletion.object == object_]
            for some in in_chunks(ids):
                rows = tx.execute(
                    select(record.c.number).where(
                        record.c.connection == self.map.connection,
                        record.c.object == object_,
                        record.c.crm_id.in_(some),
                        record.c.state == "live",
                    )
                ).scalars()
                numbers = list(rows)
                tx.execute(
                    update(record)
                    .where(record.c.number.in_(numbers))
                    .values(state="deleted", differs=0, echo=False, gone_at=micros(self.now()))
                )
                identity.mark_stale(tx, numbers)
                if object_ not in self.map.people:
                    self._touch_children(tx, object_, some)


def waiting_for(object_: str, id_: str) -> str:
    """The name under which activities of a record not seen yet wait; no address begins with #."""
    return f"#{object_}:{id_}"


def pull(
    reader: Reader, connector: Connector, *, full: bool, on_page: Callable[[Page], None], stop: Callable[[], bool]
) -> bool:
    """Reads every stream of a connection to its end; False when it was told to stop before.

    ``full`` reads the streams from their beginning, and so does a change of what the maps ask of a stream. Errors of
    the connector pass through; what was stored stays.
    """
    for stream in connector.streams():
        asked = reader.map.asked(stream.object)
        cursor = None if full else _cursor(reader, stream.name, asked)
        for page in connector.pull(stream.name, cursor):
            if stop():
                return False
            reader.apply(page, asked)
            on_page(page)
    _read_unechoed(reader, connector)
    with reader.store.begin() as tx:
        identity.mark_stale(tx, timelines.apply_displaced(tx))
        name = FIRST_COMPLETE + reader.map.connection
        if get_meta(tx, name) is None:
            set_meta(tx, name, str(micros(reader.now())))
    return True


def _cursor(reader: Reader, stream: str, asked: str) -> dict[str, Any] | None:
    table = tables.cursor
    with reader.store.begin() as tx:
        text = tx.execute(
            select(table.c.cursor).where(
                table.c.connection == reader.map.connection, table.c.stream == stream, table.c.asked == asked
            )
        ).scalar()
    return load(text) if text is not None else None


def _read_unechoed(reader: Reader, connector: Connector) -> None:
    """Reads by id the records whose write was not read back when the lag window closed."""
    record = tables.record
    closed = micros(reader.now()) - LAG_WINDOW
    with reader.store.begin() as tx:
        rows = tx.execute(
            select(record.c.object, record.c.crm_id)
            .where(
                record.c.connection == reader.map.connection,
                record.c.echo,
                record.c.receipt_at <= closed,
                record.c.state == "live",
            )
            .order_by(record.c.number)
        ).all()
    for object_ in dict.fromkeys(row.object for row in rows):
        for some in in_chunks([row.crm_id for row in rows if row.object == object_], connector.push_size):
            reader.apply(connector.read(object_, some))


def first_complete_at(tx: Connection, connection: str) -> int | None:
    """When a pull of this connection first reached the end of all its streams; None before."""
    text = get_meta(tx, FIRST_COMPLETE + connection)
    return None if text is None else int(text)
