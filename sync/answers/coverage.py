"""What the models do not see: activities nobody scores, parts that speak of nobody, facts that are empty or in dispute.

All as of the score day, over all that is kept.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, select

from scoring.compile import CompiledModel
from scoring.touchpoints import Touchpoint
from sync.answers.catalog import OF_ONE, takers
from sync.answers.fact_findings import (
    Row,
    bands_empty,
    disagreeing,
    facts_empty,
    other_kinds,
    titles_without,
    unreadable,
)
from sync.answers.survey import Survey, survey
from sync.answers.tallies import tallies
from sync.people import Person, touchpoints
from sync.score import Scoring
from sync.store import tables
from sync.store.store import Store
from sync.store.values import load

#: rules match touchpoints, which are meant to be few, a connection
MANY_TOUCHPOINTS = 20_000
#: what activities are with: nobody asks, or no attribute
ANYTHING, NOTHING = "anything", "nothing"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that the models do not see."""

    #: what it is, stable for machines
    key: str
    #: how many rows there are in all
    total: int
    #: the weightiest first; all have the same columns
    rows: Sequence[Row]


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """All findings that have rows."""

    people: int
    models: Sequence[str]
    findings: Sequence[Finding]

    def to_json(self) -> dict[str, Any]:
        """JSON values with stable keys."""
        return asdict(self)


def coverage(store: Store, scorings: Sequence[Scoring], people: Iterable[Sequence[Person]], limit: int) -> Coverage:
    """What the models do not see, at most ``limit`` rows of each finding; ``people`` are all there are, in chunks."""
    found = survey(scorings, people)
    connections = [map_.connection for map_ in scorings[0].maps]
    with store.begin() as tx:
        points = touchpoints(tx)
        in_dispute, illegible = disagreeing(tx, found, limit), unreadable(tx, connections, limit)
        spread = list(_touchpoints_many(tx, connections))
    alone = {point.number: point.number for point in points}
    each, left = tallies(store, (alone, _left(points, scorings)), connections, scorings[0].zone)
    rows: dict[str, Sequence[Row]] = {
        "people_not_scored": list(_people(found)),
        "activities_not_scored": [
            {
                "activity": kind,
                "with": OF_ONE if one.people == 1 and of not in {ANYTHING, NOTHING} else of,
                "times": one.activities,
                "people": one.people,
                "latest": str(one.latest),
            }
            for (kind, of), one in left.items()
        ],
        "touchpoints_many": spread,
        "rules_silent": list(_silent(found, {number: one.activities for number, one in each.items()})),
        "bands_empty": list(bands_empty(found)),
        "facts_empty": list(facts_empty(found)),
        "facts_other_kind": list(other_kinds(found)),
        "facts_disagreeing": in_dispute,
        "values_unreadable": illegible,
        **{f"titles_without_{name}": titles_without(found, name) for name in found.untold},
    }
    return Coverage(
        people=found.people,
        models=list(found.models),
        findings=[Finding(key=key, total=len(all_), rows=all_[:limit]) for key, all_ in rows.items() if all_],
    )


def _touchpoints_many(tx: Connection, connections: Sequence[str]) -> Iterator[Row]:
    """Connections with more touchpoints than matching is made for, and the attribute that makes most of them."""
    table = tables.touchpoint
    for connection in connections:
        values: dict[tuple[str, str], set[str]] = {}
        rows = tx.execute(select(table.c.kind, table.c.ids).where(table.c.connection == connection)).all()
        for kind, ids in rows if len(rows) > MANY_TOUCHPOINTS else ():
            for name, id_ in load(ids).items():
                values.setdefault((kind, name), set()).add(id_)
        if values:
            (kind, name), most = max(values.items(), key=lambda pair: (len(pair[1]), pair[0]))
            yield {
                "connection": connection,
                "touchpoints": len(rows),
                "activity": kind,
                "attribute": name,
                "values": len(most),
            }


def _people(found: Survey) -> Iterator[Row]:
    for why, number in (("outside every audience", found.outside), ("not to be profiled", found.unprofiled)):
        if number:
            yield {"why": why, "people": number}


def _left(points: Sequence[Touchpoint], scorings: Sequence[Scoring]) -> dict[int, tuple[str, str]]:
    """Touchpoint number -> kind and what it is with, of those nothing takes; a kind nothing takes any of is one."""
    taken = {number for scoring in scorings for number in takers(scoring.compiled)}
    for scoring in scorings:  # what tells machines from people is put to use
        taken |= set(scoring.compiled.bots.entries.numbers.tolist()) if scoring.compiled.bots else set()
    kinds = {point.kind for point in points if point.number in taken}
    return {
        point.number: (point.kind, _with(point) if point.kind in kinds else ANYTHING)
        for point in points
        if point.number not in taken
    }


def _with(point: Touchpoint) -> str:
    said = [label or id_ for id_, label in point.attributes.values() if label or id_]
    return " · ".join(said) or NOTHING


def _silent(found: Survey, kept: Mapping[int, int]) -> Iterator[Row]:
    """Parts of the models that speak of nobody; ``kept``: touchpoint number -> activities."""
    for name, one in found.models.items():
        takes: Counter[str] = Counter()
        for number, ids in takers(one.scoring.compiled).items():
            takes.update(dict.fromkeys(ids, kept.get(number, 0)))
        for part, id_, label in _parts(one.scoring.compiled):
            if one.speaks[part, id_] or not one.people:
                continue
            ever = (part == "rule" and takes[id_] > 0) or (part == "pattern" and id_ in one.possible)
            of_facts = part in {"adjust", "disqualify"}
            yield {
                "model": name,
                "part": part,
                "id": id_,
                "label": label,
                "when": "today" if ever or of_facts else "ever",
                "activities": None if of_facts else takes[id_],
            }


def _parts(compiled: CompiledModel) -> Iterator[tuple[str, str, str]]:
    """What may speak of somebody: part, id, label."""
    for rule in compiled.rules:
        yield "rule", rule.id, rule.label
    for pattern in compiled.patterns.patterns if compiled.patterns else ():
        yield "pattern", pattern.id, pattern.label
    for adjust in compiled.adjusts:
        yield "adjust", adjust.id, adjust.label
    for disqualifier in compiled.disqualifiers:
        yield "disqualify", disqualifier.id, disqualifier.label
