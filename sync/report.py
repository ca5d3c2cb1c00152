"""What a pass tells of itself, while it runs and when it is over."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

from sync.plan import Plan

State = Literal[
    "ok", "planned", "shadow", "paused", "stopped_by_guard", "needs_adoption", "needs_approval", "parked",
    "deferred_quota", "interrupted", "elsewhere",
]  # fmt: skip


class Progress(Protocol):
    """Who is told how far a pass is."""

    def phase(self, name: str, total: int | None) -> None:
        """A phase begins; ``total`` units of work, None when not known."""
        ...

    def advance(self, done: int, total: int | None = None) -> None:
        """So many units more are done."""
        ...


@dataclass(kw_only=True)
class ConnectionReport:
    """What a pass did at one connection, in records, persons and calls."""

    state: State = "ok"
    reason: str = ""
    pulled: int = 0
    activities: int = 0
    scored: int = 0
    planned: int = 0
    written: int = 0
    rejected: int = 0
    suppressed: int = 0
    left_out: int = 0
    calls: int = 0
    code: str = ""
    exceeded: dict[str, tuple[int, int]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    #: object -> optional fields that the CRM does not show
    hidden: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def settle(self, state: State, reason: str = "") -> None:
        """How the pass ended here, unless something graver was said before."""
        if self.state == "ok":
            self.state, self.reason = state, reason


@dataclass(frozen=True, kw_only=True)
class ModelReport:
    """Which rules of a model a pass scored by."""

    #: their digest; None = nobody approved any yet, so it scored nobody
    digest: str | None
    #: digest of the folder's rules while they wait for approval
    pending: str | None


@dataclass(kw_only=True)
class RunReport:
    """A whole pass."""

    pass_id: str
    started_at: datetime
    ended_at: datetime | None = None
    scored: int = 0
    #: name -> what scored, the primary one first; empty when the pass did not come to scoring
    models: dict[str, ModelReport] = field(default_factory=dict)
    connections: dict[str, ConnectionReport] = field(default_factory=dict)
    plans: dict[str, Plan] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The report without the plans, as JSON values."""
        return {
            "pass": self.pass_id,
            "started_at": self.started_at.isoformat(),
            "ended_at": self.ended_at and self.ended_at.isoformat(),
            "scored": self.scored,
            "models": {name: asdict(model) for name, model in self.models.items()},
            "connections": {name: asdict(report) for name, report in self.connections.items()},
        }
