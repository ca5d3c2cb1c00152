"""Everybody looked at once by every model: how many people each part of a model speaks of, and of whom none does."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from scoring.fact_values import FactValue, Kind, comparable, kind_of, known
from scoring.kernel import Batch, score_people
from scoring.patterns import ALL_DAYS, CompiledPatterns, patterns_that_hold
from sync.days import days_of
from sync.facts import facts_of
from sync.people import Person
from sync.score import Scoring, unprofiled
from sync.store import timelines
from sync.store.values import day_number

#: what a job title says, as far as the tables of titles know its words
OF_TITLES = ("seniority", "department")


@dataclass(kw_only=True)
class OfModel:
    """What one model makes of those in its audience."""

    scoring: Scoring
    people: int = 0
    #: (adjust, disqualify, rule or pattern; id) -> people for whom it holds, or to whom it gives points, today
    speaks: Counter[tuple[str, str]] = field(default_factory=Counter)
    #: patterns that might have held for somebody on some day, as all that is kept is enough for their lines
    possible: set[str] = field(default_factory=set)
    #: (variable, band) -> people; a band of "" is a known value that no band takes
    bands: Counter[tuple[str, str]] = field(default_factory=Counter)
    #: fact -> people of whom it is known
    known: Counter[str] = field(default_factory=Counter)
    #: (fact, kind of its value) -> people
    kinds: Counter[tuple[str, Kind]] = field(default_factory=Counter)


@dataclass(kw_only=True)
class Survey:
    """All persons with a live record."""

    models: Mapping[str, OfModel]
    people: int = 0
    #: not to be profiled
    unprofiled: int = 0
    #: of the others, outside every audience
    outside: int = 0
    #: fact -> persons on whose live records it differs
    disagreeing: dict[str, list[int]] = field(default_factory=dict)
    #: what a title should say -> titles that do not -> people
    untold: Mapping[str, Counter[str]] = field(default_factory=lambda: {name: Counter() for name in OF_TITLES})


def survey(scorings: Sequence[Scoring], people: Iterable[Sequence[Person]]) -> Survey:
    """What all models make of these people, who come in chunks."""
    found = Survey(models={scoring.model.model: OfModel(scoring=scoring) for scoring in scorings})
    for chunk in people:
        profiled = [person for person in chunk if not unprofiled(person)]
        found.people += len(chunk)
        found.unprofiled += len(chunk) - len(profiled)
        scored = np.zeros(len(profiled), dtype=np.bool_)
        for one in found.models.values():
            facts = [one.scoring.facts_of(person) for person in profiled]
            inside = np.array([one.scoring.addresses(mine) for mine in facts], dtype=np.bool_)
            places = np.flatnonzero(inside).tolist()
            _look(one, [profiled[place] for place in places], [facts[place] for place in places])
            scored |= inside
        found.outside += int((~scored).sum())
        for person in profiled:
            _compare(found, person, scorings[0])
    return found


def _look(one: OfModel, people: Sequence[Person], facts: Sequence[Mapping[str, FactValue]]) -> None:
    """Adds what the model makes of people in its audience."""
    compiled, day = one.scoring.compiled, day_number(one.scoring.day)
    one.people += len(people)
    for mine in facts:
        of = [(name, value) for name in one.scoring.facts_read if (value := known(mine, name)) is not None]
        one.known.update(name for name, _ in of)
        one.kinds.update((name, kind_of(value)) for name, value in of)
        one.bands.update(
            (variable.name, variable.bands.band(value, day)[0])
            for variable in compiled.variables
            if (value := known(mine, variable.name)) is not None
        )
        one.speaks.update(("disqualify", part.id) for part in compiled.disqualifiers if part.holds(mine, day))
    batch = _batch(people, facts, one.scoring)
    scores = score_people(compiled, batch, day, oldest_day=day - one.scoring.retention.days)
    patterns = compiled.patterns.patterns if compiled.patterns else ()
    for ids, holds in (
        ([("adjust", part.id) for part in compiled.adjusts], scores.adjust_holds),
        ([("rule", rule.id) for rule in compiled.rules], scores.rule_points != 0),
        ([("pattern", pattern.id) for pattern in patterns], scores.pattern_holds),
    ):
        one.speaks.update(dict(zip(ids, holds.sum(axis=0).tolist(), strict=True)))
    if compiled.patterns:
        holds = _possible(compiled.patterns, batch, day)
        one.possible.update(pattern.id for pattern, held in zip(patterns, holds, strict=True) if held)


def _batch(people: Sequence[Person], facts: Sequence[Mapping[str, FactValue]], scoring: Scoring) -> Batch:
    whole = np.concatenate([timelines.NOTHING, *(person.activities for person in people)])
    at = np.ascontiguousarray(whole["at"])
    return Batch(
        facts=facts,
        offsets=np.concatenate([[0], np.cumsum([len(person.activities) for person in people])]).astype(np.int64),
        at=at,
        day=days_of(at, scoring.zone),
        touchpoint=np.ascontiguousarray(whole["touchpoint"]),
    )


def _possible(patterns: CompiledPatterns, batch: Batch, day: int) -> NDArray[np.bool_]:
    """Which patterns somebody has enough activities for, whatever their windows and upper bounds say."""
    lines = len(patterns.within)
    loose = replace(patterns, within=np.full(lines, ALL_DAYS), at_most=np.full(lines, ALL_DAYS))
    persons = len(batch.facts)
    person = np.repeat(np.arange(persons), np.diff(batch.offsets))
    past = batch.day <= day
    rows = (person[past], batch.day[past], batch.touchpoint[past].astype(np.int64))
    holds = patterns_that_hold(loose, *rows, persons, day)
    return np.asarray(holds.any(axis=0))


def _compare(found: Survey, person: Person, scoring: Scoring) -> None:
    """Adds the facts on which the person's live records differ, and the titles that say nothing."""
    facts = scoring.facts_of(person)
    title = known(facts, "title")
    for name in OF_TITLES:
        if isinstance(title, str) and name not in facts:
            found.untold[name][title.strip()] += 1
    alive = [record for record in person.told if not record.converted]
    if len(alive) < 2:
        return
    values: dict[str, set[object]] = {}
    for record in alive:
        for name, value in facts_of(scoring.maps, [record], scoring.zone).values.items():
            if known({name: value}, name) is not None:
                values.setdefault(name, set()).add(comparable(value))
    for name, different in values.items():
        if len(different) > 1:
            found.disagreeing.setdefault(name, []).append(person.number)
