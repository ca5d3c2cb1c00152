"""When a connection was first read whole, and when a model first scored anybody: what was there before is no news.

All in microseconds since 1970 in UTC.
"""

from collections.abc import Mapping

from sqlalchemy import Connection, select

from sync.store import tables
from sync.store.store import get_meta, set_meta
from sync.store.values import dump, load

FIRST_COMPLETE = "first_complete:"
#: by model: its audience, since when, and when it scored last
_AUDIENCE = "audience:"
#: when people were last scored, by whatever model
_SCORED = "scored_at"


def first_complete_at(tx: Connection, connection: str) -> int | None:
    """When a pull of this connection first reached the end of all its streams; None before."""
    text = get_meta(tx, FIRST_COMPLETE + connection)
    return None if text is None else int(text)


def completed(tx: Connection, connection: str, now: int) -> None:
    """A pull of this connection reached the end of all its streams; the first time is kept."""
    if first_complete_at(tx, connection) is None:
        set_meta(tx, FIRST_COMPLETE + connection, str(now))


def began_at(tx: Connection, audiences: Mapping[str, str], now: int) -> dict[str, int]:
    """When each model began to score the audience it has (model -> digest), and keeps that it does so now.

    A new model, another audience and a model that was away begin with the last scoring before: who came later is new to
    any. 0 for a model that scored people before the store kept this.
    """
    text = get_meta(tx, _SCORED)
    last = now if text is None else int(text)
    found = {}
    for model, audience in audiences.items():
        kept: tuple[str, int, int] | None = load(get_meta(tx, _AUDIENCE + model) or "null")
        goes_on = kept is not None and kept[0] == audience and (text is None or kept[2] >= last)
        found[model] = kept[1] if kept is not None and goes_on else last
        if kept is None and _scored_before(tx, model):
            found[model] = 0
        set_meta(tx, _AUDIENCE + model, dump([audience, found[model], now]))
    set_meta(tx, _SCORED, str(now))
    return found


def _scored_before(tx: Connection, model: str) -> bool:
    journey = tables.journey
    return tx.execute(select(journey.c.person).where(journey.c.model == model).limit(1)).first() is not None
