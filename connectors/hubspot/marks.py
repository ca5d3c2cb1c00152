"""How far a stream was read, in the CRM's milliseconds, and how far back the next pull looks.

A mark never moves back. It stays behind the clock, since what was just changed may not be in the index yet, and each
pull looks further back than the mark: a little every time, an hour once an hour. All of it is kept in the cursor.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

#: HubSpot's search answers 500 to a query from the epoch itself
EARLIEST_MS = 1_000

_MINUTE_MS = 60_000
_HOUR_MS = 60 * _MINUTE_MS
_DAY_MS = 24 * _HOUR_MS


@dataclass(frozen=True, kw_only=True, slots=True)
class Windows:
    """Spans in milliseconds."""

    #: how far each pull looks back behind the mark
    overlap_ms: int = 5 * _MINUTE_MS
    #: the mark stays this far behind our clock
    hold_ms: int = 2 * _MINUTE_MS
    #: a mark that nothing newer moved follows our clock at this distance, or the last changes were read for ever
    patience_ms: int = 15 * _MINUTE_MS
    #: the slow sweep: how often, and how far back it looks
    sweep_every_ms: int = _HOUR_MS
    sweep_back_ms: int = _HOUR_MS
    #: how often archived records are listed
    archived_every_ms: int = _DAY_MS
    #: mail events are loaded in spans of this length
    span_ms: int = 90 * _DAY_MS
    #: mail events older than this are one span
    old_ms: int = 730 * _DAY_MS

    def start(self, mark: int, *, sweeping: bool) -> int:
        """Where a pull begins.

        >>> Windows().start(1_000_000, sweeping=False)
        700000
        """
        return max(EARLIEST_MS, mark - (self.sweep_back_ms if sweeping else self.overlap_ms))

    def moved(self, mark: int, newest: int, started: int, *, finished: bool) -> int:
        """The mark once everything up to ``newest`` is stored, by a pull begun at ``started``.

        >>> Windows().moved(0, 5_000_000, 5_060_000, finished=False)
        4940000
        """
        reached = min(newest, started - self.hold_ms)
        return max(mark, reached, started - self.patience_ms if finished else mark)

    def sweep_due(self, cursor: Mapping[str, Any], now: int) -> bool:
        """Whether the slow sweep is due."""
        return now - int(cursor["swept"]) >= self.sweep_every_ms

    def archived_due(self, cursor: Mapping[str, Any], now: int) -> bool:
        """Whether the archived records are to be listed again."""
        return now - int(cursor["archived"]) >= self.archived_every_ms

    def span_end(self, mark: int, now: int) -> int | None:
        """Where the span of mail events that begins at ``mark`` ends; None = it reaches the present."""
        end = max(mark + self.span_ms, now - self.old_ms)
        return end if end < now else None


def milliseconds(moment: datetime) -> int:
    """Milliseconds since 1970.

    >>> from datetime import UTC
    >>> milliseconds(datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC))
    1000
    """
    whole = int(moment.replace(microsecond=0).timestamp())
    return whole * 1000 + moment.microsecond // 1000
