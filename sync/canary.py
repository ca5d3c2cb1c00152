"""Canary: only a few records are written, chosen once, lowest record number first, and then fixed."""

from collections.abc import Sequence

from sqlalchemy import Connection, select

from config.settings import Connection as ConnectionSettings
from config.settings import Settings
from scoring.conditions import evaluator
from scoring.facts import derive
from sync.mapping import ConnectionMap, digest
from sync.people import gather
from sync.store import tables
from sync.store.store import get_meta, in_chunks, set_meta
from sync.store.values import dump, load


def allowed_records(
    tx: Connection,
    settings: Settings,
    connection: ConnectionSettings,
    maps: Sequence[ConnectionMap],
    day: int,
) -> frozenset[int] | None:
    """The record numbers that may be written; None in every other mode, where no record is singled out."""
    canary = connection.write.canary
    if connection.write.mode != "canary" or canary is None:
        return None
    map_ = next(one for one in maps if one.connection == connection.name)
    name = f"canary:{connection.name}:{digest([repr(canary.if_.raw)])}"
    chosen: list[int] = load(get_meta(tx, name) or "[]")
    record = tables.record
    holds = evaluator(canary.if_, settings.tables)
    rows = tx.execute(
        select(record.c.person, record.c.number)
        .where(record.c.connection == map_.connection, record.c.object.in_(map_.people), record.c.state == "live")
        .order_by(record.c.number)
    ).all()
    named = settings.models[settings.primary].facts_read()
    for some in in_chunks(rows):
        if len(chosen) >= canary.at_most:
            break
        people = gather(tx, [row.person for row in some], maps, settings.time_zone)
        for row, person in zip(some, people, strict=True):
            facts = derive(person.facts.values, settings.tables, named)
            if row.number not in chosen and len(chosen) < canary.at_most and holds(facts, day):
                chosen.append(row.number)
    set_meta(tx, name, dump(chosen))
    return frozenset(chosen[: canary.at_most])
