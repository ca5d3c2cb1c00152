"""The ways through HubSpot's collections, over plain functions: all changes in order, newest first, all of a list.

Every walk ends, or stops loudly; none loses a row that was there from its beginning to its end.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from connectors.base import instant
from connectors.errors import ConnectorError, Refused
from connectors.hubspot.client import SEARCH_LIMIT, SEARCH_ROWS, Json
from connectors.hubspot.marks import milliseconds

Row = Mapping[str, Any]


class Search(Protocol):
    """One page of a search, ascending by ``sort``, from a row number on."""

    def __call__(self, *, filters: Sequence[Json], sort: str, offset: int) -> Json:
        """HubSpot's answer."""
        ...


def next_after(told: Mapping[str, Any]) -> str | None:
    """Where the next page begins; None when there is none.

    >>> next_after({"results": [], "paging": {"next": {"after": "100"}}})
    '100'
    """
    after = ((told.get("paging") or {}).get("next") or {}).get("after")
    return str(after) if after not in (None, "") else None


def stamp_ms(row: Row, stamp: str) -> int:
    """The row's last change; raises ConnectorError when it has none, for without it nothing can be read in order."""
    told = (row.get("properties") or {}).get(stamp) or row.get("updatedAt")
    try:
        return milliseconds(instant(told))
    except ValueError:
        raise ConnectorError(f"HubSpot returned record {row.get('id')} without a readable {stamp}.") from None


def changes(search: Search, *, stamp: str, start: int) -> Iterator[tuple[list[Row], int, bool]]:
    """(rows, the stamp up to which all were given, last) of all rows changed at or after ``start``, ascending.

    The stamp is 0 where there are no rows.

    Pages overlap by one row: when the row a page begins with is not the one the page before ended with, rows moved
    (each change moves its row to the end, and one would be skipped), so the walk begins again at the last stamp. Before
    HubSpot's limit of 10,000 it goes on from the last stamp as well; but when a whole page there shares one
    millisecond, that millisecond is read by id. Rows may come twice.
    """
    anchor, offset = start, 0
    last: tuple[str, int] | None = None
    while True:
        told = search(filters=[_filter(stamp, "GTE", anchor)], sort=stamp, offset=offset)
        rows: list[Row] = told.get("results") or []
        moved = last is not None and offset and (not rows or _key(rows[0], stamp) != last)
        if last is not None and moved:
            anchor, offset, last = max(anchor, last[1]), 0, None
            continue
        more = next_after(told) is not None and bool(rows)
        reached = max((stamp_ms(row, stamp) for row in rows), default=0)
        yield rows[1:] if offset else rows, reached, not more
        if not more:
            return
        last = _key(rows[-1], stamp)
        grown = offset + len(rows) - 1
        if grown == offset:
            raise ConnectorError("HubSpot's search gave pages of one row; the pull cannot go on.")
        if grown + SEARCH_ROWS <= SEARCH_LIMIT:
            offset = grown
        elif stamp_ms(rows[0], stamp) < last[1]:
            anchor, offset, last = last[1], 0, None
        else:
            full = max(anchor, last[1])
            for drained in _one_millisecond(search, stamp=stamp, at=full):
                yield drained, full, False
            anchor, offset, last = full + 1, 0, None


def _one_millisecond(search: Search, *, stamp: str, at: int) -> Iterator[list[Row]]:
    highest = 0
    while True:
        filters = [_filter(stamp, "EQ", at), _filter("hs_object_id", "GT", highest)]
        told = search(filters=filters, sort="hs_object_id", offset=0)
        rows: list[Row] = told.get("results") or []
        yield rows
        if next_after(told) is None or not rows:
            return
        reached = int(rows[-1]["id"])
        if reached <= highest:
            raise ConnectorError(f"HubSpot's search repeats ids at or below {highest}; the pull cannot go on.")
        highest = reached


def _filter(name: str, operator: str, value: int) -> Json:
    return {"propertyName": name, "operator": operator, "value": str(value)}


def _key(row: Row, stamp: str) -> tuple[str, int]:
    return str(row["id"]), stamp_ms(row, stamp)


def pages(fetch: Callable[[str | None], Json], after: str | None = None) -> Iterator[tuple[list[Row], str | None]]:
    """(rows, where the next page begins) of a collection paged by a token; one no longer taken begins anew."""
    try:
        told = fetch(after)
    except Refused:
        if after is None:
            raise
        told = fetch(None)
    while True:
        after = next_after(told)
        yield told.get("results") or [], after
        if after is None:
            return
        told = fetch(after)
