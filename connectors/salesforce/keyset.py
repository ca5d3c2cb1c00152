"""The walk every stream shares: all rows in the order of their last change, from where the one before ended.

A place in the order is a stamp and an id, so that a walk goes on exactly, however many rows share a stamp. Stamps lie:
a row turns visible after later ones were read. So a walk that reached the end leaves a mark, and the next one begins
before it. A mark never moves back, and never passes the org's clock.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connectors.base import Cursor, instant
from connectors.errors import Refused
from connectors.salesforce.fields import Row
from connectors.salesforce.reading import Reading, Windows, pages
from connectors.salesforce.soql import ORDER, after, milliseconds

#: before every row: no org is older
EARLIEST_MS = 883_612_800_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Up to where a walk was read; without an id, before every row of the stamp."""

    at: int = EARLIEST_MS
    id: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """Some rows, and the cursor that is safe once they are stored."""

    rows: Sequence[Row]
    cursor: Mapping[str, Any]
    requested_at: datetime
    #: the walk before these rows
    before: Mapping[str, Any]
    #: the newest stamp read before these rows
    newest: int
    #: rows changed before this were surely never given; 0 once a first walk is over
    first_seen: int

    def known(self, row: Row) -> bool:
        """False when the row is surely given for the first time."""
        created = row.get("CreatedDate")
        return stamp_ms(row) >= self.first_seen and (not created or milliseconds(instant(created)) <= self.newest)

    def until(self, row: Row) -> Mapping[str, Any]:
        """The cursor that is safe once the rows up to this one are stored."""
        return {**self.before, "at": stamp_ms(row), "id": row["Id"]}


def stamp_ms(row: Row) -> int:
    """The row's last change in milliseconds; ValueError when it has none, for nothing can be read in order without."""
    return milliseconds(instant(row["SystemModstamp"]))


def steps(reading: Reading, object_: str, fields: Sequence[str], cursor: Cursor | None) -> Iterator[Step]:
    """From nothing, all rows; else what changed since the cursor. ``fields`` begin with Id and SystemModstamp.

    At least one step; one query when little changed.
    """
    windows = reading.windows
    state: dict[str, Any] = dict(cursor or {"v": 1})
    place = _begin(state, windows, reading.server_ms())
    span: int | None = None
    while True:
        began_at = place
        end = None if span is None or place.at + span >= reading.server_ms() else place.at + span
        walk = _walk(reading, object_, fields, state, place, end)
        try:
            for step, place in walk:  # noqa: B007 - where the walk stands is used when it breaks
                yield step
        except Refused as refused:
            if refused.code == "QUERY_TIMEOUT":
                span = ((end or reading.server_ms()) - place.at) // 2
                if span < windows.shortest_ms:
                    raise
            elif refused.code != "INVALID_QUERY_LOCATOR" or place == began_at:
                raise
        else:
            if end is None:
                return
            place, span = Place(at=end), span * 2 if span else None


def _begin(state: dict[str, Any], windows: Windows, now: int) -> Place:
    """Where the walk begins; notes in the state whether it is the slow sweep."""
    if "at" in state:
        return Place(at=state["at"], id=state["id"])
    if "mark" not in state:
        return Place()
    state["sweep"] = now - state["swept"] >= windows.sweep_every_ms
    return Place(at=state["mark"] - (windows.sweep_back_ms if state["sweep"] else windows.overlap_ms))


def _walk(
    reading: Reading, object_: str, fields: Sequence[str], state: dict[str, Any], place: Place, end: int | None
) -> Iterator[tuple[Step, Place]]:
    """The steps of one query, each with the place it reached; the state goes along."""
    windows, requested_at = reading.windows, reading.now()
    for rows, last in pages(reading.client, object_, fields, where=_where(place, end), order=ORDER):
        state.setdefault("began", reading.server_ms())
        before = dict(state)
        if rows:
            place = Place(at=stamp_ms(rows[-1]), id=rows[-1]["Id"])
            state["newest"] = max(state.get("newest", 0), place.at)
        if last and end is not None:
            place = Place(at=end)
        step = Step(
            rows=rows,
            cursor=_over(state, windows) if last and end is None else {**state, "at": place.at, "id": place.id},
            requested_at=requested_at,
            before=before,
            newest=before.get("newest", 0),
            first_seen=0 if "mark" in state else state["began"] - windows.sweep_back_ms,
        )
        yield step, place
        requested_at = reading.now()


def _where(place: Place, end: int | None) -> str:
    return "" if place == Place() and end is None else after(place.at, place.id, end)


def _over(state: Mapping[str, Any], windows: Windows) -> dict[str, Any]:
    """The cursor of a walk that reached the end."""
    began, newest = state["began"], state.get("newest", 0)
    mark = max(state.get("mark", 0), min(newest, began), began - windows.patience_ms)
    swept = began if state.get("sweep", True) else state["swept"]
    return {"v": 1, "mark": mark, "newest": newest, "swept": max(swept, state.get("swept", 0))}
