"""Persons scored by a model: what scoring needs beside the persons, and what comes out.

The core is pure; this module gathers what it needs and calls it once for many persons. Nothing is kept here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property

import numpy as np
from sqlalchemy import Connection

from connectors.base import FieldDefinition
from scoring.compile import CompiledModel, compile_model
from scoring.fact_values import FactValue
from scoring.facts import derive
from scoring.kernel import NEVER, Batch, Evaluation
from scoring.ledger import Ledger, explain
from scoring.model import ScoringModel
from scoring.sales import recycled_at
from scoring.tables import Tables
from scoring.trend import score_with_trend
from sync.arrivals import RELABELLED
from sync.days import days_of, score_day
from sync.mapping import ConnectionMap, digest
from sync.people import Person, touchpoints
from sync.store import timelines
from sync.store.store import get_meta
from sync.store.values import day_number


@dataclass(frozen=True, kw_only=True)
class Scoring:
    """All that holds still while a pass scores by one model."""

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
    #: when the model first scored this audience, in microseconds; 0 = long ago
    began_at: int = 0
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

    @cached_property
    def facts_read(self) -> frozenset[str]:
        """The facts that the model reads."""
        return self.model.facts_read()

    def facts_of(self, person: Person) -> dict[str, FactValue]:
        """The person's facts with the derived ones."""
        return derive(person.facts.values, self.tables, self.facts_read)

    def addresses(self, facts: Mapping[str, FactValue]) -> bool:
        """Whether somebody with these facts is in the model's audience today."""
        audience = self.compiled.audience
        return audience is None or audience(facts, day_number(self.day))


@dataclass(frozen=True, kw_only=True)
class Scored:
    """One person, evaluated."""

    person: Person
    facts: Mapping[str, FactValue]
    evaluation: Evaluation
    ledger: Ledger


def evaluate(people: Sequence[Person], scoring: Scoring, on: date | None = None) -> list[Scored | None]:
    """Each person's evaluation on the score day, or on the day ``on``; None outside the audience; same order.

    On another day the activities are those up to that day; facts, model, audience and sales' word are those of now.
    """
    facts = [scoring.facts_of(person) for person in people]
    inside = [place for place, known in enumerate(facts) if scoring.addresses(known)]
    found: list[Scored | None] = [None] * len(people)
    whole = np.concatenate([timelines.NOTHING, *(people[place].activities for place in inside)])
    at = np.ascontiguousarray(whole["at"])
    lengths = [len(people[place].activities) for place in inside]
    batch = Batch(
        facts=[facts[place] for place in inside],
        offsets=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        at=at,
        day=days_of(at, scoring.zone),
        touchpoint=np.ascontiguousarray(whole["touchpoint"]),
        recycled_at=np.array([_recycled_at(people[place], scoring) for place in inside], dtype=np.int64),
    )
    scores = score_with_trend(scoring.compiled, batch, day_number(on or scoring.day), kept_days=scoring.retention.days)
    for row, place in enumerate(inside):
        evaluation = scores.person(row)
        found[place] = Scored(
            person=people[place],
            facts=facts[place],
            evaluation=evaluation,
            ledger=explain(scoring.compiled, evaluation, facts[place]),
        )
    return found


def _recycled_at(person: Person, scoring: Scoring) -> int:
    at = recycled_at(scoring.model, person.sales, scoring.day)
    return NEVER if at is None else at


def unprofiled(person: Person) -> bool:
    """Whether a person is not to be profiled: not scored, no activities kept, our fields emptied once."""
    return person.facts.values.get("do_not_profile") is True


def held(person: Person) -> bool:
    """Whether a rep holds the person: scored as ever, and nothing is written."""
    return person.facts.values.get("hold") is True


def compiled_for(
    tx: Connection, model: ScoringModel, known: Tables, zone: str, maps: Sequence[ConnectionMap]
) -> tuple[CompiledModel, str]:
    """The model ready to score with the touchpoints there are, and the digest of the maps with their names."""
    compiled = compile_model(model, touchpoints(tx, maps), known, time_zone=zone)
    return compiled, digest([[map_.digest for map_ in maps], get_meta(tx, RELABELLED)])
