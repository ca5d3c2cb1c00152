"""Score: every person marked stale, chunk by chunk; scores, journeys and desired values in one transaction a chunk.

The core is pure; this module gathers what it needs, calls it once per chunk, and keeps what came out. A person's mark
goes with its chunk, so a crash costs at most one chunk, done again with the same result.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from hashlib import blake2b
from typing import Any

import numpy as np
from sqlalchemy import Connection, delete, insert, select, update

from connectors.base import FieldDefinition, Value, canonical
from scoring.compile import CompiledModel, compile_model
from scoring.facts import derive
from scoring.journey import Change, Journey, Transition, advance
from scoring.kernel import NEVER, Batch, Evaluation, score_people
from scoring.ledger import Ledger, explain
from scoring.model import ScoringModel
from scoring.sales import recycled_at
from scoring.tables import Tables
from scoring.wording import outputs
from sync.arrivals import RELABELLED
from sync.days import days_of, score_day
from sync.mapping import ConnectionMap, Output, digest
from sync.people import Person, gather, touchpoints
from sync.store import tables, timelines
from sync.store.records import columns_of, fields_of, update_rows
from sync.store.store import Store, get_meta, in_chunks, set_meta, upsert
from sync.store.values import day_number, dump, load

#: persons scored in one transaction
CHUNK_PERSONS = 2_000
#: an activity is recent when it is dated, or was changed, at most this many days ago
RECENT_DAYS = 2
#: the meta value of what everybody was last marked for
BASIS = "basis"


@dataclass(frozen=True, kw_only=True)
class Scoring:
    """All that holds still while a pass scores one model."""

    compiled: CompiledModel
    tables: Tables
    maps: Sequence[ConnectionMap]
    zone: str
    now: datetime
    retention: timedelta
    #: connection -> object -> field name -> definition, of our output fields
    definitions: Mapping[str, Mapping[str, Mapping[str, FieldDefinition]]]
    #: connection -> end of its first complete pull in microseconds; None while it never had one
    first_complete_at: Mapping[str, int | None]
    #: the store was seeded from the CRM's fields in this pass
    restored: bool = False
    #: of the field and activity maps, and of the names of touchpoints
    maps_digest: str

    @property
    def model(self) -> ScoringModel:
        """The model that scores."""
        return self.compiled.model

    @property
    def day(self) -> date:
        """The score day."""
        return score_day(self.now, self.zone)


@dataclass(frozen=True, kw_only=True)
class Scored:
    """One person, evaluated."""

    person: Person
    facts: Mapping[str, Any]
    evaluation: Evaluation
    ledger: Ledger


def evaluate(people: Sequence[Person], scoring: Scoring) -> list[Scored]:
    """Each person's evaluation on the score day; same order."""
    named = scoring.model.facts_read()
    facts = [derive(person.facts.values, scoring.tables, named) for person in people]
    lengths = [len(person.activities) for person in people]
    whole = np.concatenate([timelines.NOTHING, *(person.activities for person in people)])
    at = np.ascontiguousarray(whole["at"])
    batch = Batch(
        facts=facts,
        offsets=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        at=at,
        day=days_of(at, scoring.zone),
        touchpoint=np.ascontiguousarray(whole["touchpoint"]),
        recycled_at=np.array([_recycled_at(person, scoring) for person in people], dtype=np.int64),
    )
    day = day_number(scoring.day)
    scores = score_people(scoring.compiled, batch, day, oldest_day=day - scoring.retention.days)
    scored = []
    for place, person in enumerate(people):
        evaluation = scores.person(place)
        scored.append(
            Scored(
                person=person,
                facts=facts[place],
                evaluation=evaluation,
                ledger=explain(scoring.compiled, evaluation, facts[place]),
            )
        )
    return scored


def _recycled_at(person: Person, scoring: Scoring) -> int:
    at = recycled_at(scoring.model, person.sales, scoring.day)
    return NEVER if at is None else at


def compiled_for(
    tx: Connection, model: ScoringModel, known: Tables, zone: str, maps: Sequence[ConnectionMap]
) -> tuple[CompiledModel, str]:
    """The model ready to score with the touchpoints there are, and the digest of the maps with their names."""
    compiled = compile_model(model, touchpoints(tx), known, time_zone=zone)
    return compiled, digest([[map_.digest for map_ in maps], get_meta(tx, RELABELLED)])


