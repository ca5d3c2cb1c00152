"""What a pass decides about persons: where they stand in each model, and what should stand on their records.

Read from the store, decided by the pure core; nothing is kept here. So a pass that keeps its decisions and a look at
what another model would decide are the same thing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import blake2b
from typing import Any, Literal

import numpy as np
from sqlalchemy import Connection, Row, select

from connectors.base import FieldDefinition, Value, canonical
from scoring.journey import Change, Journey, Transition, advance
from scoring.wording import outputs
from sync.days import days_of
from sync.mapping import Output, digest
from sync.people import Person, gather
from sync.score import Scored, Scoring, evaluate, held, unprofiled
from sync.store import tables
from sync.store.store import in_chunks
from sync.store.values import day_number, load

#: an activity is recent when it is dated, or was changed, at most this many days ago
RECENT_DAYS = 2

#: what may be written to a person's records: everything, nothing while a rep holds them, or only emptying our fields
Write = Literal["all", "nothing", "empty"]


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """One person in one model."""

    scoring: Scoring
    #: None: outside the audience, so nothing was evaluated and the journey rests
    scored: Scored | None
    #: None: never in the audience
    journey: Journey | None
    transition: Transition | None = None


@dataclass(frozen=True, kw_only=True)
class Decision:
    """One person."""

    person: Person
    write: Write
    #: one a model, the primary one first; none for who is not to be profiled
    verdicts: Sequence[Verdict]
    #: number of a live record -> our fields -> what should stand there
    desired: Mapping[int, Mapping[str, Value]]


def decide(tx: Connection, numbers: Sequence[int], scorings: Sequence[Scoring]) -> list[Decision]:
    """The decisions about the persons of these numbers who have records, in that order."""
    maps, zone = scorings[0].maps, scorings[0].zone
    people = [person for person in gather(tx, numbers, maps, zone) if person.records]
    profiled = [person for person in people if not unprofiled(person)]
    marks = {row.number: row for some in in_chunks(numbers) for row in tx.execute(_marks(some))}
    verdicts: dict[int, list[Verdict]] = {person.number: [] for person in profiled}
    for scoring in scorings:
        journeys = journeys_of(tx, numbers, scoring.model.model)
        for person, scored in zip(profiled, evaluate(profiled, scoring), strict=True):
            number = person.number
            verdicts[number].append(_verdict(person, scored, marks[number], journeys.get(number), scoring))
    return [_decision(person, verdicts.get(person.number, []), scorings) for person in people]


def journeys_of(tx: Connection, numbers: Sequence[int], model: str) -> dict[int, Row[Any]]:
    """Person -> their row in a model."""
    table = tables.journey
    return {
        row.person: row
        for some in in_chunks(numbers)
        for row in tx.execute(select(table).where(table.c.person.in_(some), table.c.model == model))
    }


def _marks(numbers: Sequence[int]) -> Any:
    return select(tables.person).where(tables.person.c.number.in_(numbers))


def _verdict(
    person: Person, scored: Scored | None, mark: Row[Any], before: Row[Any] | None, scoring: Scoring
) -> Verdict:
    previous = Journey.from_dict(load(before.journey)) if before is not None else None
    if scored is None:
        return Verdict(scoring=scoring, scored=None, journey=previous)
    journey, transition = advance(
        scoring.model,
        previous,
        scored.evaluation,
        person.sales,
        scoring.day,
        run_digest=scoring.compiled.run_digest,
        fact_hash=digest({name: scored.facts[name] for name in scoring.facts_read if name in scored.facts}),
        timeline_digest=_timeline_digest(person, scoring),
        change=_change(person, mark, before, scoring),
    )
    return Verdict(scoring=scoring, scored=scored, journey=journey, transition=transition)


def _change(person: Person, mark: Row[Any], before: Row[Any] | None, scoring: Scoring) -> Change:
    """What the store saw since the person's last evaluation."""
    first = scoring.first_complete_at.get(person.created_in)
    today = day_number(scoring.day)
    recent = mark.fresh_at is not None and _day(mark.fresh_at, scoring) >= today - RECENT_DAYS
    fresh = {at_ for at_ in load(mark.fresh) if today - RECENT_DAYS <= _day(at_, scoring) <= today}
    if before is not None and len(person.activities):
        # an activity that was dated after the last score day counts as new once its day has come; all that a
        # connection's first read brought had happened
        at = np.ascontiguousarray(person.activities["at"])
        days = days_of(at, scoring.zone)
        read = max((known for known in scoring.first_complete_at.values() if known is not None), default=0)
        came = (days > day_number(date.fromisoformat(before.scored_on))) & (days <= today) & (at > read)
        came &= days >= today - RECENT_DAYS
        recent = recent or bool(came.any())
        fresh |= set(person.activities["at"][came].tolist())
    return Change(
        restored=scoring.restored,
        # nor is it news who was there before the model was
        first_pull=first is None or person.created_at <= max(first, scoring.began_at),
        maps_changed=before is not None and mark.maps_digest != scoring.maps_digest,
        recent_activity=recent,
        fresh=frozenset(fresh),
    )


