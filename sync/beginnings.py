"""When a connection was first read whole, and when a model first scored anybody: what was there before is no news.

All in microseconds since 1970 in UTC.
"""

from sqlalchemy import Connection

from sync.store.store import get_meta, set_meta

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


def began_at(tx: Connection, model: str, now: int) -> int:
    """When the model first scored anybody; now for one that begins, which is kept."""
    text = get_meta(tx, _BEGAN + model)
    if text is None:
        set_meta(tx, _BEGAN + model, str(now))
    return now if text is None else int(text)
