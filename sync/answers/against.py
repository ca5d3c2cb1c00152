"""Our score beside one that stands in the CRM: whether they order people alike, and where they disagree most."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from scoring.mistakes import nearest
from scoring.model import ScoringModel
from sync.answers.explain import PERSONAL, records_of
from sync.answers.simulate import CHUNK_PERSONS, Side, everybody
from sync.evaluating import scorings_by
from sync.mapping import HAND_OFF, ConnectionMap, maps_of
from sync.people import Person, gather
from sync.report import Progress
from sync.score import Scoring, evaluate, unprofiled
from sync.store.store import Store, in_chunks
from sync.store.values import load

QUARTERS = 4


class FieldError(Exception):
    """The field named is none that the store has, or says who somebody is."""


@dataclass(frozen=True, kw_only=True)
class Apart:
    """Somebody on whom the two scores disagree."""

    #: live records as ``connection:object:id``
    records: tuple[str, ...]
    ours: int
    theirs: float
    #: how many of 100 people score lower or alike, by us and by them
    our_place: int
    their_place: int


@dataclass(frozen=True, kw_only=True)
class Compared:
    """The two scores of everybody who has both."""

    field: str
    model: str
    people: int
    #: scored by us, without a value there
    without: int
    #: with a value there that is no number
    unreadable: int
    #: Spearman's: 1 = the same order, 0 = none in common, -1 = the opposite; None = one of them says the same of all
    correlation: float | None
    #: people by quarter: theirs lowest first, then ours lowest first
    quarters: Sequence[Sequence[int]]
    #: furthest apart first
    apart: Sequence[Apart]

    def to_json(self) -> dict[str, Any]:
        """JSON values with stable keys."""
        return asdict(self)


def compare(
    store: Store, side: Side, name: str, model: ScoringModel, *, limit: int, now: datetime, progress: Progress
) -> Compared:
    """Our score today against the field ``name``: a fact, or ``connection:field``. Raises FieldError."""
    maps = maps_of(side.settings)
    value_of = _reader(name, maps)
    with store.look() as tx:
        (scoring,) = scorings_by(tx, side.settings, {model.model: model}, maps, {}, now)
        numbers = everybody(tx)
    progress.phase("people", len(numbers))
    rows: list[tuple[int, int, float]] = []
    without = unreadable = 0
    for some in in_chunks(numbers, CHUNK_PERSONS):
        with store.look() as tx:
            for person, score in _scored(tx, some, scoring):
                value = value_of(person)
                number = as_number(value)
                without += value is None
                unreadable += value is not None and number is None
                if number is not None:
                    rows.append((person.number, score, number))
        progress.advance(len(some))
    ours, theirs = (np.array([row[place] for row in rows], dtype=np.float64) for place in (1, 2))
    places = [ranks(ours), ranks(theirs)]
    with store.look() as tx:
        return Compared(
            field=name,
            model=model.model,
            people=len(rows),
            without=without,
            unreadable=unreadable,
            correlation=rank_correlation(ours, theirs),
            quarters=_quarters(places[1], places[0]),
            apart=_apart(tx, rows, places[0], places[1], limit),
        )


def _scored(tx: Connection, numbers: Sequence[int], scoring: Scoring) -> list[tuple[Person, int]]:
    people = gather(tx, numbers, scoring.maps, scoring.zone)
    profiled = [person for person in people if person.records and not unprofiled(person)]
    found = evaluate(profiled, scoring)
    return [(person, one.evaluation.score) for person, one in zip(profiled, found, strict=True) if one is not None]


def _reader(name: str, maps: Sequence[ConnectionMap]) -> Callable[[Person], Any]:
    """What gives the field's value of a person, None where there is none. Raises FieldError."""
    connection, _, of = name.rpartition(":")
    personal = {
        column.field
        for map_ in maps
        if map_.connection == connection
        for fact in PERSONAL & map_.facts.keys()
        for column in map_.facts[fact].reads
    }
    if name in PERSONAL or of in personal:
        raise FieldError(f'"{name}" says who somebody is and is no score; compare with the field of the other score')
    facts = {fact for map_ in maps for fact in map_.facts} - {HAND_OFF}
    if name in facts:
        return lambda person: person.facts.values.get(name)
    mapped = {
        field
        for map_ in maps
        if map_.connection == connection
        for object_ in map_.people
        for field in map_.inputs.get(object_, ())
    }
    if connection and of in mapped:
        return lambda person: next(
            (
                value
                for row in person.read
                if row.connection == connection and (value := load(row.inputs).get(of)) is not None
            ),
            None,
        )
    raise FieldError(
        f'nothing reads the field "{name}", so the store does not have it; map it as a fact in a connection '
        f"(facts: {{crm_score: {of}}}), run a pass, and compare with that fact; {nearest(name, facts)}"
    )


def as_number(value: Any) -> float | None:
    """A finite number, also one that stands there as text; None for anything else.

    >>> as_number(12), as_number(" 12.5 "), as_number("high"), as_number(True)
    (12.0, 12.5, None, None)
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return number if np.isfinite(number) else None


def ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The rank of each, 1 for the lowest; equals share the mean of theirs.

    >>> ranks(np.array([10.0, 30.0, 10.0])).tolist()
    [1.5, 3.0, 1.5]
    """
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    mean: NDArray[np.float64] = np.cumsum(counts) - (counts - 1) / 2
    return mean[place]


def rank_correlation(a: NDArray[np.float64], b: NDArray[np.float64]) -> float | None:
    """Spearman's coefficient, -1 to 1; None where one of them is the same for everybody.

    >>> rank_correlation(np.array([1.0, 2.0, 3.0]), np.array([10.0, 20.0, 90.0]))
    1.0
    """
    if len(np.unique(a)) < 2 or len(np.unique(b)) < 2:
        return None
    return round(float(np.corrcoef(ranks(a), ranks(b))[0, 1]), 6)


def _quarters(rows: NDArray[np.float64], columns: NDArray[np.float64]) -> list[list[int]]:
    """People by quarter of two rankings; equals are in one quarter."""
    people = max(len(rows), 1)
    one, other = (np.minimum(((of - 0.5) * QUARTERS / people).astype(np.int64), QUARTERS - 1) for of in (rows, columns))
    counted = np.bincount(one * QUARTERS + other, minlength=QUARTERS * QUARTERS)
    return [list(map(int, row)) for row in counted.reshape(QUARTERS, QUARTERS)]


def _apart(
    tx: Connection,
    rows: Sequence[tuple[int, int, float]],
    ours: NDArray[np.float64],
    theirs: NDArray[np.float64],
    limit: int,
) -> list[Apart]:
    gap = np.abs(ours - theirs)
    chosen = [place for place in np.argsort(-gap, kind="stable")[:limit].tolist() if gap[place]]
    known = records_of(tx, [rows[place][0] for place in chosen])
    return [
        Apart(
            records=tuple(known[rows[place][0]]),
            ours=rows[place][1],
            theirs=rows[place][2],
            our_place=round(float(ours[place]) * 100 / len(rows)),
            their_place=round(float(theirs[place]) * 100 / len(rows)),
        )
        for place in chosen
    ]
