"""HubSpot's call limits: a bucket per ten seconds, one per second for search, one per day.

Buckets roll by a counter of real seconds that is passed in; the day is the emulated one in the portal's zone.
"""

from collections import deque
from collections.abc import Callable
from datetime import date, datetime
from zoneinfo import ZoneInfo

from connectors.emulator.wire import Refusal


class Limits:
    """What a portal allows. All numbers may be changed at any time; ``on`` False allows everything."""

    def __init__(self, monotonic: Callable[[], float], *, on: bool = True) -> None:
        """``monotonic`` counts real seconds."""
        self._monotonic = monotonic
        self.on = on
        self.per_10s = 190
        self.search_per_s = 5
        self.per_day = 650_000
        self.used_today = 0
        self._day: date | None = None
        self._calls: deque[float] = deque()
        self._searches: deque[float] = deque()

    def take(self, *, search: bool, now: datetime, zone: str) -> tuple[dict[str, str], Refusal | None]:
        """Counts one call: the headers of its reply, and the 429 it gets, if any."""
        today = now.astimezone(ZoneInfo(zone)).date()
        if self._day not in (None, today):
            self.used_today = 0
        self._day = today
        bucket, span_s, most = (self._searches, 1.0, self.search_per_s) if search else (self._calls, 10.0, self.per_10s)
        tick = self._monotonic()
        while bucket and bucket[0] <= tick - span_s:
            bucket.popleft()
        refusal = None
        if self.on and self.used_today >= self.per_day:
            refusal = _throttled("You have reached your daily limit.", "DAILY")
        elif self.on and len(bucket) >= most and search:
            refusal = Refusal(429, "RATE_LIMITS", "You have reached your secondly limit.")
        elif self.on and len(bucket) >= most:
            refusal = _throttled("You have reached your ten_secondly_rolling limit.", "TEN_SECONDLY_ROLLING")
        else:
            bucket.append(tick)
            self.used_today += 1
        headers = {
            "X-HubSpot-RateLimit-Daily": str(self.per_day),
            "X-HubSpot-RateLimit-Daily-Remaining": str(max(0, self.per_day - self.used_today)),
        }
        if not search:
            headers["X-HubSpot-RateLimit-Max"] = str(self.per_10s)
            headers["X-HubSpot-RateLimit-Remaining"] = str(max(0, self.per_10s - len(bucket)))
            headers["X-HubSpot-RateLimit-Interval-Milliseconds"] = "10000"
        return headers, refusal


def _throttled(message: str, policy: str) -> Refusal:
    refusal = Refusal(429, "RATE_LIMITS", message)
    del refusal.body["category"]
    refusal.body |= {"errorType": "RATE_LIMIT", "policyName": policy, "requestId": "emulated"}
    return refusal
