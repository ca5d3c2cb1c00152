"""What another config would change: everybody in the store decided by both, today, and nothing kept.

The store is as the config in use read it (``sync.answers.unread``). People are looked at chunk by chunk, each in a
transaction of its own, so that a worker goes on meanwhile.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from functools import cached_property, partial
from typing import Any

from sqlalchemy import Connection, select

from config.settings import Settings
from scoring.digests import model_digest
from scoring.fact_values import FactValue
from scoring.model import ScoringModel
from sync.answers.impact import ModelImpact
from sync.answers.needed import Writes
from sync.answers.ranking import owners_of
from sync.answers.segments import segment_of
from sync.answers.unread import Unread, unread
from sync.approving import approved_models
from sync.beginnings import first_complete_at
from sync.canary import allowed_records
from sync.days import score_day
from sync.decisions import Decision, decide
from sync.definitions import kept_definitions
from sync.evaluating import scorings_by
from sync.mapping import ConnectionMap, maps_of
from sync.outgoing import write_rules
from sync.plan import WriteRules
from sync.report import Progress
from sync.score import Scoring
from sync.store import tables
from sync.store.store import Store, in_chunks
from sync.store.values import day_number, micros

#: persons decided in one transaction
CHUNK_PERSONS = 1_000


@dataclass(frozen=True, kw_only=True)
class Side:
    """A config, and which of its models score, the primary one first; none = nothing is approved."""

    settings: Settings
    models: Mapping[str, ScoringModel]
    digests: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Impact:
    """What would change."""

    #: people looked at
    people: int
    models: Sequence[ModelImpact]
    writes: Sequence[Writes]
    unread: Unread

    @property
    def quiet(self) -> bool:
        """Whether nobody moves and no status changes."""
        return all(one.quiet for one in self.models)

    def to_json(self) -> dict[str, Any]:
        """JSON values with stable keys."""
        return {
            "people": self.people,
            "quiet": self.quiet,
            "models": [one.to_json() for one in self.models],
            "writes": {one.connection: one.to_json() for one in self.writes},
            "unread": asdict(self.unread),
        }


def side_in_force(tx: Connection, settings: Settings) -> Side:
    """The config with the models that score, none where nothing is approved yet. Raises NotApprovedError."""
    found = approved_models(tx, settings)
    return Side(
        settings=settings,
        models={name: one.model for name, one in found.items()},
        digests={name: one.digest for name, one in found.items()},
    )


def side_of(settings: Settings) -> Side:
    """The config as if all of its models were approved."""
    models = dict(sorted(settings.models.items(), key=lambda pair: (pair[0] != settings.primary, pair[0])))
    return Side(settings=settings, models=models, digests={name: model_digest(one) for name, one in models.items()})


def simulate(
    store: Store,
    before: Side,
    after: Side,
    *,
    models: Sequence[str],
    limit: int,
    push_sizes: Mapping[str, int],
    now: datetime,
    progress: Progress,
    chunk: int = CHUNK_PERSONS,
) -> Impact:
    """What changes from the one side to the other in these models; lists hold at most ``limit`` people.

    ``push_sizes``: kind of CRM -> most records of one request; ``chunk``: persons a transaction.
    """
    with store.look() as tx:
        one, other = (_ready(tx, side, now) for side in (before, after))
        numbers = everybody(tx)
        rules = {map_.connection: _rules(tx, other, map_) for map_ in other.maps}
        complete = {map_.connection: first_complete_at(tx, map_.connection) is not None for map_ in other.maps}
    impacts = [ModelImpact(model=name, rules=(before.digests.get(name), after.digests.get(name))) for name in models]
    connections = {each.name: each for each in after.settings.connections}
    writes = [
        Writes(connection=name, mode=connections[name].write.mode, push_size=push_sizes[connections[name].crm])
        for name in rules
        if complete[name] and rules[name].outputs
    ]
    outputs = {map_.connection: map_.outputs for map_ in other.maps}
    progress.phase("people", len(numbers))
    people = 0
    for some in in_chunks(numbers, chunk):
        with store.look() as tx:
            pairs = _pairs(some, one.decide(tx, some), other.decide(tx, some))
            groups = partial(_groups, owners_of(tx, some), one if one.scorings else other)
            for impact in impacts:
                impact.add(pairs, groups, limit)
            for each in writes:
                each.add(tx, [pair[1] for pair in pairs], outputs, rules[each.connection])
        people += len(pairs)
        progress.advance(len(some))
    with store.look() as tx:
        for each in writes:
            each.judge(tx, connections[each.connection], now)
    return Impact(people=people, models=impacts, writes=writes, unread=unread(one.maps, other.maps, complete))


def everybody(tx: Connection) -> list[int]:
    """The numbers of all persons with a live record."""
    record = tables.record
    live = select(record.c.person).distinct().where(record.c.state == "live", record.c.person.is_not(None))
    return list(tx.execute(live.order_by(record.c.person)).scalars())


@dataclass(frozen=True, kw_only=True)
class _Ready:
    """A side, ready to decide."""

    side: Side
    maps: Sequence[ConnectionMap]
    scorings: Sequence[Scoring]
    now: datetime

    @property
    def day(self) -> int:
        """The score day's number."""
        return day_number(score_day(self.now, self.side.settings.time_zone))

    @cached_property
    def segment(self) -> Callable[[Mapping[str, FactValue], int], str]:
        """The segment of facts on a day number."""
        return segment_of(self.side.settings)

    def decide(self, tx: Connection, numbers: Sequence[int]) -> list[Decision]:
        """What a pass would decide about these persons; nothing where no model scores."""
        return decide(tx, numbers, self.scorings) if self.scorings else []


def _ready(tx: Connection, side: Side, now: datetime) -> _Ready:
    maps = maps_of(side.settings)
    definitions = {
        map_.connection: {
            object_: {name: one for name, one in known.items() if name in map_.outputs}
            for object_, known in kept_definitions(tx, map_.connection).items()
            if object_ in map_.people
        }
        for map_ in maps
    }
    scorings = scorings_by(tx, side.settings, side.models, maps, definitions, now)
    return _Ready(side=side, maps=maps, scorings=scorings, now=now)


def _rules(tx: Connection, ready: _Ready, map_: ConnectionMap) -> WriteRules:
    settings = ready.side.settings
    connection = next(one for one in settings.connections if one.name == map_.connection)
    definitions = ready.scorings[0].definitions[map_.connection]
    allowed = allowed_records(tx, settings, connection, ready.maps, ready.day)
    return write_rules(connection, map_, definitions, micros(ready.now), allowed)


def _pairs(
    numbers: Sequence[int], before: Sequence[Decision], after: Sequence[Decision]
) -> list[tuple[Decision, Decision]]:
    """Each person as decided by both; a side that knows nothing of somebody decides nothing."""
    known = [{decision.person.number: decision for decision in side} for side in (before, after)]
    pairs = []
    for number in numbers:
        one, other = (side.get(number) for side in known)
        if one is not None or other is not None:
            pairs.append((one or _nothing(other), other or _nothing(one)))
    return pairs


def _nothing(decision: Decision | None) -> Decision:
    assert decision is not None
    return replace(decision, verdicts=(), desired={})


def _groups(owners: Mapping[int, Sequence[str]], ready: _Ready, decision: Decision) -> tuple[str, str]:
    """Somebody's owner by id ("" = nobody) and segment ("" = there are none)."""
    owner = next(iter(owners.get(decision.person.number, ())), "")
    if not ready.side.settings.segments:
        return owner, ""
    return owner, ready.segment(ready.scorings[0].facts_of(decision.person), ready.day)