def _day(instant: int, scoring: Scoring) -> int:
    return int(days_of(np.array([instant]), scoring.zone)[0])


def _timeline_digest(person: Person, scoring: Scoring) -> str:
    """Of the ids and touchpoints up to the score day."""
    end = day_number(scoring.day)
    activities = person.activities
    if not len(activities):
        return ""
    counted = activities[days_of(np.ascontiguousarray(activities["at"]), scoring.zone) <= end]
    hashed = blake2b(np.ascontiguousarray(counted["id"]).tobytes(), digest_size=8)
    hashed.update(np.ascontiguousarray(counted["touchpoint"]).tobytes())
    return hashed.hexdigest()


def _decision(person: Person, verdicts: Sequence[Verdict], scorings: Sequence[Scoring]) -> Decision:
    write: Write = "empty" if unprofiled(person) else "nothing" if held(person) else "all"
    ours = {map_.connection: map_.outputs for map_ in scorings[0].maps}
    return Decision(
        person=person,
        write=write,
        verdicts=verdicts,
        desired={
            row.number: dict.fromkeys(ours[row.connection])
            if write == "empty"
            else _desired(row, person, verdicts, ours[row.connection])
            for row in person.records
            if ours[row.connection]
        },
    )


def _desired(
    row: Row[Any], person: Person, verdicts: Sequence[Verdict], ours: Mapping[str, Output]
) -> dict[str, Value]:
    """What should stand in our fields of one record."""
    scoring = {verdict.scoring.model.model for verdict in verdicts}
    # a record that is written no more, as nothing links to it now, is not left with an old score
    desired: dict[str, Value] = dict.fromkeys(
        name for name in load(row.confirmed) if name in ours and ours[name].model in scoring
    )
    for verdict in verdicts:
        model = verdict.scoring.model
        mine = {name: output for name, output in ours.items() if output.model == model.model}
        if verdict.scored is not None and row.number in person.written:
            desired |= _values(row, mine, verdict, verdict.scored)
        elif verdict.scored is None and model.on_leave == "keep":
            desired = {name: value for name, value in desired.items() if name not in mine}
    return desired


def _values(row: Row[Any], mine: Mapping[str, Output], verdict: Verdict, scored: Scored) -> dict[str, Value]:
    assert verdict.journey is not None
    scoring = verdict.scoring
    definitions = scoring.definitions.get(row.connection, {}).get(row.object, {})
    lengths = {output.output: length for name, output in mine.items() if (length := _length(definitions.get(name)))}
    values = outputs(scoring.model, verdict.journey, scored.ledger, scoring.day, lengths, evaluation=scored.evaluation)
    return {name: _canonical(definitions.get(name), values[output.output]) for name, output in mine.items()}


def _length(definition: FieldDefinition | None) -> int | None:
    return definition.length if definition is not None else None


def _canonical(definition: FieldDefinition | None, value: Value) -> Value:
    return value if definition is None else canonical(definition, value)
