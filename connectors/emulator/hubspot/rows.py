"""The rows of one object, as the API reads them and as the search index shows them.

The API reads a row's newest version at once. The index shows a version only when it has become visible, and until
then the one before; archived and merged rows leave it at once. A version is never changed, so the two views never mix.
"""

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice

from connectors.emulator.clock import iso

_ID_BITS = 40
_ID_MASK = (1 << _ID_BITS) - 1
FIRST_ID = 1001


@dataclass(frozen=True, slots=True)
class Version:
    """What a row holds from one write to the next. An empty property is absent."""

    properties: Mapping[str, str]
    updated_ms: int


@dataclass(frozen=True, slots=True)
class Change:
    """One value of a property's history; "" is empty."""

    value: str
    at_ms: int
    source: str


@dataclass(frozen=True, slots=True)
class Span:
    """Stamps from ``low_ms`` to ``high_ms``, both included; of those at ``low_ms`` only ids from ``low_id`` on."""

    low_ms: int = 0
    high_ms: int = 1 << 60
    low_id: int = 0


@dataclass(slots=True)
class Row:
    """One record."""

    id: int
    created_ms: int
    #: what the API reads
    now: Version
    #: what the search index shows; None = not there yet, or no longer
    indexed: Version | None = None
    #: 0 = not archived
    archived_ms: int = 0
    #: oldest first, of the properties that changed since the row was created
    history: dict[str, list[Change]] = field(default_factory=dict)


class Table:
    """All rows of one object, by id and by stamp."""

    def __init__(self, kind: str) -> None:
        """``kind`` is the object's name in paths: contacts."""
        self.kind = kind
        self.stamp = "lastmodifieddate" if kind == "contacts" else "hs_lastmodifieddate"
        self.created = "createdate" if kind in ("contacts", "companies", "deals") else "hs_createdate"
        #: properties every reply has
        self.always = (self.created, self.stamp, "hs_object_id")
        self.rows: dict[int, Row] = {}
        #: merged-away id -> the id that stands for it
        self.aliases: dict[int, int] = {}
        self._live: list[int] = []
        self._archived: list[int] = []
        self._by_stamp: list[int] = []
        self._pending: deque[tuple[int, int, Version]] = deque()
        self._next_id = FIRST_ID

    def next_id(self) -> int:
        """An id no row of this object ever had."""
        self._next_id += 1
        return self._next_id - 1

    def find(self, row_id: int) -> Row | None:
        """The row that answers to an id, merged-away ids included; archived rows too."""
        while row_id in self.aliases:
            row_id = self.aliases[row_id]
        return self.rows.get(row_id)

    def add(self, row: Row, *, visible_ms: int, now_ms: int) -> None:
        """Takes in a new row; search shows it from ``visible_ms`` on."""
        self.rows[row.id] = row
        self._next_id = max(self._next_id, row.id + 1)
        _insert(self._live, row.id)
        self._show(row, row.now, visible_ms, now_ms)

    def replace(self, row: Row, version: Version, *, visible_ms: int, now_ms: int) -> None:
        """Gives a row its next version; search shows the one before until ``visible_ms``."""
        row.now = version
        if not row.archived_ms:
            self._show(row, version, visible_ms, now_ms)

    def archive(self, row: Row, now_ms: int) -> None:
        """Moves a row to the recycle bin."""
        if not row.archived_ms:
            row.archived_ms = now_ms
            _delete(self._live, row.id)
            _insert(self._archived, row.id)
            self._hide(row)

    def remove(self, row: Row) -> None:
        """Forgets a row."""
        _delete(self._archived if row.archived_ms else self._live, row.id)
        self._hide(row)
        del self.rows[row.id]

    def page(self, *, after: int, limit: int, archived: bool) -> list[Row]:
        """Up to ``limit`` rows with a greater id, in id order."""
        ids = self._archived if archived else self._live
        start = bisect_left(ids, after + 1)
        return [self.rows[row_id] for row_id in ids[start : start + limit]]

    def live(self) -> Iterator[Row]:
        """All rows that are not archived, in id order."""
        return (self.rows[row_id] for row_id in self._live)

    def settle(self, now_ms: int | None) -> None:
        """Shows in the index what has become visible; None = everything still waiting."""
        while self._pending and (now_ms is None or self._pending[0][0] <= now_ms):
            _, row_id, version = self._pending.popleft()
            row = self.rows.get(row_id)
            if row and not row.archived_ms:
                self._index(row, version)

    def count(self, span: Span) -> int:
        """Indexed rows in a span of stamps."""
        start, end = self._bounds(span)
        return end - start

    def by_stamp(self, span: Span) -> Iterator[Row]:
        """Indexed rows in a span, by stamp, then id."""
        return (self.rows[key & _ID_MASK] for key in islice(self._by_stamp, *self._bounds(span)))

    def slice(self, start: int, limit: int, span: Span, *, descending: bool = False) -> list[Row]:
        """Rows ``start`` to ``start + limit`` of a span."""
        low, high = self._bounds(span)
        if descending:
            keys = self._by_stamp[max(low, high - start - limit) : max(low, high - start)][::-1]
        else:
            keys = self._by_stamp[low + start : min(high, low + start + limit)]
        return [self.rows[key & _ID_MASK] for key in keys]

    def shown(self, row: Row, version: Version, names: Iterable[str]) -> dict[str, str | None]:
        """The named properties as text; None when empty."""
        get = version.properties.get
        values = {name: get(name) for name in names}
        if self.stamp in values:
            values[self.stamp] = iso(version.updated_ms)
        if self.created in values:
            values[self.created] = iso(row.created_ms)
        if "hs_object_id" in values:
            values["hs_object_id"] = str(row.id)
        return values

    def _bounds(self, span: Span) -> tuple[int, int]:
        start = bisect_left(self._by_stamp, span.low_ms << _ID_BITS | span.low_id)
        return start, max(start, bisect_left(self._by_stamp, span.high_ms + 1 << _ID_BITS))

    def _show(self, row: Row, version: Version, visible_ms: int, now_ms: int) -> None:
        if visible_ms <= now_ms:
            self._index(row, version)
        else:
            self._pending.append((visible_ms, row.id, version))

    def _index(self, row: Row, version: Version) -> None:
        self._hide(row)
        row.indexed = version
        _insert(self._by_stamp, version.updated_ms << _ID_BITS | row.id)

    def _hide(self, row: Row) -> None:
        if row.indexed is not None:
            _delete(self._by_stamp, row.indexed.updated_ms << _ID_BITS | row.id)
            row.indexed = None


def _insert(keys: list[int], key: int) -> None:
    if keys and key < keys[-1]:
        insort(keys, key)
    else:
        keys.append(key)


def _delete(keys: list[int], key: int) -> None:
    place = bisect_left(keys, key)
    if keys[place] == key:
        del keys[place]
