"""What a push would write of decisions that nobody kept: planned as in a pass, and only counted."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from math import ceil
from typing import Any

from sqlalchemy import Connection

from config.settings import Connection as ConnectionSettings
from sync.decisions import Decision
from sync.differences import echoed_in, late_among, planned, refused_in, written_unapproved
from sync.mapping import Output
from sync.observe import Fields
from sync.outgoing import bounds_of
from sync.plan import AUDIENCE, Counts, Planned, WriteRules, make_plan
from sync.store.records import fields_of
from sync.store.values import micros


@dataclass(kw_only=True)
class Writes:
    """What a push to one connection would write."""

    connection: str
    mode: str
    #: most records of one request
    push_size: int
    #: object -> records to write
    objects: Counter[str] = field(default_factory=Counter)
    counts: Counts = field(default_factory=Counts)
    held_back: int = 0
    left_out: int = 0
    #: count above its bound -> (with what was written in 24 hours, the bound); empty = the guard lets it through
    exceeded: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def records(self) -> int:
        """Records to write."""
        return sum(self.objects.values())

    @property
    def calls(self) -> int:
        """Requests the push makes when nothing is refused."""
        return sum(ceil(number / self.push_size) for number in self.objects.values())

    def add(
        self,
        tx: Connection,
        decisions: Sequence[Decision],
        outputs: Mapping[str, Mapping[str, Output]],
        rules: WriteRules,
    ) -> None:
        """Adds what these decisions would write; ``outputs``: connection -> our fields there."""
        records = _planned(tx, decisions, self.connection, outputs, rules.now)
        plan = make_plan(self.connection, records, rules, basis="")
        self.objects.update(change.object for change in plan.changes)
        self.counts = self.counts.plus(plan.counts)
        self.held_back += len(plan.held_back)
        self.left_out += plan.left_out

    def judge(self, tx: Connection, settings: ConnectionSettings, now: datetime) -> None:
        """What the guard would say to all of it."""
        bounds = bounds_of(tx, settings)
        total = self.counts.plus(written_unapproved(tx, self.connection, micros(now)))
        over = total.within(bounds) if self.records else []
        self.exceeded = {name: (getattr(total, name), bounds[name]) for name in over}

    def to_json(self) -> dict[str, Any]:
        """JSON values with stable keys."""
        return {
            "mode": self.mode,
            "records": self.records,
            "calls": self.calls,
            "counts": asdict(self.counts),
            "held_back": self.held_back,
            "left_out": self.left_out,
            "guard": {"stops": bool(self.exceeded), "exceeded": self.exceeded},
        }


def _planned(
    tx: Connection,
    decisions: Sequence[Decision],
    connection: str,
    outputs: Mapping[str, Mapping[str, Output]],
    now: int,
) -> Iterator[Planned]:
    """The records of the connection that would differ, as the plan sees them."""
    fields = {
        row.number: replace(fields_of(row), desired=decision.desired[row.number])
        for decision in decisions
        for row in decision.person.records
        if row.number in decision.desired
    }
    found = [
        (decision, row)
        for decision in decisions
        if decision.write != "nothing"
        for row in decision.person.records
        if row.connection == connection and row.number in fields and _differs(fields[row.number])
    ]
    late = late_among(
        (
            (row.number, row.person, row.connection, fields[row.number])
            for decision in decisions
            for row in decision.person.records
            if row.number in fields
        ),
        outputs,
    )
    refused = refused_in(tx, connection)
    echoed = echoed_in(tx, [row for _, row in found], connection, outputs, now)
    for decision, row in found:
        yield replace(
            planned(
                row,
                refused.get(row.number, {}),
                _causes(decision),
                unprofiled=decision.write == "empty",
                shown_elsewhere=row.number in late,
                echoed=echoed.get(row.number, frozenset()),
            ),
            fields=fields[row.number],
        )


def _differs(fields: Fields) -> bool:
    return any(fields.observed.get(name) != value for name, value in fields.desired.items())


def _causes(decision: Decision) -> dict[str, str]:
    return {
        verdict.scoring.model.model: verdict.journey.cause if verdict.scored is not None else AUDIENCE
        for verdict in decision.verdicts
        if verdict.journey is not None
    }
