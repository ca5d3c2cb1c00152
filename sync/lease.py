"""Who runs a connection: one row each, taken for a while, renewed in every transaction of a pass, and given back.

The epoch is the fence. It grows whenever a lease is taken, and each transaction of a pass renews its lease within
itself: one that was overtaken finds another epoch there and is rolled back. So two processes never keep anything for
one connection at once, whatever their clocks say; clocks only decide who may try.
"""

import os
import secrets
import socket
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from sync.store import tables
from sync.store.values import micros

#: a lease holds this long after it was last renewed
TTL = timedelta(minutes=5)
#: the lease of who scores; persons belong to no connection
SCORE = "score"


class LeaseLost(Exception):
    """Another process took the connection over: end here, it goes on from what is kept."""


@dataclass(frozen=True, kw_only=True)
class Owner:
    """A process that runs passes."""

    host: str
    pid: int
    #: tells it from an earlier process with the same number
    nonce: str
    ttl: timedelta = TTL
    #: how long a lease that another process gave back, or no longer renews, is left to that process: one that stands
    #: by waits until the other has missed its turn
    patience: timedelta = timedelta()

    def __str__(self) -> str:
        """As the lease names it."""
        return f"{self.host}:{self.pid}:{self.nonce}"

    def outlives(self, other: str) -> bool:
        """Whether the other owner was a process of this host that is no more."""
        host, pid, nonce = other.rsplit(":", 2)
        if host != self.host or nonce == self.nonce:
            return False
        return int(pid) == self.pid or not _runs(int(pid))


def this_process(*, patience: timedelta = timedelta()) -> Owner:
    """The owner that this process is, another one at each call."""
    return Owner(host=socket.gethostname(), pid=os.getpid(), nonce=secrets.token_hex(4), patience=patience)


@dataclass(frozen=True, kw_only=True)
class Held:
    """A lease as this process holds it."""

    connection: str
    owner: str
    epoch: int
    ttl: timedelta

    def renew(self, tx: Connection, now: datetime) -> None:
        """Keeps it for another while; belongs at the end of every transaction of a pass. Raises LeaseLost."""
        if not self._set(tx, now + self.ttl):
            raise LeaseLost(f"{self.connection}: another process took it over; what was not kept yet is left to it")

    def release(self, tx: Connection, now: datetime) -> None:
        """Gives it back; one that was lost is left alone."""
        self._set(tx, now)

    def _set(self, tx: Connection, until: datetime) -> bool:
        table = tables.lease
        mine = (
            table.c.connection == self.connection,
            table.c.owner == self.owner,
            table.c.epoch == self.epoch,
        )
        return tx.execute(update(table).where(*mine).values(until=micros(until))).rowcount == 1


def acquire(tx: Connection, connection: str, owner: Owner, now: datetime) -> Held | None:
    """The lease, when it is free, expired, this owner's, or of a process of this host that is no more; else None."""
    table = tables.lease
    before = tx.execute(select(table.c.owner).where(table.c.connection == connection)).scalar()
    ours = [str(owner), *([before] if before is not None and owner.outlives(before) else [])]
    insert = postgresql.insert if tx.dialect.name == "postgresql" else sqlite.insert
    statement = insert(table).values(connection=connection, owner=str(owner), epoch=1, until=micros(now + owner.ttl))
    taken = statement.on_conflict_do_update(
        index_elements=[table.c.connection],
        set_={"owner": statement.excluded.owner, "epoch": table.c.epoch + 1, "until": statement.excluded.until},
        where=or_(table.c.until <= micros(now - owner.patience), table.c.owner.in_(ours)),
    )
    epoch = tx.execute(taken.returning(table.c.epoch)).scalar()
    return None if epoch is None else Held(connection=connection, owner=str(owner), epoch=epoch, ttl=owner.ttl)


def leave(tx: Connection, owner: Owner) -> None:
    """Gives back all that this owner has, and will not come again for: nobody waits for it."""
    tx.execute(update(tables.lease).where(tables.lease.c.owner == str(owner)).values(until=0))


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's
        return True
    return True
