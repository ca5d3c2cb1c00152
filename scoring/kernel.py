"""The arithmetic: facts and packed activities of many persons into scores, chunk by chunk.

Integers throughout: micro-points, day numbers, microseconds. One person costs the same call as a million, and the
numbers of a person depend on nothing but that person's facts and activities.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from scoring.bots import clicks_of_bots
from scoring.compile import CompiledModel
from scoring.engagement import Silence
from scoring.fact_values import FactValue, known
from scoring.limits import within_limits
from scoring.patterns import ALL_DAYS, patterns_that_hold
from scoring.scores import (
    GRADES,
    NEVER,
    Evaluation,
    FitResult,
    GroupResult,
    Ints,
    RuleResult,
    Scores,
)
from scoring.values import MICRO, micro

__all__ = [
    "GRADES",
    "NEVER",
    "Batch",
    "Evaluation",
    "FitResult",
    "GroupResult",
    "RuleResult",
    "Scores",
    "score_people",
]

CHUNK = 5_000  # persons at once: the arrays of a chunk stay in the processor's cache and memory flat


@dataclass(frozen=True, kw_only=True, eq=False)
class Batch:
    """P persons and their M activities, person after person, in any order within one."""

    facts: Sequence[Mapping[str, FactValue]]  #: [P] derived ones included
    offsets: Ints  #: [P + 1] the activities of person i are rows offsets[i] to before offsets[i + 1]
    at: Ints  #: [M] microseconds since 1970 in UTC
    day: Ints  #: [M] day number of ``at`` in the installation's zone
    touchpoint: npt.NDArray[np.uint32]  #: [M]
    recycled_at: Ints | None = None  #: [P] microseconds since which sales' word reads recycled, else NEVER


@dataclass(frozen=True, kw_only=True, eq=False)
class _Activities:
    """Activities of some persons, each row with the person's place among them."""

    persons: int
    person: Ints
    at: Ints
    day: Ints
    touchpoint: Ints

    def only(self, rows: npt.NDArray[np.bool_]) -> "_Activities":
        return replace(
            self, person=self.person[rows], at=self.at[rows], day=self.day[rows], touchpoint=self.touchpoint[rows]
        )


def score_people(
    compiled: CompiledModel, batch: Batch, day: int, *, oldest_day: int | None = None, chunk: int = CHUNK
) -> Scores:
    """The scores of all persons on a day number; an empty batch gives empty arrays.

    Activities dated after ``day`` or before ``oldest_day`` (retention) never count. ``chunk`` persons are scored at
    once, which changes no score.
    """
    persons = len(batch.facts)
    chunks = [
        _score_chunk(compiled, batch, (first, min(first + chunk, persons)), (oldest_day, day))
        for first in range(0, max(persons, 1), chunk)
    ]
    arrays: dict[str, Any] = {name: np.concatenate([chunk[name] for chunk in chunks]) for name in chunks[0]}
    return Scores(compiled=compiled, facts=batch.facts, day=day, **arrays)


def _score_chunk(
    compiled: CompiledModel, batch: Batch, people: tuple[int, int], days: tuple[int | None, int]
) -> dict[str, npt.NDArray[np.generic]]:
    fit = _fit(compiled, batch.facts[people[0] : people[1]], days[1])
    recycled_at = None if batch.recycled_at is None else batch.recycled_at[people[0] : people[1]]
    engagement = _engagement(compiled, _counted(compiled, batch, people, days), days[1], recycled_at)
    weights, model = compiled.model.weights, compiled.model
    exact = fit["fit_micro"] * weights.fit + engagement["engagement_micro"] * weights.engagement
    lost = fit["disqualified_by"] >= 0
    fit_shown, engagement_shown = _rounded(fit["fit_micro"], MICRO), _rounded(engagement["engagement_micro"], MICRO)
    bounds = tuple(model.grades[letter] for letter in ("A", "B", "C"))
    grade = _band(fit_shown, bounds)
    return {
        **fit,
        **engagement,
        "score": np.where(lost, 0, _rounded(exact, 100 * MICRO)),
        "fit": fit_shown,
        "engagement": engagement_shown,
        "grade": np.where(lost, GRADES.index("F"), grade).astype(np.int8),
        "third": (_third(fit_shown, grade, bounds) if model.thirds else np.zeros_like(grade)).astype(np.int8),
        "level": (_band(engagement_shown, model.levels) + 1).astype(np.int8),
    }


