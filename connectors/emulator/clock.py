"""The emulator's clock, and instants as CRMs spell them.

Instants inside the emulator are whole milliseconds since 1970, UTC. The clock stands still unless it is given something
that ticks, so that a test's world moves only when the test says so.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

DAY_MS = 86_400_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class EmulatorClock:
    """The time the emulated CRM stamps its records with."""

    def __init__(self, start: datetime, ticking: Callable[[], float] | None = None) -> None:
        """``start`` is aware; ``ticking`` counts seconds (``time.monotonic``); None = the clock stands still."""
        self._ticking = ticking
        self.set(start)

    def set(self, now: datetime) -> None:
        """Moves the clock to an aware instant, forward or back."""
        if now.tzinfo is None:
            raise ValueError(f"the emulator's clock needs an offset: {now.isoformat()} has none; write it with Z")
        self._now = now.astimezone(UTC)
        self._ticked = self._ticking() if self._ticking else 0.0

    def set_ms(self, now_ms: int) -> None:
        """Moves the clock to an instant in milliseconds."""
        self.set(_EPOCH + timedelta(milliseconds=now_ms))

    def advance(self, seconds: float) -> None:
        """Moves the clock by some seconds."""
        self.set(self.now() + timedelta(seconds=seconds))

    def now(self) -> datetime:
        """The emulated time, aware, in UTC."""
        if self._ticking is None:
            return self._now
        return self._now + timedelta(seconds=self._ticking() - self._ticked)

    def now_ms(self) -> int:
        """The emulated time in milliseconds."""
        return to_ms(self.now())


def to_ms(at: datetime) -> int:
    """Milliseconds since 1970 of an aware instant, rounded down.

    >>> to_ms(datetime(2026, 1, 2, 3, 4, 5, 678900, tzinfo=UTC))
    1767323045678
    """
    return (at - _EPOCH) // timedelta(milliseconds=1)


def iso(ms: int) -> str:
    """ISO text with milliseconds and Z.

    >>> iso(1767323045678)
    '2026-01-02T03:04:05.678Z'
    """
    seconds, rest = divmod(ms, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC).isoformat()[:19]}.{rest:03d}Z"


def parse_ms(text: str) -> int:
    """Milliseconds from a decimal number of them or from ISO text (a day is its UTC midnight); else ValueError.

    >>> parse_ms("1767323045678") == parse_ms("2026-01-02T04:04:05.678+01:00")
    True
    >>> iso(parse_ms("2026-01-02"))
    '2026-01-02T00:00:00.000Z'
    """
    text = text.strip()
    if text.lstrip("-").isdigit() and len(text) != 8:  # eight digits are a day
        return int(text)
    at = datetime.fromisoformat(text)
    return to_ms(at if at.tzinfo else at.replace(tzinfo=UTC))
