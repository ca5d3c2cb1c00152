"""One person, whole: why the score is what it is, which record each fact is from, what the CRM holds.

Evaluated on the score day with the model as configured; journey and fields as the store holds them. Facts that name or
address somebody are hidden unless they are asked for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, select

from config.settings import Settings
from connectors.base import Value
from scoring.facts import DERIVED
from scoring.journey import Journey, Status
from scoring.ledger import Ledger
from scoring.wording import outputs
from sync.approving import model_in_force
from sync.beginnings import first_complete_at
from sync.mapping import ConnectionMap, Output, maps_of
from sync.people import Person, gather
from sync.score import Scored, Scoring, compiled_for, evaluate, held, unprofiled
from sync.store import tables
from sync.store.records import fields_of
from sync.store.store import in_chunks
from sync.store.values import load, plain

#: facts that name or address somebody
PERSONAL = frozenset({"email", "name", "first_name", "last_name", "phone", "mobile", "owner"})


@dataclass(frozen=True, kw_only=True)
class Fact:
    """One known fact, and the record it came from."""

    name: str
    value: Any
    #: connection, object and CRM id; None = derived from other facts
    source: tuple[str, str, str] | None
    #: names or addresses somebody; shown only where that is asked for
    personal: bool


@dataclass(frozen=True, kw_only=True)
class OurField:
    """The three values of one of our fields on one record."""

    output: str
    desired: Value
    observed: Value
    confirmed: Value


@dataclass(frozen=True, kw_only=True)
class HeldRecord:
    """A live record of the person, with our fields by name."""

    connection: str
    object: str
    crm_id: str
    fields: Mapping[str, OurField]


@dataclass(frozen=True, kw_only=True)
class Step:
    """One change of status."""

    on: date
    from_: str | None
    to: Status
    cause: str
    score: int


@dataclass(frozen=True, kw_only=True)
class Explained:
    """A person on the score day."""

    person: int
    day: date
    model: str
    digest: str
    #: False: the person is not to be profiled, so the ledger is nobody's score
    profiled: bool
    #: a rep holds the person: scored as ever, and nothing is written
    held: bool
    #: None = outside the model's audience: not scored by it, and the journey rests
    ledger: Ledger | None
    facts: Sequence[Fact]
    #: None = never scored by a pass
    journey: Journey | None
    #: when a pass scored them last; None = never
    scored_on: date | None
    #: what each output would say today; empty without a journey
    outputs: Mapping[str, Value]
    records: Sequence[HeldRecord]
    #: oldest first
    steps: Sequence[Step]

    def to_json(self, *, reveal: bool = False) -> dict[str, Any]:
        """JSON values with stable keys; exact points as text, dates as ISO text."""
        return {
            "person": self.person,
            "day": self.day.isoformat(),
            "model": self.model,
            "digest": self.digest,
            "scored_on": self.scored_on and self.scored_on.isoformat(),
            "profiled": self.profiled,
            "held": self.held,
            "in_audience": self.ledger is not None,
            "ledger": self.ledger.to_json() if self.profiled and self.ledger else None,
            "outputs": plain(self.outputs),
            "journey": self.journey and self.journey.to_dict(),
            "steps": [
                {"on": step.on.isoformat(), "from": step.from_, "to": step.to, "cause": step.cause, "score": step.score}
                for step in self.steps
            ],
            "facts": {
                fact.name: {
                    **plain({"value": None if fact.personal and not reveal else fact.value}),
                    "hidden": fact.personal and not reveal,
                    "from": ":".join(fact.source) if fact.source else None,
                }
                for fact in self.facts
            },
            "records": [
                {
                    "connection": record.connection,
                    "object": record.object,
                    "id": record.crm_id,
                    "fields": {
                        name: {
                            "output": field.output,
                            **plain(
                                {"desired": field.desired, "observed": field.observed, "confirmed": field.confirmed}
                            ),
                        }
                        for name, field in record.fields.items()
                    },
                }
                for record in self.records
            ],
        }


def scoring_of(tx: Connection, settings: Settings, now: datetime, name: str | None = None) -> Scoring:
    """What scoring by a model (else the primary one) needs to look at persons; what it needs to write is empty."""
    maps = [map_ for map_ in maps_of(settings) if first_complete_at(tx, map_.connection) is not None]
    model = model_in_force(tx, settings, name)
    compiled, maps_digest = compiled_for(tx, model, settings.tables, settings.time_zone, maps)
    return Scoring(
        compiled=compiled,
        tables=settings.tables,
        maps=maps,
        zone=settings.time_zone,
        now=now,
        retention=timedelta(days=settings.retention.activities_days),
        definitions={},
        first_complete_at={},
        maps_digest=maps_digest,
    )


def explained(tx: Connection, number: int, scoring: Scoring) -> Explained:
    """The person of a number, which must have a live record."""
    (found,) = all_explained(tx, [number], scoring)
    return found


def all_explained(tx: Connection, numbers: Sequence[int], scoring: Scoring) -> list[Explained]:
    """The persons of these numbers, in that order; each must have a live record."""
    people = gather(tx, numbers, scoring.maps, scoring.zone)
    journeys = _journeys(tx, numbers, scoring.model.model)
    steps = _steps(tx, numbers, scoring.model.model)
    ours = {map_.connection: map_.outputs for map_ in scoring.maps}
    return [
        _explained(person, one, journeys.get(person.number), steps.get(person.number, []), ours, scoring)
        for person, one in zip(people, evaluate(people, scoring), strict=True)
    ]


def _explained(
    person: Person,
    one: Scored | None,
    standing: tuple[Journey, date] | None,
    steps: Sequence[Step],
    ours: Mapping[str, Mapping[str, Output]],
    scoring: Scoring,
) -> Explained:
    journey, scored_on = standing or (None, None)
    return Explained(
        person=person.number,
        day=scoring.day,
        model=scoring.model.model,
        digest=scoring.compiled.run_digest,
        profiled=not unprofiled(person),
        held=held(person),
        ledger=one.ledger if one is not None else None,
        facts=_facts(person, scoring),
        journey=journey,
        scored_on=scored_on,
        outputs=outputs(scoring.model, journey, one.ledger, scoring.day, evaluation=one.evaluation)
        if journey is not None and one is not None
        else {},
        records=[_held(row, ours.get(row.connection, {})) for row in person.records],
        steps=steps,
    )


def _journeys(tx: Connection, numbers: Sequence[int], model: str) -> dict[int, tuple[Journey, date]]:
    """Person -> journey and the day of the last evaluation."""
    table = tables.journey
    return {
        row.person: (Journey.from_dict(load(row.journey)), date.fromisoformat(row.scored_on))
        for some in in_chunks(numbers)
        for row in tx.execute(select(table).where(table.c.person.in_(some), table.c.model == model))
    }


def _facts(person: Person, scoring: Scoring) -> list[Fact]:
    records = {row.number: (row.connection, row.object, row.crm_id) for row in person.read}
    sources = person.facts.sources
    return [
        Fact(name=name, value=value, source=records.get(sources.get(name, 0)), personal=_personal(name, value))
        for name, value in sorted(scoring.facts_of(person).items(), key=lambda pair: (pair[0] in DERIVED, pair[0]))
    ]


def _personal(name: str, value: Any) -> bool:
    return name in PERSONAL or (isinstance(value, str) and "@" in value)


def _held(row: Row[Any], ours: Mapping[str, Output]) -> HeldRecord:
    fields = fields_of(row)
    return HeldRecord(
        connection=row.connection,
        object=row.object,
        crm_id=row.crm_id,
        fields={
            name: OurField(
                output=output.output,
                desired=fields.desired.get(name),
                observed=fields.observed.get(name),
                confirmed=fields.confirmed.get(name),
            )
            for name, output in ours.items()
        },
    )


def _steps(tx: Connection, numbers: Sequence[int], model: str) -> dict[int, list[Step]]:
    """Person -> changes of status, oldest first."""
    table = tables.transition
    found: dict[int, list[Step]] = {}
    for some in in_chunks(numbers):
        for row in tx.execute(
            select(table).where(table.c.person.in_(some), table.c.model == model).order_by(table.c.number)
        ):
            found.setdefault(row.person, []).append(
                Step(
                    on=date.fromisoformat(row.day_on),
                    from_=row.from_status,
                    to=row.to_status,
                    cause=row.cause,
                    score=row.score,
                )
            )
    return found


def records_of(tx: Connection, persons: Sequence[int]) -> dict[int, list[str]]:
    """Person -> their live records as ``connection:object:id``, lowest number first."""
    record = tables.record
    found: dict[int, list[str]] = {number: [] for number in persons}
    for some in in_chunks(persons):
        rows = tx.execute(
            select(record.c.person, record.c.connection, record.c.object, record.c.crm_id)
            .where(record.c.person.in_(some), record.c.state == "live")
            .order_by(record.c.number)
        )
        for person, *parts in rows:
            found[person].append(":".join(parts))
    return found


def names_of(tx: Connection, persons: Sequence[int], maps: Sequence[ConnectionMap], zone: str) -> dict[int, str]:
    """Person -> name as far as one is mapped, else address; for a terminal, where somebody asked for it."""
    found = {}
    for person in gather(tx, persons, maps, zone):
        facts = person.facts.values
        parts = [facts.get("name")] if facts.get("name") else [facts.get("first_name"), facts.get("last_name")]
        name = " ".join(str(part) for part in parts if part) or facts.get("email")
        if name:
            found[person.number] = str(name)
    return found