def mark_everybody(store: Store, scoring: Scoring) -> bool:
    """Marks all persons for scoring when the day, the model or the maps are others than last time; True when it did.

    This is the daily full pass: it recomputes both caches, ``person.stale`` and ``record.differs``, from the values.
    """
    with store.begin() as tx:
        basis = digest([scoring.day, scoring.compiled.run_digest, scoring.maps_digest, _outputs_digest(scoring)])
        if get_meta(tx, BASIS) == basis:
            return False
        tx.execute(update(tables.person).values(stale=True))
        set_meta(tx, BASIS, basis)
    return True


def _outputs_digest(scoring: Scoring) -> str:
    fields = {map_.connection: sorted(map_.outputs) for map_ in scoring.maps}
    definitions = {
        name: {object_: {field: repr(one) for field, one in known.items()} for object_, known in of.items()}
        for name, of in scoring.definitions.items()
    }
    return digest([fields, definitions, [map_.linked_only for map_ in scoring.maps]])


def count_stale(store: Store) -> int:
    """How many persons are marked for scoring."""
    with store.begin() as tx:
        return len(tx.execute(select(tables.person.c.number).where(tables.person.c.stale)).all())


def score_stale(
    store: Store,
    scoring: Scoring,
    *,
    stop: Callable[[], bool],
    on_chunk: Callable[[int], None],
    renew: Callable[[Connection], None] = lambda _: None,
) -> int:
    """Scores everybody marked; the number of persons evaluated. Ends early, at a chunk's end, when ``stop()`` holds."""
    total = 0
    while not stop():
        with store.begin() as tx:
            numbers = list(
                tx.execute(
                    select(tables.person.c.number)
                    .where(tables.person.c.stale)
                    .order_by(tables.person.c.number)
                    .limit(CHUNK_PERSONS)
                ).scalars()
            )
            if not numbers:
                break
            total += _score_chunk(tx, numbers, scoring)
            renew(tx)
        on_chunk(len(numbers))
    return total


def _score_chunk(tx: Connection, numbers: Sequence[int], scoring: Scoring) -> int:
    compiled, maps = scoring.compiled, scoring.maps_digest
    people = [person for person in gather(tx, numbers, scoring.maps, scoring.zone) if person.records]
    alive = [person for person in people if not unprofiled(person)]
    refusing = [person for person in people if unprofiled(person)]
    marks = {row.number: row for some in in_chunks(numbers) for row in tx.execute(_marks(some))}
    journeys = {
        row.person: row for some in in_chunks(numbers) for row in tx.execute(_journeys(some, scoring.model.model))
    }
    kept, moved, records = [], [], []
    for person in refusing:
        records += _emptied(person, scoring)
    _forget_profiles(tx, [person.number for person in refusing])
    for one in evaluate(alive, scoring):
        number = one.person.number
        before = journeys.get(number)
        previous = Journey.from_dict(load(before.journey)) if before is not None else None
        digests = {
            "run_digest": compiled.run_digest,
            "fact_hash": digest(dict(one.person.facts.values)),
            "timeline_digest": _timeline_digest(one.person, scoring),
        }
        journey, transition = advance(
            scoring.model,
            previous,
            one.evaluation,
            one.person.sales,
            scoring.day,
            **digests,
            change=_change(one.person, marks[number], before, maps, scoring),
        )
        kept.append(_journey_row(one, journey, scoring))
        if transition is not None:
            moved.append(_transition_row(one, transition, compiled, scoring))
        records += _desired(one, journey, scoring)
    upsert(tx, tables.journey, [row for row in kept if row != _as_row(journeys.get(row["person"]))])
    if moved:
        tx.execute(insert(tables.transition), moved)
    update_rows(tx, records)
    upsert(
        tx,
        tables.person,
        [
            {"number": number, "stale": False, "fresh_at": None, "fresh": "[]", "maps_digest": maps}
            for number in numbers
        ],
    )
    return len(alive)


def unprofiled(person: Person) -> bool:
    """Whether a person is not to be profiled: not scored, no activities kept, our fields emptied once."""
    return person.facts.values.get("do_not_profile") is True


def _forget_profiles(tx: Connection, numbers: Sequence[int]) -> None:
    """Takes journeys and activities of these persons out of the store."""
    record, timeline = tables.record, tables.timeline
    for some in in_chunks(numbers):
        tx.execute(delete(tables.journey).where(tables.journey.c.person.in_(some)))
        theirs = select(record.c.number).where(record.c.person.in_(some))
        tx.execute(delete(timeline).where(timeline.c.record.in_(theirs)))


def _marks(numbers: Sequence[int]) -> Any:
    return select(tables.person).where(tables.person.c.number.in_(numbers))


def _journeys(numbers: Sequence[int], model: str) -> Any:
    return select(tables.journey).where(tables.journey.c.person.in_(numbers), tables.journey.c.model == model)


