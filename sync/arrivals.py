"""Activities into timelines: which touchpoint each is of, and on which record it hangs.

An activity of a record or address not seen yet waits until one answers to it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, insert, select, update

from connectors.base import Activity
from sync import identity
from sync.beginnings import first_complete_at
from sync.mapping import ConnectionMap, Kind
from sync.store import tables, timelines
from sync.store.store import get_meta, in_chunks, set_meta
from sync.store.values import dump, load, micros

#: the meta value that says how often names of known touchpoints changed; part of the maps' digest
RELABELLED = "relabelled"


@dataclass(frozen=True, kw_only=True)
class Arrivals:
    """Stores the activities of one connection's pages, in the page's transaction."""

    map: ConnectionMap
    now: Callable[[], datetime]
    retention: timedelta

    def take(self, tx: Connection, activities: Sequence[Activity]) -> None:
        """Stores a page's activities, and marks the people they are news of."""
        if not activities:
            return
        oldest = self.now() - self.retention
        news = [(activity, self.map.kind_of(activity)) for activity in activities if activity.at >= oldest]
        numbers = self._touchpoints(tx, [kind for _, kind in news if kind is not None])
        placed: dict[tuple[int, str], list[tuple[int, int, int]]] = {}
        keep: dict[int, list[int]] = {}
        changed_at: dict[int, int] = {}
        find = self._finder(tx, activities)
        for activity, kind in news:
            id_ = timelines.activity_id(self.map.connection, activity.source, activity.id)
            places = [] if kind is None else find(activity)
            if activity.may_have_moved:
                keep[id_] = [record for record, _ in places if record]
            if kind is not None:
                for place in places:
                    placed.setdefault(place, []).append((micros(activity.at), numbers[_key(kind)], id_))
                changed_at[id_] = max(micros(activity.at), micros(activity.changed_at or activity.at))
        if keep:
            timelines.displace(tx, keep)
        self.place(tx, {place: timelines.pack(rows) for place, rows in placed.items()}, changed_at)

    def place(
        self,
        tx: Connection,
        placed: Mapping[tuple[int, str], timelines.Activities],
        changed_at: Mapping[int, int] | None = None,
    ) -> None:
        """Puts activities on their records (number, _), or lets them wait for one (0, name)."""
        here: dict[int, timelines.Activities] = {}
        for (number, _), activities in placed.items():
            if number:
                here[number] = timelines.merge(here.get(number, timelines.NOTHING), activities)
        timelines.wait(
            tx, self.map.connection, {name: activities for (number, name), activities in placed.items() if not number}
        )
        known = first_complete_at(tx, self.map.connection) is not None  # all a first read brings happened before it
        fresh: dict[int, identity.News] = {}
        for arrival in timelines.add(tx, here):
            instants = dict(zip(here[arrival.record]["id"].tolist(), here[arrival.record]["at"].tolist(), strict=True))
            # what was done long ago and comes only now is no news, whenever it was typed in; a change of it is
            changed = [(changed_at or {}).get(id_, instants[id_]) for id_ in arrival.changed]
            fresh[arrival.record] = identity.News(
                at=max([*changed, *(instants[id_] for id_ in arrival.new)]) if known else 0,
                instants=frozenset(instants[id_] for id_ in arrival.new | arrival.changed if known),
            )
        identity.mark_fresh(tx, fresh, micros(self.now()))

    def _finder(self, tx: Connection, activities: Sequence[Activity]) -> Callable[[Activity], list[tuple[int, str]]]:
        """Where an activity hangs: record numbers, else the name it waits under."""
        record, address = tables.record, tables.address
        ids = {id_ for activity in activities for id_ in activity.records}
        by_id = self._numbers(tx, ids)
        standing = identity.standing_for(tx, self.map.connection, self.map.people, ids - by_id.keys())
        heirs = self._numbers(tx, {heir for _, heir in standing.values()})
        by_id |= {id_: heirs[heir] for id_, (_, heir) in standing.items() if heir in heirs}
        by_email: dict[str, list[int]] = {}
        for some in in_chunks(sorted({activity.email for activity in activities if activity.email})):
            rows = tx.execute(
                select(address.c.email, address.c.record)
                .join(record, record.c.number == address.c.record)
                .where(address.c.connection == self.map.connection, address.c.email.in_(some), record.c.state == "live")
                .order_by(address.c.record)
            )
            for email, of in rows:
                by_email.setdefault(email, []).append(of)

        def find(activity: Activity) -> list[tuple[int, str]]:
            if activity.records:
                return [
                    (by_id[id_], "") if id_ in by_id else (0, waiting_for(id_))
                    for id_ in dict.fromkeys(activity.records)
                ]
            if not activity.email:
                return []
            return [(number, "") for number in by_email.get(activity.email, [])] or [(0, activity.email)]

        return find

    def _numbers(self, tx: Connection, ids: set[str]) -> dict[str, int]:
        """The numbers of the people's records behind ids, as far as they were read."""
        record = tables.record
        return {
            row.crm_id: row.number
            for some in in_chunks(sorted(ids))
            for row in tx.execute(
                select(record.c.crm_id, record.c.number).where(
                    record.c.connection == self.map.connection,
                    record.c.object.in_(self.map.people),
                    record.c.crm_id.in_(some),
                )
            )
        }

    def _touchpoints(self, tx: Connection, kinds: Sequence[Kind]) -> dict[tuple[str, str], int]:
        """The numbers of the touchpoints, by ``_key``; a new name of one is kept and marks everybody."""
        table, known = tables.touchpoint, {}
        here = table.c.connection == self.map.connection
        for some in in_chunks(sorted({_key(kind)[1] for kind in kinds})):
            known.update(
                {(row.kind, row.ids): row for row in tx.execute(select(table).where(here, table.c.ids.in_(some)))}
            )
        numbers = {key: row.number for key, row in known.items()}
        for kind in kinds:
            key, row = _key(kind), known.get(_key(kind))
            labels = {name: attribute.label for name, attribute in kind.attributes.items() if attribute.label}
            if key not in numbers:
                new = insert(table).values(
                    connection=self.map.connection, kind=kind.kind, ids=key[1], labels=dump(labels)
                )
                numbers[key] = tx.execute(new.returning(table.c.number)).scalar_one()
            elif row is not None and load(row.labels) | labels != load(row.labels):
                renamed = dump(load(row.labels) | labels)
                tx.execute(update(table).where(table.c.number == row.number).values(labels=renamed))
                set_meta(tx, RELABELLED, str(int(get_meta(tx, RELABELLED) or "0") + 1))
        return numbers


def _key(kind: Kind) -> tuple[str, str]:
    """What makes a touchpoint: its kind and the ids of its attributes."""
    return kind.kind, dump({name: attribute.id for name, attribute in kind.attributes.items()})


def waiting_for(id_: str) -> str:
    """The name under which activities of a record not seen yet wait; no address begins with #."""
    return f"#{id_}"
