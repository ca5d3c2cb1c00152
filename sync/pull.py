"""Pull: pages into the store. A page and its cursor are one transaction, the cursor moves last.

Applying a page twice, or late, changes nothing that a newer one said.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, func, select

from connectors.base import Connector, Page, Record, Stream
from connectors.errors import Fatal, Missing
from sync import identity
from sync.arrivals import Arrivals
from sync.beginnings import completed
from sync.intake import Intake
from sync.mapping import ConnectionMap
from sync.observe import LAG_WINDOW
from sync.store import tables, timelines
from sync.store.store import Store, in_chunks, upsert
from sync.store.values import dump, load, micros
from sync.ties import Ties


@dataclass(kw_only=True)
class Pulled:
    """What a pull brought, counted."""

    records: int = 0
    activities: int = 0


@dataclass(frozen=True, kw_only=True)
class Reader:
    """Applies the pages of one connection."""

    store: Store
    map: ConnectionMap
    now: Callable[[], datetime]
    retention: timedelta
    in_scope: Callable[[Record], bool] = lambda _: True
    #: called at the end of every transaction; raises when somebody else runs the connection by now
    renew: Callable[[Connection], None] = lambda _: None
    pulled: Pulled = field(default_factory=Pulled)

    def apply(self, page: Page, asked: str = "") -> None:
        """Stores one page and its cursor: all of it, or nothing. ``asked`` is what the stream is read for."""
        arrivals = Arrivals(map=self.map, now=self.now, retention=self.retention)
        intake = Intake(map=self.map, now=self.now, ties=Ties(map=self.map, arrivals=arrivals), in_scope=self.in_scope)
        with self.store.begin() as tx:
            intake.take(tx, page)
            arrivals.take(tx, page.activities)
            intake.delete(tx, page)
            if page.stream:
                self._move_cursor(tx, page, asked)
            self.renew(tx)
        self.pulled.records += len(page.records)
        self.pulled.activities += len(page.activities)

    def _move_cursor(self, tx: Connection, page: Page, asked: str) -> None:
        row = {
            "connection": self.map.connection,
            "stream": page.stream,
            "cursor": dump(dict(page.next_cursor)),
            "asked": asked,
            "moved_at": micros(self.now()),
        }
        upsert(tx, tables.cursor, [row])


def pull(
    reader: Reader, connector: Connector, *, full: bool, on_page: Callable[[Page], None], stop: Callable[[], bool]
) -> bool:
    """Reads every stream of a connection to its end; False when it was told to stop before.

    Sources that are not there are named all at once, after the others are read. ``full`` reads the streams from their
    beginning, and so does a change of what the maps ask of a stream. Errors of the connector pass through; what was
    stored stays.
    """
    missing: list[str] = []
    begun = False
    for stream in connector.streams():
        asked = reader.map.asked(stream.object)
        cursor = None if full else _cursor(reader, stream.name, asked)
        before = reader.pulled.records
        try:
            pages = connector.pull(stream.name, cursor)
            # however little time there is, a page is read, so that every pass comes further
            while not (begun and stop()):
                page = next(pages, None)
                if page is None:
                    break
                reader.apply(page, asked)
                on_page(page)
                begun = True
            else:
                return False
        except Missing as error:
            missing.append(str(error))
            continue
        if cursor is None and stream.object and reader.pulled.records == before:
            _refuse_emptiness(reader, stream)
    if missing:
        raise Fatal(" ".join(missing))
    _read_unechoed(reader, connector)
    with reader.store.begin() as tx:
        identity.mark_stale(tx, timelines.apply_displaced(tx))
        completed(tx, reader.map.connection, micros(reader.now()))
        reader.renew(tx)
    return True


def _refuse_emptiness(reader: Reader, stream: Stream) -> None:
    """Raises Fatal when a whole read of a stream brings nothing although the store knows live records of it."""
    record = tables.record
    with reader.store.begin() as tx:
        known = tx.execute(
            select(func.count()).where(
                record.c.connection == reader.map.connection,
                record.c.object == stream.object,
                record.c.state == "live",
            )
        ).scalar_one()
    if known:
        raise Fatal(
            f"the CRM suddenly shows no {stream.name} at all, the store knows {known}; check the rights of the "
            "credentials. Nobody is rescored on absence"
        )


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


def forget_cursors(tx: Connection, connection: str, streams: Sequence[str]) -> None:
    """These streams are read from their beginning again."""
    cursor = tables.cursor
    tx.execute(delete(cursor).where(cursor.c.connection == connection, cursor.c.stream.in_(streams)))
