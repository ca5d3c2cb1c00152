"""Score: every person marked stale, chunk by chunk, each kept in one transaction.

A person's mark goes with its chunk, so a crash costs at most one chunk, done again with the same result.
"""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from scoring.journey import Transition
from sync.decisions import Decision, Verdict, decide, journeys_of
from sync.mapping import digest
from sync.score import Scored, Scoring
from sync.store import tables
from sync.store.records import desiring, update_rows
from sync.store.store import Store, get_meta, in_chunks, set_meta, upsert
from sync.store.values import dump

#: persons scored in one transaction
CHUNK_PERSONS = 2_000
#: the meta value of what everybody was last marked for
BASIS = "basis"
#: facts that no model reads, kept with every transition to learn from what became of people
LEARNED = frozenset({"feedback", "what_helped", "content_missing"})


def mark_everybody(store: Store, scorings: Sequence[Scoring]) -> bool:
    """Marks all persons for scoring when the day, a model or the maps are others than last time; True when it did.

    This is the daily full pass: it recomputes both caches, ``person.stale`` and ``record.differs``, from the values.
    """
    one = scorings[0]
    runs = [scoring.compiled.run_digest for scoring in scorings]
    with store.begin() as tx:
        basis = digest([one.day, runs, one.maps_digest, _outputs_digest(one)])
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
    scorings: Sequence[Scoring],
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
            total += _score_chunk(tx, numbers, scorings)
            renew(tx)
        on_chunk(len(numbers))
    return total


def _score_chunk(tx: Connection, numbers: Sequence[int], scorings: Sequence[Scoring]) -> int:
    decisions = decide(tx, numbers, scorings)
    refusing = [decision.person.number for decision in decisions if decision.write == "empty"]
    _forget_profiles(tx, refusing)
    for scoring in scorings:
        _keep_journeys(tx, numbers, scoring, decisions)
    update_rows(tx, [row for decision in decisions for row in _records(decision)])
    writes = {decision.person.number: decision.write for decision in decisions}
    upsert(
        tx,
        tables.person,
        [
            {
                "number": number,
                "stale": False,
                "fresh_at": None,
                "fresh": "[]",
                "maps_digest": scorings[0].maps_digest,
                "write": writes.get(number, "all"),
            }
            for number in numbers
        ],
    )
    return len(decisions) - len(refusing)


def _forget_profiles(tx: Connection, numbers: Sequence[int]) -> None:
    """Takes journeys and activities of these persons out of the store."""
    record, timeline = tables.record, tables.timeline
    for some in in_chunks(numbers):
        tx.execute(delete(tables.journey).where(tables.journey.c.person.in_(some)))
        theirs = select(record.c.number).where(record.c.person.in_(some))
        tx.execute(delete(timeline).where(timeline.c.record.in_(theirs)))


def _keep_journeys(tx: Connection, numbers: Sequence[int], scoring: Scoring, decisions: Sequence[Decision]) -> None:
    """Keeps where persons stand in one model, and their changes of status."""
    before = {number: _as_row(row) for number, row in journeys_of(tx, numbers, scoring.model.model).items()}
    kept, moved = [], []
    for decision in decisions:
        number = decision.person.number
        for verdict in decision.verdicts:
            if verdict.scoring is not scoring:
                continue
            if verdict.scored is not None:
                kept.append(_journey_row(number, verdict, verdict.scored))
                if verdict.transition is not None:
                    moved.append(_transition_row(number, verdict.transition, verdict.scored, scoring))
            elif number in before:
                kept.append({**before[number], "resting": True})
    upsert(tx, tables.journey, [row for row in kept if row != before.get(row["person"])])
    if moved:
        tx.execute(insert(tables.transition), moved)


def _as_row(row: Row[Any]) -> dict[str, Any]:
    return dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it


def _journey_row(number: int, verdict: Verdict, scored: Scored) -> dict[str, Any]:
    assert verdict.journey is not None
    return {
        "person": number,
        "model": verdict.scoring.model.model,
        "journey": dump(verdict.journey.to_dict()),
        "status": verdict.journey.status,
        "score": scored.evaluation.score,
        "tier": scored.evaluation.tier,
        "cause": verdict.journey.cause,
        "scored_on": verdict.scoring.day.isoformat(),
        "resting": False,
    }


def _transition_row(number: int, transition: Transition, scored: Scored, scoring: Scoring) -> dict[str, Any]:
    return {
        "person": number,
        "model": scoring.model.model,
        "digest": scoring.compiled.run_digest,
        "day_on": transition.on.isoformat(),
        "from_status": transition.from_,
        "to_status": transition.to,
        "cause": transition.cause,
        "score": scored.evaluation.score,
        "fit": scored.evaluation.fit,
        "engagement": scored.evaluation.engagement,
        "facts": dump({name: scored.facts[name] for name in scoring.facts_read | LEARNED if name in scored.facts}),
        "points": dump(
            {
                f"{line.kind}:{line.key}": f"{line.points:f}"
                for line in scored.ledger.lines
                if line.kind in {"variable", "adjust", "rule", "pattern"}
            }
        ),
    }


def _records(decision: Decision) -> list[dict[str, Any]]:
    """The rows of the person's records whose desired values, or the cache beside them, change."""
    found = []
    for row in decision.person.records:
        if row.number in decision.desired:
            columns = desiring(row, decision.desired[row.number])
            if (columns["desired"], columns["differs"]) != (row.desired, row.differs):
                found.append({"key": row.number, **columns})
    return found
