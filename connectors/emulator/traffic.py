"""What reached the emulator, and which requests shall go wrong."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import orjson

from connectors.emulator.faults import Fault

KEPT = 200_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One request as the log keeps it. Tokens are never kept."""

    n: int
    method: str
    #: path with query, as sent
    target: str
    #: 0 = the connection was dropped
    status: int
    #: the User-Agent
    who: str
    #: of calls that change records; else empty
    body: bytes = b""
    #: the few headers that say how a call is meant
    headers: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The entry as ``/_emulator/log`` shows it."""
        path, _, query = self.target.partition("?")
        shown: dict[str, Any] = {"n": self.n, "method": self.method, "path": path, "query": query}
        shown |= {"status": self.status, "who": self.who}
        if self.headers:
            shown["headers"] = dict(self.headers)
        if self.body:
            try:
                shown["body"] = orjson.loads(self.body)
            except orjson.JSONDecodeError:
                shown["body"] = self.body.decode(errors="replace")
        return shown


@dataclass(slots=True)
class Traffic:
    """The log and the faults; safe from threads. Control calls are in neither."""

    log: deque[Entry] = field(default_factory=lambda: deque(maxlen=KEPT))
    faults: list[Fault] = field(default_factory=list)
    #: requests since the start
    calls: int = 0
    lock: Lock = field(default_factory=Lock)

    def fault(self, method: str, target: str) -> Mapping[str, Any]:
        """What the first fault that strikes does to this request; empty when none does."""
        with self.lock:
            return next((fault.do for fault in self.faults if fault.strikes(method, target)), {})

    def note(
        self, method: str, target: str, status: int, who: str, body: bytes, headers: Mapping[str, str] | None = None
    ) -> int:
        """Writes one request into the log; its number."""
        with self.lock:
            self.calls += 1
            self.log.append(Entry(self.calls, method, target, status, who, body, headers or {}))
            return self.calls

    def since(self, n: int) -> list[Entry]:
        """The entries after number ``n``, oldest first."""
        with self.lock:
            return [entry for entry in self.log if entry.n > n]
