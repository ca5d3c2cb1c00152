"""What every stream's reader needs, and the walk that all CRM objects share: backfill, changes, archived ones."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Protocol

from connectors.base import Cursor, FieldDefinition
from connectors.hubspot.client import Client
from connectors.hubspot.marks import Windows, milliseconds
from connectors.hubspot.walks import Row, changes, pages, stamp_ms
from connectors.hubspot.wanted import Wanted


class Definitions(Protocol):
    """The portal's property definitions, remembered for a while."""

    def __call__(self, object_: str, *, fresh: bool = False) -> Mapping[str, FieldDefinition]:
        """Field name -> definition; ``fresh`` asks again, unless that was done within the last minute."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """The portal, what is wanted of it, and the clock."""

    client: Client
    wanted: Wanted
    definitions: Definitions
    now: Callable[[], datetime]
    windows: Windows
    #: names of mails by id, found so far
    labels: dict[str, str]
    #: object kind and property -> value -> the option's label
    option_labels: Callable[[str, str], dict[str, str]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Kind:
    """One kind of CRM object."""

    #: as paths name it: contacts, companies, emails
    name: str
    #: the property that says when a record last changed; another one returns nothing, silently
    stamp: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """Some rows, some ids that are archived, and the cursor that is safe once they are stored."""

    rows: Sequence[Row] = ()
    gone: Sequence[str] = ()
    cursor: Mapping[str, Any]
    requested_at: datetime


def steps(reading: Reading, kind: Kind, properties: Sequence[str], cursor: Cursor | None) -> Iterator[Step]:
    """From nothing: all objects by the list, which has no index lag. Afterwards: what changed, by search."""
    if cursor is None or "mark" not in cursor:
        yield from _backfill(reading, kind, properties, cursor or {})
        return
    yield from _changed(reading, kind, properties, cursor)


def _backfill(reading: Reading, kind: Kind, properties: Sequence[str], cursor: Cursor) -> Iterator[Step]:
    requested_at = reading.now()
    started = int(cursor.get("started", milliseconds(requested_at)))
    newest = int(cursor.get("newest", 0))
    for rows, after in pages(
        lambda token: reading.client.page(kind.name, properties, after=token), cursor.get("after")
    ):
        newest = max([newest, *(stamp_ms(row, kind.stamp) for row in rows)])
        if after is not None:
            following = {"v": 1, "started": started, "newest": newest, "after": after}
        else:
            # our clock may be ahead of HubSpot's
            mark = started - reading.windows.patience_ms
            following = {"v": 1, "mark": mark, "newest": newest, "swept": started, "archived": started}
        yield Step(rows=rows, cursor=following, requested_at=requested_at)
        requested_at = reading.now()


def _changed(reading: Reading, kind: Kind, properties: Sequence[str], cursor: Cursor) -> Iterator[Step]:
    windows = reading.windows
    requested_at = reading.now()
    started = milliseconds(requested_at)
    sweeping = windows.sweep_due(cursor, started)
    start = windows.start(cursor["mark"], sweeping=sweeping)
    following = dict(cursor)
    search = partial(reading.client.search, kind.name, properties)
    for rows, reached, last in changes(search, stamp=kind.stamp, start=start):
        following["mark"] = windows.moved(following["mark"], reached, started, finished=last)
        following["newest"] = max(following["newest"], reached)
        if last and sweeping:
            following["swept"] = started
        yield Step(rows=rows, cursor=dict(following), requested_at=requested_at)
        requested_at = reading.now()
    if not windows.archived_due(cursor, started):
        return
    for rows, after in pages(lambda token: reading.client.page(kind.name, (), after=token, archived=True)):
        if after is None:
            following["archived"] = started
        yield Step(gone=[str(row["id"]) for row in rows], cursor=dict(following), requested_at=requested_at)
        requested_at = reading.now()
