"""The pause: while it holds, passes pull, score and plan, and write nothing. Every replica asks before each batch."""

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, delete

from sync.store import tables
from sync.store.store import get_meta, set_meta
from sync.store.values import dump, load

#: the meta value it is kept as
PAUSED = "paused"


@dataclass(frozen=True, kw_only=True)
class Pause:
    """Who holds back all writes says so, perhaps until when and why."""

    since: datetime
    #: None = until somebody resumes
    until: datetime | None
    #: an admin's words: shown, never logged
    why: str

    def __str__(self) -> str:
        """The reason a pass gives.

        >>> str(Pause(since=datetime(2026, 11, 20), until=None, why="fair in Lyon"))
        'paused: fair in Lyon'
        """
        until = f" until {self.until.isoformat(timespec='minutes')}" if self.until else ""
        return f"paused{until}{': ' if self.why else ''}{self.why}"


def pause(tx: Connection, *, now: datetime, until: datetime | None = None, why: str = "") -> Pause:
    """Holds back all writes from the next batch on; replaces the pause there was."""
    made = Pause(since=now, until=until, why=why)
    set_meta(tx, PAUSED, dump(asdict(made)))
    return made


def resume(tx: Connection) -> bool:
    """Ends the pause; False when there was none."""
    return tx.execute(delete(tables.meta).where(tables.meta.c.name == PAUSED)).rowcount > 0


def paused(tx: Connection, now: datetime) -> Pause | None:
    """The pause that holds now."""
    text = get_meta(tx, PAUSED)
    if text is None:
        return None
    found = Pause(**load(text))
    return found if found.until is None or now < found.until else None