def _rounded(exact: Ints, unit: int) -> Ints:
    """Whole numbers, half away from zero, of values that are never negative."""
    shown: Ints = (exact + unit // 2) // unit
    return shown


def _band(shown: Ints, bounds: tuple[int, ...]) -> Ints:
    """How many of the falling bounds each value stays under."""
    under: Ints = np.sum([shown < bound for bound in bounds], axis=0, dtype=np.int64)
    return under


def _third(shown: Ints, band: Ints, bounds: tuple[int, ...]) -> Ints:
    """The third of its band that each value lies in: 1 the best, 0, -1; the best band ends at 100."""
    low, high = np.array([*bounds, 0])[band], np.array([100, *bounds])[band]
    above: Ints = np.sum([3 * (shown - low) >= n * (high - low) for n in (1, 2)], axis=0, dtype=np.int64)
    return np.subtract(above, 1)


def _fit(compiled: CompiledModel, people: Sequence[Mapping[str, FactValue]], day: int) -> dict[str, Ints]:
    """Fit is a few conditions over a mapping for each person: plain Python, no arrays to gain from."""
    rows = [
        [
            variable.weight * variable.bands.band(known(facts, variable.name), day)[1] * (MICRO // 100)
            for variable in compiled.variables
        ]
        for facts in people
    ]
    holds = [[adjust.holds(facts, day) for adjust in compiled.adjusts] for facts in people]
    variables = np.array(rows, dtype=np.int64).reshape(len(people), len(compiled.variables))
    adjusts = np.array(holds, dtype=np.bool_).reshape(len(people), len(compiled.adjusts))
    points = np.hstack([variables, adjusts * np.array([adjust.points for adjust in compiled.adjusts], dtype=np.int64)])
    disqualified = [
        next((d for d, disqualifier in enumerate(compiled.disqualifiers) if disqualifier.holds(facts, day)), -1)
        for facts in people
    ]
    return {
        "fit_points": points,
        "adjust_holds": adjusts,
        "fit_micro": points.sum(axis=1).clip(0, 100 * MICRO),
        "disqualified_by": np.array(disqualified, dtype=np.int64),
    }


def _counted(
    compiled: CompiledModel, batch: Batch, people: tuple[int, int], days: tuple[int | None, int]
) -> _Activities:
    """The activities up to the score day and not older than retention, without the clicks of bots."""
    offsets = batch.offsets[people[0] : people[1] + 1]
    rows = slice(offsets[0], offsets[-1])
    counts = (batch.day[rows] <= days[1]) & (batch.day[rows] >= (NEVER if days[0] is None else days[0]))
    found = _Activities(
        persons=people[1] - people[0],
        person=np.repeat(np.arange(people[1] - people[0]), np.diff(offsets))[counts],
        at=batch.at[rows][counts],
        day=batch.day[rows][counts],
        touchpoint=batch.touchpoint[rows][counts].astype(np.int64),
    )
    if compiled.bots is None:
        return found
    return found.only(~clicks_of_bots(compiled.bots, found.person, found.at, found.touchpoint))


def _engagement(compiled: CompiledModel, whole: _Activities, day: int, recycled_at: Ints | None) -> dict[str, Ints]:
    """Points, counts and newest days by person and rule, then by group, then by person."""
    points = _points(compiled, whole, day)
    reached = points.pop("reached_micro")
    silent_since, heard_on = np.full(whole.persons, NEVER), points.pop("heard_on")
    silence, recycle = np.zeros_like(reached), np.zeros_like(reached)
    if compiled.model.silence is not None:
        silence = _silence(compiled.model.silence, heard_on, day)
        silent_since = np.where(silence > 0, heard_on, NEVER)
    if compiled.model.mql.recycle is not None and recycled_at is not None and (recycled_at != NEVER).any():
        recycle = _over_limit(compiled, whole, day, recycled_at)
    return {
        **points,
        "activity_count": np.bincount(whole.person, minlength=whole.persons),
        "silent_since": silent_since,
        "silence_micro": silence,
        "recycle_micro": recycle,
        "engagement_micro": (reached - recycle - silence).clip(0, 100 * MICRO),
    }


def _silence(silence: Silence, heard_on: Ints, day: int) -> Ints:
    """Micro-points that silence takes; nothing from one who was never active."""
    silent = np.where(heard_on == NEVER, 0, day - np.maximum(heard_on, -ALL_DAYS))
    steps = np.where(silent < silence.after, 0, 1 + (silent - silence.after) // silence.every)
    taken: Ints = np.minimum(micro(silence.at_most), micro(silence.take) * steps)
    return taken


def _over_limit(compiled: CompiledModel, whole: _Activities, day: int, recycled_at: Ints) -> Ints:
    """Micro-points by which what people did up to their recycle exceeds the limit, as if that were all they did."""
    assert compiled.model.mql.recycle is not None
    who = np.flatnonzero(recycled_at != NEVER)
    place = np.full(whole.persons, -1)
    place[who] = np.arange(len(who))
    old = whole.only(whole.at <= recycled_at[whole.person])
    old = replace(old, persons=len(who), person=place[old.person])
    reached = _points(compiled, old, day)["reached_micro"]
    over = np.zeros(whole.persons, dtype=np.int64)
    over[who] = np.maximum(reached - compiled.model.mql.recycle.keep_at_most * MICRO, 0)
    return over


def _points(compiled: CompiledModel, whole: _Activities, day: int) -> dict[str, Ints]:
    """What the activities give by rule, group and pattern, and all together within 0 to 100 (``reached_micro``)."""
    persons, rules = whole.persons, len(compiled.rules)
    # Only activities whose touchpoint some rule matches go on.
    place, matched = compiled.entries.places(whole.touchpoint)
    person, at, on, place = whole.person[matched], whole.at[matched], whole.day[matched], place[matched]
    positive, heard = compiled.positive[place], compiled.heard[place]

    source, entry = compiled.entries.pairs(place)
    rule = compiled.entries.owner[entry]
    if compiled.dates is not None:
        inside = (on[source] >= compiled.dates[0][rule]) & (on[source] <= compiled.dates[1][rule])
        source, entry, rule = source[inside], entry[inside], rule[inside]
    cell = person[source] * rules + rule
    kept = within_limits(compiled.limits, cell, at[source], on[source], compiled.entries.value[entry])
    cell, source, rule = cell[kept], source[kept], rule[kept]

    age = np.minimum(day - on[source], compiled.table.shape[1] - 1)
    points = compiled.table[rule, age]
    cells = persons * rules
    # float64 sums are exact: 10^6 activities of 10^9 micro-points stay below 2^53.
    rule_points = np.bincount(cell, weights=points, minlength=cells).astype(np.int64).reshape(persons, rules)
    group_points = np.stack(
        [rule_points[:, group.first : group.end].sum(axis=1).clip(group.floor, group.cap) for group in compiled.groups],
        axis=1,
    )
    holds = np.zeros((persons, 0), dtype=np.bool_)
    pattern_points = np.zeros(persons, dtype=np.int64)
    if compiled.patterns is not None:
        holds = patterns_that_hold(compiled.patterns, whole.person, whole.day, whole.touchpoint, persons, day)
        pattern_points = holds @ np.array([pattern.points for pattern in compiled.patterns.patterns])
    instant_newest_at = np.full((persons, 0), NEVER)
    if len(compiled.instants):
        instant = np.isin(rule, compiled.instants)
        newest_at = _newest(cells, cell[instant], at[source[instant]])
        instant_newest_at = newest_at.reshape(persons, rules)[:, compiled.instants]
    return {
        "rule_points": rule_points,
        "rule_count": np.bincount(cell, minlength=cells).reshape(persons, rules),
        "rule_newest": _newest(cells, cell, on[source]).reshape(persons, rules),
        "group_points": group_points,
        "pattern_holds": holds,
        "reached_micro": (group_points.sum(axis=1) + pattern_points).clip(0, 100 * MICRO),
        "newest_positive_at": _newest(persons, person[positive], at[positive]),
        "heard_on": _newest(persons, person[heard], on[heard]),
        "instant_newest_at": instant_newest_at,
    }


def _newest(size: int, place: Ints, value: Ints) -> Ints:
    """The greatest value of each place, NEVER where there is none."""
    newest = np.full(size, NEVER)
    np.maximum.at(newest, place, value)
    return newest
