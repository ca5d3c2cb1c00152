"""Streams that HubSpot gives newest first: form submissions and mail events.

The mark moves only once the last page of a run is stored, for a kill would else lose the rows between the pages and the
mark. Until then the cursor keeps the old mark and where the run goes on.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from connectors.base import Cursor
from connectors.errors import Refused
from connectors.hubspot.marks import EARLIEST_MS, milliseconds
from connectors.hubspot.reading import Reading, Step
from connectors.hubspot.walks import Row


class Fetch(Protocol):
    """One page of a stream, newest first."""

    def __call__(self, *, start: int, end: int | None, after: str | None) -> tuple[Sequence[Row], str | None]:
        """The rows, and where the next page begins; ``start`` and ``end`` (None: now) may be left to the caller."""
        ...


def newest_first(
    reading: Reading, fetch: Fetch, at: Callable[[Row], int], cursor: Cursor | None, *, spans: bool
) -> Iterator[Step]:
    """Steps from now back to the mark; with ``spans``, a long history span by span, the oldest first.

    ``at`` gives a row's milliseconds, 0 when it has none.

    A run that a kill broke off is ended first, then the newest rows are read.
    """
    following: dict[str, Any] = dict(cursor or {"v": 1})
    while True:
        resumed = following.pop("run", None)
        run = resumed or _run(reading, following, spans=spans)
        yield from _run_steps(reading, fetch, at, following, run)
        if run["end"] is None and resumed is None:
            return


def _run(reading: Reading, cursor: Cursor, *, spans: bool) -> dict[str, Any]:
    """One run from ``end`` (None: now) back to ``start``."""
    now = milliseconds(reading.now())
    mark = int(cursor.get("mark", EARLIEST_MS))
    sweeping = reading.windows.sweep_due(cursor, now) if "swept" in cursor else True
    start = reading.windows.start(mark, sweeping=sweeping)
    end = reading.windows.span_end(mark, now) if spans else None
    return {"started": now, "start": start, "end": end, "top": mark, "sweep": sweeping, "after": None}


def _run_steps(
    reading: Reading, fetch: Fetch, at: Callable[[Row], int], following: dict[str, Any], run: dict[str, Any]
) -> Iterator[Step]:
    while True:
        requested_at = reading.now()
        try:
            rows, after = fetch(start=run["start"], end=run["end"], after=run["after"])
        except Refused:
            if run["after"] is None:
                raise
            rows, after = fetch(start=run["start"], end=run["end"], after=None)  # the token has expired
        run = {**run, "after": after, "top": max([run["top"], *(at(row) for row in rows)])}
        wanted = [row for row in rows if not 0 < at(row) < run["start"]]
        if after is not None and len(wanted) == len(rows):
            yield Step(rows=rows, cursor={**following, "run": run}, requested_at=requested_at)
            continue
        mark = int(following.get("mark", EARLIEST_MS))
        following["mark"] = run["end"] or reading.windows.moved(mark, run["top"], run["started"], finished=True)
        if run["sweep"] and run["end"] is None:
            following["swept"] = run["started"]
        yield Step(rows=wanted, cursor=dict(following), requested_at=requested_at)
        return
