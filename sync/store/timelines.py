"""Packed timelines: one sorted array of activities per CRM record.

An array holds an id once and is sorted by (at, id). Everything that writes timelines goes through ``add`` and
``displace``, in the transaction of the page that brought the activities.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, delete, select

from sync.store import tables
from sync.store.store import in_chunks, upsert
from sync.store.values import dump, load

#: at: microseconds since 1970 UTC; touchpoint: its number; id: ``activity_id``
ACTIVITY = np.dtype([("at", "<i8"), ("touchpoint", "<u4"), ("id", "<u8")])
Activities = NDArray[np.void]
NOTHING: Activities = np.empty(0, dtype=ACTIVITY)


def activity_id(connection: str, source: str, crm_id: str) -> int:
    """64 bits that stand for one activity of one connection.

    >>> activity_id("hubspot", "calls", "7") == activity_id("hubspot", "calls", "7")
    True
    """
    digest = blake2b(f"{connection}\0{source}\0{crm_id}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little")


def pack(activities: Iterable[tuple[int, int, int]]) -> Activities:
    """An array from (at, touchpoint, id); of equal ids the last one given stays."""
    by_id = {row[2]: row for row in activities}
    return _sorted(np.array(list(by_id.values()), dtype=ACTIVITY))


def unpack(blob: bytes) -> Activities:
    """The array that was stored."""
    return np.frombuffer(blob, dtype=ACTIVITY)


def merge(old: Activities, new: Activities) -> Activities:
    """Both in one; an id that stands in both is taken from ``new``."""
    if not len(old):
        return _sorted(new)
    return _sorted(np.concatenate([old[~np.isin(old["id"], new["id"])], new]))


def distinct(activities: Activities) -> Activities:
    """Each activity once, sorted: what several records of one person hold together.

    An id counts once, and so does one touchpoint at one instant: after a merge a CRM tells some activities of the
    merged record again, under the id of the one that stands for it.
    """
    _, first = np.unique(activities["id"], return_index=True)
    once = activities[first]
    _, first = np.unique(once[["at", "touchpoint"]], return_index=True)
    return _sorted(once[first])


def _sorted(activities: Activities) -> Activities:
    return activities[np.lexsort((activities["id"], activities["at"]))]


@dataclass(frozen=True, kw_only=True, slots=True)
class Arrival:
    """What ``add`` changed on one record."""

    record: int
    #: ids that were not there
    new: frozenset[int]
    #: ids that were there with another date or touchpoint
    changed: frozenset[int]


def add(tx: Connection, arrivals: Mapping[int, Activities]) -> list[Arrival]:
    """Merges activities into the records' timelines; what was new or changed by record. Repeating it adds nothing."""
    changes: list[Arrival] = []
    for numbers in in_chunks(sorted(arrivals)):
        stored = _read(tx, numbers)
        rows = []
        for number in numbers:
            old, new = stored.get(number, NOTHING), arrivals[number]
            differing = _differing(old, new)
            if differing:
                rows.append({"record": number, "activities": merge(old, new).tobytes()})
                known = differing.intersection(old["id"].tolist())
                changes.append(Arrival(record=number, new=differing - known, changed=known))
        upsert(tx, tables.timeline, rows)
    return changes


def _differing(old: Activities, new: Activities) -> frozenset[int]:
    if not len(old):
        return frozenset(new["id"].tolist())
    known = {row[2]: row for row in old[np.isin(old["id"], new["id"])].tolist()}
    return frozenset(row[2] for row in new.tolist() if known.get(row[2]) != row)


def _read(tx: Connection, numbers: Sequence[int]) -> dict[int, Activities]:
    table = tables.timeline
    rows = tx.execute(select(table.c.record, table.c.activities).where(table.c.record.in_(numbers)))
    return {number: unpack(blob) for number, blob in rows}


def displace(tx: Connection, keep: Mapping[int, Sequence[int]]) -> None:
    """Notes that these activities now hang on the given records only; an empty list is a deletion."""
    upsert(tx, tables.displaced, [{"activity": _signed(id_), "keep": dump(sorted(to))} for id_, to in keep.items()])


def apply_displaced(tx: Connection) -> list[int]:
    """Takes displaced activities off every record that no longer holds them; the records changed. One scan."""
    noted = {_unsigned(id_): set(load(keep)) for id_, keep in tx.execute(select(tables.displaced))}
    if not noted:
        return []
    wanted = np.array(sorted(noted), dtype=np.uint64)
    changed: list[int] = []
    rows = []
    for number, blob in tx.execute(select(tables.timeline.c.record, tables.timeline.c.activities)):
        activities = unpack(blob)
        hits = np.isin(activities["id"], wanted)
        if not hits.any():
            continue
        gone = [int(id_) for id_ in activities["id"][hits].tolist() if number not in noted[int(id_)]]
        if gone:
            left = activities[~np.isin(activities["id"], np.array(gone, dtype=np.uint64))]
            rows.append({"record": number, "activities": left.tobytes()})
            changed.append(number)
    upsert(tx, tables.timeline, rows)
    tx.execute(delete(tables.displaced))
    return changed


def wait(tx: Connection, connection: str, arrivals: Mapping[str, Activities]) -> None:
    """Keeps activities of addresses that no record answers to yet."""
    table = tables.waiting
    for emails in in_chunks(sorted(arrivals)):
        rows = tx.execute(
            select(table.c.email, table.c.activities).where(table.c.connection == connection, table.c.email.in_(emails))
        )
        stored = {email: unpack(blob) for email, blob in rows}
        upsert(
            tx,
            table,
            [
                {
                    "connection": connection,
                    "email": email,
                    "activities": merge(stored.get(email, NOTHING), arrivals[email]).tobytes(),
                }
                for email in emails
            ],
        )


def claim(tx: Connection, connection: str, emails: Sequence[str]) -> dict[str, Activities]:
    """The activities that waited for these addresses, no longer waiting."""
    table = tables.waiting
    claimed: dict[str, Activities] = {}
    for some in in_chunks(emails):
        here = (table.c.connection == connection) & table.c.email.in_(some)
        found = {
            email: unpack(blob) for email, blob in tx.execute(select(table.c.email, table.c.activities).where(here))
        }
        if found:
            tx.execute(delete(table).where(here))
            claimed.update(found)
    return claimed


def _signed(number: int) -> int:
    return number - (1 << 64) if number >= 1 << 63 else number


def _unsigned(number: int) -> int:
    return number + (1 << 64) if number < 0 else number
