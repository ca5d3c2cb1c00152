"""Whether all is well: the last passes, what waits, what was refused, and the sentence that sums it up.

Fine means that nothing needs a person. What needs one is said as a worry, the gravest first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, select

from sync.beginnings import first_complete_at
from sync.identity import ambiguous
from sync.paused import Pause, paused
from sync.quarantine import Group, groups
from sync.reload import kept_problem
from sync.report import ModelReport
from sync.store import tables
from sync.store.records import DIFFERS, HELD_BACK
from sync.store.values import at, load, micros

#: passes looked at
PASSES = 20
#: without a pass for this long, nobody looks after the fields
OVERDUE = timedelta(days=1)
#: a pass without an end is taken as running for this long
RUNNING = timedelta(hours=6)
#: an approval, and a stop that waits for one, hold this long
APPROVAL = timedelta(days=1)
#: states of a connection in which nothing waits for a person, but perhaps for the next pass
CALM = frozenset({"ok", "planned", "shadow", "interrupted", "elsewhere", "paused"})


@dataclass(frozen=True, kw_only=True)
class PassOf:
    """One pass at one connection."""

    id: str
    connection: str
    started_at: datetime
    #: None = running, or cut
    ended_at: datetime | None
    #: the report's counts, state and reason
    report: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class PullOf:
    """What a connection reads."""

    connection: str
    #: stream -> when its cursor last moved, of those it has begun
    streams: Mapping[str, datetime]
    #: end of its first complete pull; None = still in its first
    complete_since: datetime | None


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A plan the guard stopped, within the time it may be approved."""

    code: str
    connection: str
    counts: Mapping[str, int]
    made_at: datetime
    #: None = nobody did yet
    approved_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How it stands with an installation."""

    now: datetime
    #: newest first
    passes: Sequence[PassOf]
    pulls: Sequence[PullOf]
    people: int
    #: marked for scoring
    stale: int
    #: connection -> records that differ and are due, and those that differ and are held back
    differing: Mapping[str, tuple[int, int]]
    quarantine: Sequence[Group]
    approvals: Sequence[Waiting]
    #: addresses that several persons answer to; nobody is joined by those
    ambiguous: int = 0
    #: what holds back all writes
    pause: Pause | None = None
    #: why the worker keeps the config it had; "" = it has the one in the folder
    config_problem: str = ""
    #: which rules of each model score, and which wait for approval; one that waits is no worry, as the pass goes on
    models: Mapping[str, ModelReport] = field(default_factory=dict)

    @property
    def refused(self) -> int:
        """Entries of quarantine that were not dropped."""
        return sum(group.count for group in self.quarantine if not group.dropped)

    def worries(self) -> list[str]:
        """What needs a person, gravest first; empty = fine."""
        return [*_of_config(self), *_of_passes(self), *_of_approvals(self), *_of_quarantine(self)]

    def to_json(self) -> dict[str, Any]:
        """JSON values with stable keys."""
        return {
            "fine": not self.worries(),
            "worries": self.worries(),
            "passes": [
                {
                    "pass": one.id,
                    "connection": one.connection,
                    "started_at": one.started_at.isoformat(),
                    "ended_at": one.ended_at and one.ended_at.isoformat(),
                    "report": one.report,
                }
                for one in self.passes
            ],
            "pulls": {
                one.connection: {
                    "streams": {name: moved.isoformat() for name, moved in one.streams.items()},
                    "complete_since": one.complete_since and one.complete_since.isoformat(),
                }
                for one in self.pulls
            },
            "people": self.people,
            "stale": self.stale,
            "records": {name: {"due": due, "held_back": held} for name, (due, held) in self.differing.items()},
            "quarantine": [group.to_json() for group in self.quarantine],
            "ambiguous_addresses": self.ambiguous,
            "paused": self.pause
            and {
                "since": self.pause.since.isoformat(),
                "until": self.pause.until and self.pause.until.isoformat(),
                "why": self.pause.why,
            },
            "config_problem": self.config_problem,
            "models": {name: asdict(model) for name, model in self.models.items()},
            "approvals": [
                {
                    **asdict(one),
                    "made_at": one.made_at.isoformat(),
                    "approved_at": one.approved_at and one.approved_at.isoformat(),
                }
                for one in self.approvals
            ],
        }


def standing(
    tx: Connection, connections: Sequence[str], now: datetime, models: Mapping[str, ModelReport] | None = None
) -> Standing:
    """How it stands now with the configured connections and models."""
    record, person = tables.record, tables.person
    differing = {}
    for name in connections:
        rows = tx.execute(
            select(record.c.differs, func.count().label("records"))
            .where(record.c.connection == name, record.c.state == "live", record.c.differs.in_([HELD_BACK, DIFFERS]))
            .group_by(record.c.differs)
        )
        counted = {row.differs: row.records for row in rows}
        differing[name] = (counted.get(DIFFERS, 0), counted.get(HELD_BACK, 0))
    return Standing(
        now=now,
        passes=_passes(tx, connections),
        pulls=[_pull(tx, name) for name in connections],
        people=tx.execute(select(func.count()).select_from(person)).scalar_one(),
        stale=tx.execute(select(func.count()).where(person.c.stale)).scalar_one(),
        differing=differing,
        quarantine=groups(tx),
        approvals=_approvals(tx, connections, now),
        ambiguous=ambiguous(tx),
        pause=paused(tx, now),
        config_problem=kept_problem(tx),
        models=models or {},
    )


def _passes(tx: Connection, connections: Sequence[str]) -> list[PassOf]:
    table = tables.pass_
    rows = tx.execute(select(table).order_by(table.c.started_at.desc(), table.c.id).limit(PASSES))
    return [
        PassOf(
            id=row.id,
            connection=name,
            started_at=at(row.started_at),
            ended_at=at(row.ended_at) if row.ended_at is not None else None,
            report=report,
        )
        for row in rows
        for name, report in load(row.report)["connections"].items()
        if name in connections
    ]


def _pull(tx: Connection, connection: str) -> PullOf:
    table = tables.cursor
    first = first_complete_at(tx, connection)
    rows = tx.execute(
        select(table.c.stream, table.c.moved_at).where(table.c.connection == connection).order_by(table.c.stream)
    )
    return PullOf(
        connection=connection,
        streams={row.stream: at(row.moved_at) for row in rows},
        complete_since=at(first) if first is not None else None,
    )


def _approvals(tx: Connection, connections: Sequence[str], now: datetime) -> list[Waiting]:
    table = tables.approval
    rows = tx.execute(
        select(table)
        .where(table.c.connection.in_(connections), table.c.written_at.is_(None))
        .where(table.c.made_at > micros(now - APPROVAL))
        .order_by(table.c.made_at.desc(), table.c.code)
    )
    return [
        Waiting(
            code=row.code,
            connection=row.connection,
            counts=load(row.counts),
            made_at=at(row.made_at),
            approved_at=at(row.approved_at) if row.approved_at is not None else None,
        )
        for row in rows
    ]


def _of_config(one: Standing) -> list[str]:
    return [f"the config has a mistake, the worker keeps the last good one: {one.config_problem}"] * bool(
        one.config_problem
    )


def _of_passes(one: Standing) -> list[str]:
    """What the newest pass of each connection says."""
    if not one.passes:
        return ["no pass has run yet"]
    found = []
    for name in one.differing:
        mine = [each for each in one.passes if each.connection == name]
        ended = [each for each in mine if each.ended_at is not None]
        if mine and mine[0].ended_at is None and one.now - mine[0].started_at > RUNNING:
            found.append(f"{name}: the pass begun {age(one.now - mine[0].started_at)} ago did not end")
        if not ended:
            found += [] if mine else [f"{name}: no pass in the last {PASSES}"]
        elif ended[0].report["state"] not in CALM:
            found.append(f"{name}: {_state(ended[0].report)}")
        elif ended[0].ended_at is not None and one.now - ended[0].ended_at > OVERDUE:
            found.append(f"{name}: the last pass ended {age(one.now - ended[0].ended_at)} ago")
    return found


def _state(report: Mapping[str, Any]) -> str:
    words = {
        "stopped_by_guard": "stopped by the guard",
        "needs_adoption": "stopped before filled fields",
        "needs_approval": "stopped, no approved model can score",
        "deferred_quota": "quota spent",
    }
    return f"{words.get(report['state'], report['state'])}: {report['reason']}"


def _of_approvals(one: Standing) -> list[str]:
    """Stops that the newest pass of their connection no longer shows need nobody."""
    newest: dict[str, Mapping[str, Any]] = {}
    for each in one.passes:
        if each.ended_at is not None:
            newest.setdefault(each.connection, each.report)
    return [
        f"{waiting.connection}: a plan waits for approval: {waiting.code}"
        for waiting in one.approvals
        if waiting.approved_at is None and newest.get(waiting.connection, {}).get("code") == waiting.code
    ]


def _of_quarantine(one: Standing) -> list[str]:
    if not one.refused:
        return []
    return [f"{one.refused} {'value' if one.refused == 1 else 'values'} in quarantine: leadmark quarantine"]


def age(span: timedelta) -> str:
    """A span as people say it, in its largest unit.

    >>> age(timedelta(seconds=42)), age(timedelta(minutes=90)), age(timedelta(days=3))
    ('42 s', '1 h', '3 d')
    """
    seconds = max(int(span.total_seconds()), 0)
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