def _as_row(row: Any) -> dict[str, Any] | None:
    return None if row is None else dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it


def _change(person: Person, mark: Any, before: Any, maps: str, scoring: Scoring) -> Change:
    """What the store saw since the person's last evaluation."""
    first = scoring.first_complete_at.get(person.created_in)
    today = day_number(scoring.day)
    recent = mark.fresh_at is not None and _day(mark.fresh_at, scoring) >= today - RECENT_DAYS
    fresh = {at_ for at_ in load(mark.fresh) if today - RECENT_DAYS <= _day(at_, scoring) <= today}
    if before is not None and len(person.activities):
        # an activity that was dated after the last score day counts as new once its day has come
        days = days_of(np.ascontiguousarray(person.activities["at"]), scoring.zone)
        came = (
            (days > day_number(date.fromisoformat(before.scored_on))) & (days <= today) & (days >= today - RECENT_DAYS)
        )
        recent = recent or bool(came.any())
        fresh |= set(person.activities["at"][came].tolist())
    return Change(
        restored=scoring.restored,
        first_pull=first is None or person.created_at <= first,
        maps_changed=before is not None and mark.maps_digest != maps,
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


def _journey_row(one: Scored, journey: Journey, scoring: Scoring) -> dict[str, Any]:
    return {
        "person": one.person.number,
        "model": scoring.model.model,
        "journey": dump(journey.to_dict()),
        "status": journey.status,
        "score": one.evaluation.score,
        "tier": one.evaluation.tier,
        "cause": journey.cause,
        "scored_on": scoring.day.isoformat(),
    }


def _transition_row(one: Scored, transition: Transition, compiled: CompiledModel, scoring: Scoring) -> dict[str, Any]:
    return {
        "person": one.person.number,
        "model": scoring.model.model,
        "digest": compiled.run_digest,
        "day_on": transition.on.isoformat(),
        "from_status": transition.from_,
        "to_status": transition.to,
        "cause": transition.cause,
        "score": one.evaluation.score,
        "fit": one.evaluation.fit,
        "engagement": one.evaluation.engagement,
        "facts": dump({name: one.facts[name] for name in scoring.model.facts_read() if name in one.facts}),
        "points": dump(
            {
                f"{line.kind}:{line.key}": f"{line.points:f}"
                for line in one.ledger.lines
                if line.kind in {"variable", "adjust", "rule"}
            }
        ),
    }


def _desired(one: Scored, journey: Journey, scoring: Scoring) -> list[dict[str, Any]]:
    """The rows of the person's records whose desired values, or the cache beside them, change."""
    by_connection = {map_.connection: map_ for map_ in scoring.maps}
    rows = []
    for row in one.person.records:
        ours = _ours(by_connection[row.connection], scoring)
        if not ours:
            continue
        # a record that is written no more, as nothing links to it now, is not left with an old score
        desired: dict[str, Value] = dict.fromkeys(fields_of(row).confirmed.keys() & ours.keys())
        if row.number in one.person.written:
            definitions = scoring.definitions.get(row.connection, {}).get(row.object, {})
            lengths = {
                output.output: length for name, output in ours.items() if (length := _length(definitions.get(name)))
            }
            values = outputs(scoring.model, journey, one.ledger, scoring.day, lengths, evaluation=one.evaluation)
            desired = {name: _canonical(definitions.get(name), values[output.output]) for name, output in ours.items()}
        rows += _changed(row, desired)
    return rows


def _emptied(person: Person, scoring: Scoring) -> list[dict[str, Any]]:
    """The rows of the records of a person who is not to be profiled: nothing of ours is to stand there."""
    by_connection = {map_.connection: map_ for map_ in scoring.maps}
    return [
        changed
        for row in person.records
        for changed in _changed(row, dict.fromkeys(_ours(by_connection[row.connection], scoring)))
    ]


def _ours(map_: ConnectionMap, scoring: Scoring) -> dict[str, Output]:
    return {name: output for name, output in map_.outputs.items() if output.model == scoring.model.model}


def _changed(row: Any, desired: Mapping[str, Value]) -> list[dict[str, Any]]:
    columns = columns_of(replace(fields_of(row), desired=desired))
    if columns["desired"] == row.desired and columns["differs"] == row.differs:
        return []
    return [{"key": row.number, "desired": columns["desired"], "differs": columns["differs"]}]


def _length(definition: FieldDefinition | None) -> int | None:
    return definition.length if definition is not None else None


def _canonical(definition: FieldDefinition | None, value: Value) -> Value:
    return value if definition is None else canonical(definition, value)
