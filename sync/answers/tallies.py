"""How often things happened and to how many people: one scan of the packed timelines, in chunks of people.

What a person's records hold together counts once, as it does for the score.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, select

from sync.days import all_days, days_of
from sync.store import tables, timelines
from sync.store.store import Store, in_chunks

Ints = NDArray[np.int64]

#: persons counted in one transaction, which holds up a worker on the same store
CHUNK_PERSONS = 2_000
NONE = -1


@dataclass(frozen=True, kw_only=True)
class Tally:
    """Activities, the people they are of, and the day of the latest in the installation's time zone."""

    activities: int
    people: int
    latest: date


def tallies(
    store: Store,
    groupings: Sequence[Mapping[int, Any]],
    connections: Collection[str],
    zone: str,
    chunk: int = CHUNK_PERSONS,
) -> list[dict[Any, Tally]]:
    """For each grouping (touchpoint number -> group) its groups that happened, the most frequent first.

    A group is any value that can be a key. Only what records of these connections hold is counted; touchpoints
    without a group are not. ``chunk``: persons a transaction.
    """
    names = [list(dict.fromkeys(grouping.values())) for grouping in groupings]
    codes = [_codes(grouping, known) for grouping, known in zip(groupings, names, strict=True)]
    counts = [np.zeros((2, len(known)), dtype=np.int64) for known in names]
    latest = [np.full(len(known), np.iinfo(np.int64).min) for known in names]
    for person, activities in _chunks(store, connections, chunk):
        at_, touchpoint = np.ascontiguousarray(activities["at"]), activities["touchpoint"].astype(np.int64)
        for code_of, count, newest in zip(codes, counts, latest, strict=True):
            code = code_of[np.minimum(touchpoint, len(code_of) - 1)]
            some, size = code != NONE, count.shape[1]
            count[0] += np.bincount(code[some], minlength=size)
            each = np.unique(person[some] * max(size, 1) + code[some]) % max(size, 1)
            count[1] += np.bincount(each, minlength=size)
            np.maximum.at(newest, code[some], at_[some])
    return [_told(known, count, newest, zone) for known, count, newest in zip(names, counts, latest, strict=True)]


def _codes(grouping: Mapping[int, Any], names: Sequence[Any]) -> Ints:
    """Touchpoint number -> place of its group among the names, else NONE; the last place stands for all beyond."""
    places = {name: place for place, name in enumerate(names)}
    codes = np.full(max(grouping, default=0) + 2, NONE, dtype=np.int64)
    for number, name in grouping.items():
        codes[number] = places[name]
    return codes


def _told(names: Sequence[Any], count: Ints, newest: Ints, zone: str) -> dict[Any, Tally]:
    order = [place for place in np.argsort(-count[0], kind="stable").tolist() if count[0, place]]
    days = all_days(days_of(newest[order], zone).tolist())
    return {
        names[place]: Tally(activities=int(count[0, place]), people=int(count[1, place]), latest=day)
        for place, day in zip(order, days, strict=True)
    }


def _chunks(store: Store, connections: Collection[str], chunk: int) -> Iterator[tuple[Ints, timelines.Activities]]:
    """Whole persons: their activities, each with a number of its person."""
    person = tables.record.c.person
    with store.begin() as tx:
        numbers = list(tx.execute(select(person).distinct().where(person.is_not(None)).order_by(person)).scalars())
    for some in in_chunks(numbers, chunk):
        with store.begin() as tx:
            persons = _persons(tx, connections, some[0], some[-1])
        if persons:
            of = np.repeat(np.arange(len(persons)), [len(one) for one in persons])
            yield of, np.concatenate(persons)


def _persons(tx: Connection, connections: Collection[str], first: int, last: int) -> list[timelines.Activities]:
    """What each person from the first to the last number did; the connection, of few values, is no way to find them."""
    record, timeline = tables.record, tables.timeline
    rows = tx.execute(
        select(record.c.person, record.c.connection, timeline.c.activities)
        .join(record, record.c.number == timeline.c.record)
        .where(record.c.person.between(first, last), record.c.state != "deleted")
    )
    held: dict[int, list[timelines.Activities]] = {}
    for person, connection, blob in rows:
        if connection in connections:
            held.setdefault(person, []).append(timelines.unpack(blob))
    return [parts[0] if len(parts) == 1 else timelines.distinct(np.concatenate(parts)) for parts in held.values()]
