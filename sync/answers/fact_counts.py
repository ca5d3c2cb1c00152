"""The facts of many people, counted: how often each is known, its commonest values, and the bands that take them.

Values of facts that name or address somebody are never told, nor free text: only how many there are.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from scoring.bands import OTHER
from scoring.fact_values import FactValue, Kind, comparable
from scoring.facts import DERIVED, NAMES
from sync.answers.explain import PERSONAL
from sync.people import Person
from sync.score import Scoring, unprofiled
from sync.store.values import day_number, plain

#: values of a fact that are told
TOLD = 10
#: a fact with more different values than this is free text, unless half of the people share the ones told
FEW = 20


#: fact -> the facts that are derived from it
GIVES: Mapping[str, frozenset[str]] = {
    "title": frozenset({"seniority", "department"}),
    "email": frozenset({"email_domain", "email_type"}),
    **{name: frozenset({"looks_like_spam"}) for name in NAMES},
}


@dataclass(frozen=True, kw_only=True)
class Taken:
    """The band of a variable that takes a value; "" and 0 where none does."""

    band: str
    percent: int


@dataclass(frozen=True, kw_only=True)
class ValueCount:
    """One value of a fact."""

    value: FactValue
    people: int
    #: by model, where the fact is one of its variables
    bands: Mapping[str, Taken]


@dataclass(frozen=True, kw_only=True)
class FactCount:
    """One fact of the people."""

    fact: str
    #: of how many people it is known
    known: int
    #: how many different values; None where they are personal
    distinct: int | None
    #: the commonest first; none where they are personal or free text, nor a text of one person that no band names
    values: Sequence[ValueCount]
    #: model -> band of its variable -> people; "" for values that no band takes
    bands: Mapping[str, Mapping[str, int]]
    #: the models that read it, or a fact derived from it
    models: Sequence[str]

    def to_json(self) -> dict[str, Any]:
        """JSON values with stable keys."""
        values = [{**asdict(one), **plain({"value": one.value})} for one in self.values]
        return {**asdict(self), "values": values}


def counted_facts(scorings: Sequence[Scoring], people: Iterable[Sequence[Person]]) -> list[FactCount]:
    """The facts of those who may be profiled: mapped ones in alphabetical order, then derived ones."""
    counts: dict[str, Counter[tuple[Kind, FactValue]]] = {}
    spelled: dict[tuple[str, Kind, FactValue], FactValue] = {}
    personal = set(PERSONAL)
    for chunk in people:
        for person in chunk:
            facts = {} if unprofiled(person) else scorings[0].facts_of(person)
            for name, value in facts.items():
                if isinstance(value, str) and "@" in value:
                    personal.add(name)
                key = comparable(value)
                counts.setdefault(name, Counter())[key] += 1
                spelled.setdefault((name, *key), value)
    reading = {scoring.model.model: scoring.facts_read for scoring in scorings}
    return [
        _counted(
            name,
            [(spelled[name, *key], number) for key, number in counts[name].most_common()],
            scorings,
            models=[model for model, read in reading.items() if read & {name, *GIVES.get(name, ())}],
            personal=name in personal,
        )
        for name in sorted(counts, key=lambda name: (name in DERIVED, name))
        if name != "missing"  # says of others that they are unknown
    ]


def _counted(
    name: str,
    values: Sequence[tuple[FactValue, int]],
    scorings: Sequence[Scoring],
    *,
    models: Sequence[str],
    personal: bool,
) -> FactCount:
    known = sum(number for _, number in values)
    taken = {
        scoring.model.model: [
            Taken(band=band, percent=percent)
            for value, _ in values
            for band, percent in [variable.percent.band(value, day_number(scoring.day))]
        ]
        for scoring in scorings
        if (variable := scoring.model.fit.variables.get(name)) is not None
    }
    bands: dict[str, Counter[str]] = {model: Counter() for model in taken}
    for model, places in taken.items():
        for place, (_, number) in zip(places, values, strict=True):
            bands[model][place.band] += number
    counts = [
        ValueCount(value=value, people=number, bands={model: places[nth] for model, places in taken.items()})
        for nth, (value, number) in enumerate(values)
    ]
    return FactCount(
        fact=name,
        known=known,
        distinct=None if personal else len(values),
        values=[] if personal or _free(counts, known) else [one for one in counts if not _of_one(one)][:TOLD],
        bands={model: dict(found.most_common()) for model, found in bands.items()},
        models=models,
    )


def _free(values: Sequence[ValueCount], known: int) -> bool:
    """Whether most people have a value of their own."""
    return len(values) > FEW and 2 * sum(one.people for one in values[:TOLD]) < known


def _of_one(one: ValueCount) -> bool:
    """Whether the value is a text that might tell who has it."""
    named = any(taken.band not in {"", OTHER} for taken in one.bands.values())
    return isinstance(one.value, str) and one.people == 1 and not named
