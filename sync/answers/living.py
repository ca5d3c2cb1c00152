"""Persons lived through day by day, as passes would: scored, their status advanced, their outputs looked at.

Nothing is read from a store. Activities of the last two days before the first day are new on it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from config.golden import GoldenCase
from connectors.base import Value
from scoring.compile import CompiledModel, Touchpoint
from scoring.fact_values import FactValue
from scoring.facts import derive
from scoring.journey import Change, Journey, advance
from scoring.kernel import NEVER, Batch
from scoring.ledger import Ledger, explain
from scoring.sales import Sales, recycled_at
from scoring.scores import Evaluation
from scoring.tables import Tables
from scoring.trend import score_with_trend
from scoring.wording import outputs
from sync.days import days_of
from sync.decisions import RECENT_DAYS
from sync.store.values import day_number, micros

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Life:
    """A person to be lived through from one day on."""

    on: date
    #: days after ``on`` that are looked at; the last one ends the life
    looks: Sequence[int]
    #: derived ones included
    facts: Mapping[str, FactValue]
    #: by activity: microseconds, day number, touchpoint
    at: Ints
    day: Ints
    touchpoint: Ints
    sales: Sales | None = None
    #: where they stood before; None = never scored
    journey: Journey | None = None

    def scored_by(self, compiled: CompiledModel, day: date) -> bool:
        """Whether the model scores them on a day: in its audience, and not against being profiled."""
        audience = compiled.audience
        refuses = self.facts.get("do_not_profile") is True
        return not refuses and (audience is None or audience(self.facts, day_number(day)))

    def said_by(self, day: date) -> Sales | None:
        """Sales' word as it was known on a day."""
        return self.sales if self.sales is not None and self.sales.on <= day else None


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A life on one of its days."""

    on: date
    #: what each output says; empty where the model does not score the person
    outputs: Mapping[str, Value]
    #: None = not scored
    ledger: Ledger | None


def live(compiled: CompiledModel, lives: Sequence[Life], kept_days: int) -> list[dict[int, Seen]]:
    """What is seen of each life on the days it is looked at. Each day is evaluated once, for all who live on it."""
    journeys = [life.journey for life in lives]
    found: list[dict[int, Seen]] = [{} for _ in lives]
    for day in sorted({life.on + timedelta(days=after) for life in lives for after in range(max(life.looks) + 1)}):
        places = [
            place
            for place, life in enumerate(lives)
            if life.on <= day <= life.on + timedelta(days=max(life.looks)) and life.scored_by(compiled, day)
        ]
        evaluations = _evaluated(compiled, [lives[place] for place in places], day, kept_days)
        for place, evaluation in zip(places, evaluations, strict=True):
            life = lives[place]
            journey = _advanced(compiled, life, journeys[place], evaluation, day)
            journeys[place] = journey
            if (day - life.on).days in life.looks:
                ledger = explain(compiled, evaluation, life.facts)
                said = outputs(compiled.model, journey, ledger, day, evaluation=evaluation)
                found[place][(day - life.on).days] = Seen(on=day, outputs=said, ledger=ledger)
    return [
        {
            after: seen.get(after) or Seen(on=life.on + timedelta(days=after), outputs={}, ledger=None)
            for after in life.looks
        }
        for life, seen in zip(lives, found, strict=True)
    ]


def _evaluated(compiled: CompiledModel, lives: Sequence[Life], day: date, kept_days: int) -> list[Evaluation]:
    if not lives:
        return []
    recycled = [recycled_at(compiled.model, life.said_by(day), day) for life in lives]
    batch = Batch(
        facts=[life.facts for life in lives],
        offsets=np.cumsum([0, *(len(life.at) for life in lives)]).astype(np.int64),
        at=np.concatenate([life.at for life in lives]),
        day=np.concatenate([life.day for life in lives]),
        touchpoint=np.concatenate([life.touchpoint for life in lives]).astype(np.uint32),
        recycled_at=np.array([NEVER if at is None else at for at in recycled], dtype=np.int64),
    )
    scores = score_with_trend(compiled, batch, day_number(day), kept_days=kept_days)
    return [scores.person(place) for place in range(len(lives))]


def _advanced(
    compiled: CompiledModel, life: Life, before: Journey | None, evaluation: Evaluation, day: date
) -> Journey:
    """The journey of a day, as a pass of that day would leave it."""
    today = day_number(day)
    known = today - 1 if day > life.on else today - RECENT_DAYS - 1
    new = (life.day > known) & (life.day <= today)
    journey, _ = advance(
        compiled.model,
        before,
        evaluation,
        life.said_by(day),
        day,
        run_digest="",  # model and facts hold still
        fact_hash="",
        timeline_digest=str((life.day <= today).sum()),
        change=Change(recent_activity=bool(new.any()), fresh=frozenset(life.at[new].tolist())),
    )
    return journey


class Touchpoints:
    """The touchpoints of some cases, numbered as they come; a value is both id and label."""

    def __init__(self) -> None:
        """None yet."""
        self._numbers: dict[tuple[str, tuple[tuple[str, str], ...], bool], int] = {}

    def number(self, kind: str, attributes: Mapping[str, str], *, exact: bool) -> int:
        """The number of a touchpoint; ``exact``: its activities have times."""
        return self._numbers.setdefault((kind, tuple(sorted(attributes.items())), exact), len(self._numbers) + 1)

    def all(self) -> list[Touchpoint]:
        """Every one, by number."""
        return [
            Touchpoint(
                number=number, kind=kind, attributes={name: (text, text) for name, text in attributes}, exact=exact
            )
            for (kind, attributes, exact), number in self._numbers.items()
        ]


def life_of(case: GoldenCase, tables: Tables, named: Iterable[str], zone: str, known: Touchpoints) -> Life:
    """The life that a case describes; ``named`` are the facts that the model reads."""

    def instant(moment: datetime) -> int:
        return micros(moment.replace(tzinfo=ZoneInfo(zone)))

    inexact = {(did.activity, frozenset(did.attributes.items())) for did in case.did if did.at is None}
    rows = [
        (
            instant(did.moment(case.on)) + nth * 60_000_000,
            known.number(did.activity, did.attributes, exact=key not in inexact),
        )
        for did in case.did
        for key in [(did.activity, frozenset(did.attributes.items()))]
        for nth in range(did.times)
    ]
    at, touchpoint = (np.array([row[column] for row in sorted(rows)], dtype=np.int64) for column in (0, 1))
    day = days_of(at, zone)
    sales = None
    if case.said is not None:
        said = case.said.moment(case.on)
        sales = Sales(word=case.said.word, at=instant(said), on=said.date())
    return Life(
        on=case.on,
        looks=list(case.expected),
        facts=derive(case.known_facts, tables, named),
        at=at,
        day=day,
        touchpoint=touchpoint,
        sales=sales,
        journey=_before(case, sales, int((day < day_number(case.on) - RECENT_DAYS).sum())),
    )


def _before(case: GoldenCase, sales: Sales | None, activities: int) -> Journey | None:
    """The journey that ``was`` describes, evaluated last when there were so many activities."""
    was = case.was
    if was is None:
        return None
    since = was.moment(case.on).date()
    mql = since if was.status == "mql" else None
    heard = sales if sales is not None and sales.on <= since else None
    return Journey(
        status=was.status,
        since=since,
        cause="first",
        furthest=was.furthest or ("suspect" if was.status == "disqualified" else was.status),
        mql_since=mql,
        first_mql_on=mql,
        mql_count=1 if mql else 0,
        recycled_on=since if was.status == "recycled" else None,
        sales=heard.word if heard else None,
        sales_at=heard.at if heard else None,
        timeline_digest=str(activities),
    )
