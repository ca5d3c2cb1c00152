"""When a connection was first read whole, and when a model first scored anybody: what was there before is no news.

All in microseconds since 1970 in UTC.
"""

from sqlalchemy import Connection, select

from sync.store import tables
from sync.store.store import get_meta, set_meta
from sync.store.values import dump, load

FIRST_COMPLETE = "first_complete:"
_BEGAN = "began:"


def first_complete_at(tx: Connection, connection: str) -> int | None:
    """When a pull of this connection first reached the end of all its streams; None before."""
    text = get_meta(tx, FIRST_COMPLETE + connection)
    return None if text is None else int(text)


def completed(tx: Connection, connection: str, now: int) -> None:
    """A pull of this connection reached the end of all its streams; the first time is kept."""
    if first_complete_at(tx, connection) is None:
        set_meta(tx, FIRST_COMPLETE + connection, str(now))


def began_at(tx: Connection, model: str, audience: str, now: int) -> int:
    """When the model first scored this audience (a digest); now for one that begins, which is kept.

    0 for a model that scored people before the store kept this.
    """
    kept: tuple[str, int] | None = load(get_meta(tx, _BEGAN + model) or "null")
    if kept is not None and kept[0] == audience:
        return kept[1]
    journey = tables.journey
    before = kept is None and tx.execute(select(journey.c.person).where(journey.c.model == model).limit(1)).first()
    began = 0 if before else now
    set_meta(tx, _BEGAN + model, dump([audience, began]))
    return began
