"""What there is to score: kinds of activities and their values, facts and theirs, with counts and with what takes each.

Counted are the activities that are kept, of people in connections that were read once as a whole.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from sqlalchemy import select

from scoring.compile import CompiledModel
from scoring.touchpoints import Entries, Touchpoint, value_of
from sync.answers.anonymous import asked_for
from sync.answers.fact_counts import FactCount, counted_facts
from sync.answers.tallies import CHUNK_PERSONS, Tally, tallies
from sync.people import Person, gather, touchpoints
from sync.score import Scoring
from sync.store import tables
from sync.store.store import Store, in_chunks

#: stands for a value that only one person has, as it might tell who that is
OF_ONE = "(of one person)"

#: model -> ids of its rules and patterns, in its order
Takers = Mapping[str, Sequence[str]]


@dataclass(frozen=True, kw_only=True)
class AttributeValue:
    """One value of an attribute, such as a form or a campaign."""

    #: "" for what only one person did, unless a rule or pattern asks for it; then the label is "", too
    id: str
    #: "" where the CRM gives none
    label: str
    tally: Tally
    #: what takes some activity with this value
    takers: Takers


@dataclass(frozen=True, kw_only=True)
class ActivityKind:
    """One kind of activity."""

    kind: str
    tally: Tally
    #: what takes some activity of it
    takers: Takers
    #: by attribute, the most frequent first
    values: Mapping[str, Sequence[AttributeValue]]


@dataclass(frozen=True, kw_only=True)
class Catalog:
    """What the store holds."""

    #: model -> id of a rule or pattern -> label
    labels: Mapping[str, Mapping[str, str]]
    #: the most frequent first
    kinds: Sequence[ActivityKind]
    facts: Sequence[FactCount]

    def of_kind(self, kind: str) -> "Catalog":
        """That kind of activity alone."""
        return replace(self, kinds=[one for one in self.kinds if one.kind == kind], facts=[])

    def to_json(self) -> dict[str, Any]:
        """JSON values with stable keys; rules and patterns by id."""
        return {"kinds": [asdict(one) for one in self.kinds], "facts": [one.to_json() for one in self.facts]}


def catalog(store: Store, scorings: Sequence[Scoring], people: Iterable[Sequence[Person]]) -> Catalog:
    """What there is, and what each model takes of it; the facts are those of ``people``, which come in chunks."""
    with store.begin() as tx:
        points = touchpoints(tx)
    attributes = sorted({name for point in points for name in point.attributes})
    groupings = [{point.number: (point.kind, value_of(point, name)) for point in points} for name in attributes]
    groupings.append({point.number: (point.kind, "") for point in points})
    *values, kinds = tallies(store, groupings, [map_.connection for map_ in scorings[0].maps], scorings[0].zone)
    taking = {one.model.model: takers(one.compiled) for one in scorings}

    def whole(kind: str, tally: Tally) -> ActivityKind:
        mine = [point for point in points if point.kind == kind]
        told = {
            name: _values(
                mine,
                name,
                {value: held for (of, value), held in found.items() if of == kind},
                taking,
                [asked_for(one.model, one.tables, kind, name) for one in scorings],
            )
            for name, found in zip(attributes, values, strict=True)
        }
        return ActivityKind(
            kind=kind,
            tally=tally,
            takers=takers_of(taking, mine),
            values={name: some for name, some in told.items() if some},
        )

    return Catalog(
        labels={one.model.model: labels_of(one.compiled) for one in scorings},
        kinds=[whole(kind, tally) for (kind, _), tally in kinds.items()],
        facts=counted_facts(scorings, people),
    )


def _values(
    points: Sequence[Touchpoint],
    attribute: str,
    found: Mapping[str, Tally],
    taking: Mapping[str, Mapping[int, Sequence[str]]],
    asked: Sequence[Callable[[Touchpoint], bool]],
) -> list[AttributeValue]:
    """The values of an attribute that these touchpoints have, in the order in which they were found."""
    having: dict[str, list[Touchpoint]] = {}
    for point in points:
        if value := value_of(point, attribute):
            having.setdefault(value, []).append(point)
    told: list[AttributeValue] = []
    for value, tally in found.items():
        mine = having.get(value, ())
        if mine:
            named = tally.people > 1 or any(test(point) for test in asked for point in mine)
            id_, label = mine[-1].attributes[attribute] if named else ("", "")
            told.append(AttributeValue(id=id_, label=label, tally=tally, takers=takers_of(taking, mine)))
    return told


def takers(compiled: CompiledModel) -> dict[int, list[str]]:
    """Touchpoint number -> ids of the rules (after ``match``) and patterns that take it, in the order of the model.

    A pattern that asks for few or none of it is named only where nothing else takes it.
    """
    found: dict[int, dict[str, None]] = {}
    for number, rule in _owners(compiled.entries):
        found.setdefault(number, {})[compiled.rules[rule].id] = None
    patterns = compiled.patterns
    if patterns is not None:
        of_line = [one.id for one in patterns.patterns for _ in range(one.first, one.end)]
        lines = list(_owners(patterns.entries))
        for number, line in lines:
            if patterns.at_least[line]:
                found.setdefault(number, {})[of_line[line]] = None
        taken = frozenset(found)
        for number, line in lines:
            if number not in taken:
                found.setdefault(number, {})[of_line[line]] = None
    return {number: list(ids) for number, ids in found.items()}


def _owners(entries: Entries) -> Iterator[tuple[int, int]]:
    """Pairs of a touchpoint number and an owner."""
    for place, number in enumerate(entries.numbers.tolist()):
        for owner in entries.owner[entries.starts[place] : entries.starts[place + 1]].tolist():
            yield number, owner


def labels_of(compiled: CompiledModel) -> dict[str, str]:
    """Rules and patterns by id, as sales reads them."""
    patterns = compiled.patterns.patterns if compiled.patterns else ()
    rules = {one.id: one.label for one in compiled.rules}
    return rules | {one.id: one.label for one in patterns}


def takers_of(taking: Mapping[str, Mapping[int, Sequence[str]]], points: Iterable[Touchpoint]) -> dict[str, list[str]]:
    """Model -> what takes any of the touchpoints; models that take none are left out."""
    found = {
        model: list(dict.fromkeys(id_ for point in points for id_ in by_number.get(point.number, ())))
        for model, by_number in taking.items()
    }
    return {model: ids for model, ids in found.items() if ids}


def everybody(store: Store, scorings: Sequence[Scoring]) -> Iterator[list[Person]]:
    """All persons with a live record in a connection that was read as a whole, in chunks, lowest number first.

    Each chunk is a transaction of its own, so that a worker on the same store goes on between them.
    """
    record, maps = tables.record, scorings[0].maps
    living = (
        select(record.c.person)
        .distinct()
        .where(record.c.connection.in_([map_.connection for map_ in maps]), record.c.state == "live")
        .where(record.c.person.is_not(None))
        .order_by(record.c.person)
    )
    with store.begin() as tx:
        numbers = list(tx.execute(living).scalars())
    for some in in_chunks(numbers, CHUNK_PERSONS):
        with store.begin() as tx:
            people = gather(tx, some, maps, scorings[0].zone)
        yield [person for person in people if person.records]
