"""Keeps calls under a CRM's rate, so that it need not refuse them.

The CRMs count calls in a rolling window, so this does too: a token bucket of the same size would let twice as many
through within one window.
"""

from collections import deque
from collections.abc import Callable


class Throttle:
    """At most ``limit`` calls in any ``window_s`` seconds; one for each allowance of a CRM. Not for several threads."""

    def __init__(
        self, *, limit: int, window_s: float, monotonic: Callable[[], float], sleep: Callable[[float], None]
    ) -> None:
        """``limit`` is at least 1; ``monotonic`` gives seconds."""
        self._limit = limit
        self._window_s = window_s
        self._monotonic = monotonic
        self._sleep = sleep
        self._sent: deque[float] = deque()

    @property
    def limit(self) -> int:
        """Calls let through in a window."""
        return self._limit

    def set_limit(self, limit: int) -> None:
        """Takes the CRM's word on how many calls a window holds; at least 1."""
        self._limit = max(1, limit)

    def take(self) -> None:
        """Returns when a call may go out, and counts it. Waits once at most, so an interrupted sleep is let through."""
        now = self._monotonic()
        while self._sent and self._sent[0] <= now - self._window_s:
            self._sent.popleft()
        if len(self._sent) >= self._limit:
            self._sleep(self._sent[-self._limit] + self._window_s - now)
        self._sent.append(self._monotonic())
