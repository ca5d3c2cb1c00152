"""What is kept no longer: activities past their retention, and what deleted records left behind."""

from datetime import timedelta

from sqlalchemy import Connection, delete, func, select, update

from sync.store import tables, timelines
from sync.store.store import in_chunks, upsert
from sync.store.values import DAY_US


def purge(tx: Connection, *, now: int, activities: timedelta, gone: timedelta) -> int:
    """Removes what is older than its retention; the number of records that went. One scan; harmless to repeat."""
    oldest = now - activities.days * DAY_US
    for table, key in ((tables.timeline, ["record"]), (tables.waiting, ["connection", "email"])):
        columns = [table.c[name] for name in key]
        for row in tx.execute(select(*columns, table.c.activities)).all():
            kept = timelines.unpack(row.activities)
            kept, before = kept[kept["at"] >= oldest], len(kept)
            where = [column == getattr(row, column.name) for column in columns]
            if not len(kept):
                tx.execute(delete(table).where(*where))
            elif len(kept) < before:
                upsert(tx, table, [{**{name: getattr(row, name) for name in key}, "activities": kept.tobytes()}])
    record = tables.record
    highest = tx.execute(select(func.max(record.c.number))).scalar() or 0
    left = list(
        tx.execute(
            select(record.c.number).where(
                record.c.state == "deleted",
                record.c.gone_at < now - gone.days * DAY_US,
                record.c.number < highest,  # SQLite would give the number of the last row to the next one
            )
        ).scalars()
    )
    for some in in_chunks(left):
        for table in (tables.quarantine, tables.adopted):
            tx.execute(delete(table).where(table.c.record.in_(some)))
        theirs = select(record.c.person).where(record.c.number.in_(some))
        others = record.c.person.in_(theirs) & record.c.number.not_in(some)
        tx.execute(update(record).where(others).values(identify=True))
        tx.execute(delete(record).where(record.c.number.in_(some)))
    _forget_nobody(tx)
    return len(left)


def _forget_nobody(tx: Connection) -> None:
    """Takes out persons, and their journeys, of whom no record is left."""
    record = tables.record
    someone = select(record.c.person).where(record.c.person.is_not(None))
    tx.execute(delete(tables.person).where(tables.person.c.number.not_in(someone)))
    tx.execute(delete(tables.journey).where(tables.journey.c.person.not_in(someone)))
